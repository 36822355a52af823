"""
Every condition that decides something, by the name it has in the rule files.

Both evaluators answer the same questions; where their answers differ, the service
refuses to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from cds.core.clauses import All, Any_, AtLeast, Compare, Expr, Not, clauses_of
from cds.core.drafted import draft_reason
from cds.core.indices import Index
from cds.core.reads import expressions_of
from cds.core.rules import Card, Condition, Exclusion, Factor, Population, Ruleset
from cds.core.truth import NO, Truth, all_of, any_of, negate

__all__ = [
    "Asked",
    "Question",
    "answered",
    "asked_by",
    "blocks_of",
    "blocks_of_card",
    "fires",
    "fires_by",
    "is_input",
    "questions",
    "questions_about",
]


Asked = Mapping[str, Mapping[str, bool]]
"""The questions of each index or factor by name, and whether no is told from unknown."""


@dataclass(frozen=True, slots=True)
class Question:
    """
    One condition with its name.

    *both* says whether no and unknown lead to different conclusions; where only yes
    matters the engine does not spend productions on proving no.
    *owner* is what must be worked out before anything can depend on it. *wording*
    questions choose a sentence of a card that fires anyway: the reference evaluator
    alone answers them.
    """

    name: str
    expr: Expr
    both: bool
    owner: tuple[str, str]
    wording: bool = False


def is_input(clause: Expr) -> TypeGuard[Compare]:
    """Tell whether a clause of an index asks about one of its chosen inputs."""
    return isinstance(clause, Compare) and clause.what == "input"


def blocks_of(expr: Expr) -> Iterator[All | Any_ | AtLeast]:
    """Find the named blocks of a condition, outermost first."""
    if isinstance(expr, Not):
        yield from blocks_of(expr.of)
    elif isinstance(expr, All | Any_ | AtLeast):
        if expr.id:
            yield expr
        for one in expr.of:
            yield from blocks_of(one)


def blocks_of_card(card: Card) -> tuple[All | Any_ | AtLeast, ...]:
    """Give the named blocks of every condition of a card; of two of one name, the first."""
    found: dict[str, All | Any_ | AtLeast] = {}
    for expr in expressions_of(card):
        for block in blocks_of(expr):
            found.setdefault(block.id, block)
    return tuple(found.values())


def _exclusion(prefix: str, one: Exclusion, owner: tuple[str, str]) -> Iterator[Question]:
    name = f"{prefix}.{one.id}"
    yield Question(name, one.when, both=one.if_unknown == "hide", owner=owner)
    if one.relevant is not None:
        yield Question(f"{name}.relevant", one.relevant, both=True, owner=owner)


def _of_index(index: Index) -> Iterator[Question]:
    owner = ("index", index.id)
    for gate in index.not_valid_if:
        name = f"{index.id}.not_valid_if.{gate.id}"
        clauses = tuple(clauses_of(gate.when))
        if not any(is_input(one) for one in clauses):
            yield Question(name, gate.when, both=gate.if_unknown == "withhold", owner=owner)
            continue
        # What is asked of chosen inputs is joined where they are chosen.
        for clause in clauses:
            if not is_input(clause):
                yield Question(f"{name}.{clause.key}", clause, both=True, owner=owner)
    for name, expr in index.conditions.items():
        yield Question(f"{index.id}.conditions.{name}", expr, both=True, owner=owner)
    for name, expr in index.count_of.items():
        yield Question(f"{index.id}.count_of.{name}", expr, both=True, owner=owner)


def _of_factor(factor: Factor) -> Iterator[Question]:
    owner = ("factor", factor.id)
    if factor.assess_if is not None:
        yield Question(f"{factor.id}.assess_if", factor.assess_if, both=False, owner=owner)
    for one in factor.exclude_if:
        yield from _exclusion(f"{factor.id}.exclude_if", one, owner)
    for item in (*factor.evidence_for, *factor.evidence_against):
        could = item.if_missing == "could_be_true"
        yield Question(f"{factor.id}.{item.id}", item.when, both=could, owner=owner)


def _of_card(card: Card, rules: Ruleset) -> Iterator[Question]:
    owner = ("card", card.id)
    yield Question(f"{card.id}.show_if", card.show_if, both=False, owner=owner)
    because = draft_reason(card, rules.conditions, rules.cards, rules.concepts)
    if because is not None:
        yield Question(f"{card.id}.needs_draft", because, both=False, owner=owner)
    for one in card.unless:
        yield from _exclusion(f"{card.id}.unless", one, owner)
    for number, (_, expr) in enumerate(card.indicators):
        if expr is not None:
            yield Question(f"{card.id}.indicator.{number}", expr, both=False, owner=owner)
    for number, (_, expr) in enumerate(card.priorities):
        if expr is not None:
            name = f"{card.id}.priority.{number}"
            yield Question(name, expr, both=False, owner=owner, wording=True)
    for part, says in (("summary", card.summaries), ("detail", card.details)):
        for number, say in enumerate(says):
            if say.condition is not None:
                yield Question(
                    f"{card.id}.{part}.{number}",
                    say.condition,
                    both=False,
                    owner=owner,
                    wording=True,
                )
    for item in card.suggestions:
        if item.offer_if is not None:
            yield Question(f"{card.id}.offer_if.{item.id}", item.offer_if, both=False, owner=owner)
        for action, raised in item.raised.items():
            name = f"{card.id}.raised.{item.id}.{action}"
            yield Question(name, raised, both=False, owner=owner)
        for guard in item.guards:
            name = f"{card.id}.guard.{item.id}.{guard.id}"
            yield Question(name, guard.when, both=guard.if_unknown != "show", owner=owner)
            if guard.relevant is not None:
                yield Question(f"{name}.relevant", guard.relevant, both=True, owner=owner)
    for block in blocks_of_card(card):
        for number, part_of in enumerate(block.of):
            name = f"{card.id}.met.{block.id}.{number}"
            yield Question(name, part_of, both=False, owner=owner, wording=True)


def questions_about(rules: Ruleset, kind: str, name: str) -> tuple[Question, ...]:
    """List the questions of one thing of the release; of what asks none, nothing."""
    if kind == "index":
        return tuple(_of_index(rules.indices[name]))
    if kind == "condition":
        return tuple(_of_condition(rules.conditions[name]))
    if kind == "factor":
        return tuple(_of_factor(rules.factors[name]))
    if kind == "card":
        return tuple(_of_card(rules.cards[name], rules))
    if kind == "stages" and rules.stages is not None:
        return tuple(
            Question(f"{name}.{line.label}", line.condition, both=False, owner=(kind, name))
            for line in rules.stages.lines
            if line.condition is not None
        )
    if kind == "population" and rules.population is not None:
        return tuple(_of_population(rules.population))
    return ()


def _of_condition(condition: Condition) -> Iterator[Question]:
    owner, name = ("condition", condition.id), condition.id
    yield Question(f"{name}.holds_if", condition.holds_if, both=True, owner=owner)
    if condition.ruled_out_if is not None:
        yield Question(f"{name}.ruled_out_if", condition.ruled_out_if, both=True, owner=owner)


def _of_population(population: Population) -> Iterator[Question]:
    owner = ("population", "population")
    yield Question("population.require", population.require, both=False, owner=owner)
    for one, _ in population.unless:
        yield from _exclusion("population.unless", one, owner)


def fires_by(card: Card) -> tuple[str, ...]:
    """Name the questions that decide whether a card fires for those who ask about it."""
    names = [f"{card.id}.show_if"]
    for one in card.unless:
        names.append(f"{card.id}.unless.{one.id}")
        if one.relevant is not None:
            names.append(f"{card.id}.unless.{one.id}.relevant")
    return tuple(names)


def fires(card: Card, ask: Callable[[str], Truth]) -> Truth:
    """
    Say whether a card fires, as far as its own logic goes.

    An exclusion that is unknown leaves it open where it is hard, and does not stop it
    where it is not.
    """
    stops = []
    for one in card.unless:
        name = f"{card.id}.unless.{one.id}"
        answer = ask(name)
        if one.relevant is not None and ask(f"{name}.relevant").is_no:
            answer = NO
        if answer.is_unknown and one.if_unknown != "hide":
            answer = NO
        stops.append(answer)
    return all_of([ask(f"{card.id}.show_if"), negate(any_of(stops))])


def questions(rules: Ruleset) -> tuple[Question, ...]:
    """List every question, those of lower things first, in the order of the release."""
    every = (*rules.order, ("population", "population"))
    return tuple(one for kind, name in every for one in questions_about(rules, kind, name))


def asked_by(kind: str, every: Iterable[Question]) -> Asked:
    """Name the questions of each index (or each factor), in order, and their *both*."""
    found: dict[str, dict[str, bool]] = {}
    for one in every:
        owner, name = one.owner
        if owner == kind:
            found.setdefault(name, {})[one.name] = one.both
    return found


def answered(asked: Mapping[str, bool], ask: Callable[[str], Truth]) -> Iterator[str | bool]:
    """Give what matters of each answer: the word, or only whether it is yes."""
    for name, both in asked.items():
        answer = ask(name)
        yield answer.word if both else answer.is_yes
