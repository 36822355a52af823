"""
Episodes: stretches of time that other statements begin and end. Pregnancy is one.

Knowledge base 0.3: the latest dated statement wins; a birth, a later "no" or the end of
the problem ends an episode, and none lasts longer than its concept allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cds.core.concepts import Concept
from cds.core.facts import Source
from cds.core.moment import Moment
from cds.fhir.gathering import Gathered
from cds.fhir.moments import shifted

__all__ = ["Episode", "find_episodes"]

# At one time: a "no" does not end what begins then, a birth does.
_NO: Final = 0
_BEGIN: Final = 1
_OVER: Final = 2
_BIRTH: Final = 3

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Episode:
    """
    One stretch: *since* and *until* bound it (None: still running), *begin* and *end* as written.

    *by_birth* says that a birth ended it: what is measured soon after still counts as
    influenced.
    """

    since: datetime
    until: datetime | None
    source: Source
    begin: Moment | None
    end: Moment | None
    by_birth: bool

    def covers(self, when: Moment, days_after: int) -> bool:
        """Tell whether a result lies inside, or up to *days_after* days after a birth."""
        if when.end < self.since:
            return False
        if self.until is None:
            return True
        last = shifted(self.until, days_after) if self.by_birth else self.until
        return when.start <= last


@dataclass(frozen=True, slots=True)
class _Event:
    at: datetime
    kind: int
    source: Source
    when: Moment
    until: datetime | None = None


def find_episodes(
    concept: Concept, concepts: Mapping[str, Concept], gathered: Gathered
) -> list[Episode]:
    """Find the episodes of one concept, and enter them as its entries."""
    events = [*_begins(concept, concepts, gathered), *_ends(concept, gathered)]
    events.sort(key=lambda one: (one.at, one.kind, one.source.resource, one.source.path))
    episodes = _join(concept, events, gathered.as_of)
    undated = _undated(concept, concepts, gathered)
    if undated is not None:
        episodes.append(undated)
    for one in episodes:
        running = one.until is None or one.until > gathered.as_of
        gathered.enter(concept.id, one.source, active=running, when=one.begin, ended=one.end)
    return episodes


def _begins(concept: Concept, concepts: Mapping[str, Concept], gathered: Gathered) -> list[_Event]:
    found: list[_Event] = []
    for name in concept.begins:
        part = concepts.get(name)
        if part is None:
            continue
        if part.type in {"answer", "date"}:
            found.extend(_said(concept, part, gathered))
            continue
        for entry in gathered.entries.get(name, ()):
            if entry.when is None or entry.ordered:
                continue
            # Over, and nobody says since when: at the latest now.
            until = gathered.as_of if not entry.active and entry.ended is None else None
            found.append(_Event(entry.when.start, _BEGIN, entry.source, entry.when, until))
            if entry.ended is not None:
                found.append(_Event(entry.ended.end, _OVER, entry.source, entry.ended))
    return found


def _said(concept: Concept, part: Concept, gathered: Gathered) -> list[_Event]:
    """Read a "yes", or a date that lies ahead, as a beginning at the time it was said."""
    found: list[_Event] = []
    for one in gathered.answers:
        if one.concept != part.id:
            continue
        if one.word == "yes":
            found.append(_Event(one.when.start, _BEGIN, one.source, one.when))
        elif one.date is not None and one.date.end > one.when.start:
            longest = shifted(one.when.start, concept.longest or 0)
            if concept.longest is None or one.date.start <= longest:
                found.append(_Event(one.when.start, _BEGIN, one.source, one.when, one.date.end))
    return found


def _ends(concept: Concept, gathered: Gathered) -> list[_Event]:
    found: list[_Event] = []
    for name in concept.ends:
        found.extend(
            _Event(one.when.start, _NO, one.source, one.when)
            for one in gathered.answers
            if one.concept == name and one.word == "no"
        )
        if name not in concept.begins:
            found.extend(
                _Event(entry.when.end, _BIRTH, entry.source, entry.when)
                for entry in gathered.entries.get(name, ())
                if entry.when is not None and not entry.ordered
            )
    return found


def _join(concept: Concept, events: list[_Event], as_of: datetime) -> list[Episode]:
    """Walk the events in time."""
    episodes: list[Episode] = []
    begins: list[_Event] = []
    for event in events:
        if begins and event.at > (cap := _cap(concept, begins, as_of)):
            episodes.append(_capped(concept, begins, cap))
            begins = []
        if event.kind == _BEGIN:
            begins.append(event)
        elif begins:
            first, by_birth = begins[0], event.kind == _BIRTH
            episodes.append(
                Episode(first.at, event.at, first.source, first.when, event.when, by_birth)
            )
            begins = []
        elif event.kind == _BIRTH:
            since = shifted(event.at, -concept.longest) if concept.longest else _EARLIEST
            before = episodes[-1].until if episodes else None
            since = since if before is None else max(since, before)
            episodes.append(Episode(since, event.at, event.source, None, event.when, by_birth=True))
    if begins and _is_over(concept, begins, cap := _cap(concept, begins, as_of), as_of):
        episodes.append(_capped(concept, begins, cap))
    elif begins:
        first = begins[0]
        episodes.append(Episode(first.at, None, first.source, first.when, None, by_birth=False))
    return episodes


def _cap(concept: Concept, begins: list[_Event], as_of: datetime) -> datetime:
    """Say when an episode is over that nothing ended: the most that its beginnings allow."""
    longest = _LATEST if concept.longest is None else shifted(begins[0].at, concept.longest)
    over = [one.until for one in begins if one.until is not None and one.until <= as_of]
    return min(longest, max(over)) if len(over) == len(begins) else longest


def _is_over(concept: Concept, begins: list[_Event], cap: datetime, as_of: datetime) -> bool:
    """Tell whether *cap* is behind us; of the most days that are allowed the last is inside."""
    return (shifted(cap, 1) if _is_longest(concept, begins[0], cap) else cap) <= as_of


def _is_longest(concept: Concept, first: _Event, cap: datetime) -> bool:
    return concept.longest is not None and cap == shifted(first.at, concept.longest)


def _capped(concept: Concept, begins: list[_Event], cap: datetime) -> Episode:
    first = begins[0]
    end = Moment(cap, cap, cap.date().isoformat()) if _is_longest(concept, first, cap) else None
    return Episode(first.at, cap, first.source, first.when, end, by_birth=False)


def _undated(
    concept: Concept, concepts: Mapping[str, Concept], gathered: Gathered
) -> Episode | None:
    """Take an active entry without any date as running, unless a recent "no" denies it."""
    for name in concept.ends:
        part = concepts.get(name)
        limit = None if part is None else part.within
        for entry in gathered.entries.get(f"{name}:no", ()):
            if entry.days is not None and limit is not None and entry.days <= limit:
                return None
    since = shifted(gathered.as_of, -concept.longest) if concept.longest else _EARLIEST
    for name in concept.begins:
        for entry in gathered.entries.get(name, ()):
            if entry.active and entry.when is None and not entry.ordered:
                return Episode(since, None, entry.source, None, None, by_birth=False)
    return None
