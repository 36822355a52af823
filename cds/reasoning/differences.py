"""
Numbers made of two: how far one lies from another, how much one changed, days between.

Shared by both evaluators: what is compared must be the same number. An end of a range is
left open where anything unknown could move it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from cds.core.clauses import Beside, Changed
from cds.core.concepts import Concept
from cds.core.facts import MAY_COUNT, Gap, Snapshot
from cds.core.findings import IndexResult, Interval
from cds.core.latest import gap_of, latest, range_of
from cds.core.moment import DAY, Moment
from cds.core.quantity import EXACT, round12
from cds.core.truth import Need

__all__ = ["Difference", "beside_of", "change_of"]

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Difference:
    """
    A number made of two; *number* is None where one of them is not known.

    *needs* say what an answer lacks where the number alone does not decide.
    """

    number: Interval | None
    needs: tuple[Need, ...] = ()


def change_of(clause: Changed, snapshot: Snapshot, concepts: Mapping[str, Concept]) -> Difference:
    """Say how much the newest usable result changed against earlier days of the window."""
    name = clause.name
    search = concepts[name].search
    newest = latest(snapshot, name)
    if newest is None or newest.days > clause.within:
        return _unknown(name, gap_of(snapshot, name, search, clause.within))
    day = newest.result.when.day if newest.result else _conflict_day(snapshot, name)
    earlier = [*_earlier(clause, snapshot, day)]
    state = snapshot.state_of(search)
    if not earlier:
        return _unknown(name, Gap.NO_PAIR if state.complete else state.reason)
    sides = {"rose": ("above",), "fell": ("below",), "changed": ("above", "below")}
    spans = [
        _apart(newest.number, one, side, share=clause.share)
        for one in earlier
        for side in sides[clause.direction]
    ]
    # Another result could only show a larger change, never a smaller one.
    low = max((one.low for one in spans if one.low is not None), default=None)
    highs = [one.high for one in spans]
    missing = [] if state.complete else [Need(name, state.reason)]
    missing += [
        Need(name, one.reason)
        for one in snapshot.unusable.get(name, ())
        if one.reason in MAY_COUNT and (one.days is None or one.days <= clause.within)
    ]
    high = None if missing or None in highs else max(one for one in highs if one is not None)
    clash = [Need(name, Gap.CONFLICT)] if newest.conflict else []
    needs = tuple(dict.fromkeys([*clash, *missing])) or (Need(name, _BOUNDS),)
    return Difference(Interval(low, high), needs)


_BOUNDS = "known within bounds only"


def _unknown(name: str, reason: str) -> Difference:
    return Difference(None, (Need(name, reason),))


def _conflict_day(snapshot: Snapshot, name: str) -> str:
    clashes = [
        one.when
        for one in snapshot.unusable.get(name, ())
        if one.reason is Gap.CONFLICT and one.when is not None
    ]
    return max(clashes, key=lambda when: when.end).day


def _earlier(clause: Changed, snapshot: Snapshot, day: str) -> Iterator[Interval]:
    """Give the results of other days in the window; two that clash are one range."""
    for one in snapshot.results.get(clause.name, ()):
        if one.days <= clause.within and one.when.day != day:
            yield range_of(one.value, one.bound)
    clashes: dict[str, list[Decimal]] = {}
    for left_out in snapshot.unusable.get(clause.name, ()):
        when, value = left_out.when, left_out.value
        if left_out.reason is not Gap.CONFLICT or when is None or value is None:
            continue
        if (left_out.days or 0) <= clause.within and when.day != day:
            clashes.setdefault(when.day, []).append(value)
    for values in clashes.values():
        yield Interval(min(values), max(values))


def _apart(one: Interval, other: Interval, side: str, *, share: bool) -> Interval:
    """Say how far *one* lies above (below) *other*, in their unit or in percent of *other*."""
    if side == "above":
        least, most = (one.low, other.high), (one.high, other.low)
    else:
        least, most = (one.high, other.low), (one.low, other.high)
    return Interval(_distance(*least, side, share=share), _distance(*most, side, share=share))


def _distance(
    one: Decimal | None, other: Decimal | None, side: str, *, share: bool
) -> Decimal | None:
    if one is None or other is None or (share and other <= 0):
        return None
    found = EXACT.subtract(one, other) if side == "above" else EXACT.subtract(other, one)
    if share:
        found = EXACT.divide(EXACT.multiply(found, _HUNDRED), other)
    return round12(found)


def beside_of(
    clause: Beside,
    snapshot: Snapshot,
    concepts: Mapping[str, Concept],
    known: Mapping[str, IndexResult],
) -> Difference:
    """Say how far one number lies from another, or one date."""
    sides = (
        (clause.name, clause.what, clause.within),
        (clause.than, clause.than_what, clause.than_within),
    )
    if clause.side in {"after", "before"}:
        dates = [_date_of(*side, snapshot, concepts, known) for side in sides]
        moments = [one for one in dates if isinstance(one, Moment)]
        if len(moments) < len(dates):
            gaps = [need for one in dates if not isinstance(one, Moment) for need in one]
            return Difference(None, tuple(dict.fromkeys(gaps)))
        later, earlier = moments if clause.side == "after" else moments[::-1]
        least = Decimal((later.start - earlier.end) // DAY)
        most = Decimal((later.end - earlier.start) // DAY)
        return Difference(Interval(least, most), (Need(clause.name, "date not exact"),))
    numbers = [_number_of(*side, snapshot, concepts, known) for side in sides]
    needs = tuple(dict.fromkeys(need for one in numbers for need in one.needs))
    first, second = (one.number for one in numbers)
    if first is None or second is None:
        return Difference(None, needs)
    return Difference(
        _apart(first, second, clause.side, share=clause.share),
        needs or (Need(clause.name, _BOUNDS),),
    )


def _number_of(
    name: str,
    what: str,
    within: int | None,
    snapshot: Snapshot,
    concepts: Mapping[str, Concept],
    known: Mapping[str, IndexResult],
) -> Difference:
    if what != "concept":
        found = known[name]
        if found.state == "not valid":
            return _unknown(name, Gap.NOT_VALID)
        return Difference(found.number, found.needs)
    datum = latest(snapshot, name)
    if datum is None or (within is not None and datum.days > within):
        return _unknown(name, gap_of(snapshot, name, concepts[name].search, within))
    return Difference(datum.number, (Need(name, Gap.CONFLICT),) if datum.conflict else ())


def _date_of(
    name: str,
    what: str,
    within: int | None,
    snapshot: Snapshot,
    concepts: Mapping[str, Concept],
    known: Mapping[str, IndexResult],
) -> Moment | tuple[Need, ...]:
    """Give the date of a name, or what is missing for it."""
    if what != "concept":
        found = known[name]
        reason = Gap.NOT_VALID if found.state == "not valid" else Gap.UNDATED
        return found.when or found.needs or (Need(name, reason),)
    search = concepts[name].search
    if concepts[name].type == "date":
        entries = snapshot.entries.get(name, ())
        if not entries:
            return (Need(name, gap_of(snapshot, name, search, None)),)
        return entries[0].when or (Need(name, Gap.UNDATED),)
    datum = latest(snapshot, name)
    if datum is None or (within is not None and datum.days > within):
        return (Need(name, gap_of(snapshot, name, search, within)),)
    return datum.result.when if datum.result else (Need(name, Gap.CONFLICT),)
