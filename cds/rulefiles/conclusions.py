"""
Conclusions: named conditions, the staging table, factors.
"""

from __future__ import annotations

from typing import Final, Literal, cast

from cds.core.rules import Condition, Evidence, Exclusion, Factor, Grade, Stage, Stages
from cds.rulefiles.conditions import first_name, read_optional, read_required
from cds.rulefiles.headers import check_ids, read_common
from cds.rulefiles.names import Scope
from cds.rulefiles.nodes import Block, Items, Scalar

__all__ = ["read_condition_rule", "read_exclusions", "read_factor", "read_stages"]

_Choice = Literal["hide", "note", "show", "assess"]
_CONFLICTS: Final = ("newest", "trust_against", "say_conflicting")


def read_condition_rule(root: Block, scope: Scope) -> Condition:
    """Read a named condition."""
    return Condition(
        holds_if=read_required(root, "holds_if", scope),
        ruled_out_if=read_optional(root, "ruled_out_if", scope),
        **read_common(root, scope),
    )


def read_stages(root: Block, scope: Scope) -> Stages:
    """Read the staging table: conditions in order, the last line without one."""
    lines = []
    seen: set[str] = set()
    blocks = root.blocks("lines")
    for number, block in enumerate(blocks, start=1):
        label = block.text("label")
        if label in seen:
            scope.report.add("CDS203", block.at("label"), f"two lines are labelled `{label}`")
        seen.add(label)
        last = number == len(blocks)
        otherwise = block.flag("otherwise")
        if last != otherwise or otherwise == ("if" in block):
            scope.report.add(
                "CDS105",
                block.at("label"),
                "the last line says `otherwise: true`, every other line has an `if:`",
                help="end the table with one line that holds for whoever is left",
            )
        lines.append(
            Stage(
                label=label,
                condition=read_optional(block, "if", scope),
                meaning=block.text("meaning"),
            )
        )
    return Stages(lines=tuple(lines), **read_common(root, scope))


def read_exclusions(
    blocks: list[Block], scope: Scope, choices: tuple[str, ...]
) -> tuple[Exclusion, ...]:
    """Read `unless:` and `exclude_if:`; who wrote no id gets the first name asked about."""
    check_ids(blocks, "exclusions", scope)
    found: list[Exclusion] = []
    taken: dict[str, int] = {}
    for block in blocks:
        when = read_required(block, "when", scope)
        choice = block.text("if_unknown")
        name = block.text("id") or first_name(when)
        if not choice:
            scope.report.add(
                "CDS420",
                block.at("when"),
                f"exclusion `{name}` does not say what to do when the answer is unknown",
                help="add one of " + ", ".join(f"`if_unknown: {one}`" for one in choices),
            )
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name = f"{name}_{taken[name]}"
        found.append(
            Exclusion(
                when=when,
                because=block.text("because"),
                if_unknown=cast("_Choice", choice),
                id=name,
                relevant=read_optional(block, "when_relevant", scope),
                show_because=block.text("show_because"),
            )
        )
        if choice == "show" and "note" in choices and "show_because" not in block:
            scope.report.add(
                "CDS425",
                block.at("if_unknown"),
                f"exclusion `{name}` does not say why it may be unknown without a word",
                help="add `show_because:`, or write `if_unknown: note`",
            )
    return tuple(found)


def read_factor(root: Block, scope: Scope) -> Factor:
    """Read a factor."""
    grades = _read_grades(root)
    known = [one.name for one in grades]
    supporting = _read_evidence(root, "evidence_for", known, scope)
    contrary = _read_evidence(root, "evidence_against", known, scope)
    names = [one.id for one in (*supporting, *contrary)]
    evidence = (*root.blocks("evidence_for"), *root.blocks("evidence_against"))
    check_ids(evidence, "pieces of evidence", scope)
    groups = root.get("counts_once")
    once: list[tuple[str, ...]] = []
    for group in groups.items if isinstance(groups, Items) else ():
        members = (
            [one for one in group.items if isinstance(one, Scalar)]
            if isinstance(group, Items)
            else []
        )
        for one in members:
            if one.text not in names:
                scope.names.missing("a piece of evidence", one.text, one.place, names)
        once.append(tuple(one.text for one in members))
    return Factor(
        assess_if=read_optional(root, "assess_if", scope),
        exclude_if=read_exclusions(root.blocks("exclude_if"), scope, ("assess", "hide")),
        evidence_for=supporting,
        evidence_against=contrary,
        if_conflict=root.text("if_conflict", "newest"),
        counts_once=tuple(once),
        grades=grades,
        **read_common(root, scope),
    )


def _read_evidence(root: Block, key: str, grades: list[str], scope: Scope) -> tuple[Evidence, ...]:
    found = []
    for block in root.blocks(key):
        name = block.text("id")
        missing = block.text("if_missing")
        if not missing and key == "evidence_for":
            scope.report.add(
                "CDS421",
                block.at("when"),
                f"evidence `{name}` does not say what its absence means",
                help="add `if_missing: ignore` (rarely done) or "
                "`if_missing: could_be_true` (routinely done)",
            )
        for bound in ("at_least", "at_most"):
            node = block.get(bound)
            if isinstance(node, Scalar) and node.text not in grades:
                scope.names.missing("a grade of this factor", node.text, node.place, grades)
        found.append(
            Evidence(
                id=name,
                when=read_required(block, "when", scope),
                domain=block.text("domain"),
                points=block.whole("points") or 0,
                at_least=block.text("at_least"),
                at_most=block.text("at_most"),
                if_missing=cast("Literal['ignore', 'could_be_true']", missing or "ignore"),
            )
        )
    return tuple(found)


def _read_grades(root: Block) -> tuple[Grade, ...]:
    return tuple(
        Grade(
            name=key.text,
            points=node.whole("points"),
            domains=node.whole("domains") or 1,
            cannot_reach=node.whole("points_cannot_reach"),
        )
        for key, node in root.pairs("grades")
        if isinstance(node, Block)
    )
