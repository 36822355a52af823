"""
A number, or a range, against cut-offs that may differ by sex, age, group and unit.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from cds.core.clauses import Case, Limit, Threshold
from cds.core.facts import Person, Result
from cds.core.findings import Interval
from cds.core.truth import NO, YES, Need, Truth, unknown

__all__ = ["Facing", "compare", "possible_cases"]


class Facing:
    """Whom and when cut-offs are meant for: the patient's sex, group and age."""

    __slots__ = ("ages", "group", "sex")

    def __init__(self, person: Person, as_of: datetime, group: str) -> None:
        self.sex = person.sex
        self.group = person.group or group
        self.ages = person.age(as_of)


def possible_cases(threshold: Threshold, facing: Facing) -> tuple[Case, ...]:
    """
    Give the cut-offs that may be this patient's: several while sex or age is unknown.

    An ethnic group's own cut-off counts only where the group was sent or set by the
    site; otherwise the general one. None where nothing is said of some whom this
    patient may be.
    """
    cases = threshold.cases
    if len(cases) == 1 and _is_for_everybody(cases[0]):
        return cases
    group = facing.group if any(case.group == facing.group for case in cases) else ""
    cases = tuple(case for case in cases if case.group == group)
    found: dict[Case, None] = {}
    for sex in (facing.sex,) if facing.sex in _SEXES else _SEXES:
        for age in _ages(cases, facing.ages):
            fitting = [case for case in cases if _fits(case, sex, age)]
            if not fitting:
                return ()
            found.update(dict.fromkeys(fitting))
    return tuple(found)


_SEXES = ("male", "female")


def _is_for_everybody(case: Case) -> bool:
    return not case.sex and not case.group and case.age_from is case.age_below is None


def _ages(cases: Iterable[Case], ages: tuple[int, int] | None) -> set[int]:
    """Give ages that stand for all that this patient may have."""
    cuts = {cut for case in cases for cut in (case.age_from, case.age_below) if cut is not None}
    if ages is None:
        return {min(cuts, default=0) - 1, *cuts}
    youngest, oldest = ages
    return {youngest, *(cut for cut in cuts if youngest < cut <= oldest)}


def _fits(case: Case, sex: str, age: int) -> bool:
    return (
        case.sex in {"", sex}
        and (case.age_from is None or age >= case.age_from)
        and (case.age_below is None or age < case.age_below)
    )


def _reaches(number: Interval, cut: Decimal, *, inclusive: bool) -> str:
    """Say whether the number is at or above (*inclusive*), or above, the cut."""
    low, high = number.low, number.high
    if low is not None and (low > cut or (low == cut and (inclusive or number.low_open))):
        return "yes"
    if high is not None and (high < cut or (high == cut and (not inclusive or number.high_open))):
        return "no"
    return "unknown"


def _against(
    limit: Limit,
    number: Interval,
    sent: Interval,
    unit: str,
    own: tuple[Decimal | None, Decimal | None],
    facing: Facing,
    *,
    inclusive: bool,
) -> str:
    own_limit = _own(limit.threshold, own)
    if own_limit is not None:
        return _reaches(number, own_limit, inclusive=inclusive)
    word = ""
    for case in possible_cases(limit.threshold, facing):
        if case.alternate is not None and case.alternate_unit == unit:
            found = _reaches(sent, case.alternate, inclusive=inclusive)
        else:
            found = _reaches(number, case.value, inclusive=inclusive)
        if word and found != word:
            return "unknown"
        word = found
    return word or "unknown"


def _own(threshold: Threshold, own: tuple[Decimal | None, Decimal | None]) -> Decimal | None:
    if threshold.or_own == "lower":
        return own[0]
    return own[1] if threshold.or_own == "upper" else None


def compare(
    number: Interval,
    low: Limit | None,
    high: Limit | None,
    facing: Facing,
    *,
    sent: Interval | None = None,
    unit: str = "",
    result: Result | None = None,
    needs: Iterable[Need] = (),
) -> Truth:
    """
    Say whether *number* lies between the limits; at least one is given.

    A paired threshold is compared in the unit in which the result was *sent*. With sex
    or age unknown the answer is known only where every possible cut-off agrees.
    *needs* are the reasons of an unknown answer.
    """
    own = (result.own_low, result.own_high) if result is not None else (None, None)
    as_sent = sent if sent is not None else number
    above = below = "yes"
    if low is not None:
        above = _against(low, number, as_sent, unit, own, facing, inclusive=low.inclusive)
    if high is not None:
        # `< cut` is the opposite of `>= cut`, `<= cut` the opposite of `> cut`.
        reached = _against(high, number, as_sent, unit, own, facing, inclusive=not high.inclusive)
        below = {"yes": "no", "no": "yes"}.get(reached, "unknown")
    if "no" in {above, below}:
        return NO
    if above == below == "yes":
        return YES
    return unknown(*needs)
