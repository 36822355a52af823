"""
Patients on both sides of every cut-off of a rule, made from the patients of its cases.

A cut-off on a concept is met by giving that value; one on the number of an index by
searching for the input that brings the number there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from cds.core.clauses import Compare, Expr, Limit, clauses_of
from cds.core.indices import Index
from cds.core.quantity import EXACT, plain
from cds.core.reads import expressions_of
from cds.core.rules import Card, Condition, Factor, Ruleset, Stages
from cds.workshop.testing.expectations import Rule
from cds.workshop.testing.lab import Lab
from cds.workshop.testing.patients import CannotRead

__all__ = ["cells_of", "conditions_of", "cut_offs_of"]

_MOST_PATIENTS: Final = 3
_STEPS: Final = 24
_LEAST: Final = Decimal("0.05")
_MOST: Final = Decimal(20)

Given = Mapping[str, Any]
CutOffs = dict[tuple[str, str], set[Decimal]]


def conditions_of(rule: Rule) -> Iterator[Expr]:
    """Walk every condition of a rule."""
    if isinstance(rule, Card):
        yield from expressions_of(rule)
    elif isinstance(rule, Condition):
        yield from (one for one in (rule.holds_if, rule.ruled_out_if) if one is not None)
    elif isinstance(rule, Stages):
        yield from (line.condition for line in rule.lines if line.condition is not None)
    elif isinstance(rule, Factor):
        yield from (one for one in [rule.assess_if] if one is not None)
        for gate in rule.exclude_if:
            yield gate.when
            if gate.relevant is not None:
                yield gate.relevant
        yield from (one.when for one in (*rule.evidence_for, *rule.evidence_against))
    else:
        yield from (gate.when for gate in rule.not_valid_if)
        yield from rule.conditions.values()
        yield from rule.count_of.values()


def cut_offs_of(rule: Rule) -> CutOffs:
    """Collect the numbers with which a rule compares, by what is compared: kind and name."""
    found: CutOffs = {}
    for expr in conditions_of(rule):
        for clause in clauses_of(expr):
            if isinstance(clause, Compare) and clause.what in {"concept", "age"}:
                _add(found, (clause.what, clause.name), (clause.low, clause.high))
    if isinstance(rule, Index):
        for band in rule.bands:
            for end in (band.low, band.high):
                if end is not None:
                    found.setdefault(("index", rule.id), set()).update(
                        case.value for case in end.cases
                    )
    return found


def _add(found: CutOffs, key: tuple[str, str], limits: Iterable[Limit | None]) -> None:
    for limit in limits:
        if limit is not None:
            found.setdefault(key, set()).update(case.value for case in limit.threshold.cases)


def cells_of(lab: Lab, rule: Rule, cut_offs: CutOffs) -> Iterator[tuple[str, Given]]:
    """
    Make patients below, on, between and above the *cut_offs*, with what each is called.

    They differ in one value from the patients of the rule's own cases.
    """
    patients = _patients_of(lab, rule)
    for (what, name), values in sorted(cut_offs.items()):
        points = _points(sorted(values))
        for given in patients:
            if what == "age":
                for value in points:
                    years = f"{int(value)} years"
                    yield f"{rule.id} with age: {years}", {**given, "age": years}
            elif what == "concept":
                unit = lab.rules.concepts[name].unit
                for value in points:
                    text = f"{plain(value)} {unit}" if unit not in {"", "1"} else plain(value)
                    yield f"{rule.id} with {name}: {text}", {**given, name: text}
            elif isinstance(rule, Index):
                for value in points:
                    yield from _reaching(lab, rule, given, value)


def _patients_of(lab: Lab, rule: Rule) -> list[Given]:
    """Take the fullest patients of the cases, of an index those that have a number."""
    found = []
    for case in sorted(rule.tests, key=lambda one: len(one.given), reverse=True):
        if not isinstance(rule, Index) or _value(lab, rule, case.given) is not None:
            found.append(case.given)
        if len(found) == _MOST_PATIENTS:
            break
    return found


def _points(values: list[Decimal]) -> list[Decimal]:
    """Give each value with what lies just below and above it, and what lies between two."""
    found = set()
    for value in values:
        step = Decimal(1).scaleb(min(int(value.as_tuple().exponent), 0))
        found |= {value - step, value, value + step}
    for low, high in itertools.pairwise(values):
        found.add(EXACT.divide(EXACT.add(low, high), Decimal(2)))
    return sorted(one for one in found if one >= 0)


def _reaching(lab: Lab, rule: Index, given: Given, target: Decimal) -> Iterator[tuple[str, Given]]:
    """Change one input until the number of the index stands on either side of *target*."""
    for source in dict.fromkeys(_sources(lab.rules, rule)):
        number, _, unit = str(given.get(source)).partition(" ")
        if not number.replace(".", "", 1).isdigit():
            continue
        start = Decimal(number)

        def changed(factor: Decimal, name: str = source, start: Decimal = start,
                    unit: str = unit) -> Given:  # fmt: skip
            digits = plain(EXACT.multiply(start, factor).quantize(Decimal("0.0001")))
            return {**given, name: f"{digits} {unit}".rstrip()}

        sides = _bisected(lambda factor: _value(lab, rule, changed(factor)), target)
        for factor in sides:
            cell = changed(factor)
            yield f"{rule.id} with {source}: {cell[source]}", cell
        if sides:
            return


def _sources(rules: Ruleset, index: Index) -> Iterator[str]:
    """Name the concepts that a number is made of, its own first."""
    inner = []
    for name in (*(one.source for one in index.inputs), *index.first_of):
        if name in rules.indices:
            inner.append(rules.indices[name])
        elif name in rules.concepts:
            yield name
    for one in inner:
        yield from _sources(rules, one)


def _bisected(value_of: Any, target: Decimal) -> tuple[Decimal, ...]:
    """Find two factors, close together, of which one brings the number above *target*."""
    low, high = _LEAST, _MOST
    at_low, at_high = value_of(low), value_of(high)
    # Results that are not plausible give no number: come nearer from that side.
    for _ in range(_STEPS):
        if at_low is None and low < 1:
            low = min(low * 2, Decimal(1))
            at_low = value_of(low)
        if at_high is None and high > 1:
            high = max(high / 2, Decimal(1))
            at_high = value_of(high)
    if at_low is None or at_high is None or (at_low >= target) == (at_high >= target):
        return ()
    for _ in range(_STEPS):
        middle = (low + high) / 2
        at_middle = value_of(middle)
        if at_middle is None:
            return ()
        if (at_middle >= target) == (at_low >= target):
            low = middle
        else:
            high = middle
    return low, high


def _value(lab: Lab, rule: Index, given: Given) -> Decimal | None:
    try:
        found = lab.start(rule, lab.snapshot(given)).conclude().numbers[rule.id]
    except CannotRead:
        return None
    return found.number.value if found.state == "value" and found.number is not None else None
