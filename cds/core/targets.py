"""
Which drafts of a call a suggestion takes back or changes, and which it cannot reach.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cds.core.facts import Entry, Snapshot
from cds.core.findings import CardFinding
from cds.core.hooks import DRAFTING
from cds.core.rules import Action, Ruleset

__all__ = ["Targets", "named_orders", "reached_by", "targets_of"]

_REFERENCE: Final = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}", re.ASCII)
# Statuses of what nobody has signed; what is sent again to be signed may have any other.
_UNSIGNED: Final = frozenset({"", "draft", "proposed"})


@dataclass(frozen=True, slots=True)
class Targets:
    """
    The drafts that an action is about.

    *reached* can be named to the client; *others* have no id, or no longer the status of a
    draft, and are left to the reader. A draft of several concepts is there once for each.
    """

    reached: tuple[Entry, ...] = ()
    others: tuple[Entry, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.reached or self.others)


def targets_of(action: Action, rules: Ruleset, snapshot: Snapshot) -> Targets:
    """
    Find the drafts of the call that an action takes back or changes.

    None on hooks whose orders were signed, and never a draft to be taken back in which
    the rules find something that must not be.
    """
    if snapshot.hook not in DRAFTING:
        return Targets()
    found = snapshot.ordered(action.drafts)
    if action.cancel:
        kept = {one.source.path for one in snapshot.ordered(rules.never_cancel)}
        found = tuple(one for one in found if one.source.path not in kept)
    reached = tuple(one for one in found if _can_be_reached(one))
    return Targets(reached, tuple(one for one in found if one not in reached))


def reached_by(
    finding: CardFinding, rules: Ruleset, snapshot: Snapshot, *, cancel: bool
) -> tuple[str, ...]:
    """Name the concepts whose drafts a card offers to take back (*cancel*), or to change."""
    found: list[str] = []
    for offer in finding.offers:
        action = rules.actions[offer.action]
        if offer.offered and bool(action.cancel) is cancel:
            found.extend(one.concept for one in targets_of(action, rules, snapshot).reached)
    return tuple(dict.fromkeys(found))


def named_orders(concepts: Iterable[str], snapshot: Snapshot) -> tuple[str, ...]:
    """Name what the call orders of these concepts, as `Type/id`; what has no id is left out."""
    found = (one.source.resource for one in snapshot.ordered(concepts))
    return tuple(dict.fromkeys(one for one in found if _REFERENCE.fullmatch(one)))


def _can_be_reached(entry: Entry) -> bool:
    source = entry.source
    return source.status in _UNSIGNED and _REFERENCE.fullmatch(source.resource) is not None
