"""
What a release really reads: from its active cards down to concepts and searches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds.core.clauses import (
    BandIs,
    Began,
    Beside,
    CardFires,
    Changed,
    Compare,
    Expr,
    GradeIs,
    Holds,
    InFuture,
    Known,
    Listed,
    NewerThan,
    NotUsedBecause,
    Received,
    StageIs,
    clauses_of,
)
from cds.core.indices import Index
from cds.core.rules import Card, Ruleset

__all__ = [
    "asked_by_rule",
    "concepts_read",
    "decisive_for",
    "expressions_of",
    "leaned_on",
    "named_by",
    "needed_by",
    "reached",
]

_Node = tuple[str, str]


def expressions_of(card: Card) -> Iterator[Expr]:
    """Walk every condition of a card."""
    yield card.show_if
    for one in card.unless:
        yield one.when
        if one.relevant is not None:
            yield one.relevant
    for _, expr in (*card.indicators, *card.priorities):
        if expr is not None:
            yield expr
    for say in (*card.summaries, *card.details):
        if say.condition is not None:
            yield say.condition
    for item in card.suggestions:
        if item.offer_if is not None:
            yield item.offer_if
        yield from item.raised.values()
        for guard in item.guards:
            yield guard.when
            if guard.relevant is not None:
                yield guard.relevant


def named_by(expr: Expr) -> Iterator[_Node]:
    """Name what a condition asks about, as (kind, name)."""
    for clause in clauses_of(expr):
        if isinstance(clause, Compare):
            if clause.what not in {"age", "input"}:
                yield clause.what, clause.name
        elif isinstance(clause, Known):
            pairs = zip(clause.whats, clause.names, strict=True)
            yield from ((what, name) for what, name in pairs if what != "age")
        elif isinstance(clause, Beside):
            yield clause.what, clause.name
            yield clause.than_what, clause.than
        elif isinstance(clause, Began | InFuture | Changed):
            yield "concept", clause.name
        elif isinstance(clause, Listed | Received | NotUsedBecause):
            yield from (("concept", name.partition(":")[0]) for name in clause.names)
        elif isinstance(clause, NewerThan):
            yield from (("concept", name) for name in (*clause.names, clause.than))
        elif isinstance(clause, BandIs):
            yield "index", clause.name
        elif isinstance(clause, GradeIs):
            yield "factor", clause.name
        elif isinstance(clause, Holds):
            yield "condition", clause.name
        elif isinstance(clause, CardFires):
            yield "card", clause.name
        elif isinstance(clause, StageIs):
            yield "stages", ""


def _of_all(exprs: Iterable[Expr | None]) -> Iterator[_Node]:
    for expr in exprs:
        if expr is not None:
            yield from named_by(expr)


def _kind_of(rules: Ruleset, name: str) -> _Node:
    for kind, table in (
        ("index", rules.indices),
        ("reading", rules.readings),
        ("factor", rules.factors),
        ("condition", rules.conditions),
    ):
        if name in table:
            return kind, name
    return "concept", name


def _of_index(rules: Ruleset, index: Index) -> Iterator[_Node]:
    for one in index.inputs:
        if one.what != "age":
            yield one.what, one.source
    names = (*index.first_of, *index.highest_known_of)
    yield from (_kind_of(rules, name) for name in names if name != "formula")
    yield from _of_all(gate.when for gate in index.not_valid_if)
    yield from _of_all(index.conditions.values())
    yield from _of_all(index.count_of.values())


def _of_card(rules: Ruleset, card: Card) -> Iterator[_Node]:
    yield "stages", ""
    yield from _of_all(expressions_of(card))
    again = card.quiet.again_early if card.quiet is not None else ()
    yield from (_kind_of(rules, name) for name in (*card.inputs, *card.drivers, *again))
    for item in card.suggestions:
        for action in (item.action, *item.choices):
            result = rules.actions[action].result if action in rules.actions else ""
            if result:
                yield "concept", result
            yield from (("concept", name) for name in _drafts_of(rules, action))
            yield from (
                _kind_of(rules, name)
                for name in _holes_of(rules, action)
                if _kind_of(rules, name)[1] in rules.indices
            )


def _drafts_of(rules: Ruleset, action: str) -> tuple[str, ...]:
    """Name the concepts in whose drafts an action is interested, those it must leave alone too."""
    found = rules.actions.get(action)
    if found is None:
        return ()
    return (*found.drafts, *(rules.never_cancel if found.cancel else ()))


def _holes_of(rules: Ruleset, action: str) -> Iterator[str]:
    """Name what the holes of an action's templates are filled from."""

    def walk(value: object) -> Iterator[str]:
        if isinstance(value, str):
            for part in value.split("{{")[1:]:
                yield part.lstrip("=").partition("}}")[0].partition(".")[0].strip()
        elif isinstance(value, dict):
            for one in value.values():
                yield from walk(one)
        elif isinstance(value, list | tuple):
            for one in value:
                yield from walk(one)

    if action in rules.actions:
        one = rules.actions[action]
        for resource in one.resources:
            yield from walk(dict(resource))
        if one.change is not None:
            yield from walk(dict(one.change.members))


def _asked_by(rules: Ruleset, node: _Node) -> Iterator[_Node]:
    kind, name = node
    if kind == "card":
        yield from _of_card(rules, rules.cards[name])
    elif kind == "index":
        yield from _of_index(rules, rules.indices[name])
    elif kind == "reading":
        yield "concept", rules.readings[name].concept
    elif kind == "condition":
        condition = rules.conditions[name]
        yield from _of_all((condition.holds_if, condition.ruled_out_if))
    elif kind == "stages" and rules.stages is not None:
        yield from _of_all(line.condition for line in rules.stages.lines)
    elif kind == "factor":
        factor = rules.factors[name]
        yield from _of_all([factor.assess_if])
        for one in factor.exclude_if:
            yield from _of_all((one.when, one.relevant))
        yield from _of_all(one.when for one in (*factor.evidence_for, *factor.evidence_against))
    elif kind == "concept":
        concept = rules.concepts[name]
        company = concept.fasting.company if concept.fasting else ()
        others = (*company, *concept.begins, *concept.ends, *concept.gives_way_to)
        with_them = (one.with_problem for one in concept.codes if one.with_problem)
        yield from (("concept", other) for other in (*others, *with_them))


def _of_population(rules: Ruleset) -> Iterator[_Node]:
    if rules.population is not None:
        yield from named_by(rules.population.require)
        for one, _ in rules.population.unless:
            yield from _of_all((one.when, one.relevant))


def _closure(rules: Ruleset, hook: str) -> set[_Node]:
    todo: list[_Node] = [
        ("card", name)
        for name, card in rules.cards.items()
        if card.status in {"active", "trial"} and (not hook or hook in card.hooks)
    ]
    todo.extend(_of_population(rules))
    if rules.stages is not None:
        todo.append(("stages", ""))
    todo.extend(_bending(rules))
    return _follow(rules, todo)


def _bending(rules: Ruleset) -> Iterator[_Node]:
    """Name what bends how other data are read, and so counts as read: acute care, pregnancy."""
    for name, one in rules.concepts.items():
        if one.type in {"encounter", "episode"} or one.governs:
            yield "concept", name


def _follow(rules: Ruleset, todo: list[_Node]) -> set[_Node]:
    found: set[_Node] = set()
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo.extend(_asked_by(rules, node))
    return found


def _in_order(rules: Ruleset, found: set[_Node]) -> tuple[_Node, ...]:
    return tuple(
        (kind, name)
        for kind, name in rules.order
        if (("stages", "") in found and kind == "stages") or (kind, name) in found
    )


def reached(rules: Ruleset, hook: str = "") -> tuple[tuple[str, str], ...]:
    """List what must be worked out for the cards (of *hook*) and the stage, in order."""
    return _in_order(rules, _closure(rules, hook))


def leaned_on(rules: Ruleset, kind: str, name: str) -> tuple[tuple[str, str], ...]:
    """
    List what must be worked out for one rule, in order, the rule itself with it.

    A card leans on the gates of the population too.
    """
    return _in_order(rules, _needed_by(rules, kind, name))


def needed_by(rules: Ruleset, kind: str, name: str) -> frozenset[tuple[str, str]]:
    """Name all that one rule leans on, the rule itself and concepts with it; stages as ''."""
    return frozenset(_needed_by(rules, kind, name))


def _needed_by(rules: Ruleset, kind: str, name: str) -> set[_Node]:
    todo: list[_Node] = [("stages", "") if kind == "stages" else (kind, name)]
    if kind in {"card", "population"}:
        todo.extend(_of_population(rules))
    return _follow(rules, todo)


def asked_by_rule(rules: Ruleset, kind: str, name: str) -> tuple[tuple[str, str], ...]:
    """
    Name what one rule itself asks about, each once: concepts, readings and other rules.

    The stages are named by their id, and only where the rule says so; every card waits
    for them.
    """
    found = dict.fromkeys(_asked_by(rules, (kind, name)))
    if kind == "card":
        found.pop(("stages", ""), None)
        card = rules.cards[name]
        said = (one for expr in expressions_of(card) for one in clauses_of(expr))
        if any(isinstance(one, StageIs) for one in said):
            found["stages", ""] = None
    staging = rules.stages.id if rules.stages is not None else ""
    return tuple((what, word or staging) for what, word in found)


def concepts_read(rules: Ruleset, hook: str = "") -> frozenset[str]:
    """
    Name every concept that a card (of *hook*), the stage or a gate reads.

    Includes what proves fasting by company and the parts of episodes.
    """
    return frozenset(name for kind, name in _closure(rules, hook) if kind == "concept")


def decisive_for(rules: Ruleset, card: Card) -> frozenset[str]:
    """
    Name every concept that decides whether a card is shown, or how others are read.

    What it only prints, or grades by the stage, is not among them.
    """
    exclusions = (one.when for one in card.unless)
    found = _follow(rules, [*_of_all((card.show_if, *exclusions)), *_bending(rules)])
    return frozenset(name for kind, name in found if kind == "concept")
