"""
A whole rule explained: what became of it for one patient, and why, part by part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from cds.core.clauses import Expr, Place
from cds.core.drafted import draft_reason
from cds.core.findings import CardOutcome, Conclusions, Decision, Offer
from cds.core.history import CardHistory
from cds.core.hooks import ACTS
from cds.core.indices import Index
from cds.core.rules import (
    Card,
    Condition,
    Exclusion,
    Factor,
    Grade,
    Guard,
    Ruleset,
    Stages,
    Suggestion,
)
from cds.core.truth import Truth
from cds.hooks.words import Words
from cds.reasoning.firing import outcome_of
from cds.reasoning.reference import Run
from cds.workshop.why.reasons import Reason
from cds.workshop.why.tracing import Tracer, headed, is_sentence, named, unwrapped

__all__ = ["Explained", "Explainer", "conclude", "rule_called"]

Explained = Card | Condition | Factor | Index | Stages


def rule_called(rules: Ruleset, name: str) -> Explained | None:
    """Find a rule by its id, or a card by its code."""
    for table in (rules.cards, rules.indices, rules.conditions, rules.factors):
        found = table.get(name)
        if found is not None:
            return found
    if rules.stages is not None and name == rules.stages.id:
        return rules.stages
    return next((one for one in rules.cards.values() if one.code == name), None)


def conclude(rules: Ruleset, run: Run) -> Conclusions:
    """Draw every conclusion of an evaluation, with what becomes of each card."""
    hook = run.snapshot.hook
    names = [
        name for kind, name in rules.order if kind == "card" and hook in rules.cards[name].hooks
    ]
    cards = {name: outcome_of(rules.cards[name], rules, run) for name in names}
    return replace(run.conclude(), cards=cards)


class Explainer:
    """
    Explains the rules of a release by one evaluation.

    A condition, index or factor that a clause names is opened *depth* levels deep. With
    the *decision* of all cards a card says too whether another one goes before it, with its
    *past* when it was shown last.
    """

    def __init__(
        self,
        rules: Ruleset,
        run: Run,
        *,
        depth: int = 1,
        decision: Decision | None = None,
        past: CardHistory | None = None,
    ) -> None:
        self._rules = rules
        self._decision = decision
        self._past = past
        self._run = run
        self._depth = depth
        self._tracer = Tracer(rules, run, depth=depth)
        self._words = Words(rules, run.snapshot, run.conclude())

    def rule(self, rule: Explained) -> Reason:
        """Explain one rule."""
        if isinstance(rule, Card):
            return self.card(rule)
        if isinstance(rule, Factor):
            return self._factor(rule)
        if isinstance(rule, Index):
            return self._index(rule)
        if isinstance(rule, Condition):
            return self._condition(rule)
        return self._stages(rule)

    def about(self, rule: Explained, word: str) -> Reason:
        """Explain what a word of `expect:` is about; the whole rule where that is all of it."""
        if not isinstance(rule, Card):
            return self.rule(rule)
        outcome = outcome_of(rule, self._rules, self._run)
        whole = self.card(rule)
        if outcome.finding is None or word in {"shown", "because", "warns"}:
            wanted = {"population", "unless", "show_if"}
        elif word in {"offers", "actions", "cancels", "changes", "withheld"}:
            wanted = {"offers"}
        else:
            wanted = {word, "indicator", "summary"}
        parts = [one for one in whole.of if one.text.partition(",")[0] in wanted]
        return replace(whole, of=tuple(parts) or whole.of)

    # --- cards ------------------------------------------------------------------

    def card(self, card: Card) -> Reason:
        """Explain a card: gates, exclusions, conditions, and where it fires its offers."""
        outcome = outcome_of(card, self._rules, self._run)
        parts = [
            *self._population(card),
            *self._unless(card),
            headed("show_if", self._tracer.condition(card.show_if)),
        ]
        because = draft_reason(
            card, self._rules.conditions, self._rules.cards, self._rules.concepts
        )
        if because is not None and self._run.snapshot.hook in ACTS:
            parts.append(headed("needs_draft", self._tracer.condition(because)))
        finding = outcome.finding
        if finding is not None:
            parts.extend(self._choices(card, "indicator", card.indicators, finding.indicator))
            says = [(one.say, one.condition) for one in card.summaries]
            said = self._words.summary(card.summaries[finding.summary].say, card, finding)
            parts.extend(self._choices(card, "summary", says, said))
            parts.extend(self._offers(card, finding.offers))
            parts.extend(self._quiet(card))
        title = f"{card.title} {card.version} ({card.code})"
        return Reason(title, found=self.status(card, outcome), place=card.place, of=tuple(parts))

    def status(self, card: Card, outcome: CardOutcome) -> str:
        """Say in a word what became of a card."""
        if outcome.finding is not None:
            indicator = outcome.finding.indicator
            text = f"SHOWN ({indicator})"
            if self._decision is not None and card.id in self._decision.cut:
                text = f"FIRES ({indicator}), left out for a more important card"
            elif self._decision is not None and card.id in self._decision.quiet:
                text = f"FIRES ({indicator}), quiet"
        elif outcome.state == "withheld":
            text = f"WITHHELD: {outcome.because}"
        elif outcome.state == "unknown":
            text = f"UNKNOWN: {self._tracer.values.reasons(outcome.needs)}"
        else:
            text = "NOT SHOWN"
        return text if card.status == "active" else f"{text} [{card.status}]"

    def _population(self, card: Card) -> Iterator[Reason]:
        """Give the gates that stop a card, or that could not be asked."""
        population = self._rules.population
        if population is None:
            return
        rows = []
        require = self._tracer.condition(population.require)
        if require.answer != "yes":
            rows.append(replace(require, then=f"withheld: {population.because}"))
        for one, exempt in population.unless:
            if any(fnmatchcase(card.code, pattern) for pattern in exempt):
                continue
            row = self._exclusion(one, f"population.unless.{one.id}")
            if row.answer == "yes" or (row.answer == "unknown" and one.if_unknown == "hide"):
                rows.append(row)
        if rows:
            yield Reason("population", heading=True, of=tuple(rows))

    def _unless(self, card: Card) -> Iterator[Reason]:
        rows = [self._exclusion(one, f"{card.id}.unless.{one.id}") for one in card.unless]
        if rows:
            yield Reason("unless", heading=True, of=tuple(rows))

    def _exclusion(self, one: Exclusion, name: str) -> Reason:
        reason = _called(one.id, one.when, self._tracer.condition(one.when))
        if one.relevant is not None and self._run.ask(f"{name}.relevant").is_no:
            relevant = headed("when_relevant", self._tracer.condition(one.relevant))
            return Reason(reason.text, "no", then="not asked", place=reason.place, of=(relevant,))
        answer = self._run.ask(name)
        return replace(reason, answer=answer.word, then=_then(one, answer))

    def _choices(
        self, card: Card, word: str, choices: Iterable[tuple[str, Expr | None]], chosen: str
    ) -> Iterator[Reason]:
        """Give what was chosen of several, and the conditions that were passed for it."""
        rows = []
        for number, (text, expr) in enumerate(choices):
            if expr is None:
                rows.append(Reason(text, "yes", then="otherwise"))
                break
            answer = self._run.ask(f"{card.id}.{word}.{number}")
            of = unwrapped(self._tracer.condition(expr))
            rows.append(Reason(text, answer.word, place=_place_of(of), of=of))
            if answer.is_yes:
                break
        several = len(rows) > 1 or any(one.of for one in rows)
        yield Reason(word, found=chosen, heading=True, of=tuple(rows) if several else ())

    def _quiet(self, card: Card) -> Iterator[Reason]:
        """Say how long a card keeps quiet, and what was before."""
        quiet = card.quiet
        if quiet is None:
            return
        rows = []
        if quiet.repeat_after is not None:
            shown = self._past.last_shown if self._past is not None else None
            found = "never shown before" if shown is None else f"shown {shown} days ago"
            silent = shown is not None and shown <= quiet.repeat_after
            text = f"repeat_after {quiet.repeat_after} days"
            rows.append(Reason(text, "yes" if silent else "no", found))
        overrides = self._past.overrides if self._past is not None else ()
        for word, days in quiet.after_override.items():
            found = ", ".join(f"{one.reason or 'any'} {one.days} days ago" for one in overrides)
            rows.append(Reason(f"after_override {word} {days} days", found=found or "none before"))
        if quiet.again_early:
            rows.append(Reason("again_early", found=", ".join(quiet.again_early)))
        yield Reason("quiet", heading=True, of=tuple(rows))

    def _offers(self, card: Card, offers: Iterable[Offer]) -> Iterator[Reason]:
        found = {one.suggestion: one for one in offers}
        rows = []
        for item in card.suggestions:
            offer = found.get(item.id)
            if offer is not None:
                rows.append(self._offer(card, item, offer))
            elif not item.only_instead:
                rows.append(self._not_offered(card, item))
        if rows:
            yield Reason("offers", heading=True, of=tuple(rows))

    def _offer(self, card: Card, item: Suggestion, offer: Offer) -> Reason:
        action = "" if offer.action == item.id else offer.action
        place = item.place
        if offer.offered:
            warned = "; ".join(offer.warnings)
            return Reason(item.id, "yes", action, then=warned, place=place)
        guard = next(one for one in item.guards if one.id == offer.blocked_by)
        answer = self._run.ask(f"{card.id}.guard.{item.id}.{guard.id}")
        then = guard.because
        if answer.is_unknown:
            needs = self._tracer.values.reasons(answer.needs)
            then = f"{guard.instead} instead" if guard.instead else guard.because
            why = f"guard {guard.id} is unknown: {needs}"
        else:
            why = f"guard {guard.id} blocks"
        return Reason(item.id, "held", why=why, then=then, place=place, of=(self._guard(guard),))

    def _guard(self, guard: Guard) -> Reason:
        return self._tracer.condition(guard.when)

    def _not_offered(self, card: Card, item: Suggestion) -> Reason:
        if item.offer_if is not None:
            answer = self._run.ask(f"{card.id}.offer_if.{item.id}")
            if not answer.is_yes:
                of = (headed("offer_if", self._tracer.condition(item.offer_if)),)
                return Reason(item.id, answer.word, place=item.place, of=of)
        action = self._rules.actions[item.action] if item.action else None
        if action is not None and action.drafts:
            names = ", ".join(action.drafts)
            why = f"no draft of this call can be offered for it: {names}"
            return Reason(item.id, "no", why, place=item.place)
        names = ", ".join(item.choices)
        state = "raised" if item.raised else "known"
        return Reason(item.id, "no", f"every result of {names} is {state}", place=item.place)

    # --- factors ----------------------------------------------------------------

    def _factor(self, factor: Factor) -> Reason:
        tracer = self._tracer
        found = tracer.found.grades[factor.id]
        parts = []
        if factor.assess_if is not None:
            parts.append(headed("assess_if", tracer.condition(factor.assess_if)))
        rows = [
            self._exclusion(one, f"{factor.id}.exclude_if.{one.id}") for one in factor.exclude_if
        ]
        if rows:
            parts.append(Reason("exclude_if", heading=True, of=tuple(rows)))
        for name, items in (
            ("evidence_for", factor.evidence_for),
            ("evidence_against", factor.evidence_against),
        ):
            # Nothing of it was asked where the factor was not assessed at all.
            if items and found.state == "graded":
                rows = [tracer.evidence(factor, one, self._depth) for one in items]
                parts.append(Reason(name, heading=True, of=tuple(rows)))
        if found.state == "graded":
            reached = self._reached(factor)
            parts.append(Reason("grades", heading=True, of=tuple(reached)))
            if found.disagrees:
                parts.append(Reason("disagrees", found=", ".join(found.disagrees), heading=True))
        title = f"{factor.title} {factor.version}"
        return Reason(title, found=tracer.graded(found), place=factor.place, of=tuple(parts))

    def _reached(self, factor: Factor) -> Iterator[Reason]:
        """Give every grade: the one that was reached, those that still could be."""
        found = self._tracer.found.grades[factor.id]
        names = [one.name for one in factor.grades]
        at = names.index(found.grade) if found.grade in names else len(names)
        could = names.index(found.could_become) if found.could_become in names else at
        for number, grade in enumerate(factor.grades):
            word = "yes" if number == at else "unknown" if could <= number < at else "no"
            yield Reason(grade.name, word, _price(grade))

    # --- indices ----------------------------------------------------------------

    def _index(self, index: Index) -> Reason:
        workings = self._tracer.workings
        found = self._tracer.found.numbers[index.id]
        tracer = Tracer(
            self._rules, self._run, depth=self._depth, inputs=workings.chosen(index, found)
        )
        parts = []
        rows = []
        for one in index.inputs:
            got, why = workings.input(index, one, found)
            window = f" within {one.within} days" if one.within is not None else ""
            text = f"{one.name}: {one.source}{window}" if one.source != one.name else one.name
            optional = one.optional and bool(why)
            rows.append(
                Reason(text, "unknown" if why else "yes", got, why=why, then="optional" * optional)
            )
        if rows:
            parts.append(Reason("inputs", heading=True, of=tuple(rows)))
        if index.not_valid_if:
            gates = []
            for gate in index.not_valid_if:
                reason = _called(gate.id, gate.when, tracer.condition(gate.when))
                stops = reason.answer == "yes" or (
                    reason.answer == "unknown" and gate.if_unknown == "withhold"
                )
                then = f"not valid: {gate.because}" if stops else ""
                gates.append(replace(reason, then=then))
            parts.append(Reason("not_valid_if", heading=True, of=tuple(gates)))
        if index.count_of:
            of = tracer.criteria(found, self._depth)
            parts.append(Reason("count_of", heading=True, of=of))
        if index.first_of:
            parts.append(Reason("first_of", found=", ".join(index.first_of), heading=True))
        if index.highest_known_of:
            names = ", ".join(index.highest_known_of)
            parts.append(Reason("highest_known_of", found=names, heading=True))
        formula = workings.formula(index, found)
        if formula:
            steps = [
                Reason(f"{name}: {how}", found=n) for name, how, n in workings.steps(index, found)
            ]
            parts.append(Reason("formula", found=formula, heading=True, of=tuple(steps)))
        bands = []
        for band in index.bands:
            answer = ("yes" if band.name == found.band else "no") if found.band else "unknown"
            bands.append(Reason(band.name, answer, needed=workings.needed_for(index.id, band)))
        if bands and found.state == "value":
            parts.append(Reason("bands", heading=True, of=tuple(bands)))
        said = workings.say(found) or f"unknown: {self._tracer.values.reasons(found.needs)}"
        title = f"{index.title} {index.version}"
        text = f"{said}, {found.band}" if found.band else said
        return Reason(title, found=text, place=index.place, of=tuple(parts))

    # --- conditions and stages ----------------------------------------------------

    def _condition(self, rule: Condition) -> Reason:
        answer = self._run.ask(f"{rule.id}.holds_if")
        word = answer.word
        parts = [headed("holds_if", self._tracer.condition(rule.holds_if))]
        if rule.ruled_out_if is not None:
            ruled_out = self._run.ask(f"{rule.id}.ruled_out_if")
            if not answer.is_yes:
                word = "no" if ruled_out.is_yes else "unknown"
            parts.append(headed("ruled_out_if", self._tracer.condition(rule.ruled_out_if)))
        said = _HOLDS[word]
        if word == "unknown":
            said += f": {self._tracer.values.reasons(answer.needs)}"
        return Reason(f"{rule.title} {rule.version}", found=said, place=rule.place, of=tuple(parts))

    def _stages(self, rule: Stages) -> Reason:
        found = self._tracer.found.stage
        rows = []
        for line in rule.lines:
            if line.condition is None:
                rows.append(Reason(line.label, "yes", line.meaning, then="otherwise"))
                break
            answer = self._run.ask(f"{rule.id}.{line.label}")
            of: tuple[Reason, ...] = ()
            # Lines that are no are passed without a word, unless more is wanted.
            if not answer.is_no or self._depth > 1:
                of = unwrapped(self._tracer.condition(line.condition))
            then = "passed, could also be this" if answer.is_unknown else ""
            found_ = line.meaning if answer.is_yes else ""
            rows.append(
                Reason(line.label, answer.word, found_, then=then, place=_place_of(of), of=of)
            )
            if answer.is_yes:
                break
        could = f", could also be {', '.join(found.could_be)}" if found.could_be else ""
        lines = Reason("lines", heading=True, of=tuple(rows))
        return Reason(
            f"{rule.title} {rule.version}",
            found=f"stage {found.label}{could}",
            place=rule.place,
            of=(lines,),
        )


_HOLDS: Final = {"yes": "HOLDS", "no": "DOES NOT HOLD", "unknown": "UNKNOWN"}


def _called(name: str, expr: Expr, reason: Reason) -> Reason:
    """Call a join by the id it has in the file; a sentence speaks for itself."""
    return reason if is_sentence(expr) else named(name, expr, reason)


def _place_of(reasons: tuple[Reason, ...]) -> Place | None:
    return reasons[0].place if reasons else None


def _then(one: Exclusion, answer: Truth) -> str:
    """Say what an exclusion does with its answer."""
    if answer.is_yes:
        return f"stops it: {one.because}"
    if answer.is_no:
        return ""
    return {
        "hide": "not known, so it is not shown",
        "note": "shown, with a line that it is not known",
        "show": "shown all the same",
        "assess": "assessed all the same",
    }[one.if_unknown]


def _price(grade: Grade) -> str:
    """Say what a grade costs."""
    words = []
    if grade.points is not None:
        points = f"{grade.points} point" + "s" * (grade.points != 1)
        words.append(points + (f" in {grade.domains} domains" if grade.domains > 1 else ""))
    if grade.cannot_reach is not None:
        words.append(f"points cannot reach {grade.cannot_reach}")
    return " or ".join(words) or "never by points"
