"""
What a site or a call has switched off, or asked to have less of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["EVERYTHING", "Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """
    The groups of cards that are *off*, and the *most_cards* of an answer.

    None leaves the number to the profile. What is critical is shown whatever stands here,
    and no card about safety gives way to *most_cards*.
    """

    off: frozenset[str] = frozenset()
    most_cards: int | None = None


EVERYTHING: Final = Options()
"""Nothing is switched off."""
