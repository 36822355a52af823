"""
Exclusions and guards: which of them can stop anybody, and what they leave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from cds.core.clauses import Listed, Place
from cds.core.indices import Index
from cds.core.rules import Card, Factor, Guard, Suggestion
from cds.proofs.prover import Fact, Facts
from cds.rulefiles.diagnostics import listed
from cds.workshop.checks.proving import ASKS, Proving, Stop, relevance, stops_not

__all__ = ["check_guards"]

_Word = Literal["exclusion", "guard", "gate"]
_CONTRAINDICATIONS = frozenset({"problem", "procedure", "episode", "family"})


def check_guards(proving: Proving) -> None:
    """Judge the exclusions of cards and factors, the gates of indices, and every guard."""
    for rule in proving.sound:
        with proving.skipping(rule.place, f"what can stop `{rule.id}`"):
            if isinstance(rule, Card):
                _check_card(proving, rule)
            elif isinstance(rule, Factor):
                assessed: Facts = [] if rule.assess_if is None else [(rule.assess_if, "yes")]
                _check_stops(proving, rule.exclude_if, assessed, "exclusion", rule.id)
            elif isinstance(rule, Index):
                gates = [one for one in rule.not_valid_if if "input " not in one.when.key]
                _check_stops(proving, gates, [], "gate", rule.id)


def _check_card(proving: Proving, card: Card) -> None:
    shown = [(card.show_if, "yes"), *proving.gates(card)]
    if not proving.proofs.possible(shown):
        return
    _check_stops(proving, card.unless, shown, "exclusion", card.id)
    if not proving.proofs.possible(proving.fires(card)):
        return
    for item in card.suggestions:
        offered = list(proving.fires(card))
        if item.offer_if is not None:
            offered.append((item.offer_if, "yes"))
        if proving.proofs.possible(offered):
            _check_stops(proving, item.guards, offered, "guard", item.id)
            _check_open(proving, item, offered)


# --- all of them together -----------------------------------------------------------


def _check_stops(
    proving: Proving, every: Sequence[Stop], given: Facts, word: _Word, name: str
) -> None:
    """Judge exclusions or guards in their order, where *given* holds."""
    given = list(given)
    if not every:
        return
    for one in every:
        if not _can_stop(proving, one, given):
            proving.report.add(
                "CDS407",
                one.when.place,
                f"{word} `{one.id}` can never stop anybody",
                label="never true where it is asked",
                spans=_against(proving, one, given),
                help="take it out, or mend the cut-off or the name",
            )
            return
    for passing in (stops_not, _knowing_no(proving, given)):
        if not proving.proofs.possible([*given, *(passing(one) for one in every)]):
            _check_all_stopped(proving, every, given, word, name, passing)
            return
    _check_subsumed(proving, every, given, word)
    if word != "gate":
        _check_dead(proving, every, given, word)


def _can_stop(proving: Proving, one: Stop, given: Facts) -> bool:
    relevant = _relevant(one)
    answer = "yes" if one.if_unknown in {"show", "assess", "compute"} else "not no"
    return proving.proofs.possible([*given, *relevant, (one.when, answer)])


def _relevant(one: Stop) -> list[Fact]:
    relevant = relevance(one)
    return [] if relevant is None else [(relevant, "not no")]


def _against(proving: Proving, one: Stop, given: Facts) -> list[tuple[Place, str]]:
    """Find the one fact that keeps an exclusion from ever being true."""
    for fact in given:
        if isinstance(fact, tuple) and not proving.proofs.possible([fact, (one.when, "yes")]):
            return [(fact[0].place, "true wherever it is asked")]
    return []


def _knowing_no(proving: Proving, given: Facts) -> Callable[[Stop], list[Fact]]:
    """Let those alone pass of whom it is known, where that can be: nobody is the rest of these."""

    def passing(one: Stop) -> list[Fact]:
        if not proving.proofs.possible([*given, (one.when, "no")]):
            return stops_not(one)
        return [(expr, "no") for expr, _ in stops_not(one)]

    return passing


def _check_all_stopped(
    proving: Proving,
    every: Sequence[Stop],
    given: Facts,
    word: _Word,
    name: str,
    passing: Callable[[Stop], list[Fact]],
) -> None:
    left = list(every)
    for one in every:
        rest = [other for other in left if other is not one]
        if not proving.proofs.possible([*given, *(passing(other) for other in rest)]):
            left = rest
    first, *others = left
    code, headline = {
        "guard": ("CDS409", f"`{name}` can never be offered"),
        "exclusion": ("CDS407", f"`{name}` can never come about"),
        "gate": ("CDS407", f"`{name}` can never have a value"),
    }[word]
    notes = []
    if passing is not stops_not:
        notes = ["only those pass of whom something is not known"]
    elif any(one.if_unknown in ASKS for one in left):
        notes = ["what is not known stops as well"]
    proving.report.add(
        code,
        first.when.place,
        headline,
        label=f"with the {'other' if len(others) == 1 else 'others'} it stops everybody"
        if others
        else "stops everybody who comes here",
        spans=[(one.when.place, "and this") for one in others],
        notes=notes,
        help="one of them was probably meant the other way round"
        if others
        else "turn it round, or ask it of fewer patients",
    )


def _check_subsumed(proving: Proving, every: Sequence[Stop], given: Facts, word: _Word) -> None:
    """Report what stops only those whom another one stops too."""
    gone: set[str] = set()
    for one in reversed(every):
        for other in every:
            if other is one or other.id in gone:
                continue
            passing: list[Fact] = [(other.when, "not yes")]
            relevant = relevance(other)
            if relevant is not None:
                passing.append((relevant, "no"))
            if not proving.proofs.touches(one.when, other.when):
                continue
            facts = [*given, (one.when, "yes"), *_relevant(one), passing]
            if proving.proofs.possible(facts):
                continue
            gone.add(one.id)
            proving.report.add(
                "CDS404",
                one.when.place,
                f"{word} `{one.id}` stops only those whom {word} `{other.id}` stops too",
                label="all of these",
                spans=[(other.when.place, "are stopped here as well")],
                notes=["the reason shown depends on which comes first"],
                help="take one out, or give each its own range, with `from ... below ...`",
            )
            break


# --- unknown ------------------------------------------------------------------------


def _check_dead(proving: Proving, every: Sequence[Stop], given: Facts, word: _Word) -> None:
    """Report an `if_unknown` that never matters, though what it asks can be unknown."""
    passed: list[list[Fact]] = []
    before: list[Stop] = []
    for one in every:
        unknown = [*_relevant(one), (one.when, "unknown")]
        choice = (one.if_unknown, getattr(one, "instead", ""))
        matters = one.if_unknown not in {"show", "assess"} and proving.proofs.possible(
            [(one.when, "unknown")]
        )
        if matters and not proving.proofs.possible([*given, *unknown]):
            _dead(proving, one, word, _knowing(proving, one, given))
        elif matters and not proving.proofs.possible([*given, *passed, *unknown]):
            catching = [
                other
                for other in before
                if (other.if_unknown, getattr(other, "instead", "")) != choice
                and not proving.proofs.possible([*given, stops_not(other), *unknown])
            ]
            if catching:
                _dead(proving, one, word, [(catching[0].when.place, "stops where it is unknown")])
        passed.append(stops_not(one))
        before.append(one)


def _knowing(proving: Proving, one: Stop, given: Facts) -> list[tuple[Place, str]]:
    for fact in given:
        if isinstance(fact, tuple) and not proving.proofs.possible([fact, (one.when, "unknown")]):
            return [(fact[0].place, "needs the same to be known")]
    return []


def _dead(proving: Proving, one: Stop, word: _Word, spans: list[tuple[Place, str]]) -> None:
    proving.report.add(
        "CDS423",
        one.when.place,
        f"{word} `{one.id}` is never unknown where it is asked",
        label=f"`if_unknown: {one.if_unknown}` never matters",
        spans=spans,
        help="write `if_unknown: show`, or ask this before the clause that needs it known",
    )


def _check_open(proving: Proving, item: Suggestion, offered: Facts) -> None:
    """
    Report a guard about a contraindication that lets unknown pass without a word.

    What only records a problem does no harm, and a guard that asks of what may be
    contraindicated asks a list directly.
    """
    rules = proving.rules
    action = rules.actions.get(item.action)
    if action is None or {one.get("resourceType") for one in action.resources} == {"Condition"}:
        return
    for guard in item.guards:
        asks = guard.when
        if guard.if_unknown != "show" or not isinstance(asks, Listed) or asks.on_record:
            continue
        kinds = {rules.concepts[name.partition(":")[0]].type for name in asks.names}
        quiet = [
            _silent(other) if other.if_unknown == "warn" else stops_not(other)
            for other in item.guards
            if other is not guard
        ]
        facts = [*offered, *quiet, (asks, "unknown"), *_relevant(guard)]
        if kinds <= _CONTRAINDICATIONS and proving.proofs.possible(facts):
            proving.report.add(
                "CDS422",
                asks.place,
                f"guard `{guard.id}` lets pass whoever it is not known of",
                label="unknown passes without a word",
                notes=[f"the list may not have been sent, and {listed(asks.names)} be there"],
                help="write `if_unknown: block`, or `{warn: TEXT}`",
            )


def _silent(guard: Guard) -> list[Fact]:
    """Say what makes a guard that warns neither stop nor warn."""
    found: list[Fact] = [(guard.when, "no")]
    if guard.relevant is not None:
        found.append((guard.relevant, "no"))
    return found
