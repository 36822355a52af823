"""
What a release answers of one patient, rule by rule, so that two releases can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from cds.core.clauses import Place
from cds.core.facts import Snapshot
from cds.core.findings import CardOutcome, Conclusions, IndexResult, Interval
from cds.core.quantity import plain, shown
from cds.core.reads import leaned_on
from cds.core.rules import Card, Condition, Ruleset
from cds.fhir.extract import Extractor
from cds.fhir.retrieve import Retrieved
from cds.reasoning.firing import outcome_of
from cds.reasoning.questions import questions
from cds.reasoning.reference import Reference, Run

__all__ = ["Answer", "Answers", "Key", "Subject"]

_EVERY_DIGIT = 12

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Subject:
    """
    Somebody on whom releases are compared.

    *sort* is `patients`, `cases` or `cut-offs`; *gather* reads the data as a release
    would, for its searches may be others.
    """

    name: str
    sort: str
    gather: Callable[[Ruleset], Retrieved]
    as_of: datetime
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """
    One answer: *text* for a reader, *exact* with every digit.

    *band* is that of a number, which may be another one although the number is the same.
    """

    text: str
    exact: str = ""
    band: str = ""


class Answers:
    """Asks the reference evaluator what a release answers, of the rules *about* or of all."""

    def __init__(self, rules: Ruleset, about: Collection[Key] | None = None) -> None:
        self._rules = rules
        wanted = rules.order if about is None else {*about}
        self._about = [one for one in rules.order if one in wanted]
        needed = {one for key in self._about for one in leaned_on(rules, *key)}
        lean = replace(rules, order=tuple(one for one in rules.order if one in needed))
        self._reference = Reference(lean, questions(lean))
        self._extractor = Extractor(
            concepts=rules.concepts,
            searches=rules.searches,
            systems=rules.systems,
            groups=rules.groups_of_people,
        )

    def of(self, subject: Subject) -> dict[Key, Answer]:
        """Answer everything about somebody; raises what reading the data raises."""
        retrieved = subject.gather(self._rules)
        return self.of_snapshot(self._extractor.extract(retrieved, as_of=subject.as_of))

    def of_snapshot(self, snapshot: Snapshot) -> dict[Key, Answer]:
        """Answer everything about what was read."""
        run = self._reference.start(snapshot)
        found = run.conclude()
        return {key: self._answer(*key, found, run) for key in self._about if key[0] != "reading"}

    def _answer(self, kind: str, name: str, found: Conclusions, run: Run) -> Answer:
        rules = self._rules
        if kind == "index":
            return _number(found.numbers[name], rules.indices[name].digits)
        if kind == "condition":
            return Answer(_holds(rules.conditions[name], found))
        if kind == "stages":
            return Answer(found.stage.label)
        if kind == "factor":
            grade = found.grades[name]
            text = grade.grade if grade.state == "graded" else grade.state
            return Answer(text, f"{grade.grade}, at best {grade.could_become}")
        card = rules.cards[name]
        return Answer(_card(card, outcome_of(card, rules, run)))


def _number(found: IndexResult, digits: int) -> Answer:
    if found.state == "not valid":
        return Answer(f"not valid ({found.because})")
    if found.state == "unknown" or found.number is None:
        return Answer("unknown")
    number = found.number
    text = f"{_span(number, digits)} {found.band}".rstrip()
    return Answer(text, f"{_span(number, _EVERY_DIGIT)} {found.band}".rstrip(), found.band)


def _span(number: Interval, digits: int) -> str:
    if number.value is not None:
        return shown(number.value, digits)
    low = "" if number.low is None else plain(number.low)
    high = "" if number.high is None else plain(number.high)
    return f"{low} to {high}"


def _holds(condition: Condition, found: Conclusions) -> str:
    word = found.answers[f"{condition.id}.holds_if"].word
    if condition.ruled_out_if is None or word == "yes":
        return word
    return "no" if found.answers[f"{condition.id}.ruled_out_if"].is_yes else "unknown"


def _card(card: Card, outcome: CardOutcome) -> str:
    if card.status != "active":
        return "not shown"
    finding = outcome.finding
    if finding is None:
        if outcome.state == "withheld":
            return f"not shown: {outcome.because}"
        return "not shown" if outcome.state == "no" else "undecided"
    offers = [one.suggestion for one in finding.offers if one.offered]
    notes = f", not known: {', '.join(finding.notes)}" if finding.notes else ""
    return f"shown ({finding.indicator}){_offered(offers)}{notes}"


def _offered(offers: list[str]) -> str:
    return f", offers {', '.join(offers)}" if offers else ""
