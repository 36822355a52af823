"""
From what was read to what counts: fasting, pregnancy, conflicts, habits, and one order.

Knowledge base 0.2 and 0.3. Every step moves results to the unusable ones with a reason;
none makes a result of something that was not received.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from cds.core.concepts import Concept
from cds.core.facts import Bound, Gap, Result, Unusable
from cds.core.moment import DAY
from cds.core.quantity import EXACT, Conversion, read_unit, round12
from cds.fhir.codings import codings_of
from cds.fhir.episodes import Episode
from cds.fhir.gathering import Gathered
from cds.fhir.moments import day_written, read

__all__ = ["settle"]

_FIFTH: Final = Decimal("0.2")
_HALF: Final = Decimal("0.5")
_ABOVE: Final = frozenset({Bound.ABOVE, Bound.AT_LEAST})
_BELOW: Final = frozenset({Bound.BELOW, Bound.AT_MOST})


def settle(
    concepts: Mapping[str, Concept], gathered: Gathered, episodes: Sequence[Episode]
) -> dict[str, tuple[Result, ...]]:
    """Decide which results count; newest first, the more dangerous first at one instant."""
    _prove_fasting(concepts, gathered)
    settled: dict[str, tuple[Result, ...]] = {}
    for name, found in gathered.results.items():
        concept = concepts[name]
        results = _once(concept, found)
        if concept.pregnancy_days is not None and episodes:
            results = _outside(episodes, concept, results, gathered)
        if concept.conflicts and len(results) > 1:
            results = _agreeing(concept, results, gathered)
        if concept.usual:
            results = _habits(concept, results, gathered)
        if results:
            settled[name] = tuple(_in_order(concept, results))
    return settled


def _leave_out(result: Result, gap: Gap, gathered: Gathered) -> None:
    gathered.unusable.setdefault(result.concept, []).append(
        Unusable(
            result.concept,
            gap,
            result.source,
            result.when,
            result.days,
            result.sent,
            result.unit,
            result.value,
        )
    )


def _in_order(concept: Concept, results: Iterable[Result]) -> list[Result]:
    """Sort by time; where that decides nothing by danger, and then by what is always there."""
    sign = 1 if concept.danger == "low" else -1
    at: dict[tuple[float, float], list[Result]] = {}
    for one in results:
        at.setdefault(_when(one), []).append(one)
    found: list[Result] = []
    for when in sorted(at, reverse=True):
        group = at[when]
        if len(group) > 1:
            group.sort(key=lambda one: (sign * one.value, _tie(one)))
        found.extend(group)
    return found


def _when(result: Result) -> tuple[float, float]:
    """Give end and start as numbers: they are compared many times."""
    when = result.when
    end = when.end.timestamp()
    return end, (end if when.start is when.end else when.start.timestamp())


def _tie(result: Result) -> tuple[str, str, str, str]:
    return result.source.resource, result.source.code, result.unit, str(result.sent)


# --- once ----------------------------------------------------------------------------


def _once(concept: Concept, results: list[Result]) -> list[Result]:
    """
    Count one reading once.

    It may arrive as a component and as an Observation of its own, under two codes, or
    in two units of which each was rounded by the laboratory.
    """
    if len(results) == 1:
        return results
    at: dict[tuple[float, float], list[Result]] = {}
    for one in results:
        at.setdefault(_when(one), []).append(one)
    if len(at) == len(results):
        return results
    kept: list[Result] = []
    for group in at.values():
        kept.extend(_distinct(concept, group) if len(group) > 1 else group)
    return kept


def _distinct(concept: Concept, group: list[Result]) -> list[Result]:
    canonical = read_unit(concept.unit, is_code=True)
    kept: dict[tuple[Decimal, Bound], Result] = {}
    for one in sorted(group, key=lambda one: (one.unit != canonical, *_tie(one))):
        twin = (one.value, one.bound)
        if twin in kept or any(_is_rounded_twin(concept, one, other) for other in kept.values()):
            continue
        kept[twin] = one
    return list(kept.values())


def _is_rounded_twin(concept: Concept, one: Result, other: Result) -> bool:
    """Tell whether one laboratory value was reported in two units."""
    if one.unit == other.unit or one.bound is not other.bound or not one.when.is_exact:
        return False
    slack = _rounding(concept, one) + _rounding(concept, other)
    return abs(one.value - other.value) <= slack


def _rounding(concept: Concept, result: Result) -> Decimal:
    """Give half a unit of the last place sent, in the canonical unit."""
    exponent = result.sent.as_tuple().exponent
    ways = {read_unit(unit, is_code=True): way for unit, way in concept.units.items()}
    factor = ways.get(result.unit, Conversion()).factor
    return EXACT.multiply(_HALF.scaleb(exponent if isinstance(exponent, int) else 0), abs(factor))


# --- fasting -------------------------------------------------------------------------


def _prove_fasting(concepts: Mapping[str, Concept], gathered: Gathered) -> None:
    """Let a result count as fasting where the same collection shows that it was."""
    plain = {name: tuple(found) for name, found in gathered.results.items()}
    for name, waiting in gathered.unproved.items():
        fasting = concepts[name].fasting
        company = frozenset(fasting.company if fasting is not None else ())
        answers = [one for one in gathered.answers if one.concept in company and one.word == "yes"]
        results = [one for other in company for one in plain.get(other, ())]
        for result in waiting:
            proved = any(
                (one.specimen and one.specimen == result.specimen)
                or one.when.same_collection(result.when)
                for one in answers
            ) or any(result.with_same_collection(one) for one in results)
            if proved:
                gathered.results.setdefault(name, []).append(result)
            else:
                _leave_out(result, Gap.NOT_FASTING, gathered)


# --- pregnancy -----------------------------------------------------------------------


def _outside(
    episodes: Sequence[Episode], concept: Concept, results: list[Result], gathered: Gathered
) -> list[Result]:
    after = concept.pregnancy_days or 0
    kept = []
    for one in results:
        if any(episode.covers(one.when, after) for episode in episodes):
            _leave_out(one, Gap.PREGNANCY, gathered)
        else:
            kept.append(one)
    return kept


# --- conflict ------------------------------------------------------------------------


def _agreeing(concept: Concept, results: list[Result], gathered: Gathered) -> list[Result]:
    """Take out the days on which two results contradict each other."""
    del concept
    days: dict[str, list[Result]] = {}
    for one in results:
        days.setdefault(day_written(one.when), []).append(one)
    kept: list[Result] = []
    for group in days.values():
        if len(group) > 1 and _contradict(group):
            for one in group:
                _leave_out(one, Gap.CONFLICT, gathered)
        else:
            kept.extend(group)
    return kept


def _contradict(group: list[Result]) -> bool:
    """
    Tell whether results of one day differ by more than a fifth, or at one instant at all.

    A comparator claims a range: `<2` and `1.2` agree.
    """
    gap, larger = _apart(group)
    if gap > _FIFTH * larger:
        return True
    instants: dict[object, list[Result]] = {}
    for one in group:
        if one.when.is_exact:
            instants.setdefault(one.when.start, []).append(one)
    return any(_apart(several)[0] > 0 for several in instants.values() if len(several) > 1)


def _apart(group: list[Result]) -> tuple[Decimal, Decimal]:
    lows = [one.value for one in group if one.bound not in _BELOW]
    highs = [one.value for one in group if one.bound not in _ABOVE]
    if not lows or not highs:
        return Decimal(0), Decimal(0)
    return max(lows) - min(highs), max(*lows, min(highs))


# --- habits --------------------------------------------------------------------------


def _habits(concept: Concept, results: list[Result], gathered: Gathered) -> list[Result]:
    """
    Take what describes a habit: a statement about one, or the mean of enough days.

    Single days that are too few, or too old for the mean, are left out as no value.
    """
    enough = _whole(concept.usual.get("mean_of"), 1)
    within = _whole(concept.usual.get("within"), concept.within or 0)
    alone = concept.usual.get("single_if_category")
    categories = frozenset(alone if isinstance(alone, list | tuple | set | frozenset) else ())
    kept: list[Result] = []
    days: dict[str, Result] = {}
    for one in _in_order(concept, results):
        if _is_statement(one, categories, enough, gathered):
            kept.append(one)
        elif one.days <= within and day_written(one.when) not in days:
            days[day_written(one.when)] = one
        elif one.days > within:
            _leave_out(one, Gap.TOO_FEW, gathered)
    if len(days) < enough:
        for one in days.values():
            _leave_out(one, Gap.TOO_FEW, gathered)
        return kept
    return [*kept, _mean(concept, list(days.values()))]


def _mean(concept: Concept, several: list[Result]) -> Result:
    newest = several[0]
    value = round12(EXACT.divide(sum((one.value for one in several), Decimal(0)), len(several)))
    return Result(
        concept=concept.id,
        value=value,
        sent=value,
        unit=read_unit(concept.unit, is_code=True),
        when=newest.when,
        days=newest.days,
        source=newest.source,
        category=newest.category,
    )


def _is_statement(
    result: Result, categories: frozenset[str], enough: int, gathered: Gathered
) -> bool:
    raw = result.source.raw
    sent = raw.get("category")
    for one in sent if type(sent) is list else ():
        if any(code in categories for _, code in codings_of(one)):
            return True
    period = raw.get("effectivePeriod")
    if type(period) is not dict:
        return False
    start, end = read(period.get("start"), gathered.zone), read(period.get("end"), gathered.zone)
    if start is None or end is None:
        return False
    # The last second of a period is a part of it.
    return end.end - start.start + timedelta(seconds=1) >= enough * DAY


def _whole(value: Any, otherwise: int) -> int:
    """Read `30` or `30 days`."""
    text = str(value).partition(" ")[0]
    return int(text) if text.isdigit() else otherwise
