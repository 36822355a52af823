"""
Actions on drafts of the call: `cancel:` takes them back, `change:` gives them other members.

A draft is the clinician's own work: what may not be touched is listed in the library
(`never_cancel`), nothing here is chosen beforehand, and a changed draft stays the draft
that it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from cds.core.concepts import CodeRule, Concept
from cds.core.hooks import DRAFTING
from cds.core.rules import Action, Change
from cds.rulefiles.diagnostics import Report, listed
from cds.rulefiles.names import Names
from cds.rulefiles.nodes import Block, Node, Scalar

__all__ = ["check_card_offers", "read_cancel", "read_change", "read_never_cancel"]

_DRAFTED: Final = frozenset({"medicine", "order", "plan"})
_WORKS: Final = ("resources", "cancel", "change")
# What says which draft it is, whose it is, and that nobody has signed it.
_FIXED: Final = (
    "resourceType",
    "id",
    "meta",
    "identifier",
    "status",
    "lifecycleStatus",
    "intent",
    "doNotPerform",
    "subject",
    "patient",
    "for",
    "contained",
)


def read_never_cancel(roots: Iterable[Block], names: Names) -> tuple[str, ...]:
    """Read the concepts whose drafts no suggestion takes back."""
    found = []
    for root in roots:
        for one in root.scalars("never_cancel"):
            _check_drafted(one, "kept", names)
            found.append(one.text)
    return tuple(dict.fromkeys(found))


def read_cancel(node: Block, kept: Iterable[str], names: Names) -> tuple[str, ...]:
    """Read `cancel:` of an action; one that is *kept*, or all of one, is refused."""
    _check_one_work(node, names.report)
    for one in node.scalars("cancel"):
        if not _check_drafted(one, "taken back", names):
            continue
        alike = next((name for name in kept if _covers(one.text, name, names.concepts)), "")
        if alike:
            names.report.add(
                "CDS515",
                one,
                f"a draft of `{one.text}` is never taken back"
                if alike == one.text
                else f"every `{alike}` is a `{one.text}`, and is never taken back",
                notes=["`never_cancel` of the action library lists it"],
                help="say in words what to consider, and with whom",
            )
    return node.texts("cancel")


def read_change(node: Block, names: Names, template: Callable[[Node, Names], Any]) -> Change | None:
    """Read `change:` of an action; *template* turns FHIR with holes into plain values."""
    block = node.block("change")
    if block is None:
        return None
    draft, members = block.get("draft"), block.block("set")
    if isinstance(draft, Scalar):
        _check_drafted(draft, "changed", names)
    for key, _ in members.entries() if members else ():
        if key.text.removeprefix("_") in _FIXED:
            names.report.add(
                "CDS517",
                key,
                f"`{key.text}` of a draft is not for a rule to change",
                notes=["it says which draft it is, whose, and that nobody has signed it"],
                help="take it out: a draft keeps what it is",
            )
    return Change(block.text("draft"), template(members, names) if members else {})


def _check_one_work(node: Block, report: Report) -> None:
    works = [one for one in _WORKS if one in node]
    for word in works[1:]:
        report.add(
            "CDS105",
            node.keys[word],
            f"an action with `{works[0]}` does nothing else",
            help="make it an action of its own",
        )


def _check_drafted(node: Scalar, done: str, names: Names) -> bool:
    """Tell whether a name is that of a concept that is drafted; report where it is not."""
    concept = names.concepts.get(node.text)
    if concept is None:
        names.missing("a concept", node.text, node.place, names.concepts)
        return False
    if concept.type not in _DRAFTED:
        names.report.add(
            "CDS513",
            node,
            f"`{node.text}` is a {concept.type}: no draft of it is {done}",
            help="name a medicine, a plan or an order",
        )
        return False
    return True


def _covers(one: str, other: str, concepts: Mapping[str, Concept]) -> bool:
    """
    Tell whether whatever is *other* by its code is *one* as well.

    Where only some drafts are both, such as two medicines in one product, those are left
    alone when the call is answered.
    """
    if one == other:
        return True
    codes = concepts[other].codes if other in concepts else ()
    return bool(codes) and all(
        any(_means(mine, theirs) for mine in concepts[one].codes) for theirs in codes
    )


def _means(rule: CodeRule, other: CodeRule) -> bool:
    if rule.system != other.system:
        return False
    return other.code.startswith(rule.code) if rule.prefix else other.code == rule.code


def check_card_offers(root: Block, actions: Mapping[str, Action], report: Report) -> None:
    """Report offers that take a draft back, or change it, where they cannot or must not."""
    suggestions = root.block("suggestions")
    for block in suggestions.blocks("items") if suggestions else ():
        action = actions.get(block.text("action"))
        if action is None or not action.drafts:
            continue
        done = "taken back" if action.cancel else "changed"
        if block.flag("recommended"):
            report.add(
                "CDS514",
                block.keys["recommended"],
                f"`{block.text('id')}` is chosen beforehand, and a draft is {done} by it",
                help="take `recommended` out: the clinician chooses this",
            )
        if DRAFTING.isdisjoint(root.texts("hooks")):
            report.add(
                "CDS516",
                block.at("action"),
                f"no hook of this card brings drafts, and a draft is {done} by `{action.id}`",
                notes=[f"hooks: {listed(root.texts('hooks'))}"],
                help=f"add {listed(sorted(DRAFTING))} to `hooks:`, or offer something else",
            )
