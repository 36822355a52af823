"""
Readings: numbers from several results of one concept, named in a rule.

    {count days of: CONCEPT, where: at least THRESHOLD, if latest: true, within: 365 days}
    {average of last: 2, of: CONCEPT, on: different days, within: 365 days}
    {highest of: CONCEPT, between: 90 and 730 days ago}
    {lowest of: CONCEPT, on: newest day, within: 365 days}
    {last end of: MEDICINE}
"""

from __future__ import annotations

import re
from typing import Final

from cds.core.clauses import Limit
from cds.core.concepts import Reading
from cds.core.quantity import read_unit
from cds.rulefiles.diagnostics import a, listed
from cds.rulefiles.names import Scope
from cds.rulefiles.nodes import NUMBER, Block, Scalar
from cds.rulefiles.thresholds import Target, literal

__all__ = ["KINDS", "read_readings"]

_WINDOW: Final = frozenset({"within", "between"})
_COUNTED: Final = _WINDOW | {"where", "if latest", "drawn", "apart"}
KINDS: Final = {
    "count days of": _COUNTED,
    "average of last": _WINDOW | {"of", "on"},
    "mean of": _WINDOW | {"on"},
    "highest of": _WINDOW | {"on"},
    "lowest of": _WINDOW | {"on"},
    "first of": _WINDOW,
    "last end of": frozenset[str](),
}
"""The kinds of readings, each with the keys that say more about it."""

_WHERE: Final = re.compile(
    r"(?P<sign>at least|at most|above|below|from) (?P<one>\S+)(?: (?P<unit>(?!to |below )\S+))?"
    r"(?: (?P<end>to|below) (?P<two>\S+)(?: (?P<unit2>\S+))?)?"
)
_BETWEEN: Final = re.compile(r"(\d+) and (\d+) days(?: ago)?")
_CLOCK: Final = re.compile(r"before (\d\d:\d\d)")


def read_readings(key: Scalar, node: Block, scope: Scope) -> None:
    """Read one reading, and make its name known in *scope*."""
    name = key.text
    if scope.kind(name):
        scope.report.add(
            "CDS203",
            key,
            f"`{name}` is already the name of {a(scope.kind(name))}",
            help="give the reading another name",
        )
        return
    kinds = [word for word in KINDS if word in node]
    if len(kinds) != 1:
        scope.report.add(
            "CDS104",
            key,
            f"the reading `{name}` does not say what it is",
            help="write one of: " + ", ".join(f"`{word}:`" for word in KINDS),
        )
        return
    kind = kinds[0]
    source = "of" if kind == "average of last" else kind
    concept = scope.names.concepts.get(node.text(source))
    allowed = _TYPES.get(kind, ("quantity",))
    if concept is None or concept.type not in allowed:
        scope.names.missing(
            "a medicine or another thing with an end" if kind == "last end of"
            else "a concept with numbers",
            node.text(source),
            node.at(source).place,
            [name for name, one in scope.names.concepts.items() if one.type in allowed],
        )  # fmt: skip
        return
    is_dated = concept.type != "quantity"
    _check_keys(kind, node, frozenset() if is_dated else KINDS[kind], scope)
    if is_dated:
        scope.readings[name] = Reading(
            id=f"{scope.rule}.{name}", kind=kind, concept=concept.id, place=key.place, dated=True
        )
        return
    unit = "1" if kind == "count days of" else concept.unit or "1"
    target = Target(concept.id, concept.unit or "1", concept.units)
    low, high = _where(node.get("where"), target, scope)
    between = _between(node, scope)
    if between is None:
        within = node.days("within") or concept.within
        if within is None:
            scope.report.add(
                "CDS410",
                key,
                f"the reading `{name}` looks at results of any age",
                help="add `within: 365 days`",
            )
        between = None if within is None else (0, within)
    _check_on(kind, node, scope)
    clock = _CLOCK.fullmatch(node.text("drawn"))
    if "drawn" in node and clock is None:
        scope.report.add("CDS105", node.at("drawn"), "expected a time of day", help="before 11:00")
    scope.readings[name] = Reading(
        id=f"{scope.rule}.{name}",
        kind=kind,
        concept=concept.id,
        place=key.place,
        low=low,
        high=high,
        if_latest=node.flag("if latest"),
        last=node.whole("average of last"),
        different_days=node.text("on") == "different days",
        newest_day=node.text("on") == "newest day",
        apart=node.days("apart"),
        drawn_before=clock[1] if clock else "",
        between=between,
        unit=unit,
    )


_LISTED: Final = ("problem", "medicine", "procedure", "plan")
_TYPES: Final = {"first of": ("quantity", *_LISTED), "last end of": _LISTED}


def _check_keys(kind: str, node: Block, allowed: frozenset[str], scope: Scope) -> None:
    """Report what says nothing about a reading of this kind."""
    for word, key in node.keys.items():
        if word != kind and word not in allowed:
            scope.report.add(
                "CDS102",
                key,
                f"`{word}` says nothing about `{kind}`",
                help=f"keys: {listed(sorted(allowed))}" if allowed else "take it out",
            )


def _check_on(kind: str, node: Block, scope: Scope) -> None:
    """Report a choice of days that this kind of reading does not know."""
    wanted = "newest day" if kind in {"highest of", "lowest of"} else "different days"
    if "on" in node and node.text("on") != wanted:
        scope.report.add(
            "CDS105",
            node.at("on"),
            f"`on: {node.text('on')}` says nothing about `{kind}`",
            help=f"write `on: {wanted}`, or leave it out",
        )


def _between(node: Block, scope: Scope) -> tuple[int, int] | None:
    if "between" not in node:
        return None
    match = _BETWEEN.fullmatch(node.text("between"))
    if match is None:
        scope.report.add(
            "CDS105",
            node.at("between"),
            "expected two ages in days",
            help="90 and 730 days ago",
        )
        return 0, 0
    return int(match[1]), int(match[2])


def _where(node: object, target: Target, scope: Scope) -> tuple[Limit | None, Limit | None]:
    if not isinstance(node, Scalar):
        return None, None
    match = _WHERE.fullmatch(node.text)
    if match is None or (match["sign"] == "from") != (match["end"] is not None):
        scope.report.add(
            "CDS110",
            node,
            "`where` cannot be read",
            help="at least V | above V | below V | at most V | from V to V | from V below V",
        )
        return None, None
    if match["sign"] == "from":
        unit = match["unit"] or match["unit2"] or ""
        low = _limit(match["one"], unit, node, target, scope, closed=True)
        high = _limit(
            match["two"], match["unit2"] or unit, node, target, scope,
            closed=match["end"] == "to",
        )  # fmt: skip
        return low, high
    closed = match["sign"] in {"at least", "at most"}
    end = _limit(match["one"], match["unit"] or "", node, target, scope, closed=closed)
    return (end, None) if match["sign"] in {"at least", "above"} else (None, end)


def _limit(
    word: str, unit: str, node: Scalar, target: Target, scope: Scope, *, closed: bool
) -> Limit | None:
    place = node.place
    if NUMBER.fullmatch(word):
        written = literal(word, read_unit(unit, is_code=True) if unit else "", place)
    else:
        found = scope.written(word, place)
        if found is None:
            return None
        written = found
    return scope.limit(written, target, place, closed=closed)
