"""
Readings: one number, or one date, from several results or entries of a concept.

Shared by both evaluators: what is compared must be the same number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import time
from decimal import Decimal

from cds.core.concepts import Concept, Reading
from cds.core.facts import MAY_COUNT, Gap, Result, Snapshot, Unusable
from cds.core.findings import IndexResult, Interval
from cds.core.latest import gap_of, range_of, sent_of
from cds.core.moment import DAY
from cds.core.quantity import round12
from cds.core.truth import Need, Truth, all_of, unknown
from cds.reasoning.comparison import Facing, compare
from cds.reasoning.formula import FREE

__all__ = ["Readings"]


class Readings:
    """Works out the readings of one snapshot."""

    def __init__(self, snapshot: Snapshot, concepts: Mapping[str, Concept], facing: Facing) -> None:
        self._snapshot = snapshot
        self._concepts = concepts
        self._facing = facing

    def work_out(self, reading: Reading) -> IndexResult:
        """Work out a reading: a value (exact, or within bounds), or unknown with needs."""
        if reading.dated:
            return self._date_of(reading)
        results = [
            one
            for one in self._snapshot.results.get(reading.concept, ())
            if self._in_time(one.days, reading) and self._drawn(one, reading) != "late"
        ]
        return _KINDS[reading.kind](self, reading, results)

    @staticmethod
    def _in_time(days: int | None, reading: Reading) -> bool:
        if reading.between is None or days is None:
            return True
        return reading.between[0] <= days <= reading.between[1]

    @staticmethod
    def _drawn(result: Result, reading: Reading) -> str:
        """Say whether a result was drawn `early` enough, too `late`, or at an `unknown` time."""
        if not reading.drawn_before:
            return "early"
        clock = result.when.clock
        if clock is None:
            return "unknown"
        return "early" if clock < time.fromisoformat(reading.drawn_before) else "late"

    def _qualifies(self, reading: Reading, result: Result) -> Truth:
        if reading.low is None and reading.high is None:
            answer = all_of(())
        else:
            answer = self._in_range(reading, result)
        if answer.is_yes and self._drawn(result, reading) == "unknown":
            return unknown(Need(reading.concept, "time of draw"))
        return answer

    def _in_range(self, reading: Reading, result: Result) -> Truth:
        return compare(
            range_of(result.value, result.bound),
            reading.low,
            reading.high,
            self._facing,
            sent=sent_of(result),
            unit=result.unit,
            result=result,
        )

    def _count(self, reading: Reading, results: list[Result]) -> IndexResult:
        """
        Count days with a qualifying result, as (sure, possible).

        A day that holds only unusable results, or a result that a bound leaves open,
        could still qualify; a search that did not come whole could hold any number.
        """
        answers = [(one, self._qualifies(reading, one)) for one in results]
        if reading.if_latest and answers and answers[0][1].is_no:
            return self._counted(reading, (), Interval(Decimal(0), Decimal(0)))
        sure = [one for one, answer in answers if answer.is_yes]
        days = _spaced({one.when.day for one in sure}, sure, reading.apart)
        open_days = {one.when.day for one, answer in answers if answer.is_unknown}
        open_days |= {
            one.when.day for one in self._unusable(reading, MAY_COUNT) if one.when is not None
        }
        for day, values in self._clashes(reading).items():
            span = Interval(min(values), max(values))
            answer = compare(span, reading.low, reading.high, self._facing)
            if answer.is_yes:
                days.add(day)
            elif answer.is_unknown:
                open_days.add(day)
        low = Decimal(len(days))
        complete = self._snapshot.state_of(self._concepts[reading.concept].search).complete
        high = Decimal(len(days | open_days)) if complete else None
        return self._counted(reading, tuple(sure), Interval(low, high))

    def _counted(
        self, reading: Reading, results: tuple[Result, ...], number: Interval
    ) -> IndexResult:
        return IndexResult(
            name=reading.id,
            state="value",
            number=number,
            needs=() if number.value is not None else self._of_gap(reading.concept),
            results=results,
            when=results[0].when if results else None,
            days=results[0].days if results else None,
        )

    def _average(self, reading: Reading, results: list[Result]) -> IndexResult:
        """Give the mean of the last few; the newest come first, so older ones do not matter."""
        results = _one_a_day(results) if reading.different_days else results
        wanted = reading.last or 1
        if len(results) < wanted:
            return self._too_few(reading)
        return self._summed(reading, results[:wanted], _mean(results[:wanted]))

    def _mean_of_all(self, reading: Reading, results: list[Result]) -> IndexResult:
        """Give the mean of all of them; one that is missing or unreadable would move it."""
        if not results:
            return self._too_few(reading)
        needs = self._may_be_more(reading)
        if needs:
            return self._missing(reading.id, needs)
        results = _one_a_day(results) if reading.different_days else results
        return self._summed(reading, results, _mean(results))

    def _extreme(self, reading: Reading, results: list[Result]) -> IndexResult:
        """
        Give the highest (lowest) as a range: what is not known could lie beyond it.

        Two results of a day that clash are the range between them.
        """
        clashes = self._clashes(reading)
        if reading.newest_day and (results or clashes):
            return self._extreme_of_day(reading, results, clashes)
        spans = [range_of(one.value, one.bound) for one in results]
        spans += [Interval(min(values), max(values)) for values in clashes.values()]
        if not spans:
            return self._too_few(reading)
        needs = self._may_be_more(reading)
        return self._extreme_of(reading, results, spans, needs)

    def _extreme_of_day(
        self, reading: Reading, results: list[Result], clashes: Mapping[str, list[Decimal]]
    ) -> IndexResult:
        """
        Give the extreme of the newest day that has anything usable, also where it clashes.

        As for the latest result, nothing that is missing speaks against it.
        """
        newest = max(*(one.when.day for one in results), *clashes, "")
        results = [one for one in results if one.when.day == newest]
        spans = [range_of(one.value, one.bound) for one in results]
        spans += [Interval(one, one) for one in clashes.get(newest, ())]
        return self._extreme_of(reading, results, spans, [])

    def _extreme_of(
        self,
        reading: Reading,
        results: list[Result],
        spans: list[Interval],
        needs: list[Need],
    ) -> IndexResult:
        """Say between which two numbers the extreme of several ranges lies."""
        lows, highs = [one.low for one in spans], [one.high for one in spans]
        if reading.kind == "highest of":
            low = max((one for one in lows if one is not None), default=None)
            high = None if needs else _highest(highs)
        else:
            low = None if needs else min(one for one in lows if one is not None)
            high = min((one for one in highs if one is not None), default=None)
        # The extreme reaches the bound of the range that decides: below `<30` is not 30.
        low_open = [one.low_open for one in spans if one.low == low]
        high_open = [one.high_open for one in spans if one.high == high]
        every, some = (all, any) if reading.kind == "lowest of" else (any, all)
        pick = max if reading.kind == "highest of" else min
        used = [pick(results, key=lambda one: one.value)] if results else []
        number = Interval(
            low,
            high,
            low_open=low is not None and every(low_open),
            high_open=high is not None and some(high_open),
        )
        return self._summed(reading, used, number, needs)

    def _first(self, reading: Reading, results: list[Result]) -> IndexResult:
        """Give the earliest of all; one that is not known could be earlier still."""
        if not results:
            return self._too_few(reading)
        oldest = min(results, key=lambda one: (one.when.end, one.when.start))
        needs = [
            *self._not_whole(reading.concept),
            *(
                Need(reading.concept, one.reason)
                for one in self._unusable(reading, MAY_COUNT | {Gap.CONFLICT})
                if one.days is None or one.days >= oldest.days
            ),
        ]
        if needs:
            return self._missing(reading.id, needs)
        return self._summed(reading, [oldest], range_of(oldest.value, oldest.bound))

    def _summed(
        self,
        reading: Reading,
        used: list[Result],
        number: Interval,
        needs: Iterable[Need] = (),
    ) -> IndexResult:
        return IndexResult(
            name=reading.id,
            state="value",
            number=number,
            needs=tuple(dict.fromkeys(needs)),
            results=tuple(used),
            when=used[0].when if used else None,
            days=used[0].days if used else None,
        )

    def _too_few(self, reading: Reading) -> IndexResult:
        reason = self._gap(reading.concept, reading.between[1] if reading.between else None)
        return self._missing(reading.id, [Need(reading.concept, reason)])

    def _unusable(self, reading: Reading, reasons: frozenset[Gap]) -> Iterator[Unusable]:
        for one in self._snapshot.unusable.get(reading.concept, ()):
            if one.reason in reasons and self._in_time(one.days, reading):
                yield one

    def _not_whole(self, concept: str) -> list[Need]:
        state = self._snapshot.state_of(self._concepts[concept].search)
        return [] if state.complete else [Need(concept, state.reason)]

    def _may_be_more(self, reading: Reading) -> list[Need]:
        """Say why there may be results that nobody can read here."""
        return [
            *self._not_whole(reading.concept),
            *(Need(reading.concept, one.reason) for one in self._unusable(reading, MAY_COUNT)),
        ]

    def _clashes(self, reading: Reading) -> dict[str, list[Decimal]]:
        """Collect the results of days on which they contradict each other."""
        found: dict[str, list[Decimal]] = {}
        for one in self._unusable(reading, frozenset({Gap.CONFLICT})):
            if one.when is not None and one.value is not None:
                found.setdefault(one.when.day, []).append(one.value)
        return found

    def _date_of(self, reading: Reading) -> IndexResult:
        """
        Give the first start, or the last end, of what is listed; its number is the days since.

        An entry without that date, and a list that is not whole, leave it open.
        """
        concept = reading.concept
        entries = [one for one in self._snapshot.entries.get(concept, ()) if not one.ordered]
        needs = self._not_whole(concept)
        if reading.kind == "first of":
            dates = [one.when for one in entries]
        else:
            dates = [one.ended for one in entries]
            if any(one.active for one in entries):
                needs.append(Need(concept, Gap.NOT_ENDED))
        known = [one for one in dates if one is not None]
        if len(known) < len(dates):
            needs.append(Need(concept, Gap.UNDATED))
        if needs or not known:
            return self._missing(reading.id, needs or [Need(concept, Gap.NOT_RECORDED)])
        if reading.kind == "first of":
            when = min(known, key=lambda one: (one.start, one.end))
        else:
            when = max(known, key=lambda one: (one.end, one.start))
        as_of = self._snapshot.as_of
        days = Interval(Decimal((as_of - when.end) // DAY), Decimal((as_of - when.start) // DAY))
        return IndexResult(
            name=reading.id,
            state="value",
            number=days,
            needs=() if days.value is not None else (Need(concept, "date not exact"),),
            when=when,
            days=int(days.high or 0),
        )

    def _of_gap(self, concept: str) -> tuple[Need, ...]:
        return (Need(concept, self._gap(concept, None)),)

    def _gap(self, concept: str, within: int | None) -> str:
        return gap_of(self._snapshot, concept, self._concepts[concept].search, within)

    @staticmethod
    def _missing(name: str, needs: Iterable[Need]) -> IndexResult:
        return IndexResult(name=name, state="unknown", needs=tuple(dict.fromkeys(needs)))


_KINDS: Mapping[str, Callable[[Readings, Reading, list[Result]], IndexResult]] = {
    "count days of": Readings._count,  # noqa: SLF001 - the table belongs to the class
    "average of last": Readings._average,  # noqa: SLF001
    "mean of": Readings._mean_of_all,  # noqa: SLF001
    "highest of": Readings._extreme,  # noqa: SLF001
    "lowest of": Readings._extreme,  # noqa: SLF001
    "first of": Readings._first,  # noqa: SLF001
}


def _one_a_day(results: list[Result]) -> list[Result]:
    """Keep the newest of each day, the newest day first."""
    return list({one.when.day: one for one in reversed(results)}.values())[::-1]


def _mean(results: list[Result]) -> Interval:
    """Average results; a bound among them makes a range."""
    spans = [range_of(one.value, one.bound) for one in results]
    return Interval(_averaged([one.low for one in spans]), _averaged([one.high for one in spans]))


def _averaged(ends: list[Decimal | None]) -> Decimal | None:
    known = [one for one in ends if one is not None]
    if len(known) < len(ends):
        return None
    return round12(FREE.divide(sum(known, Decimal(0)), Decimal(len(known))))


def _highest(ends: list[Decimal | None]) -> Decimal | None:
    known = [one for one in ends if one is not None]
    return max(known) if len(known) == len(ends) else None


def _spaced(days: set[str], results: list[Result], apart: int | None) -> set[str]:
    """Keep days that lie *apart* days from each other, the newest first."""
    if apart is None:
        return days
    kept: list[Result] = []
    for one in results:
        if all(abs(one.when.start - other.when.start) // DAY >= apart for other in kept):
            kept.append(one)
    return {one.when.day for one in kept}
