"""
What is collected while a record is read; a snapshot is made of it at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Final

from cds.core.facts import Entry, Gap, Result, Source, Unusable
from cds.core.moment import Moment
from cds.fhir.codings import Code
from cds.fhir.moments import age_of, is_future
from cds.fhir.references import Attribution, Item, Resource, Standing, identity_of

__all__ = ["COUNTED", "WITHDRAWN", "Answer", "Gathered", "source_of", "type_in_words"]

COUNTED: Final = frozenset(
    {
        Gap.UNIT,
        Gap.IMPLAUSIBLE,
        Gap.CONFLICT,
        Gap.STATUS,
        Gap.FUTURE,
        Gap.UNDATED,
        Gap.UNREADABLE,
        Gap.COMPARATOR,
        Gap.OTHER_PATIENT,
        Gap.NO_SUBJECT,
        Gap.VERSION,
        Gap.NO_VALUE,
        Gap.TOO_FEW,
        Gap.ACUTE,
        Gap.PREGNANCY,
    }
)

WITHDRAWN: Final = frozenset({"cancelled", "revoked", "stopped"})
"""What the status of a draft says when it is on its way out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A coded yes or no, or a date, with the collection it belongs to."""

    concept: str
    word: str
    when: Moment
    specimen: str
    source: Source
    date: Moment | None = None


_REASONS: Final = tuple(Gap)


@dataclass(slots=True)
class Gathered:
    """
    The notebook of one extraction.

    *unproved* are results that count only where the sample is shown to be fasting.
    *waiting* are entries that count only beside an active one of another concept.
    *spoiled_searches* and *spoiled_types* name the lists that are not whole because of
    what stood in them, *drafts* that something the call is about cannot be read.
    """

    as_of: datetime
    zone: tzinfo | None
    attribution: Attribution
    born: Moment | None = None
    results: dict[str, list[Result]] = field(default_factory=dict)
    unproved: dict[str, list[Result]] = field(default_factory=dict)
    unusable: dict[str, list[Unusable]] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    waiting: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    spoiled_searches: dict[str, Gap] = field(default_factory=dict)
    spoiled_types: dict[str, Gap] = field(default_factory=dict)
    counts: Counter[tuple[str, Gap]] = field(default_factory=Counter)
    drafts: Gap | None = None

    def spoil(self, kind: str, gap: Gap) -> None:
        """
        Note that a list of resources of one type is not whole.

        Of several reasons one is said, whichever resource came first.
        """
        known = self.spoiled_types.get(kind, gap)
        self.spoiled_types[kind] = min(known, gap, key=_REASONS.index)

    def leave_open(self, item: Item, gap: Gap) -> None:
        """Note that nobody knows what a resource is: what is ordered, or a list, could hold it."""
        if item.act == "ordered":
            self.drafts = gap
        else:
            self.spoil(item.resource["resourceType"], gap)

    def leave_out(
        self,
        concept: str,
        gap: Gap,
        source: Source,
        when: Moment | None = None,
    ) -> None:
        """Note a datum that arrived and is not used."""
        days = None if when is None else age_of(when, self.as_of)
        self.unusable.setdefault(concept, []).append(Unusable(concept, gap, source, when, days))

    def enter(
        self,
        concept: str,
        source: Source,
        *,
        active: bool,
        when: Moment | None = None,
        ended: Moment | None = None,
        act: Standing = "",
        routes: tuple[str, ...] | None = None,
        may_be_future: bool = False,
    ) -> None:
        """
        Note a listed thing; what lies in the future is left out, a future end is no end.

        What is being ordered is of now, whatever it is dated.
        """
        if act == "ordered":
            when = None
        if when is not None and not may_be_future and is_future(when, self.as_of):
            self.leave_out(concept, Gap.FUTURE, source, when)
            return
        if ended is not None and ended.start > self.as_of:
            ended = None
        days = None if when is None else age_of(when, self.as_of)
        entry = Entry(
            concept=concept,
            source=source,
            active=active,
            when=when,
            days=0 if act == "ordered" else days,
            ended=ended,
            ended_days=None if ended is None else age_of(ended, self.as_of),
            act="" if act == "background" else act,
            routes=routes,
        )
        self.entries.setdefault(concept, []).append(entry)

    def settle_waiting(self) -> None:
        """Enter what waited for another problem, where that is there."""
        present = {name for name, found in self.entries.items() if any(one.active for one in found)}
        for other, entry in self.waiting:
            if other in present:
                self.enter(**entry)

    def give_way(self, concept: str, others: Iterable[str]) -> None:
        """Take the active entries of a concept out where one of *others* has an active one."""
        found = self.entries.get(concept, [])
        if any(one.active for name in others for one in self.entries.get(name, ())):
            self.entries[concept] = [one for one in found if not one.active]

    def count(self, concepts: Iterable[str], gap: Gap, resource: Resource) -> None:
        """Count what is not even shown: foreign, without a subject, entered in error."""
        named = set(concepts) or {type_in_words(resource)}
        for concept in named:
            self.counts[concept, gap] += 1


def source_of(item: Item, code: Code = ("", ""), status: object = "") -> Source:
    """Say where a fact was read."""
    resource = item.resource
    return Source(
        identity_of(resource) or resource["resourceType"],
        item.key,
        item.path,
        code[0],
        code[1],
        status if type(status) is str else "",
        resource,
    )


def type_in_words(resource: Resource) -> str:
    """Write `MedicationRequest` as "medication request"."""
    words = "".join(f" {one}" if one.isupper() else one for one in resource["resourceType"][:64])
    return words.strip().lower() if resource["resourceType"].isalpha() else "resource"
