"""
What was shown before, and what became of it: all that quiet periods look at.

Made by whoever remembers; empty where nobody does. Days are whole 24-hour periods before
the evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["NOTHING_SHOWN", "CardHistory", "History", "Override"]


@dataclass(frozen=True, slots=True)
class Override:
    """A card that was overridden so many days ago; *reason* is a code, empty where none."""

    days: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CardHistory:
    """
    One card and one patient.

    *last_shown* is so many days ago, None where it never was; *levels* are the grades and
    bands at that time, by factor and index.
    """

    last_shown: int | None = None
    overrides: tuple[Override, ...] = ()
    levels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """What is remembered of one patient, by the id of the card."""

    cards: Mapping[str, CardHistory] = field(default_factory=dict)


NOTHING_SHOWN: Final = History()
