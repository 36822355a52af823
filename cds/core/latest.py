"""
Which result counts: the newest usable one, or the newest day's conflict as a range.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cds.core.facts import Bound, Gap, Result, Snapshot, Unusable
from cds.core.findings import Interval
from cds.core.quantity import round12

__all__ = ["Datum", "gap_of", "latest", "range_of", "sent_of"]


@dataclass(frozen=True, slots=True)
class Datum:
    """
    What can be said of a concept now.

    *number* is in the canonical unit, *sent* in the unit it came in. With *conflict*
    two results of one day contradict each other: nothing is known, but what holds for
    the whole range between them is still proved (`result` is then None).
    """

    number: Interval
    sent: Interval
    unit: str
    days: int
    result: Result | None
    conflict: bool = False


def range_of(value: Decimal, bound: Bound) -> Interval:
    """Read a comparator as an interval; measured values are never below zero."""
    if bound is Bound.EXACT:
        return Interval(value, value)
    if bound is Bound.BELOW:
        return Interval(_ZERO, value, low_open=False, high_open=True)
    if bound is Bound.AT_MOST:
        return Interval(_ZERO, value)
    if bound is Bound.ABOVE:
        return Interval(value, None, low_open=True)
    return Interval(value, None)


_ZERO = Decimal(0)


def sent_of(result: Result) -> Interval:
    """Give the number as it was sent, as far as it is compared: to twelve digits."""
    return range_of(round12(result.sent), result.bound)


def _conflict(results: tuple[Result, ...], unusable: tuple[Unusable, ...]) -> Datum | None:
    pairs = [(one.when, one) for one in unusable if one.reason is Gap.CONFLICT and one.when]
    if not pairs:
        return None
    newest = max((when for when, _ in pairs), key=lambda when: when.end)
    if results and results[0].when.end >= newest.end:
        return None
    day = [one for when, one in pairs if when.day == newest.day]
    numbers = [one.value for one in day if one.value is not None]
    sents = [round12(one.sent) for one in day if one.sent is not None]
    if not numbers or not sents or len({one.unit for one in day}) != 1:
        return None
    return Datum(
        number=Interval(min(numbers), max(numbers)),
        sent=Interval(min(sents), max(sents)),
        unit=day[0].unit,
        days=max(one.days or 0 for one in day),
        result=None,
        conflict=True,
    )


def latest(snapshot: Snapshot, concept: str) -> Datum | None:
    """Give the datum that counts, however old; None where nothing usable arrived."""
    results = snapshot.results.get(concept, ())
    unusable = snapshot.unusable.get(concept)
    if unusable:
        clash = _conflict(results, unusable)
        if clash is not None:
            return clash
    if not results:
        return None
    one = results[0]
    return Datum(
        number=range_of(one.value, one.bound),
        sent=sent_of(one),
        unit=one.unit,
        days=one.days,
        result=one,
    )


def gap_of(snapshot: Snapshot, concept: str, search: str, within: int | None) -> Gap:
    """Say why a concept has no value inside the window; the newest fact about it decides."""
    unusable = snapshot.unusable.get(concept, ())
    recent = [one for one in unusable if within is None or one.days is None or one.days <= within]
    if recent:
        return min(recent, key=lambda one: -1 if one.days is None else one.days).reason
    if snapshot.results.get(concept) or unusable:
        return Gap.STALE
    state = snapshot.state_of(search)
    return Gap.NEVER_MEASURED if state.complete else state.reason
