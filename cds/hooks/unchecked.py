"""
What could not be checked because data did not arrive: said on a card, never passed over.

A rule that is unknown for want of a search is no rule that found nothing. Safety rules are
named whenever a list that they read did not come whole; other rules only where a search
was made and failed, since what a client never sends is known to whoever set it up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cds.core.facts import Gap, Snapshot
from cds.core.findings import Decision
from cds.core.rules import Ruleset
from cds.core.truth import Need
from cds.hooks.cards import closing_of, override_reasons_of
from cds.hooks.wire import RULE
from cds.hooks.words import reason_in_words

__all__ = ["UNCHECKED", "Unchecked", "unchecked"]

UNCHECKED: Final = "MC-UNCHECKED"
"""The topic of the card: no rule."""

_TEXTS: Final = frozenset(
    {
        "judgement",
        "not_absent",
        "not_device",
        "unchecked",
        "unchecked_advice",
        "unchecked_lists",
        "unchecked_many",
        "unchecked_title",
    }
)
"""The texts of the profile that it is written with; one without them has no such card."""

_LONGEST: Final = 139
_DID_NOT_ARRIVE: Final = frozenset({Gap.NOT_SENT, Gap.INCOMPLETE, Gap.SEARCH_FAILED})


@dataclass(frozen=True, slots=True)
class Unchecked:
    """
    Rules that were not checked, by title, each with the lists that it lacked and why.

    *is_of_safety* says that one of them is of a group that nobody may switch off.
    """

    lacking: Mapping[str, tuple[str, ...]]
    lists: tuple[str, ...]
    is_of_safety: bool

    def block(self, rules: Ruleset) -> str:
        """Write it as a part of a card."""
        lines = [f"- {title}: {', '.join(lists)}" for title, lists in self.lacking.items()]
        return rules.profile.texts["unchecked"] + "\n\n" + "\n".join(lines)

    def card(self, rules: Ruleset, *, new_uuid: Callable[[], str]) -> dict[str, Any]:
        """Write it as a card of its own."""
        profile, texts = rules.profile, rules.profile.texts
        summary = texts["unchecked_lists"].replace("{{names}}", ", ".join(self.lists))
        if len(summary) > _LONGEST:
            summary = texts["unchecked_many"]
        detail = (self.block(rules), texts["unchecked_advice"], closing_of(profile))
        source: dict[str, Any] = {"label": profile.source_label}
        if profile.source_url:
            source["url"] = profile.source_url
        source["topic"] = {
            "system": profile.topic_system,
            "code": UNCHECKED,
            "display": texts["unchecked_title"],
        }
        return {
            "uuid": new_uuid(),
            "summary": summary,
            "indicator": "info",
            "detail": "\n\n".join(detail),
            "source": source,
            "overrideReasons": override_reasons_of(profile, profile.override_reasons),
            "extension": {RULE: {"code": UNCHECKED, "release": rules.release}},
        }


def unchecked(
    rules: Ruleset, snapshot: Snapshot, decision: Decision, *, off: Iterable[str] = ()
) -> Unchecked | None:
    """
    Find the rules that are unknown because of what did not arrive; None where there is none,
    or the profile has no words for it: what an answer says of its evaluation names them still.

    Rules of the groups in *off* were not asked for.
    """
    if not rules.profile.texts.keys() >= _TEXTS:
        return None
    lacking: dict[str, tuple[str, ...]] = {}
    lists: dict[str, None] = {}
    is_of_safety = False
    switched_off = frozenset(off)
    for name, needs in decision.unknown:
        card = rules.cards[name]
        if not card.is_rule or card.group in switched_off:
            continue
        of_safety = not rules.groups[card.group].option
        reasons = _DID_NOT_ARRIVE if of_safety else {Gap.SEARCH_FAILED}
        found = dict(_lists(rules, snapshot, (one for one in needs if one.reason in reasons)))
        if found:
            lacking[card.title] = tuple(f"{title} ({why})" for title, why in found.items())
            lists |= dict.fromkeys(found)
            is_of_safety = is_of_safety or of_safety
    return Unchecked(lacking, tuple(lists), is_of_safety) if lacking else None


def _lists(rules: Ruleset, snapshot: Snapshot, needs: Iterable[Need]) -> Iterable[tuple[str, str]]:
    """Name the searches that would have brought what is needed, and what became of them."""
    for need in needs:
        concept = rules.concepts.get(need.name)
        key = "" if concept is None else concept.search
        for search in rules.searches.values():
            state = snapshot.state_of(search.id)
            if key in {search.id, search.lists} and not state.complete:
                yield search.title, reason_in_words(state.reason)
