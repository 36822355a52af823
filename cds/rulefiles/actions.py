"""
The action library: what suggestions draft.

A rule drafts; it never orders. Each template is checked for the fields that keep a
draft a draft, and no template may hold a medicine. What becomes of drafts that the call
brings is read in `cds.rulefiles.cancelling`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from cds.core.drafts import MEDICINES, UNCONFIRMED, draft_fields
from cds.core.rules import Action
from cds.rulefiles.cancelling import read_cancel, read_change
from cds.rulefiles.headers import plain_value
from cds.rulefiles.holes import check_all_holes
from cds.rulefiles.names import Names, Scope
from cds.rulefiles.nodes import Block, Items, Node, Scalar

__all__ = ["read_actions", "template"]

# FHIR fields that hold JSON numbers; a plain number elsewhere is a code, so a text.
_NUMERIC: Final = frozenset(
    {
        "count",
        "countMax",
        "duration",
        "durationMax",
        "frequency",
        "frequencyMax",
        "minutesDuration",
        "numberOfRepeatsAllowed",
        "offset",
        "period",
        "periodMax",
        "rank",
        "value",
    }
)
_JSON_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")


def read_actions(roots: list[Block], names: Names, kept: tuple[str, ...] = ()) -> dict[str, Action]:
    """Read every action, in file order; *kept* are the concepts that no action cancels."""
    found: dict[str, Action] = {}
    for root in roots:
        scope = Scope(names, root.text("id"))
        for key, node in root.pairs("actions"):
            if isinstance(node, Block) and key.text not in found:
                found[key.text] = _read_action(key, node, scope, kept)
    return found


def _read_action(key: Scalar, node: Block, scope: Scope, kept: tuple[str, ...]) -> Action:
    result = node.get("result")
    if isinstance(result, Scalar) and result.text not in scope.names.concepts:
        scope.names.missing("a concept", result.text, result.place, scope.names.concepts)
    blocks = node.blocks("resources")
    for block in blocks:
        check_draft(block, scope.names)
    check_all_holes(node, scope)
    return Action(
        id=key.text,
        label=node.text("label"),
        description=node.text("description"),
        resources=tuple(template(block, scope.names) for block in blocks),
        place=key.place,
        result=node.text("result"),
        cancel=read_cancel(node, kept, scope.names),
        change=read_change(node, scope.names, template),
    )


def template(node: Node, names: Names, key: str = "") -> Any:
    """
    Turn a resource template into plain values.

    Plain texts stay texts but `true`, `false`, and numbers under the FHIR fields that
    hold JSON numbers.
    """
    if isinstance(node, Items):
        return [template(one, names, key) for one in node.items]
    if isinstance(node, Block):
        concept = node.get("$concept")
        if isinstance(concept, Scalar) and concept.text not in names.concepts:
            names.missing("a concept", concept.text, concept.place, names.concepts)
        return {word: template(one, names, word) for word, one in node.values.items()}
    plain = not node.quoted and key in _NUMERIC
    if plain and _JSON_NUMBER.fullmatch(node.text):
        return Decimal(node.text) if "." in node.text else int(node.text)
    return plain_value(node)


def check_draft(block: Block, names: Names) -> None:
    """Report a template that would be more than a draft, or that holds a medicine."""
    kind = block.text("resourceType")
    if kind in MEDICINES:
        names.report.add(
            "CDS507",
            block.at("resourceType"),
            f"a rule never drafts a medicine: `{kind}`",
            help="say it in words: a suggestion with text, or a referral",
        )
        return
    if kind == "Condition":
        _check_condition(block, names)
        return
    for field, wanted in draft_fields(kind).items():
        found = block.text(field)
        if found != wanted:
            names.report.add(
                "CDS506",
                block.at(field) if field in block else block.at("resourceType"),
                f"`{field}` of a drafted {kind or 'resource'} is "
                + (f"`{found}`" if found else "not written"),
                help=f"write `{field}: {wanted}`",
            )


def _check_condition(block: Block, names: Names) -> None:
    status = block.block("verificationStatus")
    codes = {one.text("code") for one in status.blocks("coding")} if status else set()
    if codes != {UNCONFIRMED}:
        names.report.add(
            "CDS506",
            block.at("verificationStatus")
            if "verificationStatus" in block
            else block.at("resourceType"),
            "a drafted Condition is not marked as unconfirmed",
            help="give `verificationStatus` the code `unconfirmed`",
        )
