"""
Conditions: clauses, and what joins them.

    CLAUSE
    all: [..]    any: [..]    not: X    at_least: {n: 2, of: [..]}
    any: {id: block, of: [{when: X, as: "words"}]}     a block whose clauses texts can list
"""

from __future__ import annotations

from typing import Final

from cds.core.clauses import All, Any_, AtLeast, Expr, Not
from cds.rulefiles.clauses import nothing, parse_clause
from cds.rulefiles.diagnostics import listed
from cds.rulefiles.keys import key_of
from cds.rulefiles.names import Scope
from cds.rulefiles.nodes import Block, Items, Node, Scalar
from cds.rulefiles.shapes import refuse_key

__all__ = ["JOINERS", "first_name", "read_condition", "read_optional", "read_required"]

JOINERS: Final = ("all", "any", "not", "at_least")
_DEEPEST: Final = 8


def read_optional(block: Block, key: str, scope: Scope) -> Expr | None:
    """Read the condition under *key* where there is one."""
    node = block.get(key)
    return None if node is None else read_condition(node, scope)


def read_required(block: Block, key: str, scope: Scope) -> Expr:
    """Read the condition under *key*; that it is missing was reported with the shape."""
    return read_optional(block, key, scope) or nothing(block.place)


def read_condition(node: Node, scope: Scope, label: str = "", depth: int = 0) -> Expr:
    """Read a condition; what cannot be read is reported and stands for nothing."""
    if isinstance(node, Scalar):
        return parse_clause(node, scope, label)
    if isinstance(node, Block):
        return _read_block(node, scope, label, depth)
    scope.report.add(
        "CDS105",
        node,
        "expected a condition, found a list",
        help="say how they are joined: `all:` or `any:`",
    )
    return nothing(node.place)


def _read_block(node: Block, scope: Scope, label: str, depth: int) -> Expr:
    if depth > _DEEPEST:
        scope.report.add(
            "CDS105",
            node,
            f"conditions are nested more than {_DEEPEST} deep",
            help="name the inner one in a file of its own (`kind: condition`)",
        )
        return nothing(node.place)
    if "when" in node.values:
        return _read_named(node, scope, depth)
    if len(node.values) != 1:
        scope.report.add(
            "CDS105",
            node,
            "a condition has one of the keys " + listed(JOINERS),
            help="put several conditions below `all:` or `any:`",
        )
        return nothing(node.place)
    ((key, inner),) = node.entries()
    if key.text not in JOINERS:
        refuse_key(node, key, "a condition", JOINERS, scope.report)
        return nothing(node.place)
    return _read_joined(key, inner, scope, label, depth + 1)


def _read_named(block: Block, scope: Scope, depth: int) -> Expr:
    for key in block.keys.values():
        if key.text not in {"when", "as"}:
            refuse_key(block, key, "a named clause", ["when", "as"], scope.report)
    return read_condition(block.values["when"], scope, block.text("as"), depth + 1)


def _read_joined(key: Scalar, inner: Node, scope: Scope, label: str, depth: int) -> Expr:
    place = key.place
    if key.text == "not":
        of = read_condition(inner, scope, depth=depth)
        return Not(of=of, key=key_of("not", [of]), place=place, label=label)
    name, count, parts = _parts(key, inner, scope, depth)
    if name:
        scope.blocks.add(name)
    if key.text == "all":
        return All(of=parts, key=key_of("all", parts), place=place, id=name, label=label)
    if key.text == "any":
        return Any_(of=parts, key=key_of("any", parts), place=place, id=name, label=label)
    return AtLeast(
        count=count,
        of=parts,
        key=key_of(f"at least {count}", parts),
        place=place,
        id=name,
        label=label,
    )


def _parts(key: Scalar, inner: Node, scope: Scope, depth: int) -> tuple[str, int, tuple[Expr, ...]]:
    """Give the id of the block, the count of `at_least`, and what is joined."""
    name, count = "", 1
    counted = key.text == "at_least"
    of: Node | None = inner
    if isinstance(inner, Block):
        allowed = ["id", "of", *(["n"] if counted else [])]
        for one in inner.keys.values():
            if one.text not in allowed:
                refuse_key(inner, one, f"`{key.text}`", allowed, scope.report)
        name, of = inner.text("id"), inner.get("of")
        number = inner.whole("n")
        if counted and number is None:
            scope.report.add(
                "CDS104", key, "`at_least` needs `n`", help="write `n: 2`, a whole number"
            )
        count = number or 1
    if not isinstance(of, Items) or not of.items or (counted and of is inner):
        form = "{n: 2, of: [..]}" if counted else "a list of conditions"
        scope.report.add(
            "CDS105",
            inner,
            f"`{key.text}` joins a list of conditions",
            help=f"write `{key.text}: {form}`",
        )
        return name, count, ()
    return name, count, tuple(read_condition(one, scope, depth=depth) for one in of.items)


def first_name(expr: Expr) -> str:
    """Give the first name that a condition asks about: an id for who wrote none."""
    if isinstance(expr, Not):
        return first_name(expr.of)
    if isinstance(expr, All | Any_ | AtLeast):
        return first_name(expr.of[0]) if expr.of else "condition"
    names = getattr(expr, "names", None) or (getattr(expr, "name", ""),)
    return names[0].partition(":")[0] or expr.key.partition(" ")[0]
