"""
What a case could expect of a patient, given what was concluded: every word that applies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cds.core.facts import Gap, Snapshot
from cds.core.findings import Conclusions
from cds.core.indices import Index
from cds.core.quantity import plain, shown
from cds.core.rules import Card, Condition, Factor, Ruleset
from cds.core.targets import reached_by
from cds.hooks.words import HOLE, Words
from cds.workshop.testing.expectations import Rule

__all__ = ["everything_expected"]

_MOST_DIGITS: Final = 3
_LONG_ENOUGH: Final = 12


def everything_expected(
    rules: Ruleset, rule: Rule, snapshot: Snapshot, found: Conclusions
) -> dict[str, Any]:
    """Give all that a case could expect of this patient; the most telling word comes first."""
    if isinstance(rule, Card):
        return dict(_of_card(rules, rule, snapshot, found))
    if isinstance(rule, Index):
        return dict(_of_index(rule, found))
    if isinstance(rule, Factor):
        return dict(_of_factor(rule, found))
    if isinstance(rule, Condition):
        answers = found.answers
        word = answers[f"{rule.id}.holds_if"].word
        if rule.ruled_out_if is not None and word != "yes":
            word = "no" if answers[f"{rule.id}.ruled_out_if"].is_yes else "unknown"
        return {"holds": word}
    could_be = list(found.stage.could_be)
    return {"stage": found.stage.label, **({"could_be": could_be} if could_be else {})}


def _of_index(rule: Index, found: Conclusions) -> Iterator[tuple[str, Any]]:
    one = found.numbers[rule.id]
    if one.state == "not valid":
        yield "not_valid", one.because
    elif one.state == "unknown":
        needs = {need.name: need.reason for need in one.needs}
        telling = {name: why for name, why in needs.items() if why != Gap.NEVER_MEASURED}
        yield "unknown", telling or needs
    elif one.number is not None:
        if one.number.value is not None:
            yield "value", shown(one.number.value, rule.digits + _MOST_DIGITS)
        else:
            ends = (one.number.low, one.number.high)
            yield "between", ["none" if end is None else plain(end) if end else "0" for end in ends]
        if one.band:
            yield "band", one.band
        if one.criteria:
            yield "criteria", {name: answer.word for name, answer in one.criteria.items()}


def _of_factor(rule: Factor, found: Conclusions) -> Iterator[tuple[str, Any]]:
    one = found.grades[rule.id]
    if one.state == "excluded":
        yield "excluded", one.reason
    elif one.state == "not assessed":
        yield "not_assessed", "age"
    else:
        yield "grade", one.grade
        yield "points", f"{one.points[0]} of {one.points[1]}"
        yield "could_become", one.could_become
        yield "because", list(one.because)
        if one.disagrees:
            yield "disagrees", list(one.disagrees)


def _of_card(
    rules: Ruleset, rule: Card, snapshot: Snapshot, found: Conclusions
) -> Iterator[tuple[str, Any]]:
    outcome = found.cards[rule.id]
    if outcome.state != "fires" or outcome.finding is None:
        yield "shown", "unknown" if outcome.state == "unknown" else False
        for one in rule.unless if outcome.state == "withheld" else ():
            if outcome.because in {one.because, one.id, f"{one.because} (not known)"}:
                yield "because", one.id
                return
        if outcome.state == "withheld":
            yield "because", outcome.because
        return
    finding = outcome.finding
    words = Words(rules, snapshot, found)
    yield "shown", True
    yield "indicator", finding.indicator
    yield "priority", str(finding.priority)
    yield "summary", words.summary(rule.summaries[finding.summary].say, rule, finding)
    yield "offers", [one.suggestion for one in finding.offers if one.offered]
    yield "actions", [one.action for one in finding.offers if one.offered]
    for word in ("cancels", "changes"):
        reached = reached_by(finding, rules, snapshot, cancel=word == "cancels")
        if reached:
            yield word, list(reached)
    yield "withheld", {one.suggestion: one.blocked_by for one in finding.offers if not one.offered}
    if finding.notes:
        yield "warns", list(finding.notes)
    said = [words.fill(rule.details[at].say, rule, finding) for at in finding.details]
    yield "says", said
    text = "\n".join(said)
    silent = [
        HOLE.split(one.say)[0].strip()
        for at, one in enumerate(rule.details)
        if at not in finding.details
    ]
    yield "does_not_say", [one for one in silent if len(one) >= _LONG_ENOUGH and one not in text]
