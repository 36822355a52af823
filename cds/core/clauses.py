"""
Conditions as they stand after loading: clauses with their cut-offs, each with its place.

Nothing here knows YAML, FHIR or the engine; that is so of every module beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from cds.core.hooks import Act

__all__ = [
    "All",
    "Any_",
    "AtLeast",
    "BandIs",
    "Began",
    "Beside",
    "CardFires",
    "Case",
    "Changed",
    "Clause",
    "Compare",
    "Expr",
    "GradeIs",
    "Holds",
    "InFuture",
    "Known",
    "Limit",
    "ListComplete",
    "Listed",
    "NewerThan",
    "Not",
    "NotUsedBecause",
    "OnTrial",
    "Place",
    "Received",
    "SexIs",
    "StageIs",
    "Threshold",
    "clauses_of",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a rule file; lines and columns count from one."""

    path: str
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


# --- thresholds ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """
    One number of a threshold, for whom it holds.

    *value* is in the unit of what it is compared with. *alternate* is the number the
    guideline prints for results sent in *alternate_unit* (paired thresholds).
    """

    value: Decimal
    sex: str = ""
    age_from: int | None = None
    age_below: int | None = None
    group: str = ""
    alternate: Decimal | None = None
    alternate_unit: str = ""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A cut-off with a name; *or_own* takes the laboratory's own limit where sent."""

    name: str
    cases: tuple[Case, ...]
    unit: str
    cite: str = ""
    or_own: Literal["", "lower", "upper"] = ""
    localisable: tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """One end of a range."""

    threshold: Threshold
    inclusive: bool


# --- conditions ---------------------------------------------------------------
#
# Every clause has `text` (the author's words), `place`, and `label` (the `as:` of a
# clause that can be named in a list). `key` is equal for clauses that ask the same,
# whatever they are called; both evaluators work a key out once.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clause:
    text: str
    place: Place
    key: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare(_Clause):
    """
    `NAME >= VALUE`, `NAME from A below B`, `age < 18 years`.

    *what* is a concept (its latest usable result, no older than *within* days), an
    index, a reading, or `age` (completed years). Both limits may be given.
    """

    name: str
    what: Literal["concept", "index", "reading", "age", "input"]
    low: Limit | None = None
    high: Limit | None = None
    within: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(_Clause):
    """`NAME is known`: yes or no, never unknown. Several names: *any* or *all* of them."""

    names: tuple[str, ...]
    whats: tuple[str, ...]
    quantifier: Literal["any", "all"] = "any"
    within: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(_Clause):
    """
    `any of [...] is present`, `NAME is on record`.

    Yes when one entry counts: active, or any with *ever*; dated no more than *within*
    days ago (an undated one then makes it unknown, or counts with *undated_counts*).
    Otherwise no when every list was received whole, else unknown. With *on_record* no
    is the answer whenever no entry was received. `is absent` and `none of` are `Not`.

    Drafts count with *ordered* `also`; with `only` nothing else does but what the call
    itself is about (*act*). With *routes* only entries by one of these routes count.
    """

    names: tuple[str, ...]
    ever: bool = False
    within: int | None = None
    undated_counts: bool = False
    on_record: bool = False
    ordered: Literal["", "also", "only"] = ""
    act: Act = "ordered"
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Began(_Clause):
    """
    `NAME began more than 1461 days ago`: the earliest start of what is listed now.

    With *ever* also of what is over. *at_least* includes the day itself. An entry
    without a date leaves open what no other entry proves.
    """

    name: str
    days: int
    at_least: bool = False
    ever: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InFuture(_Clause):
    """`NAME is in the future`: a date that was recorded lies after now, all of it."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed(_Clause):
    """
    `NAME rose by 20 % within N days`: the newest usable result against earlier ones.

    It is compared with the lowest (*fell*: the highest, *changed*: either) of the usable
    results of earlier days in the window; both lie in it. The change is in the unit of
    *name*, or with *share* in percent of the earlier one. *number* is equal for clauses
    that ask about the same change, whatever they compare it with.
    """

    name: str
    direction: Literal["rose", "fell", "changed"]
    share: bool
    within: int
    number: str
    low: Limit | None = None
    high: Limit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside(_Clause):
    """
    `NAME at least 5 % below OTHER`, `NAME at least 90 days after OTHER`.

    *below* and *above* compare two numbers, in their unit or with *share* in percent of
    the other; *after* and *before* compare two dates, in days. *number* is equal for
    clauses that ask about the same difference.
    """

    name: str
    what: Literal["concept", "index", "reading"]
    than: str
    than_what: Literal["concept", "index", "reading"]
    side: Literal["below", "above", "after", "before"]
    share: bool
    number: str
    low: Limit | None = None
    high: Limit | None = None
    within: int | None = None
    than_within: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BandIs(_Clause):
    """`homa_ir is raised`: the index lies in one of these bands."""

    name: str
    bands: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeIs(_Clause):
    """
    `FACTOR is [at least] GRADE`.

    Compares intervals: `is at least probable` is no only when even the best outcome
    falls short, and unknown while it could still get there.
    """

    name: str
    grade: str
    or_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StageIs(_Clause):
    """`stage is one of [S1, S2]`: compares the label that was given."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds(_Clause):
    """`NAME holds`: a named condition."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SexIs(_Clause):
    """`sex is male`: unknown where sex is not on record."""

    sex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListComplete(_Clause):
    """`the medicines list is complete`: yes or no."""

    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(_Clause):
    """
    `any of [...] was received within N days`, usable or not.

    No only when every search came whole; else unknown.
    """

    names: tuple[str, ...]
    within: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewerThan(_Clause):
    """`any of [...] is newer than NAME`: a usable result dated after the other's; two-valued."""

    names: tuple[str, ...]
    than: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUsedBecause(_Clause):
    """`some result was not used because of [unit, conflict] within N days`: two-valued."""

    reasons: tuple[str, ...]
    within: int | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFires(_Clause):
    """`card NAME fires`: its logic holds, before arbitration."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTrial(_Clause):
    """What an active rule asks of a rule on trial, *name*: always unknown."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Every one of them. *id* names the block where a list in a hole refers to it."""

    of: tuple[Expr, ...]
    key: str
    place: Place
    id: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Any_:  # noqa: N801 - `Any` means something else to every reader of Python
    """One of them or more."""

    of: tuple[Expr, ...]
    key: str
    place: Place
    id: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """The opposite; unknown stays unknown."""

    of: Expr
    key: str
    place: Place
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast:
    """*count* of them or more."""

    count: int
    of: tuple[Expr, ...]
    key: str
    place: Place
    id: str = ""
    label: str = ""


Clause = (
    Compare
    | Known
    | Listed
    | Began
    | InFuture
    | Changed
    | Beside
    | BandIs
    | GradeIs
    | StageIs
    | Holds
    | SexIs
    | ListComplete
    | Received
    | NewerThan
    | NotUsedBecause
    | CardFires
    | OnTrial
)
Expr = Clause | All | Any_ | Not | AtLeast


def clauses_of(expr: Expr) -> Iterator[Clause]:
    """Walk the clauses of a condition in file order."""
    if isinstance(expr, Not):
        yield from clauses_of(expr.of)
    elif isinstance(expr, All | Any_ | AtLeast):
        for one in expr.of:
            yield from clauses_of(one)
    else:
        yield expr
