"""
What a rule answers, in a few words that can be compared and put side by side.
"""

from __future__ import annotations

from cds.core.findings import Conclusions
from cds.core.indices import Index
from cds.core.quantity import shown
from cds.core.rules import Card, Condition, Factor
from cds.core.truth import Need
from cds.workshop.testing.expectations import Rule
from cds.workshop.why.values import span

__all__ = ["answer_of"]


def answer_of(rule: Rule, found: Conclusions) -> str:
    """
    Say what *rule* came to: `probable, 3 of 5`, `4.18 raised`, `shown (info): refer`.

    Nothing in it names a measurement's date or a place in a file, so equal answers are
    equal words.
    """
    if isinstance(rule, Card):
        return _of_card(rule, found)
    if isinstance(rule, Factor):
        return _of_factor(rule, found)
    if isinstance(rule, Index):
        return _of_index(rule, found)
    if isinstance(rule, Condition):
        return _of_condition(rule, found)
    return found.stage.label


def _of_condition(rule: Condition, found: Conclusions) -> str:
    holds = found.answers[f"{rule.id}.holds_if"]
    if rule.ruled_out_if is None or holds.is_yes:
        return holds.word
    return "no" if found.answers[f"{rule.id}.ruled_out_if"].is_yes else "unknown"


def _of_index(rule: Index, found: Conclusions) -> str:
    result = found.numbers[rule.id]
    if result.state == "not valid":
        return f"not valid: {result.because}"
    if result.number is None:
        return _unknown(result.needs)
    exact = result.number.value
    number = span(result.number) if exact is None else shown(exact, rule.digits)
    return f"{number} {result.band}".rstrip()


def _of_factor(rule: Factor, found: Conclusions) -> str:
    graded = found.grades[rule.id]
    if graded.state != "graded":
        return f"{graded.state}: {graded.reason}" if graded.reason else graded.state
    low, high = graded.points
    return f"{graded.grade}, {low} of {high}"


def _of_card(rule: Card, found: Conclusions) -> str:
    outcome = found.cards[rule.id]
    if outcome.finding is None:
        if outcome.state == "unknown":
            return _unknown(outcome.needs)
        return f"withheld: {outcome.because}" if outcome.state == "withheld" else outcome.state
    finding = outcome.finding
    offers = [one.suggestion for one in finding.offers if one.offered]
    words = f"shown ({finding.indicator})"
    return f"{words}: {', '.join(offers)}" if offers else words


def _unknown(needs: tuple[Need, ...]) -> str:
    names = dict.fromkeys(need.name for need in needs)
    return f"unknown: {', '.join(names)}" if names else "unknown"
