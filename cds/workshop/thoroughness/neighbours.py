"""
Neighbours of a test patient: the same record with one thing otherwise.

What is changed is what a rule looks at: its cut-offs from both sides and in both units,
the last day of its windows, its lists, and what was never sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from cds.core.clauses import (
    Began,
    Beside,
    Case,
    Changed,
    Clause,
    Compare,
    Holds,
    Known,
    Limit,
    Listed,
    NewerThan,
    NotUsedBecause,
    Received,
    SexIs,
    clauses_of,
)
from cds.core.concepts import Concept, Reading
from cds.core.indices import Index
from cds.core.quantity import plain
from cds.core.rules import Condition, Factor, Ruleset
from cds.reasoning.questions import questions_about
from cds.workshop.testing.expectations import Rule, kind_of
from cds.workshop.thoroughness.nudges import step_of

__all__ = ["Change", "changed", "changes_for", "clauses_about"]

_NUMBER: Final = re.compile(r"^([<>]?=?\s*)(-?\d+(?:\.\d+)?)(.*)$")
_AGO: Final = re.compile(r"\s+\d+ days? ago.*$")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing otherwise: *name* in `given:`, and its *value*; None takes it out."""

    name: str
    value: Any

    def __str__(self) -> str:
        return f"{self.name}: {'none' if self.value is None else self.value}"


def changed(given: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """Change a patient."""
    found = dict(given)
    for one in changes:
        if one.value is None:
            found.pop(one.name, None)
        elif one.name in {"not_sent", "not_complete"}:
            before = found.get(one.name, [])
            names = before if isinstance(before, list) else [before]
            found[one.name] = [*names, *(name for name in one.value if name not in names)]
        else:
            found[one.name] = one.value
    return found


def changes_for(
    rules: Ruleset,
    rule: Rule,
    given: Mapping[str, Any],
    samples: Mapping[str, Any] | None = None,
) -> list[Change]:
    """
    Give every change of a patient that this rule could notice, each once.

    *samples* are values of concepts that this patient may lack.
    """
    found: dict[str, Change] = {}
    lacking = [
        Change(name, value)
        for name, value in (samples or {}).items()
        if name not in given and name in _names(rules, rule)
    ]
    for one in (*_all_changes(rules, rule, given), *lacking):
        if given.get(one.name) != one.value:
            found.setdefault(str(one), one)
    return list(found.values())


def _all_changes(rules: Ruleset, rule: Rule, given: Mapping[str, Any]) -> Iterator[Change]:
    for clause in clauses_about(rules, rule):
        yield from _for_clause(rules, clause, given)
    if isinstance(rule, Index):
        yield from _for_index(rules, rule, given)
    for reading in rule.readings.values():
        yield from _for_reading(rules, reading)
    for name in given:
        if name in rules.concepts:
            yield Change(name, None)
    searches = {
        rules.concepts[name].search for name in _names(rules, rule) if name in rules.concepts
    }
    for name in sorted(searches & rules.searches.keys()):
        if rules.searches[name].resource != "Patient":
            yield Change("not_sent", [name])
            yield Change("not_complete", [name])
    yield Change("age", None)
    for sex in ("male", "female", None):
        yield Change("sex", sex)


def clauses_about(rules: Ruleset, rule: Rule, depth: int = 2) -> Iterator[Clause]:
    """Give the clauses of a rule, and those of what they name."""
    exprs = [one.expr for one in questions_about(rules, kind_of(rule), rule.id)]
    if isinstance(rule, Index):
        exprs += [gate.when for gate in rule.not_valid_if]
    for expr in exprs:
        for clause in clauses_of(expr):
            yield clause
            if depth:
                for other in _named_by(rules, clause):
                    yield from clauses_about(rules, other, depth - 1)
    if isinstance(rule, Index) and depth:
        for name in (*(one.source for one in rule.inputs), *rule.first_of):
            if name in rules.indices and name != rule.id:
                yield from clauses_about(rules, rules.indices[name], depth - 1)


def _named_by(rules: Ruleset, clause: Clause) -> Iterator[Condition | Factor | Index]:
    names = getattr(clause, "names", None) or (getattr(clause, "name", ""),)
    for name in names:
        if isinstance(clause, Holds):
            yield rules.conditions[name]
        elif name in rules.factors:
            yield rules.factors[name]
        elif name in rules.indices:
            yield rules.indices[name]


def _names(rules: Ruleset, rule: Rule) -> set[str]:
    found: set[str] = set()
    for clause in clauses_about(rules, rule, depth=1):
        names = getattr(clause, "names", None) or (getattr(clause, "name", ""),)
        found |= {name.partition(":")[0] for name in names}
    if isinstance(rule, Index):
        found |= {one.source for one in rule.inputs} | set(rule.first_of)
    found |= {one.concept for one in rule.readings.values()}
    return found


def _for_clause(rules: Ruleset, clause: Clause, given: Mapping[str, Any]) -> Iterator[Change]:
    if isinstance(clause, Compare):
        yield from _for_compare(rules, clause, given)
    elif isinstance(clause, Listed | Began):
        names = clause.names if isinstance(clause, Listed) else (clause.name,)
        for name in names:
            yield from _for_entry(rules, name, clause)
    elif isinstance(clause, Known | Received):
        for name in clause.names:
            if name in rules.concepts:
                yield from _dated(rules, name, clause.within, given)
    elif isinstance(clause, NewerThan | NotUsedBecause):
        for name in (*clause.names, getattr(clause, "than", "")):
            if name in rules.concepts:
                yield from _for_use(rules.concepts[name], given, clause)
    elif isinstance(clause, Changed | Beside) and clause.name in rules.concepts:
        yield from _dated(rules, clause.name, clause.within, given)
    elif isinstance(clause, SexIs):
        yield Change("sex", clause.sex)


def _for_compare(rules: Ruleset, clause: Compare, given: Mapping[str, Any]) -> Iterator[Change]:
    for limit in (clause.low, clause.high):
        for case in limit.threshold.cases if limit is not None else ():
            if clause.what == "age":
                years = int(case.value)
                for number in (years - 1, years, years + 1):
                    yield Change("age", f"{number} years")
            elif clause.name in rules.concepts:
                yield from _around(rules.concepts[clause.name], case)
            elif clause.what == "input":
                for name in _sources(rules, clause.name) & rules.concepts.keys():
                    yield from _around(rules.concepts[name], case)
            for years_cut in (case.age_from, case.age_below):
                if years_cut is not None:
                    yield Change("age", f"{years_cut - 1} years")
                    yield Change("age", f"{years_cut} years")
    if clause.name in rules.concepts:
        yield from _dated(rules, clause.name, clause.within, given, _a_value(clause))


def _sources(rules: Ruleset, name: str) -> set[str]:
    """Name what stands behind an input of that name, in whichever index."""
    every = (one for index in rules.indices.values() for one in index.inputs)
    return {one.source for one in every if one.name == name}


def _a_value(clause: Compare) -> Decimal | None:
    limit: Limit | None = clause.low or clause.high
    return limit.threshold.cases[0].value if limit is not None else None


def _around(concept: Concept, case: Case) -> Iterator[Change]:
    for number, unit in ((case.value, concept.unit), (case.alternate, case.alternate_unit)):
        if number is None:
            continue
        step = step_of(number)
        for other in (number - step, number, number + step):
            yield Change(concept.id, _with_unit(other, unit))
        yield Change(concept.id, f"<{_with_unit(number + step, unit)}")
        yield Change(concept.id, f">{_with_unit(number - step, unit)}")
        if unit != concept.unit:
            continue
        for name, how in concept.units.items():
            if name != unit and how.factor != 1:
                there = how.from_canonical(number)
                digits = Decimal(1).scaleb(there.adjusted() - 3)
                for other in (there.quantize(digits) - digits, there.quantize(digits) + digits):
                    yield Change(concept.id, _with_unit(other, name))


def _with_unit(number: Decimal, unit: str) -> str:
    return plain(number) if unit in {"", "1"} else f"{plain(number)} {unit}"


def _dated(
    rules: Ruleset,
    name: str,
    within: int | None,
    given: Mapping[str, Any],
    number: Decimal | None = None,
) -> Iterator[Change]:
    """Make a result as old as its window, and a day older."""
    concept = rules.concepts[name]
    days = within if within is not None else concept.within
    value = given.get(name)
    if isinstance(value, list):
        value = value[0]
    if value is None and number is not None:
        value = _with_unit(number, concept.unit)
    if value is None:
        return
    text = _AGO.sub("", str(value))
    yield Change(name, text)
    match = _NUMBER.match(text)
    if match is not None and not match[1]:
        other = f"{plain(Decimal(match[2]) + step_of(Decimal(match[2])))}{match[3]}"
        yield Change(name, [f"{text} 3 days ago", f"{other} 3 days ago"])
    if days is not None:
        for ago in (days - 1, days, days + 1):
            yield Change(name, f"{text} {ago} days ago")


def _for_entry(rules: Ruleset, name: str, clause: Listed | Began) -> Iterator[Change]:
    concept = rules.concepts[name.partition(":")[0]]
    if concept.type == "answer":
        for word in dict.fromkeys(concept.answers.values()):
            yield Change(concept.id, word)
            if isinstance(clause, Listed) and clause.within is not None:
                for ago in (clause.within, clause.within + 1):
                    yield Change(concept.id, f"{word} {ago} days ago")
        return
    if concept.type == "episode":
        for part in (*concept.begins, *concept.ends):
            if part in rules.concepts and rules.concepts[part].type != "episode":
                yield from _for_entry(rules, part, clause)
        return
    yield Change(concept.id, "present")
    if concept.type != "encounter":
        yield Change(concept.id, "history")
    days = clause.within if isinstance(clause, Listed) else clause.days
    if days is not None:
        for ago in (days - 1, days, days + 1):
            yield Change(concept.id, f"present {ago} days ago")
            yield Change(concept.id, f"history {ago} days ago")


def _for_use(concept: Concept, given: Mapping[str, Any], clause: Clause) -> Iterator[Change]:
    value = given.get(concept.id)
    if value is None or isinstance(value, list) or concept.type != "quantity":
        return
    text = _AGO.sub("", str(value))
    match = _NUMBER.match(text)
    if match is None:
        return
    number, unit = match[2], match[3].strip()
    yield Change(concept.id, number)
    yield Change(concept.id, f"{number}000000 {unit}".strip())
    yield Change(concept.id, [f"{text} 3 days ago", f"{Decimal(number) * 2} {unit} 3 days ago"])
    days = getattr(clause, "within", None)
    if days is not None:
        for ago in (days, days + 1):
            yield Change(concept.id, f"{number} {ago} days ago")
    for ago in (1, 30):
        yield Change(concept.id, f"{text} {ago} days ago")


def _for_index(rules: Ruleset, index: Index, given: Mapping[str, Any]) -> Iterator[Change]:
    ends = [end for band in index.bands for end in (band.low, band.high) if end is not None]
    for case in (case for end in ends for case in end.cases):
        for cut in (case.age_from, case.age_below):
            if cut is not None:
                for years in (cut - 1, cut):
                    yield Change("age", f"{years} years")
    for one in index.inputs:
        if one.what == "concept":
            yield from _dated(rules, one.source, one.within, given)
            for pair in index.same_draw:
                if one.name in pair.of and isinstance(given.get(one.source), str):
                    text = _AGO.sub("", str(given[one.source]))
                    for ago in (10 + pair.days, 11 + pair.days):
                        yield Change(one.source, f"{text} {ago} days ago")
    for name in (*index.first_of, *(one.source for one in index.inputs)):
        if name in rules.concepts and name in given and isinstance(given[name], str):
            match = _NUMBER.match(_AGO.sub("", str(given[name])))
            if match is not None:
                number = Decimal(match[2])
                for factor in ("0.5", "0.9", "1.1", "2", "3"):
                    other = (number * Decimal(factor)).quantize(step_of(number))
                    yield Change(name, f"{plain(other)}{match[3]}")


def _for_reading(rules: Ruleset, reading: Reading) -> Iterator[Change]:
    """Make lists of results: enough and too few, within the window and without."""
    concept = rules.concepts[reading.concept]
    days = reading.between[1] if reading.between is not None else 365
    first = reading.between[0] if reading.between is not None else 0
    for limit in (reading.low, reading.high):
        for case in limit.threshold.cases if limit is not None else ():
            for number, unit in ((case.value, concept.unit), (case.alternate, case.alternate_unit)):
                if number is None:
                    continue
                step = step_of(number)
                for one in (number - step, number, number + step):
                    text = _with_unit(one, unit)
                    apart = reading.apart or 30
                    yield Change(concept.id, text)
                    yield Change(concept.id, [f"{text} 5 days ago", f"{text} 35 days ago"])
                    yield Change(concept.id, [f"{text} 5 days ago", f"{text} {days} days ago"])
                    yield Change(concept.id, [f"{text} 5 days ago", f"{text} {days + 1} days ago"])
                    for gap in (apart - 1, apart):
                        yield Change(
                            concept.id, [f"{text} 5 days ago", f"{text} {5 + gap} days ago"]
                        )
                    if first:
                        for ago in (first - 1, first):
                            yield Change(
                                concept.id, [f"{text} {ago} days ago", f"{text} {ago + 9} days ago"]
                            )
                            yield Change(concept.id, f"{text} {ago} days ago")
                    yield Change(concept.id, f"{text} {days} days ago")
                    yield Change(concept.id, f"{text} {days + 1} days ago")
                    other = number + 3 * step if one < number else number - 3 * step
                    there = _with_unit(other, unit)
                    yield Change(
                        concept.id,
                        [f"{there} 2 days ago", f"{text} 5 days ago", f"{text} 35 days ago"],
                    )
                    yield Change(concept.id, [f"{there} 2 days ago", f"{text} 35 days ago"])
                    if reading.drawn_before:
                        for clock in (reading.drawn_before, "10:59", "15:30"):
                            yield Change(
                                concept.id,
                                [f"{text} 5 days ago at {clock}", f"{text} 35 days ago at {clock}"],
                            )
