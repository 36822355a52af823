"""
Encounters: stays in acute care, and which results were taken during or soon after one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from cds.core.concepts import Concept
from cds.core.facts import Gap
from cds.core.moment import Moment
from cds.fhir.gathering import Gathered, source_of
from cds.fhir.moments import read, shifted
from cds.fhir.references import Item, Resource, identity_of
from cds.fhir.versions import is_foreign

__all__ = ["AcuteStays", "Encounters"]

# HL7 EncounterStatus of R4, with what R5 calls the same.
_RUNNING: Final = frozenset({"arrived", "triaged", "in-progress", "onleave", "on-hold"})
_OVER: Final = frozenset({"finished", "unknown", "discharged", "completed", "discontinued"})
_ALWAYS: Final = datetime.max.replace(tzinfo=UTC)


class AcuteStays:
    """The stays of one record: by name, and as stretches of time with their aftermath."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._spans: list[tuple[datetime, datetime]] = []
        self._starts: list[datetime] = []

    def __bool__(self) -> bool:
        return bool(self._names or self._spans)

    def add(self, name: str, start: datetime | None, end: datetime) -> None:
        """Note one stay, *end* with the days after it."""
        if name:
            self._names.add(name)
        if start is not None and start <= end:
            self._spans.append((start, end))

    def close(self) -> None:
        """Join stretches that touch, so that one look tells."""
        joined: list[tuple[datetime, datetime]] = []
        for start, end in sorted(self._spans):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        self._spans = joined
        self._starts = [start for start, _ in joined]

    def cover(self, item: Item, when: Moment | None) -> bool:
        """Tell whether a result belongs to a stay, by its reference or by its time."""
        encounter = item.resource.get("encounter")
        reference = encounter.get("reference") if type(encounter) is dict else None
        if type(reference) is str and item.scope.name(reference) in self._names:
            return True
        if when is None:
            return False
        at = bisect_right(self._starts, when.end) - 1
        return at >= 0 and self._spans[at][1] >= when.start


class Encounters:
    """Reads Encounters for the concepts of type `encounter`."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        # The class of an Encounter is one of HL7's, or a site's own word for the same:
        # it is the one code that is matched whatever its system.
        self._concepts = [
            (one, frozenset(rule.code.upper() for rule in one.codes))
            for one in concepts
            if one.type == "encounter"
        ]

    def take(self, item: Item, gathered: Gathered, stays: AcuteStays) -> None:
        """Read one Encounter of the patient."""
        resource = item.resource
        classes = frozenset(_classes(resource.get("class")))
        for concept, codes in self._concepts:
            code = next(iter(sorted(classes & codes)), "")
            if code:
                self._enter(item, concept, code, gathered, stays)
        if self._concepts and is_foreign(resource):
            gathered.count((), Gap.VERSION, resource)
            gathered.spoil("Encounter", Gap.VERSION)

    def _enter(
        self, item: Item, concept: Concept, code: str, gathered: Gathered, stays: AcuteStays
    ) -> None:
        resource = item.resource
        status = resource.get("status")
        source = source_of(item, ("", code), status)
        if status == "entered-in-error":
            gathered.count((concept.id,), Gap.STATUS, resource)
            return
        if type(status) is not str or status not in _RUNNING | _OVER:
            # Planned and cancelled stays did not happen.
            return
        period = resource.get("period", resource.get("actualPeriod"))
        start = end = None
        if type(period) is dict:
            start = read(period.get("start"), gathered.zone)
            end = read(period.get("end"), gathered.zone)
        is_running = status in _RUNNING and (end is None or end.end >= gathered.as_of)
        first = start or end
        last = end or (None if is_running else start)
        stays.add(
            identity_of(resource) or item.url,
            None if first is None else first.start,
            _ALWAYS if last is None else shifted(last.end, concept.within or 0),
        )
        gathered.enter(concept.id, source, active=is_running, when=start, ended=end)


def _classes(value: Any) -> Iterator[str]:
    """Walk the class codes: a Coding in R4, a list of CodeableConcepts in R5."""
    for one in value if type(value) is list else (value,):
        if type(one) is not dict:
            continue
        codings: list[Resource] = one["coding"] if type(one.get("coding")) is list else [one]
        for coding in codings:
            if type(coding) is dict and type(coding.get("code")) is str:
                yield coding["code"].upper()
