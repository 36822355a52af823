"""
Random snapshots with half of their values on the cut-offs of a release.

Three in five are what comes when anything may come; the others are people one meets,
healthy ones and such with metabolic findings, so that every stage and card occurs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from random import Random

from cds.core.clauses import Compare, clauses_of
from cds.core.concepts import Concept
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
from cds.core.hooks import ACTS, DEFAULT_HOOK, Act
from cds.core.moment import Moment
from cds.core.quantity import round12
from cds.core.reads import concepts_read
from cds.core.rules import Ruleset
from cds.reasoning.questions import questions

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
_DAYS = (0, 1, 2, 6, 7, 10, 13, 14, 15, 28, 42, 83, 84, 85, 90, 180, 365, 366, 730, 731, 1826, 1827)
_AGES = (17, 18, 29, 34, 35, 40, 50, 55, 56, 64, 65, 66, 74, 75, 80)
_GAPS = (
    Gap.UNIT,
    Gap.IMPLAUSIBLE,
    Gap.STATUS,
    Gap.FUTURE,
    Gap.ACUTE,
    Gap.PREGNANCY,
    Gap.NOT_FASTING,
)
_ACTS: tuple[Act, ...] = ("ordered", "added", "refilled")
_HEALTHY = {
    "hba1c": (4.6, 5.6),
    "fasting_plasma_glucose": (70, 99),
    "glucose_2h": (80, 139),
    "random_glucose": (70, 130),
    "fasting_insulin": (2, 9),
    "triglycerides": (45, 125),
    "fasting_triglycerides": (45, 125),
    "hdl_cholesterol": (45, 80),
    "body_weight": (50, 80),
    "body_height": (160, 190),
    "bmi_reported": (19, 26),
    "waist_circumference": (65, 88),
    "systolic_pressure": (100, 128),
    "diastolic_pressure": (60, 84),
    "homa_ir_reported": (0.5, 1.9),
    "total_testosterone": (200, 900),
}
_METABOLIC = {
    "hba1c": (5.2, 8.5),
    "fasting_plasma_glucose": (85, 160),
    "glucose_2h": (110, 240),
    "random_glucose": (90, 260),
    "fasting_insulin": (6, 40),
    "triglycerides": (100, 400),
    "fasting_triglycerides": (100, 400),
    "hdl_cholesterol": (25, 55),
    "body_weight": (65, 130),
    "body_height": (155, 185),
    "bmi_reported": (24, 40),
    "waist_circumference": (80, 130),
    "systolic_pressure": (115, 165),
    "diastolic_pressure": (70, 100),
    "homa_ir_reported": (1.5, 6),
    "total_testosterone": (120, 500),
}
_GLYCAEMIA = ("hba1c", "fasting_plasma_glucose", "glucose_2h", "random_glucose")
_USUAL_AGES = (19, 25, 32, 41, 48, 52, 63, 71)
_USUAL_DAYS = (0, 0, 1, 7, 30, 90, 400)
_PLAIN = Source("Observation", "Observation/x", "$")


class Patients:
    """Draws snapshots for one release."""

    def __init__(self, rules: Ruleset, rng: Random) -> None:
        self._rng = rng
        self._hook = DEFAULT_HOOK
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
        """Draw one patient."""
        found = self._rng.random()
        if found < 0.2:
            return self._usual(_HEALTHY, 0.01)
        return self._usual(_METABOLIC, 0.04) if found < 0.4 else self._anything()

    def _anything(self) -> Snapshot:
        """Draw from everything that could come; about a third have almost nothing on record."""
        rng = self._rng
        density = rng.choice((0.05, 0.5, 0.9))
        results: dict[str, tuple[Result, ...]] = {}
        unusable: dict[str, tuple[Unusable, ...]] = {}
        entries: dict[str, tuple[Entry, ...]] = {}
        self._hook = rng.choice((*[DEFAULT_HOOK] * 8, *ACTS))
        for concept in self._read:
            if rng.random() > density:
                continue
            if concept.type == "quantity":
                results[concept.id] = tuple(self._results(concept))
                if rng.random() < 0.15:
                    unusable[concept.id] = tuple(self._unusable(concept))
            elif rng.random() < 0.4:
                name = concept.id
                if concept.type == "answer" and rng.random() < 0.5:
                    name += ":no"
                entries[name] = tuple(self._entries(concept))
        lists = {
            name: ListState(complete=rng.random() < 0.7, reason=rng.choice(tuple(Gap)))
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
            hook=self._hook,
            drafts=ListState(complete=rng.random() < 0.9, reason=rng.choice(tuple(Gap))),
        )

    def _usual(self, ranges: Mapping[str, tuple[float, float]], listed: float) -> Snapshot:
        """Draw an adult with results of one morning; each thing is listed with odds of *listed*."""
        rng = self._rng
        density = rng.choice((0.4, 0.75, 1))
        tested = rng.random() < 0.8
        whole = rng.random() < 0.8
        days = rng.choice((1, 14, 80))
        results: dict[str, tuple[Result, ...]] = {}
        entries: dict[str, tuple[Entry, ...]] = {}
        for concept in self._read:
            if concept.type == "quantity":
                wanted = tested if concept.id in _GLYCAEMIA else True
                if wanted and rng.random() < density:
                    results[concept.id] = tuple(self._usual_results(concept, ranges, days))
            elif rng.random() < listed:
                entries[concept.id] = tuple(self._entries(concept))
            elif concept.type == "answer":
                answer = Entry(concept.id, _PLAIN, when=self._moment(days), days=days)
                entries[f"{concept.id}:no"] = (answer,)
        names = (*self._rules.searches, "problems", "medicines")
        return Snapshot(
            as_of=NOW,
            person=Person(
                id="p",
                sex=rng.choice(("male", "female")),
                born=_born(rng.choice(_USUAL_AGES)),
                group=rng.choice(("", "", "", "asian")),
            ),
            results=results,
            entries=entries,
            lists={name: ListState(complete=whole or rng.random() < 0.8) for name in names},
        )

    def _usual_results(
        self, concept: Concept, ranges: Mapping[str, tuple[float, float]], days: int
    ) -> Iterator[Result]:
        """Draw the newest result, and now and then an older one."""
        rng = self._rng
        for older in (0, *((200,) if rng.random() < 0.2 else ())):
            low, high = ranges.get(concept.id) or self._plausible(concept)
            value = round12(Decimal(str(round(rng.uniform(float(low), float(high)), 1))))
            at = NOW - timedelta(days=days + older, hours=4)
            yield Result(
                concept=concept.id,
                value=value,
                sent=value,
                unit=concept.unit,
                when=Moment(at, at, at.isoformat(), time(8, 10)),
                days=days + older,
                source=_PLAIN,
            )

    def _person(self) -> Person:
        rng = self._rng
        born = None
        if rng.random() < 0.9:
            born = _born(
                rng.choice(_AGES), rng.choice((0, 1, 100)), 0 if rng.random() < 0.7 else 364
            )
        return Person(
            id="p",
            sex=rng.choice(("male", "female", "female", "unknown")),
            born=born,
            group=rng.choice(("", "", "asian", "other")),
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
            way = concept.units.get(unit)
            value = sent if way is None else round12(way.to_canonical(sent))
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
        low, high = self._plausible(concept)
        return round12(low + (high - low) * Decimal(str(round(rng.random(), 6))))

    def _plausible(self, concept: Concept) -> tuple[Decimal, Decimal]:
        """Give a range around the cut-offs, within what is plausible."""
        cuts = self._cuts.get(concept.id)
        plausible = concept.units.get(concept.unit)
        low = plausible.low if plausible and plausible.low is not None else Decimal(0)
        high = plausible.high if plausible and plausible.high is not None else Decimal(100)
        if cuts:
            low, high = max(low, min(cuts) / 2), min(high, max(cuts) * 2)
        return low, high

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

    def _act(self) -> Act:
        """Choose what the call does with an entry: on a hook about such things, often that."""
        fitting = ACTS.get(self._hook, "")
        if fitting and self._rng.random() < 0.4:
            return fitting
        return self._rng.choice(_ACTS) if self._rng.random() < 0.1 else ""

    def _entries(self, concept: Concept) -> Iterator[Entry]:
        rng = self._rng
        for _ in range(rng.choice((1, 1, 2))):
            undated = rng.random() < 0.3
            ago = rng.choice(_DAYS)
            is_ahead = concept.type == "date" and rng.random() < 0.5
            when = self._moment(-ago if is_ahead else ago)
            active = rng.random() < 0.7
            ended = None
            if not active and rng.random() < 0.7:
                ended = self._moment(rng.choice([days for days in _DAYS if days <= ago]))
            yield Entry(
                concept=concept.id,
                source=Source("Condition", "Condition/x", "$"),
                active=active,
                ended=ended,
                ended_days=None if ended is None else max(0, (NOW - ended.start).days),
                when=None if undated else when,
                days=None if undated else max(0, (NOW - when.start).days),
                act=self._act(),
                routes=rng.choice((None, (), *((one,) for one in concept.routes))),
            )


def _born(years: int, days: int = 100, span: int = 0) -> Moment:
    """Make a birth date so many years and *days* ago, or in the *span* of days after it."""
    start = NOW.replace(year=NOW.year - years) - timedelta(days=days)
    return Moment(start, start + timedelta(days=span), start.date().isoformat())
