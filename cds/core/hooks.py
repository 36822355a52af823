"""
The hooks a card can be for, and what each of them is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

__all__ = ["ACTED_ON", "ACTS", "DEFAULT_HOOK", "DRAFTING", "HOOKS", "Act"]

Act = Literal["", "ordered", "added", "refilled"]
"""What is being done with an entry in the call itself: see `cds.core.facts.Entry`."""

DEFAULT_HOOK: Final = "patient-view"

HOOKS: Final = (
    DEFAULT_HOOK,
    "order-select",
    "order-sign",
    "order-dispatch",
    "encounter-start",
    "encounter-discharge",
    "appointment-book",
    "problem-list-item-create",
    "medication-refill",
)
"""Every hook, in the order in which the documentation lists them."""

ACTS: Final[Mapping[str, Act]] = {
    "order-select": "ordered",
    "order-sign": "ordered",
    "order-dispatch": "ordered",
    "problem-list-item-create": "added",
    "medication-refill": "refilled",
}
"""The hooks whose call brings what it is about, and what happens to it there."""

DRAFTING: Final = frozenset({"order-select", "order-sign"})
"""The hooks whose orders are still drafts: nobody has signed them."""

ACTED_ON: Final[Mapping[Act, frozenset[str]]] = {
    "ordered": frozenset({"medicine", "plan", "order"}),
    "added": frozenset({"problem"}),
    "refilled": frozenset({"medicine"}),
}
"""The types of concepts that each of them can happen to."""
