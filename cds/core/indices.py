"""
Numbers made by a formula from results and other numbers, and their bands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from cds.core.clauses import Expr, Threshold
from cds.core.headers import Rule

__all__ = [
    "Band",
    "Binary",
    "Call",
    "FormulaExpr",
    "Gate",
    "Index",
    "Input",
    "InputRef",
    "Number",
    "OneIf",
    "Pair",
    "Step",
]


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a formula."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class InputRef:
    """An input, expressed in *unit* (its canonical unit where empty), as a plain number."""

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step named by `let:`, or a constant by sex named by `constants:`."""

    name: str


@dataclass(frozen=True, slots=True)
class Binary:
    """`+ - * / ^`."""

    op: str
    left: FormulaExpr
    right: FormulaExpr


@dataclass(frozen=True, slots=True)
class Call:
    """`ln`, `log10`, `exp`, `sqrt`, `min`, `max`, `logistic`."""

    function: str
    arguments: tuple[FormulaExpr, ...]


@dataclass(frozen=True, slots=True)
class OneIf:
    """`one_if(NAME)`: 1 when the condition of `conditions:` holds, 0 when not."""

    name: str


FormulaExpr = Number | InputRef | Step | Binary | Call | OneIf


@dataclass(frozen=True, slots=True)
class Input:
    """
    An input of an index: a concept, another index, or `age`.

    *optional* inputs may be missing. *same_collection_as* names another input: only a
    result of that collection counts.
    """

    name: str
    source: str
    what: Literal["concept", "index", "age", "reading", "trial"]
    within: int | None = None
    optional: bool = False
    same_collection_as: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Inputs that must lie no more than *days* apart; the latest such set is taken."""

    of: tuple[str, ...]
    days: int


@dataclass(frozen=True, slots=True)
class Gate:
    """A reason why a number is not valid; unknown: `withhold` or `compute`."""

    when: Expr
    because: str
    if_unknown: Literal["withhold", "compute"]
    id: str


@dataclass(frozen=True, slots=True)
class Band:
    """A named range of an index: *low* is inclusive (`from`), *high* exclusive (`below`)."""

    name: str
    low: Threshold | None = None
    high: Threshold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Rule):
    """
    A number derived from data.

    Exactly one of *formula*, *formula_in* (by the unit in which the first input was
    sent), *count_of* (named criteria; gives yes and unknown), *first_of* (names of other
    indices or concepts, or `formula`) or *highest_known_of* (names of which the unknown are
    passed over) says how.
    """

    inputs: tuple[Input, ...]
    same_draw: tuple[Pair, ...]
    not_valid_if: tuple[Gate, ...]
    unit: str
    digits: int
    formula: FormulaExpr | None = None
    formula_in: Mapping[str, FormulaExpr] = field(default_factory=dict)
    let: Mapping[str, FormulaExpr] = field(default_factory=dict)
    constants: Mapping[str, Threshold] = field(default_factory=dict)
    conditions: Mapping[str, Expr] = field(default_factory=dict)
    count_of: Mapping[str, Expr] = field(default_factory=dict)
    first_of: tuple[str, ...] = ()
    highest_known_of: tuple[str, ...] = ()
    bands: tuple[Band, ...] = ()
    note: str = ""
