"""
Offers to suggestions of a card: resources drafted, and drafts of the call taken back or changed.

Descriptions are those of the rule files. A changed draft goes back whole, as it was
received; nothing else of the record enters a suggestion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from cds.core.facts import Entry, Snapshot
from cds.core.findings import CardFinding, Offer
from cds.core.rules import Action, Card, Ruleset
from cds.core.targets import targets_of
from cds.hooks.wire import ACTION
from cds.hooks.words import Words

__all__ = ["Change", "Draft", "Suggesting"]

Holes = Mapping[str, "str | Decimal"]
Draft = Callable[[Mapping[str, Any], Holes], dict[str, Any]]
Change = Callable[[Mapping[str, Any], Mapping[str, Any], Holes], dict[str, Any]]


class Suggesting:
    """
    Writes the suggestions of the cards of one response.

    *draft* fills and validates a template, *change* puts other members into a draft that
    was received; both raise `ValueError`. *undrafted* then names the action, once it was
    told to *on_undrafted*; *by_hand* those with a draft that cannot be named to the client,
    or not be changed.
    """

    def __init__(
        self,
        rules: Ruleset,
        snapshot: Snapshot,
        words: Words,
        *,
        draft: Draft,
        change: Change,
        new_uuid: Callable[[], str],
        on_undrafted: Callable[[str], None],
    ) -> None:
        self._rules = rules
        self._snapshot = snapshot
        self._words = words
        self._draft = draft
        self._change = change
        self._new_uuid = new_uuid
        self._on_undrafted = on_undrafted
        self.undrafted: set[str] = set()
        self.by_hand: set[str] = set()

    def of(self, parts: Iterable[CardFinding]) -> list[dict[str, Any]]:
        """Write the suggestions of a card and of those merged into it, none of them twice."""
        found: list[dict[str, Any]] = []
        seen: set[tuple[str, ...]] = set()
        for one in (each for part in parts for each in self._of_one(part)):
            ids = tuple(action.get("resourceId", "") for action in one["actions"])
            # A removal is known by its drafts, what is created by its action and its words.
            same = ids if all(ids) else (one["extension"][ACTION]["id"], one["label"])
            if same not in seen:
                seen.add(same)
                found.append(one)
        return found

    def _of_one(self, finding: CardFinding) -> Iterator[dict[str, Any]]:
        card = self._rules.cards[finding.card]
        offered = [one for one in finding.offers if one.offered]
        for offer in offered:
            action = self._rules.actions[offer.action]
            item = next(one for one in card.suggestions if one.id == offer.suggestion)
            try:
                actions = list(self._actions(card, action, offered))
            except ValueError:
                # The card stands without this draft, and says so.
                self.undrafted.add(action.id)
                self._on_undrafted(action.id)
                continue
            if not actions:
                continue
            suggestion: dict[str, Any] = {
                "label": item.label or action.label,
                "uuid": self._new_uuid(),
                "extension": {ACTION: {"id": action.id, "rule": card.code}},
            }
            if item.recommended:
                suggestion["isRecommended"] = True
            suggestion["actions"] = actions
            yield suggestion

    def _actions(
        self, card: Card, action: Action, offered: list[Offer]
    ) -> Iterator[dict[str, Any]]:
        description = self._words.fill(action.description, card)
        for template in action.resources:
            # Of several, each says which one it is.
            which = template.get("code", {}).get("text", "") if len(action.resources) > 1 else ""
            yield {
                "type": "create",
                "description": f"{description}: {which}" if which else description,
                "resource": self._drafted(card, action, template, offered),
            }
        if not action.drafts:
            return
        targets = targets_of(action, self._rules, self._snapshot)
        if targets.others:
            self.by_hand.add(action.id)
        for name, entry in {one.source.resource: one for one in targets.reached}.items():
            if action.cancel:
                yield {"type": "delete", "description": description, "resourceId": name}
            else:
                resource = self._changed(card, action, entry)
                if resource:
                    yield {"type": "update", "description": description, "resource": resource}

    def _drafted(
        self, card: Card, action: Action, template: Mapping[str, Any], offered: list[Offer]
    ) -> dict[str, Any]:
        """Draft one resource; a plan lists the other actions offered beside it."""
        if template["resourceType"] == "CarePlan":
            others = [self._rules.actions[one.action] for one in offered]
            labels = [one.label for one in others if one.id != action.id and not one.drafts]
            if labels:
                activity = [
                    {"detail": {"status": "not-started", "description": label}} for label in labels
                ]
                template = {**template, "activity": activity}
        resource = self._draft(template, self._words.holes(card))
        return {"resourceType": resource["resourceType"], "id": self._new_uuid(), **resource}

    def _changed(self, card: Card, action: Action, entry: Entry) -> dict[str, Any]:
        """Change one draft; empty where it cannot be, and then it is left to the reader."""
        members = action.change.members if action.change is not None else {}
        try:
            return self._change(entry.source.raw, members, self._words.holes(card))
        except ValueError:
            self.by_hand.add(action.id)
            return {}
