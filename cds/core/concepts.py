"""
What a record is read for: concepts with their codes and units, searches, and readings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from cds.core.clauses import Limit, Place
from cds.core.quantity import Conversion

__all__ = [
    "CONCEPT_TYPES",
    "CodeRule",
    "Concept",
    "Fasting",
    "Reading",
    "Search",
    "TextPattern",
]

CONCEPT_TYPES: Final = (
    "quantity",
    "answer",
    "date",
    "problem",
    "medicine",
    "procedure",
    "plan",
    "order",
    "family",
    "episode",
    "encounter",
    "person",
)
"""What a concept can be: where in a record it is read; see `Concept`."""


@dataclass(frozen=True, slots=True)
class CodeRule:
    """
    One code that means a concept: exact, or a prefix where it ended in `*`.

    *history* marks codes that say `ever` and never `now`. *age_above*/*age_below* bind
    the meaning to an age, *with_fasting* to a sample known to be fasting, *with_problem*
    to another problem that is there as well.
    """

    system: str
    code: str
    prefix: bool = False
    history: bool = False
    age_above: int | None = None
    age_below: int | None = None
    with_fasting: bool = False
    with_problem: str = ""


@dataclass(frozen=True, slots=True)
class TextPattern:
    """
    Words that mean a concept in a medicine's or plan's text.

    *words* are whole words (or phrases), *beginnings* and *endings* match parts of
    words; blank and hyphen are one, case does not matter. *without* excludes a text
    that also holds one of these words, unless it holds one of *unless*.
    """

    words: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fasting:
    """How a result becomes fasting by company: concepts that prove it in one collection."""

    company: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """
    What a word means: codes, units, range, what absence means.

    *type*: `quantity` (Observation, or one of its components), `answer` (a coded
    Observation that means yes, no or nothing, by *answers*), `date` (an Observation
    whose value is a date), `problem` (Condition), `medicine`, `procedure`, `plan`, `order`
    (a ServiceRequest, for a test or anything else),
    `family` (FamilyMemberHistory), `episode` (made of other concepts, see *begins*),
    `encounter` (by its class), `person` (the patient is recorded as deceased).

    *search* names the prefetch search that brings it; *within* is the age in days up
    to which a result counts unless a clause says otherwise. *conflicts*: two results
    of one day that differ by more than a fifth, or of one instant that differ at all,
    are both unusable; otherwise the *danger*ous end (`high`, `low`) or the later wins.
    *acute*: whether results from acute illness stay `usable`. *pregnancy_days*: results
    collected while pregnant, or up to so many days after birth, are unusable (None:
    stay usable). *routes* says in which words an entry names each route that clauses may
    ask about; entries of *not_routes* alone do not count at all. *governs* marks a
    concept that bends how other data are read (a gender-affirming care entry makes the
    sex unknown) and is read though no rule asks.
    *may_lie_ahead*: a date that may lie in the future, such as a due date. *relatives*: of
    a family history, the words and codes of the relatives that count (all where empty).
    *gives_way_to*: concepts whose active entry takes the place of an active one of this.
    *negated_by*: words that, shortly before the words of *text*, deny them.
    """

    id: str
    signal: str
    title: str
    type: str
    search: str
    place: Place
    unit: str = ""
    units: Mapping[str, Conversion] = field(default_factory=dict)
    show_digits: int | None = None
    within: int | None = None
    codes: tuple[CodeRule, ...] = ()
    not_codes: tuple[CodeRule, ...] = ()
    text: TextPattern | None = None
    not_routes: tuple[str, ...] = ()
    routes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    fasting: Fasting | None = None
    conflicts: bool = False
    danger: Literal["", "high", "low"] = ""
    acute: Literal["unusable", "usable"] = "usable"
    pregnancy_days: int | None = None
    usual: Mapping[str, Any] = field(default_factory=dict)
    absent_means: Literal["unknown", "false_if_list_complete"] = "unknown"
    counts_for: int | None = None
    begins: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    longest: int | None = None
    governs: bool = False
    attribute: Literal["", "gender identity", "social determinants", "health assessment"] = ""
    may_lie_ahead: bool = False
    relatives: tuple[str, ...] = ()
    gives_way_to: tuple[str, ...] = ()
    negated_by: tuple[str, ...] = ()
    verified: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """
    One prefetch search: what is asked for and how many entries at most.

    The codes come from the concepts that name it and that active rules read. *count*
    is the `_count` of the template; an answer with as many entries is not the whole.
    """

    id: str
    resource: str
    title: str
    count: int | None = None
    by_code: bool = False
    sort: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    lists: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """
    A number from several results of one concept, named in a rule and used like any quantity.

    *kind*: `count days of`, `average of last`, `mean of`, `highest of`, `lowest of`,
    `first of`, `last end of`. Counts and extremes are intervals (sure, possible):
    unusable results and partial searches widen them. *low* and *high* say which results
    count (`where:`), *if_latest* that none counts unless the newest one does. *between*
    bounds the age in days, both inclusive; with *newest_day* only the results of the newest
    day in it are looked at, and nothing else widens an extreme. With *dated* the reading is a
    date of what is listed, and its number the days since.
    """

    id: str
    kind: str
    concept: str
    place: Place
    low: Limit | None = None
    high: Limit | None = None
    if_latest: bool = False
    last: int | None = None
    different_days: bool = False
    newest_day: bool = False
    apart: int | None = None
    drawn_before: str = ""
    between: tuple[int, int] | None = None
    unit: str = "1"
    dated: bool = False
