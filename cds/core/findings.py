"""
What reasoning found: numbers, stage, grades, cards, and the answers they rest on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from cds.core.facts import Result
from cds.core.moment import Moment
from cds.core.truth import Need, Truth

__all__ = [
    "CardFinding",
    "CardOutcome",
    "Conclusions",
    "Decision",
    "GradeResult",
    "IndexResult",
    "Interval",
    "Offer",
    "StageResult",
    "Withheld",
]


@dataclass(frozen=True, slots=True)
class Interval:
    """
    A number that is known, or known within bounds.

    None is an open end without a bound. *low_open* and *high_open* say that the bound
    itself is excluded (`<2`). An exact number has both ends alike and closed.
    """

    low: Decimal | None
    high: Decimal | None
    low_open: bool = False
    high_open: bool = False

    @classmethod
    def exactly(cls, value: Decimal) -> Interval:
        """Make the interval that holds one number."""
        return cls(value, value)

    @property
    def value(self) -> Decimal | None:
        """Give the number where it is exact."""
        return self.low if self.low is not None and self.low == self.high else None


@dataclass(frozen=True, slots=True)
class IndexResult:
    """
    What an index or a reading came to.

    *state* is `value` (perhaps within bounds), `unknown` (with *needs*) or `not valid`
    (with *because*, a sentence). *results* are the measurements it was made of; *when*
    and *days* those of the newest of them. *criteria* are the answers of a count, *band*
    the one band that is proved.
    """

    name: str
    state: Literal["value", "unknown", "not valid"]
    number: Interval | None = None
    needs: tuple[Need, ...] = ()
    because: str = ""
    results: tuple[Result, ...] = ()
    when: Moment | None = None
    days: int | None = None
    criteria: Mapping[str, Truth] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    band: str = ""


@dataclass(frozen=True, slots=True)
class StageResult:
    """The label, and the labels of earlier lines that could not be excluded."""

    label: str
    could_be: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GradeResult:
    """
    How certain a factor is.

    *state* is `graded`, `not assessed` or `excluded`. *grade* may be `undetermined`;
    *could_become* is the best grade that the unknown evidence could still bring.
    """

    name: str
    state: Literal["graded", "not assessed", "excluded"]
    grade: str = "undetermined"
    could_become: str = "undetermined"
    points: tuple[int, int] = (0, 0)
    because: tuple[str, ...] = ()
    disagrees: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """One suggestion after its guards; *action* is what would be drafted."""

    suggestion: str
    action: str
    offered: bool
    blocked_by: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conclusions:
    """
    What one evaluator found.

    *answers* holds the answer of every condition that decides something, by its name
    in the rule files (`ir_stg_04.show_if`, `pregnant.holds_if`); unknown ones carry
    their reasons only in the reference evaluator's.
    """

    answers: Mapping[str, Truth]
    numbers: Mapping[str, IndexResult]
    stage: StageResult
    grades: Mapping[str, GradeResult]
    cards: Mapping[str, CardOutcome] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Withheld:
    """A card whose conditions hold and that is not shown, with the reason in words."""

    card: str
    because: str


@dataclass(frozen=True, slots=True)
class CardFinding:
    """
    A card that fires, with everything its text and actions need.

    *summary* and *details* are positions in the card's own lists; *notes* name what an
    exclusion could not know; *met* holds the labels of the proved clauses of a block.
    *appended* and *merged* are other cards that became a part of this one.
    """

    card: str
    indicator: str
    priority: int
    summary: int
    details: tuple[int, ...]
    notes: tuple[str, ...]
    offers: tuple[Offer, ...]
    met: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    appended: tuple[CardFinding, ...] = ()
    merged: tuple[CardFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class CardOutcome:
    """
    What became of one card's logic.

    `fires`, with its *finding*; `no`; `unknown`, with the *needs* that could decide;
    `withheld`: its conditions hold and an exclusion or a gate stops it, *because*.
    """

    card: str
    state: Literal["fires", "no", "unknown", "withheld"]
    because: str = ""
    needs: tuple[Need, ...] = ()
    finding: CardFinding | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What becomes of every card: all members hold card ids, in a stable order.

    *fired* holds in logic, before any arbitration; *shown* the findings to compose;
    *cut* lost to a group, a cap or a more urgent card; *quiet* were shown or overridden
    before; *withheld* stopped by an exclusion or a gate; *unknown* undecided, with the needs
    that could decide; *trial* the findings of cards on trial that would have been shown;
    *switched_off* fired in a group that the site or the call has switched off.
    """

    fired: tuple[str, ...]
    shown: tuple[CardFinding, ...]
    cut: tuple[str, ...]
    quiet: tuple[str, ...]
    withheld: tuple[Withheld, ...]
    unknown: tuple[tuple[str, tuple[Need, ...]], ...]
    trial: tuple[CardFinding, ...] = ()
    switched_off: tuple[str, ...] = ()
