"""
Which cards fire, and with what: conditions, exclusions, gates, suggestions and guards.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import lru_cache

from cds.core.clauses import Expr, Listed, clauses_of
from cds.core.findings import CardFinding, CardOutcome, Offer
from cds.core.hooks import ACTS
from cds.core.rules import Action, Card, Exclusion, Ruleset, Suggestion
from cds.core.targets import targets_of
from cds.core.truth import YES, Need, Truth
from cds.reasoning.questions import blocks_of_card
from cds.reasoning.reference import Run

__all__ = ["outcome_of"]


def outcome_of(card: Card, rules: Ruleset, run: Run) -> CardOutcome:
    """Say what becomes of a card's logic; suggestions are worked out only where it fires."""
    show = run.ask(f"{card.id}.show_if")
    if show.is_no:
        show = run.might(card.show_if)
        if show.is_no:
            return CardOutcome(card.id, "no")
    drafted = _drafted(card, run)
    if drafted.is_no:
        return CardOutcome(card.id, "no")
    stop, notes = _stopped(card, rules, run)
    if show.is_unknown or drafted.is_unknown:
        if stop:
            return CardOutcome(card.id, "no")
        return CardOutcome(card.id, "unknown", needs=(*show.needs, *drafted.needs))
    if stop:
        return CardOutcome(card.id, "withheld", because=stop)
    names = (*notes, *_not_whole(card.show_if, rules, run))
    finding = _finding(card, rules, run, tuple(dict.fromkeys(names)))
    if card.needs_offer and not any(one.offered for one in finding.offers):
        because = rules.profile.texts.get("no_offer", "needs_offer")
        return CardOutcome(card.id, "withheld", because=because)
    return CardOutcome(card.id, "fires", finding=finding)


def _drafted(card: Card, run: Run) -> Truth:
    """Say whether one of the reasons is what the call is about, where that is wanted."""
    if not card.needs_draft or run.snapshot.hook not in ACTS:
        return YES
    return run.ask(f"{card.id}.needs_draft")


def _stopped(card: Card, rules: Ruleset, run: Run) -> tuple[str, list[str]]:
    """Give the reason that stops a card ("" where none does), and what was not known."""
    notes: list[str] = []
    if rules.population is not None:
        if not run.ask("population.require").is_yes:
            return rules.population.because, notes
        for one, exempt in rules.population.unless:
            if _is_exempt(card.code, exempt):
                continue
            stop = _stops(one, f"population.unless.{one.id}", run, notes)
            if stop:
                return stop, notes
    for one in card.unless:
        stop = _stops(one, f"{card.id}.unless.{one.id}", run, notes)
        if stop:
            return stop, notes
    return "", notes


@lru_cache(maxsize=4096)
def _is_exempt(code: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a gate names a card as one that it does not apply to."""
    return any(fnmatchcase(code, pattern) for pattern in patterns)


def _stops(one: Exclusion, name: str, run: Run, notes: list[str]) -> str:
    if one.relevant is not None and run.ask(f"{name}.relevant").is_no:
        return ""
    answer = run.ask(name)
    if answer.is_yes:
        return one.because or one.id
    if answer.is_unknown:
        if one.if_unknown == "hide":
            return f"{one.because or one.id} (not known)"
        if one.if_unknown == "note":
            notes.extend(_names(answer.needs) or [one.id])
    return ""


def _names(needs: tuple[Need, ...]) -> list[str]:
    return [need.name for need in needs]


def _not_whole(expr: Expr, rules: Ruleset, run: Run) -> Iterator[str]:
    """Name what "is not on record" could not look through, because a list was not whole."""
    for clause in clauses_of(expr):
        if isinstance(clause, Listed) and clause.on_record:
            for name in clause.names:
                concept = rules.concepts[name.partition(":")[0]]
                if not run.snapshot.state_of(concept.search).complete:
                    yield name


def _finding(card: Card, rules: Ruleset, run: Run, notes: tuple[str, ...]) -> CardFinding:
    indicator = next(
        word
        for at, (word, expr) in enumerate(card.indicators)
        if expr is None or run.ask(f"{card.id}.indicator.{at}").is_yes
    )
    priority = card.priority
    for at, (number, expr) in enumerate(card.priorities):
        if expr is None or run.ask(f"{card.id}.priority.{at}").is_yes:
            priority = number
            break
    return CardFinding(
        card=card.id,
        indicator=indicator,
        priority=priority,
        summary=next(
            at
            for at, say in enumerate(card.summaries)
            if say.condition is None or run.ask(f"{card.id}.summary.{at}").is_yes
        ),
        details=tuple(
            at
            for at, say in enumerate(card.details)
            if say.condition is None or run.ask(f"{card.id}.detail.{at}").is_yes
        ),
        notes=notes,
        offers=_offers(card, rules, run),
        met={
            block.id: tuple(
                getattr(part, "label", "") or getattr(part, "text", "")
                for at, part in enumerate(block.of)
                if run.ask(f"{card.id}.met.{block.id}.{at}").is_yes
            )
            for block in blocks_of_card(card)
        },
    )


def _offers(card: Card, rules: Ruleset, run: Run) -> tuple[Offer, ...]:
    by_id = {one.id: one for one in card.suggestions}
    found: dict[str, Offer | None] = {}
    todo = [one.id for one in card.suggestions if not one.only_instead]
    while todo:
        one = by_id[todo.pop(0)]
        if one.id in found:
            continue
        offer = found[one.id] = _offer(card, one, rules, run)
        if offer is not None and not offer.offered:
            guard = next(guard for guard in one.guards if guard.id == offer.blocked_by)
            if guard.instead and run.ask(f"{card.id}.guard.{one.id}.{guard.id}").is_unknown:
                todo.append(guard.instead)
    return tuple(offer for name in by_id if (offer := found.get(name)) is not None)


def _offer(card: Card, one: Suggestion, rules: Ruleset, run: Run) -> Offer | None:
    if one.offer_if is not None and not run.ask(f"{card.id}.offer_if.{one.id}").is_yes:
        return None
    action = _action(card, one, rules, run)
    if not action or not _has_drafts(rules.actions[action], rules, run):
        return None
    warnings: list[str] = []
    for guard in one.guards:
        name = f"{card.id}.guard.{one.id}.{guard.id}"
        if guard.relevant is not None and run.ask(f"{name}.relevant").is_no:
            continue
        answer = run.ask(name)
        if answer.is_yes or (answer.is_unknown and guard.if_unknown in {"block", "instead"}):
            return Offer(one.id, action, offered=False, blocked_by=guard.id)
        if answer.is_unknown and guard.if_unknown == "hide":
            return None
        if answer.is_unknown and guard.if_unknown == "warn":
            warnings.append(guard.warn)
    return Offer(one.id, action, offered=True, warnings=tuple(warnings))


def _has_drafts(action: Action, rules: Ruleset, run: Run) -> bool:
    """Tell whether what would be taken back or changed is there."""
    return not action.drafts or bool(targets_of(action, rules, run.snapshot))


def _action(card: Card, one: Suggestion, rules: Ruleset, run: Run) -> str:
    """Choose the action: the only one, or the first whose result is not known (not raised)."""
    if not one.choices:
        return one.action
    for name in one.choices:
        if one.raised:
            if not run.ask(f"{card.id}.raised.{one.id}.{name}").is_yes:
                return name
            continue
        result = rules.actions[name].result
        datum = run.latest(result) if result else None
        within = rules.concepts[result].within if result else None
        if datum is None or datum.conflict or (within is not None and datum.days > within):
            return name
    return ""
