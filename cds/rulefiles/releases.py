"""
The release file: what the release is called, and which hooks answer like another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from cds.core.hooks import ACTS
from cds.core.rules import Card
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.nodes import Block, Scalar

__all__ = ["ReleaseFile", "read_release"]


_UNNAMED: Final = "0"


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """
    What stands in the release file.

    *also_on* names, by a hook, the hooks on which its cards are shown as well.
    """

    release: str = _UNNAMED
    also_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def on_hooks(self, card: Card) -> Card:
        """Give a card on every hook that answers like one of its own, too."""
        alike = (other for hook in card.hooks for other in self.also_on.get(hook, ()))
        added = tuple(dict.fromkeys(one for one in alike if one not in card.hooks))
        return replace(card, hooks=(*card.hooks, *added), also_on=added)


def read_release(roots: list[Block], report: Report) -> ReleaseFile:
    """Read the release file, and report hooks that cannot answer like another."""
    root = next(iter(roots), None)
    also = root.block("also_on") if root is not None else None
    if root is None or also is None:
        return ReleaseFile(root.text("release") if root is not None else _UNNAMED)
    first = frozenset(key.text for key, _ in also.entries())
    for key, _ in also.entries():
        for other in also.scalars(key.text):
            _check_alike(key.text, other, first, report)
    return ReleaseFile(root.text("release"), {hook: also.texts(hook) for hook in also.values})


def _check_alike(hook: str, other: Scalar, first: frozenset[str], report: Report) -> None:
    """Report a hook that follows another although it leads some itself, or brings no orders."""
    if other.text in first:
        report.add(
            "CDS416",
            other,
            f"{other.text} answers like {hook}, and other hooks answer like it",
            help=f"list them all under `{hook}:`"
            if other.text != hook
            else "take it out: it answers like itself already",
        )
    elif ACTS.get(hook) and ACTS.get(other.text) != ACTS[hook]:
        report.add(
            "CDS416",
            other,
            f"{other.text} cannot answer like {hook}: nothing is {ACTS[hook]} there",
            help="take it out, or list the hook on the cards that make sense there",
        )
