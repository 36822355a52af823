"""
Cards from decisions: evidence checked, drafts filled, and what could not be written named.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cds.core.facts import Snapshot
from cds.core.findings import Conclusions, Decision
from cds.core.options import Options
from cds.core.rules import Ruleset
from cds.fhir.drafts import Drafts, codeable
from cds.fhir.evidence import faults
from cds.hooks.cards import compose, evidence_of
from cds.hooks.unchecked import Unchecked
from cds.service.logs import told_of

__all__ = ["Composed", "Composer", "new_uuid"]


@dataclass(frozen=True, slots=True)
class Composed:
    """
    The cards of a decision.

    *undrafted* are the actions that could not be drafted, *unwritten* the cards that could
    not be written, with the fault of each without its message.
    """

    cards: list[dict[str, Any]]
    undrafted: tuple[str, ...]
    unwritten: tuple[Mapping[str, Any], ...]


class Composer:
    """Writes the cards of one release."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._draft = Drafts(
            {name: codeable(one, ruleset.systems) for name, one in ruleset.concepts.items()}
        )
        self._change = self._draft.change

    def compose(self, snapshot: Snapshot, conclusions: Conclusions, decision: Decision) -> Composed:
        """Write what is shown."""
        cited = evidence_of(self._ruleset, conclusions, decision, snapshot)
        undrafted: list[str] = []
        unwritten: list[Mapping[str, Any]] = []
        cards = compose(
            self._ruleset,
            snapshot,
            conclusions,
            decision,
            draft=self._draft,
            change=self._change,
            new_uuid=new_uuid,
            faults={key: found for key, one in cited.items() if (found := faults(one))},
            on_undrafted=undrafted.append,
            on_unwritten=lambda card, error: unwritten.append({"card": card, **told_of(error)}),
        )
        return Composed(cards, tuple(undrafted), tuple(unwritten))

    def with_unchecked(
        self, cards: list[dict[str, Any]], lacking: Unchecked | None, options: Options
    ) -> list[dict[str, Any]]:
        """
        Say what could not be checked, on a card of its own or above the footer of the last one.

        Of its own where it is about safety or nothing else is shown, as long as there is room.
        Who asks for no cards asks for none but those about safety.
        """
        rules = self._ruleset
        if lacking is None or (not cards and not lacking.is_of_safety and options.most_cards == 0):
            return cards
        if not cards or (lacking.is_of_safety and len(cards) < rules.profile.most_cards):
            return [*cards, lacking.card(rules, new_uuid=new_uuid)]
        *others, last = cards
        said, _, footer = last["detail"].rpartition("\n\n")
        detail = "\n\n".join(one for one in (said, lacking.block(rules), footer) if one)
        return [*others, {**last, "detail": detail}]


def new_uuid() -> str:
    """Make a random id."""
    return str(uuid.uuid4())
