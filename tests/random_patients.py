"""Random snapshots with half of their values on the cut-offs of a release."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from random import Random

from cds.core.facts import (
    Bound,
    Entry,
    Gap,
    ListState,
    Person,
    Result,
    Snapshot,
    Source,
    Unusable,
)
from cds.core.moment import Moment
from cds.core.quantity import round12
from cds.core.reads import concepts_read
from cds.core.rules import Compare, Concept, Ruleset, clauses_of
from cds.reasoning.questions import questions

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
_DAYS = (0, 1, 2, 6, 7, 10, 13, 14, 15, 28, 42, 83, 84, 85, 90, 180, 365, 366, 730, 731, 1826, 1827)
_AGES = (17, 18, 29, 34, 35, 40, 50, 55, 56, 64, 65, 66, 74, 75, 80)
_GAPS = (Gap.UNIT, Gap.IMPLAUSIBLE, Gap.STATUS, Gap.FUTURE, Gap.ACUTE, Gap.PREGNANCY, Gap.NOT_FASTING)


class Patients:
    """Draws snapshots for one release."""

    def __init__(self, rules: Ruleset, rng: Random) -> None:
        self._rng = rng
        self._rules = rules
        self._read = [rules.concepts[name] for name in sorted(concepts_read(rules))]
        self._cuts: dict[str, list[Decimal]] = {}
        self._alternates: dict[str, list[tuple[Decimal, str]]] = {}
        for question in questions(rules):
            for clause in clauses_of(question.expr):
                if isinstance(clause, Compare) and clause.what == "concept":
                    self._note(clause)
        for reading in rules.readings.values():
            for limit in (reading.low, reading.high):
                for case in limit.threshold.cases if limit else ():
                    self._cuts.setdefault(reading.concept, []).append(case.value)

    def _note(self, clause: Compare) -> None:
        for limit in (clause.low, clause.high):
            for case in limit.threshold.cases if limit else ():
                self._cuts.setdefault(clause.name, []).append(case.value)
                if case.alternate is not None:
                    self._alternates.setdefault(clause.name, []).append(
                        (case.alternate, case.alternate_unit)
                    )

    def draw(self) -> Snapshot:
        """Draw one patient; about a third have almost nothing on record."""
        rng = self._rng
        density = rng.choice((0.05, 0.5, 0.9))
        results: dict[str, tuple[Result, ...]] = {}
        unusable: dict[str, tuple[Unusable, ...]] = {}
        entries: dict[str, tuple[Entry, ...]] = {}
        for concept in self._read:
            if rng.random() > density:
                continue
            if concept.type in {"quantity", "date"}:
                results[concept.id] = tuple(self._results(concept))
                if rng.random() < 0.15:
                    unusable[concept.id] = tuple(self._unusable(concept))
            elif rng.random() < 0.4:
                name = concept.id
                if concept.type == "answer" and rng.random() < 0.5:
                    name += ":no"
                entries[name] = tuple(self._entries(concept))
        lists = {
            name: ListState(complete=rng.random() < 0.7, reason=rng.choice(list(Gap)))
            for name in (*self._rules.searches, "problems", "medicines")
            if rng.random() < 0.9
        }
        return Snapshot(
            as_of=NOW,
            person=self._person(),
            results={name: found for name, found in results.items() if found},
            unusable=unusable,
            entries=entries,
            lists=lists,
        )

    def _person(self) -> Person:
        rng = self._rng
        born = None
        if rng.random() < 0.9:
            start = NOW.replace(year=NOW.year - rng.choice(_AGES))
            start -= timedelta(days=rng.choice((0, 1, 100)))
            end = start if rng.random() < 0.7 else start + timedelta(days=364)
            born = Moment(start, end, start.date().isoformat())
        return Person(
            id="p",
            sex=rng.choice(("male", "female", "female", "unknown")),
            born=born,
            group=rng.choice(("", "", "asian")),
        )

    def _moment(self, days: int) -> Moment:
        rng = self._rng
        at = NOW - timedelta(days=days, minutes=rng.choice((0, 1, 200)))
        if rng.random() < 0.2:
            start = at.replace(hour=0, minute=0)
            return Moment(start, start + timedelta(hours=23, minutes=59), start.date().isoformat())
        return Moment(at, at, at.isoformat(), time(rng.choice((8, 10, 11, 15)), 10))

    def _results(self, concept: Concept) -> Iterator[Result]:
        rng = self._rng
        found = [self._result(concept) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
        yield from sorted(found, key=lambda one: (one.when.end, one.when.start), reverse=True)

    def _result(self, concept: Concept) -> Result:
        rng = self._rng
        when = self._moment(rng.choice(_DAYS))
        unit = concept.unit
        alternates = self._alternates.get(concept.id)
        if alternates and rng.random() < 0.4:
            sent, unit = rng.choice(alternates)
            sent += rng.choice((Decimal(0), Decimal("0.01"), Decimal("-0.01")))
            value = round12(concept.units[unit].to_canonical(sent)) if unit in concept.units else sent
        else:
            value = sent = self._number(concept)
        own = value + rng.choice((-1, 0, 1)) if rng.random() < 0.1 else None
        return Result(
            concept=concept.id,
            value=value,
            sent=sent,
            unit=unit,
            when=when,
            days=max(0, (NOW - when.start).days),
            source=Source("Observation", f"Observation/{rng.randrange(10**6)}", "$"),
            bound=rng.choice([Bound.EXACT] * 12 + [Bound.BELOW, Bound.AT_MOST, Bound.ABOVE]),
            own_low=own,
            own_high=None if own is None else own + 2,
        )

    def _number(self, concept: Concept) -> Decimal:
        rng = self._rng
        cuts = self._cuts.get(concept.id)
        if cuts and rng.random() < 0.6:
            cut = rng.choice(cuts)
            step = Decimal(1).scaleb(cut.adjusted() - 11)
            return round12(cut + rng.choice((0, 0, 1, -1)) * step)
        plausible = concept.units.get(concept.unit)
        low = plausible.low if plausible and plausible.low is not None else Decimal(0)
        high = plausible.high if plausible and plausible.high is not None else Decimal(100)
        if cuts:
            low, high = max(low, min(cuts) / 2), min(high, max(cuts) * 2)
        return round12(low + (high - low) * Decimal(str(round(rng.random(), 6))))

    def _unusable(self, concept: Concept) -> Iterator[Unusable]:
        rng = self._rng
        source = Source("Observation", "Observation/x", "$")
        when = self._moment(rng.choice(_DAYS))
        days = max(0, (NOW - when.start).days)
        if concept.conflicts and rng.random() < 0.6:
            for _ in range(2):
                number = self._number(concept)
                yield Unusable(
                    concept.id, Gap.CONFLICT, source, when, days, number, concept.unit, number
                )
        else:
            undated = rng.random() < 0.2
            yield Unusable(
                concept.id,
                rng.choice(_GAPS),
                source,
                None if undated else when,
                None if undated else days,
            )

    def _entries(self, concept: Concept) -> Iterator[Entry]:
        rng = self._rng
        for _ in range(rng.choice((1, 1, 2))):
            undated = rng.random() < 0.3
            when = self._moment(rng.choice(_DAYS))
            yield Entry(
                concept=concept.id,
                source=Source("Condition", "Condition/x", "$"),
                active=rng.random() < 0.7,
                when=None if undated else when,
                days=None if undated else max(0, (NOW - when.start).days),
                ordered=rng.random() < 0.05,
            )
