"""
Who is shown: silence, merges, groups, cuts, critical before info, and a cap.

Same input, same order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from cds.core.findings import CardFinding, Conclusions, Decision, Withheld
from cds.core.history import NOTHING_SHOWN, History
from cds.core.hooks import DEFAULT_HOOK
from cds.core.options import EVERYTHING, Options
from cds.core.rules import Cut, Ruleset
from cds.reasoning.quiet import is_quiet

__all__ = ["arbitrate", "urgency"]

_RANKS: Final = {"critical": 0, "warning": 1, "info": 2}


def urgency(finding: CardFinding) -> tuple[int, int, str]:
    """Sort key: critical first, then the lower priority number, then the id."""
    return _RANKS[finding.indicator], finding.priority, finding.card


def arbitrate(
    rules: Ruleset,
    conclusions: Conclusions,
    history: History = NOTHING_SHOWN,
    *,
    hook: str = DEFAULT_HOOK,
    rehearsed: str = "",
    options: Options = EVERYTHING,
) -> Decision:
    """
    Decide what becomes of every card that fires.

    Silence, merges, appended lines, groups, what a shown card cuts, info cards behind a
    critical one, then the cap. Cards on trial take part in a second round only, which
    says what would have been shown. A *rehearsed* card counts as active. Of what *options*
    switch off, only what is critical takes part.
    """
    stands = {
        name: "active" if name == rehearsed else rules.cards[name].status
        for name in conclusions.cards
    }
    active = {name for name, status in stands.items() if status == "active"}
    trial = {name for name, status in stands.items() if status == "trial"}
    outcomes = [one for name, one in conclusions.cards.items() if name in active]
    fired, quiet = _speaking(rules, conclusions, history, hook, active)
    spoken, off = _switched(rules, fired, options)
    kept, cut = _settled(rules, spoken, options)
    would: tuple[CardFinding, ...] = ()
    if trial:
        every, _ = _speaking(rules, conclusions, history, hook, active | trial)
        every, _ = _switched(rules, every, options)
        shown = {name for one in _settled(rules, every, options)[0] for name in _cards_of(one)}
        would = tuple(one for one in every if one.card in shown & trial)
    return Decision(
        fired=tuple(one.card for one in sorted((*fired, *quiet), key=urgency)),
        shown=tuple(kept),
        cut=tuple(one.card for one in fired if one.card in cut),
        quiet=tuple(one.card for one in quiet),
        withheld=tuple(
            Withheld(one.card, one.because) for one in outcomes if one.state == "withheld"
        ),
        unknown=tuple((one.card, one.needs) for one in outcomes if one.state == "unknown"),
        trial=would,
        switched_off=tuple(one.card for one in off),
    )


def _speaking(
    rules: Ruleset,
    conclusions: Conclusions,
    history: History,
    hook: str,
    names: Collection[str],
) -> tuple[list[CardFinding], list[CardFinding]]:
    """Give the cards that fire, the most urgent first: those that speak, those that are quiet."""
    found: list[CardFinding] = []
    silent: list[CardFinding] = []
    for name, outcome in conclusions.cards.items():
        if outcome.finding is not None and name in names:
            quiet = is_quiet(rules.cards[name], rules, conclusions, history, hook)
            (silent if quiet else found).append(outcome.finding)
    return sorted(found, key=urgency), sorted(silent, key=urgency)


def _switched(
    rules: Ruleset, fired: list[CardFinding], options: Options
) -> tuple[list[CardFinding], list[CardFinding]]:
    """Tell what takes part from what is switched off; what is critical always takes part."""
    off = [
        one
        for one in fired
        if rules.cards[one.card].group in options.off and one.indicator != "critical"
    ]
    return [one for one in fired if one not in off], off


def _settled(
    rules: Ruleset, fired: list[CardFinding], options: Options
) -> tuple[list[CardFinding], set[str]]:
    """Say what is shown, the most urgent first, and name what is cut."""
    kept, lost = _grouped(rules, fired)
    kept.sort(key=urgency)
    left = _uncut(rules, kept)
    if any(one.indicator == "critical" for one in left):
        left = [one for one in left if one.indicator != "info"]
    critical = sum(one.indicator == "critical" for one in left)
    shown = left[: max(rules.profile.most_cards, critical)]
    if options.most_cards is not None:
        # Who asks for fewer asks for less advice, not for less safety.
        few = shown[: options.most_cards]
        shown = [one for one in shown if one in few or _is_about_safety(rules, one)]
    lost.extend(name for one in kept if one not in shown for name in _cards_of(one))
    return shown, set(lost)


def _is_about_safety(rules: Ruleset, finding: CardFinding) -> bool:
    """Tell whether a card is critical, or of a group in which nothing is dropped."""
    group = rules.groups.get(rules.cards[finding.card].group)
    merges = group is not None and group.when_several_fire == "merge"
    return merges or finding.indicator == "critical"


def _cards_of(finding: CardFinding) -> Iterable[str]:
    """Name a card and those that became a part of it: they are cut together."""
    return (finding.card, *(one.card for one in (*finding.appended, *finding.merged)))


def _uncut(rules: Ruleset, kept: list[CardFinding]) -> list[CardFinding]:
    """Leave out what more urgent cards cut; what is cut itself cuts nothing."""
    left = list(kept)
    for one in kept:
        cuts = [cut for name in _cards_of(one) for cut in rules.cards[name].cuts]
        if cuts and one in left:
            left = [
                other
                for other in left
                if other is one or not any(_cuts(cut, other, rules) for cut in cuts)
            ]
    return left


def _cuts(cut: Cut, other: CardFinding, rules: Ruleset) -> bool:
    return cut.indicator in {"", other.indicator} and cut.group in {
        "",
        rules.cards[other.card].group,
    }


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
