"""
What a case can expect of each kind of rule, compared with what was concluded.

Every expectation is compared; none at all is a difference of its own, and so is a word
that this kind of rule does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from cds.core.clauses import clauses_of
from cds.core.facts import Snapshot
from cds.core.findings import CardFinding, CardOutcome, Conclusions, Decision, IndexResult
from cds.core.headers import EXPECTED
from cds.core.indices import Index
from cds.core.quantity import shown
from cds.core.rules import Card, Condition, Factor, Ruleset, Stages
from cds.core.targets import reached_by
from cds.hooks.words import Words
from cds.reasoning.quiet import is_for_review, is_quiet
from cds.workshop.testing.histories import Past
from cds.workshop.testing.patients import CannotRead

__all__ = ["Difference", "Expectations", "Rule", "hooks_of", "kind_of"]

Rule = Card | Condition | Factor | Index | Stages

_NO_PAST: Final = Past()
_KINDS: Final[Mapping[type, str]] = {
    Card: "card",
    Condition: "condition",
    Factor: "factor",
    Index: "index",
    Stages: "stages",
}


def kind_of(rule: Rule) -> str:
    """Say which kind of rule this is, as rule files write it."""
    return _KINDS[type(rule)]


def hooks_of(rule: Rule) -> tuple[str, ...]:
    """Name the hooks that a rule runs on; none: it runs on any."""
    return rule.hooks if isinstance(rule, Card) else ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One expectation that was not met."""

    word: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.word}: expected {self.expected}, got {self.got}"


class Expectations:
    """
    Compares what a case expects with what was concluded of one patient.

    *past* is what the case says was shown before; *decide* arbitrates between the cards,
    for the cases that ask.
    """

    def __init__(
        self,
        rules: Ruleset,
        snapshot: Snapshot,
        conclusions: Conclusions,
        *,
        past: Past = _NO_PAST,
        decide: Callable[[], Decision] | None = None,
    ) -> None:
        self._rules = rules
        self._conclusions = conclusions
        self._snapshot = snapshot
        self._past = past
        self._decide = decide
        self._words = Words(rules, snapshot, conclusions)

    def differences(self, rule: Rule, expect: Mapping[str, Any]) -> Iterator[Difference]:
        """Compare every expectation; none at all is a difference of its own."""
        kind = kind_of(rule)
        if not expect:
            yield Difference("expect", f"one of {', '.join(EXPECTED[kind])}", "nothing")
        for word, expected in expect.items():
            if word not in EXPECTED[kind]:
                yield Difference(word, f"one of {', '.join(EXPECTED[kind])}", f"`{word}`")
                continue
            got = getattr(self, f"_{kind}_{word}")(rule, expected)
            if got is not None:
                yield Difference(word, _text(expected), got)

    # --- indices ------------------------------------------------------------

    def _number(self, rule: Index) -> IndexResult:
        return self._conclusions.numbers[rule.id]

    def _say(self, found: IndexResult) -> str:
        if found.state == "value" and found.number is not None:
            number = found.number
            if number.value is not None:
                return str(number.value)
            return f"{number.low} to {number.high}"
        if found.state == "not valid":
            return f"not valid: {found.because}"
        return "unknown: " + ", ".join(f"{need.name} {need.reason}" for need in found.needs)

    def _index_value(self, rule: Index, expected: Any) -> str | None:
        found = self._number(rule)
        value = found.number.value if found.number is not None else None
        try:
            wanted = Decimal(str(expected))
        except InvalidOperation:
            return f"{expected!r} is not a number"
        if found.state != "value" or value is None:
            return self._say(found)
        exponent = wanted.as_tuple().exponent
        digits = -exponent if isinstance(exponent, int) and exponent < 0 else 0
        return None if Decimal(shown(value, digits)) == wanted else str(value)

    def _index_between(self, rule: Index, expected: Any) -> str | None:
        found = self._number(rule)
        if found.number is None:
            return self._say(found)
        got = [found.number.low, found.number.high]
        wanted = [None if one in ("none", None) else Decimal(str(one)) for one in expected]
        return None if got == wanted else self._say(found)

    def _index_below(self, rule: Index, expected: Any) -> str | None:
        number = self._number(rule).number
        if number is not None and number.high is not None and number.high <= Decimal(str(expected)):
            return None
        return self._say(self._number(rule))

    def _index_shown(self, rule: Index, expected: Any) -> str | None:
        got = self._words.number(rule.id)
        return None if got == str(expected) else got or self._say(self._number(rule))

    def _index_band(self, rule: Index, expected: Any) -> str | None:
        got = self._number(rule).band
        return None if got == str(expected) else got or self._say(self._number(rule))

    def _index_unknown(self, rule: Index, expected: Any) -> str | None:
        found = self._number(rule)
        if found.state != "unknown":
            return self._say(found)
        sources = {one.name: one.source for one in rule.inputs}
        got: dict[str, set[str]] = {}
        for need in found.needs:
            got.setdefault(need.name, set()).add(str(need.reason))
        wrong: list[str]
        if isinstance(expected, Mapping):
            wrong = [
                str(name)
                for name, reason in expected.items()
                if str(reason) not in got.get(sources.get(str(name), str(name)), set())
                and str(reason) not in got.get(str(name), set())
            ]
        else:
            names = expected if isinstance(expected, list | tuple) else [expected]
            words = [str(name) for name in names]
            wrong = [word for word in words if not {sources.get(word, word), word} & set(got)]
        return self._say(found) if wrong else None

    def _index_not_valid(self, rule: Index, expected: Any) -> str | None:
        found = self._number(rule)
        if found.state == "not valid" and found.because == str(expected):
            return None
        return self._say(found)

    def _index_criteria(self, rule: Index, expected: Any) -> str | None:
        if not isinstance(expected, Mapping):
            return "no block of criteria with their answers: `{big_waist: yes}`"
        found = self._number(rule)
        got = {name: answer.word for name, answer in found.criteria.items()}
        wanted = {name: _answer(value) for name, value in expected.items()}
        return None if all(got.get(n) == w for n, w in wanted.items()) else str(got)

    # --- conditions and stages ------------------------------------------------

    def _condition_holds(self, rule: Condition, expected: Any) -> str | None:
        answers = self._conclusions.answers
        holds = answers[f"{rule.id}.holds_if"]
        word = holds.word
        if rule.ruled_out_if is not None and word != "yes":
            word = "no" if answers[f"{rule.id}.ruled_out_if"].is_yes else "unknown"
        return None if word == _answer(expected) else word

    def _stages_stage(self, _: Stages, expected: Any) -> str | None:
        got = self._conclusions.stage.label
        return None if got == str(expected) else got

    def _stages_could_be(self, _: Stages, expected: Any) -> str | None:
        got = self._conclusions.stage.could_be
        missing = [one for one in expected if str(one) not in got]
        return ", ".join(got) or "nothing else" if missing else None

    # --- factors ----------------------------------------------------------------

    def _factor_grade(self, rule: Factor, expected: Any) -> str | None:
        found = self._conclusions.grades[rule.id]
        got = found.grade if found.state == "graded" else found.state
        return None if got == str(expected) else got

    def _factor_points(self, rule: Factor, expected: Any) -> str | None:
        low, high = self._conclusions.grades[rule.id].points
        return None if str(expected) == f"{low} of {high}" else f"{low} of {high}"

    def _factor_could_become(self, rule: Factor, expected: Any) -> str | None:
        got = self._conclusions.grades[rule.id].could_become
        return None if got == str(expected) else got

    def _factor_because(self, rule: Factor, expected: Any) -> str | None:
        return _same(expected, self._conclusions.grades[rule.id].because)

    def _factor_disagrees(self, rule: Factor, expected: Any) -> str | None:
        return _same(expected, self._conclusions.grades[rule.id].disagrees)

    def _factor_excluded(self, rule: Factor, expected: Any) -> str | None:
        found = self._conclusions.grades[rule.id]
        if found.state == "excluded" and found.reason == str(expected):
            return None
        return f"{found.state} {found.reason}".strip()

    def _factor_not_assessed(self, rule: Factor, _: Any) -> str | None:
        found = self._conclusions.grades[rule.id]
        return None if found.state == "not assessed" else found.state

    # --- cards ------------------------------------------------------------------

    def _outcome(self, rule: Card) -> CardOutcome:
        return self._conclusions.cards[rule.id]

    def _card_shown(self, rule: Card, expected: Any) -> str | None:
        outcome = self._outcome(rule)
        wanted = str(expected).lower()
        if wanted == "unknown":
            return None if outcome.state == "unknown" else outcome.state
        quiet = self._is_quiet(rule)
        if wanted == "false" and (outcome.state != "fires" or quiet):
            return None
        if wanted == "true" and outcome.state == "fires":
            return "quiet" if quiet else None
        needs = ", ".join(f"{need.name} {need.reason}" for need in outcome.needs)
        return " ".join(one for one in (outcome.state, outcome.because, needs) if one)

    def _card_because(self, rule: Card, expected: Any) -> str | None:
        outcome = self._outcome(rule)
        words = {need.name for need in outcome.needs}
        if outcome.state == "fires" and self._is_quiet(rule):
            words.add("quiet")
        if outcome.state == "withheld":
            if outcome.because == self._rules.profile.texts.get("no_offer", ""):
                words.add("needs_offer")
            words |= {
                one.id
                for one in rule.unless
                if outcome.because in {one.because, f"{one.because} (not known)", one.id}
            }
            if self._rules.population is not None:
                if outcome.because == self._rules.population.because:
                    words.add("population")
                words |= {
                    one.id
                    for one, _ in self._rules.population.unless
                    if outcome.because.startswith(one.because)
                }
            words.add(outcome.because)
        elif outcome.state == "no":
            words |= {getattr(one, "name", "stage") for one in clauses_of(rule.show_if)}
        return None if str(expected) in words else f"{outcome.state}: {', '.join(sorted(words))}"

    def _is_quiet(self, rule: Card) -> bool:
        hook = self._snapshot.hook
        return is_quiet(rule, self._rules, self._conclusions, self._past.history, hook)

    def _card_quiet(self, rule: Card, expected: Any) -> str | None:
        return _flag(expected, self._is_quiet(rule))

    def _card_for_review(self, rule: Card, expected: Any) -> str | None:
        past = self._past
        return _flag(expected, is_for_review(rule, shown=past.shown, overridden=past.overridden))

    def _card_cut(self, rule: Card, expected: Any) -> str | None:
        return _flag(expected, rule.id in self._decision().cut)

    def _card_merged(self, rule: Card, expected: Any) -> str | None:
        found = next((one for one in self._decision().shown if one.card == rule.id), None)
        return _same(expected, [one.card for one in found.merged] if found is not None else [])

    def _card_trial(self, rule: Card, expected: Any) -> str | None:
        return _flag(expected, any(one.card == rule.id for one in self._decision().trial))

    def _decision(self) -> Decision:
        if self._decide is None:
            msg = "nobody decides between the cards here"
            raise CannotRead(msg)
        return self._decide()

    def _card_indicator(self, rule: Card, expected: Any) -> str | None:
        finding = self._outcome(rule).finding
        got = finding.indicator if finding is not None else self._outcome(rule).state
        return None if got == str(expected) else got

    def _card_priority(self, rule: Card, expected: Any) -> str | None:
        finding = self._outcome(rule).finding
        got = str(finding.priority) if finding is not None else self._outcome(rule).state
        return None if got == str(expected) else got

    def _card_summary(self, rule: Card, expected: Any) -> str | None:
        finding = self._outcome(rule).finding
        if finding is None:
            return self._outcome(rule).state
        got = self._words.summary(rule.summaries[finding.summary].say, rule, finding)
        return None if got == str(expected) else got

    def _text(self, rule: Card, finding: CardFinding) -> str:
        said = (rule.details[at].say for at in finding.details)
        return "\n".join(self._words.fill(one, rule, finding) for one in said)

    def _card_says(self, rule: Card, expected: Any) -> str | None:
        finding = self._outcome(rule).finding
        if finding is None:
            return self._outcome(rule).state
        text = self._text(rule, finding)
        return None if all(one in text for one in _listed(expected)) else text

    def _card_does_not_say(self, rule: Card, expected: Any) -> str | None:
        finding = self._outcome(rule).finding
        if finding is None:
            return self._outcome(rule).state
        text = self._text(rule, finding)
        return text if any(one in text for one in _listed(expected)) else None

    def _card_offers(self, rule: Card, expected: Any) -> str | None:
        finding = self._outcome(rule).finding
        got = [one.suggestion for one in finding.offers if one.offered] if finding else []
        return _same(expected, got, ordered=True)

    def _card_actions(self, rule: Card, expected: Any) -> str | None:
        finding = self._outcome(rule).finding
        got = [one.action for one in finding.offers if one.offered] if finding else []
        return _same(expected, got, ordered=True)

    def _card_cancels(self, rule: Card, expected: Any) -> str | None:
        return _same(expected, self._drafts(rule, cancel=True))

    def _card_changes(self, rule: Card, expected: Any) -> str | None:
        return _same(expected, self._drafts(rule, cancel=False))

    def _drafts(self, rule: Card, *, cancel: bool) -> tuple[str, ...]:
        finding = self._outcome(rule).finding
        if finding is None:
            return ()
        return reached_by(finding, self._rules, self._snapshot, cancel=cancel)

    def _card_withheld(self, rule: Card, expected: Any) -> str | None:
        if not isinstance(expected, Mapping):
            return "no block of suggestions with their guards: `{record: already_recorded}`"
        finding = self._outcome(rule).finding
        offers = finding.offers if finding is not None else ()
        got = {one.suggestion: one.blocked_by for one in offers if not one.offered}
        wanted = {name: str(guard) for name, guard in expected.items()}
        return None if got == wanted else str(got)

    def _card_warns(self, rule: Card, expected: Any) -> str | None:
        finding = self._outcome(rule).finding
        if finding is None:
            return self._outcome(rule).state
        wanted = expected if isinstance(expected, list | tuple) else [expected]
        titles = {self._words.title(name) for name in finding.notes}
        got = titles | set(finding.notes)
        for offer in finding.offers:
            item = next(one for one in rule.suggestions if one.id == offer.suggestion)
            got |= {guard.id for guard in item.guards if guard.warn in offer.warnings}
        if not wanted:
            return ", ".join(sorted(got)) or None
        return None if all(str(one) in got for one in wanted) else ", ".join(sorted(got))


def _flag(expected: Any, got: bool) -> str | None:  # noqa: FBT001 - what came out
    word = str(got).lower()
    return None if str(expected).lower() == word else word


def _listed(expected: Any) -> list[str]:
    return [str(one) for one in (expected if isinstance(expected, list | tuple) else [expected])]


def _answer(value: Any) -> str:
    return {"true": "yes", "false": "no"}.get(str(value).lower(), str(value).lower())


def _same(expected: Any, got: Any, *, ordered: bool = False) -> str | None:
    wanted = [str(one) for one in (expected if isinstance(expected, list | tuple) else [expected])]
    found = [str(one) for one in got]
    equal = wanted == found if ordered else sorted(wanted) == sorted(found)
    return None if equal else f"[{', '.join(found)}]"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(str(one) for one in value)}]"
    return str(value)
