"""
Results that bring an index to the brink of a cut-off: just below it, and on it or just above.

One result of a patient is moved until the number made of it crosses; the shortest number
on either side is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

from cds.core.clauses import BandIs, Clause, Compare, Threshold
from cds.core.indices import Index
from cds.core.quantity import plain
from cds.reasoning.comparison import possible_cases
from cds.workshop.testing.lab import Lab
from cds.workshop.testing.patients import CannotRead
from cds.workshop.thoroughness.neighbours import Change
from cds.workshop.thoroughness.nudges import step_of

__all__ = ["brinks_of"]

_PLAIN: Final = re.compile(r"^(\d+(?:\.\d+)?)(\s+\S.*?)?(\s+\d+ days? ago.*)?$")
_HALVINGS: Final = 44
_MOST_DIGITS: Final = 7


def brinks_of(lab: Lab, clauses: list[Clause], given: Mapping[str, Any]) -> Iterator[Change]:
    """Give results at the brink of every cut-off of an index that the clauses ask about."""
    seen: set[tuple[str, Decimal]] = set()
    for clause in clauses:
        for name, threshold in _cuts(lab, clause):
            index = lab.rules.indices[name]
            for case in _cases(lab, index, threshold, given):
                if (name, case) not in seen:
                    seen.add((name, case))
                    yield from _of_index(lab, index, case, given)


def _cuts(lab: Lab, clause: Clause) -> Iterator[tuple[str, Threshold]]:
    if isinstance(clause, Compare) and clause.what == "index":
        for limit in (clause.low, clause.high):
            if limit is not None:
                yield clause.name, limit.threshold
    elif isinstance(clause, BandIs):
        for band in lab.rules.indices[clause.name].bands:
            for end in (band.low, band.high):
                if end is not None:
                    yield clause.name, end


def _cases(lab: Lab, index: Index, threshold: Threshold, given: Mapping[str, Any]) -> list[Decimal]:
    try:
        facing = lab.start(index, lab.snapshot(given)).facing
    except CannotRead:
        return []
    return [case.value for case in possible_cases(threshold, facing)]


def _of_index(lab: Lab, index: Index, cut: Decimal, given: Mapping[str, Any]) -> Iterator[Change]:
    for name in _inputs(lab, index, set()):
        value = given.get(name)
        match = _PLAIN.match(value) if isinstance(value, str) else None
        if match is not None:
            rest = f"{match[2] or ''}{match[3] or ''}"
            for number in _crossing(lab, index, cut, given, name, Decimal(match[1]), rest):
                yield Change(name, f"{plain(number)}{rest}")


def _inputs(lab: Lab, index: Index, seen: set[str]) -> Iterator[str]:
    """Name the concepts behind an index, however deep."""
    for name in (*(one.source for one in index.inputs), *index.first_of):
        if name in seen:
            continue
        seen.add(name)
        if name in lab.rules.concepts:
            yield name
        elif name in lab.rules.indices:
            yield from _inputs(lab, lab.rules.indices[name], seen)


def _crossing(
    lab: Lab,
    index: Index,
    cut: Decimal,
    given: Mapping[str, Any],
    name: str,
    start: Decimal,
    rest: str,
) -> Iterator[Decimal]:
    def value(number: Decimal) -> Decimal | None:
        try:
            snapshot = lab.snapshot({**given, name: f"{plain(number)}{rest}"})
        except CannotRead:
            return None
        found = lab.start(index, snapshot).conclude().numbers[index.id].number
        return None if found is None else found.value

    low, high = start / 4, start * 4
    ends = value(low), value(high)
    if ends[0] is None or ends[1] is None or (ends[0] < cut) == (ends[1] < cut):
        low, high = start * Decimal("0.6"), start * Decimal("1.7")
        ends = value(low), value(high)
        if ends[0] is None or ends[1] is None or (ends[0] < cut) == (ends[1] < cut):
            return
    rising = ends[0] < cut
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        there = value(middle)
        if there is None:
            return
        if (there < cut) == rising:
            low = middle
        else:
            high = middle
    step = step_of(cut)
    for end, rounding in ((low, ROUND_FLOOR), (high, ROUND_CEILING)):
        for digits in range(_MOST_DIGITS):
            number = end.quantize(Decimal(1).scaleb(-digits), rounding=rounding)
            there = value(number)
            if there is not None and abs(there - cut) < step:
                yield number
                break
