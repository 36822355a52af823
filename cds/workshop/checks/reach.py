"""
What nothing can bring about: cards, lines, sentences, evidence, grades.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cds.core.clauses import Expr, Place
from cds.core.rules import Card, Condition, Evidence, Factor, Stages, Suggestion
from cds.proofs.prover import Fact, Facts
from cds.workshop.checks.proving import Proving, said, stops_not

__all__ = ["check_reach"]

_MOST_EVIDENCE = 12


def check_reach(proving: Proving) -> None:
    """Judge every rule by what it leads to."""
    for rule in proving.sound:
        with proving.skipping(rule.place, f"whether everything in `{rule.id}` can come about"):
            if isinstance(rule, Card):
                _check_card(proving, rule)
            elif isinstance(rule, Stages):
                _check_stages(proving, rule)
            elif isinstance(rule, Factor):
                _check_factor(proving, rule)
            elif isinstance(rule, Condition) and rule.ruled_out_if is not None:
                _check_ruled_out(proving, rule.holds_if, rule.ruled_out_if)


# --- cards --------------------------------------------------------------------------


def _check_card(proving: Proving, card: Card) -> None:
    proofs = proving.proofs
    if not proofs.possible([(card.show_if, "yes")]):
        # The condition itself was found to be never true.
        return
    if not proofs.possible([(card.show_if, "yes"), *proving.gates(card)]):
        proving.report.add(
            "CDS407",
            card.show_if.place,
            f"`{card.id}` is for nobody whom the population lets through",
            label="never true with the gates of the population",
            help="mend the condition, or name the card in `except` of the gate",
        )
        return
    fires = proving.fires(card)
    if not proofs.possible(fires):
        # Its exclusions stop everybody, and were reported.
        return
    choices = (
        ("indicator", [(expr, word) for word, expr in card.indicators]),
        ("priority", [(expr, str(number)) for number, expr in card.priorities]),
        ("summary", [(one.condition, one.say) for one in card.summaries]),
    )
    for what, several in choices:
        _check_choice(proving, what, several, fires)
    for one in card.details:
        if one.condition is not None and not proofs.possible([*fires, (one.condition, "yes")]):
            _unreachable(proving, one.condition, "this sentence is never said", fires)
    _check_suggestions(proving, card, fires)


def _check_choice(
    proving: Proving, what: str, several: Iterable[tuple[Expr | None, str]], given: Facts
) -> None:
    """Judge what is chosen by case: the first that is proved."""
    passed: list[Fact] = []
    for expr, _ in several:
        if expr is None:
            return
        if not proving.proofs.possible([*given, *passed, (expr, "yes")]):
            _taken(proving, expr, f"this {what} is never chosen", given, passed)
        passed.append((expr, "not yes"))


def _check_suggestions(proving: Proving, card: Card, fires: Facts) -> None:
    wanted = {
        guard.instead
        for item in card.suggestions
        for guard in item.guards
        if guard.if_unknown == "instead"
    }
    for item in card.suggestions:
        if item.only_instead and item.id not in wanted:
            proving.report.add(
                "CDS407",
                item.place,
                f"`{item.id}` is never offered: no guard names it",
                help=f"write `if_unknown: {{instead: {item.id}}}` in a guard, or take it out",
            )
        elif item.offer_if is not None:
            _check_offer(proving, item, item.offer_if, fires)


def _check_offer(proving: Proving, item: Suggestion, offer_if: Expr, fires: Facts) -> None:
    if not proving.proofs.possible([*fires, (offer_if, "yes")]):
        _unreachable(proving, offer_if, f"`{item.id}` is never offered", fires)


def _taken(
    proving: Proving, expr: Expr, headline: str, given: Facts, passed: Sequence[Fact]
) -> None:
    """Report what others before it take, one of them where one alone does."""
    possible = proving.proofs.possible
    if not possible([*given, (expr, "yes")]):
        _unreachable(proving, expr, headline, given)
        return
    taking = [one for one, _ in passed if not possible([*given, (expr, "yes"), (one, "not yes")])]
    proving.report.add(
        "CDS407",
        expr.place,
        headline,
        label="true only where one before it is",
        spans=[(one.place, "takes them all") for one in taking[:1]],
        notes=[] if taking else ["those before it take everybody together"],
        help="put the narrower one first, or take this one out",
    )


def _unreachable(proving: Proving, expr: Expr, headline: str, given: Facts) -> None:
    """Report a condition that is never true where it is asked, with what speaks against it."""
    against: list[tuple[Place, str]] = []
    for fact in given:
        if isinstance(fact, tuple) and not proving.proofs.possible([fact, (expr, "yes")]):
            against = [(fact[0].place, "speaks against it")]
            break
        if isinstance(fact, list) and not proving.proofs.possible([fact, (expr, "yes")]):
            against = [(fact[0][0].place, "stops all of these")]
            break
    proving.report.add(
        "CDS407",
        expr.place,
        headline,
        label=f"{said(expr)} is never true here" if against else "never true here",
        spans=against,
        help="take it out, or mend one of the two" if against else "take it out, or mend it",
    )


# --- stages -------------------------------------------------------------------------


def _check_stages(proving: Proving, stages: Stages) -> None:
    passed: list[Fact] = []
    for line in stages.lines:
        if line.condition is None:
            return
        if not proving.proofs.possible([(line.condition, "yes")]):
            continue
        if not proving.proofs.possible([*passed, (line.condition, "yes")]):
            _taken(proving, line.condition, f"line `{line.label}` is never reached", [], passed)
        passed.append((line.condition, "not yes"))


def _check_ruled_out(proving: Proving, holds: Expr, ruled_out: Expr) -> None:
    possible = proving.proofs.possible
    if possible([(ruled_out, "yes")]) and not possible([(ruled_out, "yes"), (holds, "not yes")]):
        proving.report.add(
            "CDS407",
            ruled_out.place,
            "this never rules anything out",
            label="true only where the condition holds",
            spans=[(holds.place, "goes first")],
            help="turn it round",
        )


# --- factors ------------------------------------------------------------------------


def _check_factor(proving: Proving, factor: Factor) -> None:
    given: list[Fact | list[Fact]] = [stops_not(one) for one in factor.exclude_if]
    if factor.assess_if is not None:
        given.append((factor.assess_if, "yes"))
    if not proving.proofs.possible(given):
        return
    for one in (*factor.evidence_for, *factor.evidence_against):
        if not proving.proofs.possible([(one.when, "yes")]):
            continue
        if not proving.proofs.possible([*given, (one.when, "yes")]):
            _unreachable(proving, one.when, f"evidence `{one.id}` never counts", given)
        elif (
            one.if_missing == "could_be_true"
            and proving.proofs.possible([(one.when, "unknown")])
            and not proving.proofs.possible([*given, (one.when, "unknown")])
        ):
            proving.report.add(
                "CDS423",
                one.when.place,
                f"evidence `{one.id}` is never unknown where it is asked",
                label="`if_missing: could_be_true` never matters",
                help="write `if_missing: ignore`",
            )
    _check_grades(proving, factor, given)


def _check_grades(proving: Proving, factor: Factor, given: Facts) -> None:
    """Report the grades that no evidence that can come together reaches."""
    floors = {one.at_least for one in factor.evidence_for}
    ceilings = {one.at_most for one in factor.evidence_against}
    left = {
        grade.name: grade
        for grade in factor.grades
        # `points: never` says it out loud.
        if grade.name not in floors | ceilings
        and not (grade.points is None and grade.cannot_reach is None)
    }
    opening = tuple(one for one in factor.evidence_for if one.if_missing == "could_be_true")
    most = 0
    for some in _together(proving, factor, given):
        # Of what is open, all may be or nothing: more lies between.
        for could in ((), tuple(one for one in opening if one not in some)):
            left.pop(_grade(factor, some, could), None)
        most = max(most, _points(factor, some))
        if not left:
            return
    root = proving.context.root_of(factor)
    keys = {key.text: key for key, _ in root.pairs("grades")}
    for grade in left.values():
        if grade.points is not None and grade.points > most:
            why = f"the evidence that can come together adds up to {most}"
        elif grade.points is not None:
            why = "with so many points there are too few domains, or a higher grade is reached"
        else:
            why = "there is always evidence that could reach so many points"
        proving.report.add(
            "CDS408",
            keys[grade.name],
            f"grade `{grade.name}` can never be reached",
            notes=[why],
            help="lower what it asks for, or write `points: never` and give a floor",
        )


def _together(proving: Proving, factor: Factor, given: Facts) -> Iterator[tuple[Evidence, ...]]:
    """Give every set of evidence that can be proved together."""
    found: list[tuple[Evidence, ...]] = [()]
    yield ()
    for one in factor.evidence_for[:_MOST_EVIDENCE]:
        for some in tuple(found):
            more = (*some, one)
            if proving.proofs.possible([*given, *((each.when, "yes") for each in more)]):
                found.append(more)
                yield more


def _points(factor: Factor, some: Iterable[Evidence]) -> int:
    """Add the points; of a group that counts once only the largest."""
    counts = {one.id: one.points for one in some}
    for group in factor.counts_once:
        members = sorted((name for name in group if name in counts), key=lambda one: -counts[one])
        counts.update(dict.fromkeys(members[1:], 0))
    return sum(counts.values())


def _grade(factor: Factor, some: Sequence[Evidence], could: Sequence[Evidence]) -> str:
    low, high = _points(factor, some), _points(factor, [*some, *could])
    domains = len({one.domain for one in some})
    for one in factor.grades:
        if one.points is not None and low >= one.points and domains >= one.domains:
            return one.name
        if one.cannot_reach is not None and high < one.cannot_reach:
            return one.name
    return ""
