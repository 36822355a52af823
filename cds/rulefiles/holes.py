"""
Holes in texts: `{{homa_ir.value}}` and what else may stand between double braces.

    NAME.value  NAME.number  NAME.date  NAME.days  NAME.gap   INDEX.band
    FACTOR.grade  FACTOR.points   threshold.NAME   stage.label   stage.meaning
    met(BLOCK)   unusable.count   unusable.list
    patient.id   as_of.date   as_of.plus_90_days
"""

from __future__ import annotations

import re
from typing import Final

from cds.rulefiles.diagnostics import did_you_mean, listed
from cds.rulefiles.names import Scope
from cds.rulefiles.nodes import Items, Node, Scalar

__all__ = ["check_all_holes", "check_holes", "static_length"]

_HOLE: Final = re.compile(r"\{\{(=?)\s*(.*?)\s*\}\}", re.DOTALL)
_MET: Final = re.compile(r"met\((\w+)\)")
_MOMENT: Final = re.compile(r"as_of\.(?:date|plus_\d+_days)")
_FIXED: Final = frozenset(
    {
        "stage.label",
        "stage.meaning",
        "unusable.count",
        "unusable.list",
        "patient.id",
    }
)
_NUMBERED: Final = ("value", "number", "date", "days", "gap")


def static_length(text: str) -> int:
    """Count the characters that stand outside holes."""
    return len(_HOLE.sub("", text))


def check_all_holes(node: Node, scope: Scope) -> None:
    """Check the holes of every text below *node*."""
    if isinstance(node, Scalar):
        if "{{" in node.text:
            check_holes(node, scope)
        return
    for one in node.items if isinstance(node, Items) else node.values.values():
        check_all_holes(one, scope)


def check_holes(node: Scalar, scope: Scope) -> None:
    """Check every hole of a text, and note what the text leans on."""
    text = node.text
    end = 0
    for match in _HOLE.finditer(text):
        _check_hole(node, match, scope)
        end = match.end()
    rest = text.find("{{", end)
    if rest >= 0:
        scope.report.add(
            "CDS502",
            node.span(rest, rest + 2),
            "this hole is not closed",
            help="write `}}` behind the name",
        )


def _check_hole(node: Scalar, match: re.Match[str], scope: Scope) -> None:
    inside = match[2]
    if inside in _FIXED or _MOMENT.fullmatch(inside):
        if inside.startswith("stage."):
            for stages in scope.names.stages:
                scope.lean("stages", stages, node.place)
        return
    met = _MET.fullmatch(inside)
    if met:
        if met[1] not in scope.blocks:
            _complain(
                node, match, f"`{met[1]}` is not the id of a block of this file",
                did_you_mean(met[1], scope.blocks), scope,
            )  # fmt: skip
        return
    name, dot, field = inside.partition(".")
    if name == "threshold":
        if field not in scope.thresholds:
            _complain(
                node, match, f"`{field}` is not a threshold of this file",
                did_you_mean(field, scope.thresholds), scope,
            )  # fmt: skip
        return
    kind = scope.kind(name)
    if not kind or not dot:
        _complain(
            node, match, f"`{{{{{inside}}}}}` names nothing",
            did_you_mean(name, scope.known()) or "write `{{NAME.value}}`", scope,
        )  # fmt: skip
        return
    allowed = _fields(name, kind, scope)
    if field not in allowed:
        _complain(
            node, match, f"`{name}` has no `{field}` to print",
            f"fields: {listed(allowed)}" if allowed else "", scope,
        )  # fmt: skip
    scope.lean(kind, scope.full(name), node.place)


def _fields(name: str, kind: str, scope: Scope) -> tuple[str, ...]:
    if kind == "factor":
        return ("grade", "points")
    if kind == "condition":
        return ()
    if kind == "index" and scope.names.operands[name].words:
        return (*_NUMBERED, "band")
    return _NUMBERED


def _complain(node: Scalar, match: re.Match[str], headline: str, help_: str, scope: Scope) -> None:
    scope.report.add("CDS502", node.span(match.start(), match.end()), headline, help=help_)
