"""
Who is shown: merges, groups, critical before info, and a cap. Same input, same order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from cds.core.findings import CardFinding, Conclusions, Decision, Withheld
from cds.core.rules import Ruleset

__all__ = ["arbitrate", "urgency"]

_RANKS: Final = {"critical": 0, "warning": 1, "info": 2}


def urgency(finding: CardFinding) -> tuple[int, int, str]:
    """Sort key: critical first, then the lower priority number, then the id."""
    return _RANKS[finding.indicator], finding.priority, finding.card


def arbitrate(rules: Ruleset, conclusions: Conclusions) -> Decision:
    """
    Decide what becomes of every card that fires.

    Merges, appended lines, groups, info cards behind a critical one, then the cap. A card
    that is not active may have been asked about; nobody sees it.
    """
    outcomes = {
        name: one for name, one in conclusions.cards.items() if rules.cards[name].status == "active"
    }
    fired = [one.finding for one in outcomes.values() if one.finding is not None]
    fired.sort(key=urgency)
    kept, cut = _grouped(rules, fired)
    if any(one.indicator == "critical" for one in kept):
        cut.extend(name for one in kept if one.indicator == "info" for name in _cards_of(one))
        kept = [one for one in kept if one.indicator != "info"]
    kept.sort(key=urgency)
    critical = sum(one.indicator == "critical" for one in kept)
    most = max(rules.profile.most_cards, critical)
    cut.extend(name for one in kept[most:] for name in _cards_of(one))
    kept = kept[:most]
    gone = set(cut)
    return Decision(
        fired=tuple(one.card for one in fired),
        shown=tuple(kept),
        cut=tuple(one.card for one in fired if one.card in gone),
        quiet=(),
        withheld=tuple(
            Withheld(one.card, one.because) for one in outcomes.values() if one.state == "withheld"
        ),
        unknown=tuple((one.card, one.needs) for one in outcomes.values() if one.state == "unknown"),
    )


def _cards_of(finding: CardFinding) -> Iterable[str]:
    """Name a card and those that became a part of it: they are cut together."""
    return (finding.card, *(one.card for one in (*finding.appended, *finding.merged)))


def _grouped(rules: Ruleset, fired: Iterable[CardFinding]) -> tuple[list[CardFinding], list[str]]:
    """Let each group speak with one card: the most urgent, or all of them merged."""
    members: dict[str, list[CardFinding]] = {}
    lines: list[CardFinding] = []
    for one in fired:
        card = rules.cards[one.card]
        # A card that is appended to another never takes that other's place; but what is
        # critical never hangs on a card that may be cut.
        if card.appended_to and one.indicator != "critical":
            lines.append(one)
        else:
            members.setdefault(card.group or card.id, []).append(one)
    for one in lines:
        group = rules.cards[one.card].group
        members.setdefault(group or one.card, []).append(one)
    kept: list[CardFinding] = []
    cut: list[str] = []
    for name, findings in members.items():
        first, *rest = findings
        rule = rules.groups.get(name)
        if rule is not None and rule.when_several_fire == "merge":
            kept.append(replace(first, merged=tuple(rest)))
            continue
        appended = [one for one in rest if first.card in rules.cards[one.card].appended_to]
        cut.extend(one.card for one in rest if one not in appended)
        kept.append(replace(first, appended=tuple(appended)))
    return kept, cut
