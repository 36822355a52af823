"""
What is known of one patient, and what is not: facts with provenance, gaps with reasons.

A `Snapshot` is all that reasoning ever sees. It is made by `cds.fhir.extract` from
what an EHR sent, or by `cds.workshop.testing.cases` from a test in a rule file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from cds.core.hooks import DEFAULT_HOOK, Act
from cds.core.moment import Moment, age_in_years

__all__ = [
    "MAY_COUNT",
    "Bound",
    "Entry",
    "Gap",
    "ListState",
    "NotUsed",
    "Person",
    "Result",
    "Snapshot",
    "Source",
    "Unusable",
]


class Gap(StrEnum):
    """Why something is not known. The texts are what cards and tests print."""

    NEVER_MEASURED = "never measured"
    NOT_SENT = "not sent"
    INCOMPLETE = "list not complete"
    SEARCH_FAILED = "search failed"
    STALE = "stale"
    UNIT = "unit"
    IMPLAUSIBLE = "implausible"
    CONFLICT = "conflict"
    STATUS = "status"
    FUTURE = "future"
    UNDATED = "undated"
    UNREADABLE = "unreadable code"
    COMPARATOR = "comparator"
    OTHER_PATIENT = "other patient"
    NO_SUBJECT = "no subject"
    NO_VALUE = "no value"
    TOO_FEW = "too few days"
    NOT_FASTING = "not known to be fasting"
    VERSION = "FHIR version"
    ACUTE = "acute illness"
    PREGNANCY = "pregnancy"
    NO_PAIR = "no pair of results"
    NOT_RECORDED = "not recorded"
    NOT_VALID = "not valid"
    NOT_DECIDED = "not decided"
    NOT_ENDED = "not ended"
    ROUTE = "route not recorded"
    ON_TRIAL = "on trial"


MAY_COUNT: Final = frozenset({Gap.UNIT, Gap.IMPLAUSIBLE, Gap.COMPARATOR})
"""Why a result is not used that may all the same have any value: it leaves a range open."""


class Bound(StrEnum):
    """What a result claims about the true value."""

    EXACT = "="
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact was read: resource, place in the request, code and status as received."""

    resource: str
    key: str
    path: str
    system: str = ""
    code: str = ""
    status: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Result:
    """
    One usable measurement.

    *value* is in the concept's canonical unit, rounded to twelve digits; *sent* and
    *unit* are as received (unit spelled the UCUM way). *days* is the age in whole
    24-hour periods, counted from the earliest moment the date allows. *own_low* and
    *own_high* are the laboratory's limits in the canonical unit, where sent.
    """

    concept: str
    value: Decimal
    sent: Decimal
    unit: str
    when: Moment
    days: int
    source: Source
    bound: Bound = Bound.EXACT
    own_low: Decimal | None = None
    own_high: Decimal | None = None
    specimen: str = ""
    category: str = ""

    def with_same_collection(self, other: Result) -> bool:
        """Tell whether both were drawn together: one specimen, or one collection time."""
        if self.specimen and self.specimen == other.specimen:
            return True
        return self.when.same_collection(other.when)


@dataclass(frozen=True, slots=True)
class Unusable:
    """
    A datum that arrived and is not used, with the reason.

    *value* is the canonical number where it could still be made (a conflict), *sent*
    and *unit* what arrived, where both could be read.
    """

    concept: str
    reason: Gap
    source: Source
    when: Moment | None = None
    days: int | None = None
    sent: Decimal | None = None
    unit: str = ""
    value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One listed thing: a problem, a medicine, a plan, a procedure.

    *active* is false for history (resolved, stopped, in remission), which counts
    only where a rule says `ever`. *days* is the age of *when* (onset, start, else
    recorded); None where nothing was dated. *act* says what the call itself does with it:
    `ordered` (a draft, and not yet present), `added` to the problem list or `refilled`
    (both present as well). *routes* are the routes of the concept that the entry names;
    None where it names none that can be read.
    """

    concept: str
    source: Source
    active: bool = True
    when: Moment | None = None
    days: int | None = None
    ended: Moment | None = None
    ended_days: int | None = None
    act: Act = ""
    routes: tuple[str, ...] | None = None

    @property
    def ordered(self) -> bool:
        """Tell whether this is a draft, which is not present yet."""
        return self.act == "ordered"


@dataclass(frozen=True, slots=True)
class ListState:
    """Whether a list or a search was received whole; if not, why."""

    complete: bool
    reason: Gap = Gap.NOT_SENT


@dataclass(frozen=True, slots=True)
class NotUsed:
    """How many data of one concept were left out for one reason: never values or ids."""

    concept: str
    reason: Gap
    count: int


@dataclass(frozen=True, slots=True)
class Person:
    """The patient as rules see one. *sex* is `male`, `female` or `unknown`."""

    id: str
    sex: str = "unknown"
    born: Moment | None = None
    group: str = ""
    deceased: bool = False

    def age(self, at: datetime) -> tuple[int, int] | None:
        """Give completed years, youngest and oldest possible; None without a birth date."""
        return None if self.born is None else age_in_years(self.born, at)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    Everything known of one patient at one time.

    *results* holds the usable measurements of a concept, newest first; *unusable* what
    arrived and cannot be used; *entries* listed things, newest first. *lists* says for
    each list (`problems`, `medicines`, ...) and each search whether it came whole, *drafts*
    the same of what the *hook* is about.
    """

    as_of: datetime
    person: Person
    results: Mapping[str, tuple[Result, ...]] = field(default_factory=dict)
    unusable: Mapping[str, tuple[Unusable, ...]] = field(default_factory=dict)
    entries: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    lists: Mapping[str, ListState] = field(default_factory=dict)
    not_used: tuple[NotUsed, ...] = ()
    hook: str = DEFAULT_HOOK
    drafts: ListState = ListState(complete=True)

    def ordered(self, concepts: Iterable[str]) -> tuple[Entry, ...]:
        """Give what the call orders of these concepts; one draft may be of several."""
        found = (one for name in concepts for one in self.entries.get(name, ()))
        return tuple(one for one in found if one.ordered)

    def state_of(self, search: str) -> ListState:
        """Say whether *search* came whole; one nobody mentions was not sent."""
        return self.lists.get(search, _NOT_SENT)


_NOT_SENT = ListState(complete=False, reason=Gap.NOT_SENT)
