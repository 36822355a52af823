"""
Conditions and Procedures: problems now, problems once, things that were done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cds.core.concepts import CodeRule, Concept
from cds.core.facts import Gap
from cds.core.moment import Moment, age_in_years
from cds.fhir.codings import Code, CodeIndex, Systems, code_in, codings_of, texts_of
from cds.fhir.gathering import Gathered, source_of
from cds.fhir.moments import age_of, read
from cds.fhir.references import Item, Resource
from cds.fhir.units import number_of
from cds.fhir.versions import is_foreign
from cds.fhir.words import Words

__all__ = ["Problems"]

_ACTIVE: Final = frozenset({"active", "recurrence", "relapse"})
_PAST: Final = frozenset({"inactive", "remission", "resolved"})
_DENIED: Final = frozenset({"refuted", "entered-in-error"})
_DONE: Final = ("completed", "in-progress")
_NOT_DONE: Final = ("preparation", "not-done", "on-hold", "stopped")
_SECOND: Final = timedelta(seconds=1)
_OLDEST: Final = 130


class Problems:
    """Reads Conditions and Procedures for concepts of type `problem` and `procedure`."""

    def __init__(self, concepts: Sequence[Concept], systems: Systems) -> None:
        own = [one for one in concepts if one.type in {"problem", "procedure"}]
        self._concepts = {one.id: one for one in own}
        self._index = CodeIndex(own, systems)
        self._words = Words(own)

    def take_condition(self, item: Item, gathered: Gathered) -> None:
        """Read one Condition of the patient."""
        resource = item.resource
        code = resource.get("code")
        found = self._find(code, gathered)
        verification = code_in(resource.get("verificationStatus"), _DENIED)
        if is_foreign(resource):
            gathered.spoil("Condition", Gap.VERSION)
            self._leave_out(item, found, Gap.VERSION, gathered)
            return
        if verification == "entered-in-error":
            if found:
                gathered.count(found, Gap.STATUS, resource)
            return
        if verification:
            if found:
                self._leave_out(item, found, Gap.STATUS, gathered)
            return
        if not found:
            if next(codings_of(code), None) is None:
                gathered.count((), Gap.UNREADABLE, resource)
            return
        when = _onset(resource, gathered)
        ended, is_over = _abatement(resource, gathered)
        active = _is_active(resource, is_over=is_over)
        if active is None:
            # Nobody can say whether it is there: neither is its absence proved.
            gathered.spoil("Condition", Gap.STATUS)
            self._leave_out(item, found, Gap.STATUS, gathered)
            return
        status = code_in(resource.get("clinicalStatus"), _ACTIVE | _PAST)
        self._enter(item, found, status, gathered, active=active, when=when, ended=ended)

    def take_procedure(self, item: Item, gathered: Gathered) -> None:
        """Read one Procedure of the patient: what was done, not what was planned."""
        resource = item.resource
        found = self._find(resource.get("code"), gathered)
        if not found:
            return
        status = resource.get("status")
        if is_foreign(resource):
            gathered.spoil("Procedure", Gap.VERSION)
            self._leave_out(item, found, Gap.VERSION, gathered)
        elif status == "entered-in-error":
            gathered.count(found, Gap.STATUS, resource)
        elif status in _DONE:
            when = read(resource.get("performedDateTime"), gathered.zone)
            period = resource.get("performedPeriod")
            if when is None and type(period) is dict:
                when = read(period.get("start"), gathered.zone)
            self._enter(item, found, status, gathered, active=True, when=when, ended=None)
        elif status not in _NOT_DONE:
            self._leave_out(item, found, Gap.STATUS, gathered)

    def _find(self, code: Any, gathered: Gathered) -> dict[str, tuple[CodeRule | None, Code]]:
        """
        Find the concepts of a code, each with the rule that says most.

        A code of now outweighs one of history.
        """
        found: dict[str, tuple[CodeRule | None, Code]] = {}
        for hit, sent in self._index.all_hits(codings_of(code)):
            rule = hit.rule
            if not _fits_age(rule, gathered):
                continue
            first = found.get(hit.concept.id)
            if first is None or _says_more(rule, first[0]):
                found[hit.concept.id] = (rule, sent)
        meant, _ = self._words.meant_by(tuple(texts_of(code)), deniable=True)
        for name in meant:
            found.setdefault(name, (None, ("", "")))
        return found

    def _enter(
        self,
        item: Item,
        found: dict[str, tuple[CodeRule | None, Code]],
        status: str,
        gathered: Gathered,
        *,
        active: bool,
        when: Moment | None,
        ended: Moment | None,
    ) -> None:
        days = None if when is None else age_of(when, gathered.as_of)
        for name, (rule, code) in found.items():
            limit = self._concepts[name].counts_for
            if limit is not None and days is not None and days > limit:
                continue
            is_now = active and not (rule is not None and rule.history)
            source = source_of(item, code, status)
            entry: dict[str, Any] = {
                "concept": name,
                "source": source,
                "active": is_now,
                "when": when,
                "ended": ended,
                "act": item.act,
            }
            if rule is not None and rule.with_problem:
                gathered.waiting.append((rule.with_problem, entry))
            else:
                gathered.enter(**entry)

    def _leave_out(
        self,
        item: Item,
        found: dict[str, tuple[CodeRule | None, Code]],
        gap: Gap,
        gathered: Gathered,
    ) -> None:
        if not found:
            gathered.count((), gap, item.resource)
        for name, (_, code) in found.items():
            gathered.leave_out(name, gap, source_of(item, code))


def _says_more(rule: CodeRule, other: CodeRule | None) -> bool:
    """Tell whether a code says more than another: for sure, and of now."""
    if other is None or (rule.with_problem and not other.with_problem):
        return False
    return bool(other.with_problem) > bool(rule.with_problem) or other.history > rule.history


def _fits_age(rule: CodeRule, gathered: Gathered) -> bool:
    """Tell whether an age-bound code counts; it must be proved at both ends of a birth date."""
    if rule.age_above is None and rule.age_below is None:
        return True
    if gathered.born is None:
        return False
    youngest, oldest = age_in_years(gathered.born, gathered.as_of)
    if rule.age_above is not None and youngest <= rule.age_above:
        return False
    return rule.age_below is None or oldest < rule.age_below


def _is_active(resource: Resource, *, is_over: bool) -> bool | None:
    """Say whether a Condition is there now; None where its status cannot be read."""
    status = resource.get("clinicalStatus")
    if status is None:
        return not is_over
    if code_in(status, _ACTIVE):
        return True
    return False if code_in(status, _PAST) else None


def _onset(resource: Resource, gathered: Gathered) -> Moment | None:
    when = read(resource.get("onsetDateTime"), gathered.zone)
    period = resource.get("onsetPeriod")
    if when is None and type(period) is dict:
        when = read(period.get("start"), gathered.zone)
    if when is None:
        when = _at_age(resource.get("onsetAge"), gathered)
    return read(resource.get("recordedDate"), gathered.zone) if when is None else when


def _abatement(resource: Resource, gathered: Gathered) -> tuple[Moment | None, bool]:
    """Give the end of a Condition, and whether it is over in the first place."""
    ended = read(resource.get("abatementDateTime"), gathered.zone)
    period = resource.get("abatementPeriod")
    if ended is None and type(period) is dict:
        ended = read(period.get("end", period.get("start")), gathered.zone)
    if ended is None:
        ended = _at_age(resource.get("abatementAge"), gathered)
    if ended is not None:
        return ended, ended.start <= gathered.as_of
    sent: Iterable[str] = (
        "abatementDateTime",
        "abatementPeriod",
        "abatementAge",
        "abatementRange",
        "abatementString",
    )
    return None, any(resource.get(name) is not None for name in sent)


def _at_age(age: Any, gathered: Gathered) -> Moment | None:
    """Turn an age in years into the stretch of time in which the patient had it."""
    if type(age) is not dict or gathered.born is None or age.get("code", "a") != "a":
        return None
    years = number_of(age.get("value"))
    if years is None or not 0 <= years <= _OLDEST:
        return None
    whole = int(years)
    first = _years_after(gathered.born.start, whole)
    last = _years_after(gathered.born.end, whole + 1)
    if first is None or last is None:
        return None
    # A year is all that may be printed of it.
    return Moment(first, max(first, last - _SECOND), f"{first.year:04d}")


def _years_after(when: datetime, years: int) -> datetime | None:
    try:
        return when.astimezone(UTC).replace(year=when.year + years)
    except ValueError:
        try:
            return when.replace(year=when.year + years, day=28)
        except ValueError:
            return None
