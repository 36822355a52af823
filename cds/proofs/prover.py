"""
What can be and what cannot: questions about the conditions of a release, answered by proof.

    proofs = Proofs(rules)
    proofs.can_be(card.show_if, "unknown")                     can this ever be unknown?
    proofs.can_be(guard.when, "unknown", [(first.when, "no")]) ... where that one is no?
    proofs.implies(one, other)                                 is other yes wherever one is?
    proofs.witness([(expr, "yes"), (other, "no")])             a record that makes it so
    proofs.cells("hba1c")                                      its cut-offs in this release

A verdict that something cannot be is a proof. One that it can be means that nothing
speaks against it: formulas, and what one list says of another, are not looked into.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from cds.core.clauses import (
    BandIs,
    CardFires,
    Compare,
    Expr,
    Holds,
    Known,
    StageIs,
    clauses_of,
)
from cds.core.reads import expressions_of
from cds.core.rules import Ruleset
from cds.proofs.cells import Numbers
from cds.proofs.diagrams import ALWAYS, NEVER, Diagrams, TooLargeError
from cds.proofs.meanings import Meaning, Meanings
from cds.proofs.subjects import Subjects

__all__ = [
    "Fact",
    "Facts",
    "Proofs",
    "Seen",
    "TooLargeError",
    "every_expression",
    "opens",
]

Fact = tuple[Expr, str]
"""A condition and what it is: `yes`, `no`, `unknown`, `not yes`, `not no`, `known`."""

Facts = Iterable[Fact | list[Fact]]
"""What holds at once; of a list of facts, one or more of them."""

_MOST: Final = 60_000
_OPENED: Final = ((), ("names",), ("names", "stages"))
_CLOSED: Final[tuple[tuple[str, ...], ...]] = ((), (), ())
_KEPT: Final = 24
_SOON: Final = 400
_OPENS: Final = (Holds, StageIs, CardFires, BandIs, Compare, Known)


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What one variable of a witness is: in words, and as `given:` of a test would have it.

    *given* is empty where tests have no word for it.
    """

    name: str
    says: str
    given: Mapping[str, str]


class Proofs:
    """
    Proves things about the conditions of one release.

    *more* are conditions that do not stand in the release and will be asked about. What
    stands in a *broken* file may lack parts: nothing is taken from it. With *closed* a
    name stands for itself, whatever its rule says. Every method raises `TooLargeError`
    where a proof needs more than *most* nodes.
    """

    def __init__(
        self,
        rules: Ruleset,
        more: Iterable[Expr] = (),
        *,
        broken: frozenset[str] = frozenset(),
        closed: bool = False,
        most: int = _MOST,
    ) -> None:
        sound = [one for one in every_expression(rules) if one.place.path not in broken]
        self.rules = rules
        self._diagrams = Diagrams(most)
        self._subjects = Subjects(rules, self._diagrams, [*sound, *more])
        self._closed, self._half, self._opened = (
            Meanings(rules, self._subjects, self._diagrams, broken, frozenset(opened))
            for opened in (_CLOSED if closed else _OPENED)
        )
        # What was found possible mostly answers the next question too.
        self._ways: dict[int, deque[dict[int, int]]] = {}
        self._touched: dict[str, frozenset[int]] = {}
        # Variables stand in the order in which they are first met: the largest table goes
        # first, so that what it asks together stands together.
        for name in rules.searches:
            self._subjects.level(("complete", name))
        if not closed:
            with suppress(TooLargeError):
                self._opened.open_stages()

    # --- questions ----------------------------------------------------------------------

    def can_be(self, expr: Expr, answer: str, given: Facts = ()) -> bool:
        """Tell whether a condition can have this answer, where all that is *given* holds."""
        return self.possible([*given, (expr, answer)])

    def possible(self, facts: Facts) -> bool:
        """
        Tell whether all this can be at once.

        Names are opened only where they could matter: what shares no variable with the
        rest cannot clash with it.
        """
        facts = tuple(facts)
        if self._way(self._closed, facts) is None:
            return False
        clauses = _clauses(facts)
        if len(clauses) < 2 or not any(isinstance(clause, _OPENS) for clause in clauses):  # noqa: PLR2004 - one alone clashes with nothing
            return True
        if not self._share(clauses):
            return True
        if self._way(self._half, facts) is None:
            return False
        staged = any(isinstance(clause, StageIs) for clause in clauses)
        return not staged or self._way(self._opened, facts) is not None

    def _share(self, clauses: Sequence[Expr]) -> bool:
        """Tell whether any two clauses have a variable in common."""
        seen: set[int] = set()
        for clause in clauses:
            levels = self._levels(clause)
            if not seen.isdisjoint(levels):
                return True
            seen |= levels
        return False

    def implies(self, one: Expr, other: Expr, given: Facts = ()) -> bool:
        """Tell whether *other* is yes wherever *one* is."""
        return not self.possible([*given, (one, "yes"), (other, "not yes")])

    def touches(self, one: Expr, other: Expr) -> bool:
        """
        Tell whether a condition has a variable in common with the rest of another.

        Without one, neither can say anything about the other.
        """
        own = self._levels(one)
        clauses = [clause for clause in clauses_of(other) if clause not in clauses_of(one)]
        return any(self._levels(clause) & own for clause in clauses)

    def _levels(self, expr: Expr) -> frozenset[int]:
        found = self._touched.get(expr.key)
        if found is None:
            meaning = self._opened.of(expr)
            nodes = (meaning.yes, meaning.no, *meaning.world)
            found = frozenset[int]().union(*(self._diagrams.levels(one) for one in nodes))
            self._touched[expr.key] = found
        return found

    def same(self, one: Expr, other: Expr) -> bool:
        """Tell whether two conditions always have the same answer; stages stay closed."""
        self._diagrams.begin()
        first, second = self._closed.of(one), self._closed.of(other)
        if first[:2] == second[:2]:
            return True
        return self._same(self._half.of(one), self._half.of(other))

    def _same(self, one: Meaning, other: Meaning) -> bool:
        join = self._diagrams
        world = one.world | other.world
        return all(
            self._held_to(join.both(first, join.negated(second)), world) is None
            for first, second in (
                (one.yes, other.yes),
                (other.yes, one.yes),
                (one.no, other.no),
                (other.no, one.no),
            )
        )

    def witness(self, facts: Facts) -> tuple[Seen, ...]:
        """Give one record that makes all this so; nothing where none can be found."""
        way = self._plain_way(tuple(facts))
        cells = self._subjects.cells
        return tuple(
            Seen(cells[level].name, cells[level].says(state), cells[level].given(state))
            for level, state in sorted(way.items())
        )

    def cells(self, name: str) -> tuple[str, ...]:
        """Give the pieces into which the cut-offs of the release divide a concept or an index."""
        for sort in ("concept", "index"):
            if self._subjects.knows((sort, name)):
                numbers = self._subjects.cells[self._subjects.level((sort, name))]
                if isinstance(numbers, Numbers):
                    line = numbers.sents[0].line
                    return tuple(line.says(at, at) for at in range(line.first, line.last + 1))
        return ()

    def _plain_way(self, facts: tuple[Fact | list[Fact], ...]) -> dict[int, int]:
        """Look for a way of these facts alone, not for one that was found for others."""
        self._ways.clear()
        return self._way(self._opened, facts) or {}

    # --- joining ------------------------------------------------------------------------

    def _way(self, meanings: Meanings, facts: Facts) -> dict[int, int] | None:
        self._diagrams.begin()
        join = self._diagrams
        nodes: dict[int, None] = {}
        world = frozenset[int]()
        for one in facts:
            found = [(meanings.of(expr), answer) for expr, answer in _alternatives(one)]
            nodes[join.some([self._where(*answered) for answered in found])] = None
            world = world.union(*(meaning.world for meaning, _ in found))
        known = self._ways.setdefault(id(meanings), deque(maxlen=_KEPT))
        wanted = [*reversed(nodes), *world]
        for way in known:
            if all(join.fulfils(way, each) for each in wanted):
                return way
        found_way = self._found_way(list(nodes), world)
        if found_way is not None:
            known.appendleft(found_way)
        return found_way

    def _found_way(self, nodes: list[int], world: frozenset[int]) -> dict[int, int] | None:
        join = self._diagrams
        for plain in (True, False):
            # Mostly there is a way, and it is found at once.
            with suppress(TooLargeError):
                return join.way([*nodes, *world], _SOON, plain=plain)
        node = ALWAYS
        for one in nodes:
            node = join.both(node, one)
        return self._held_to(node, world)

    def _held_to(self, node: int, world: frozenset[int]) -> dict[int, int] | None:
        """Find a way to fulfil a condition that is so of some record."""
        if node == NEVER:
            return None
        levels = self._diagrams.levels
        own = levels(node)
        return self._diagrams.way([node, *(one for one in world if levels(one) & own)])

    def _where(self, found: Meaning, answer: str) -> int:
        join = self._diagrams
        if answer == "yes":
            return found.yes
        if answer == "no":
            return found.no
        if answer == "not yes":
            return join.negated(found.yes)
        if answer == "not no":
            return join.negated(found.no)
        known = join.either(found.yes, found.no)
        return known if answer == "known" else join.negated(known)


def _alternatives(one: Fact | list[Fact]) -> list[Fact]:
    return one if isinstance(one, list) else [one]


def _clauses(facts: Facts) -> tuple[Expr, ...]:
    """Give the clauses of all facts, each once."""
    found = {
        clause.key: clause
        for one in facts
        for expr, _ in _alternatives(one)
        for clause in clauses_of(expr)
    }
    return tuple(found.values())


def opens(expr: Expr) -> bool:
    """Tell whether anything in a condition stands for what another rule says."""
    return any(
        isinstance(clause, Holds | StageIs | CardFires | BandIs)
        or (isinstance(clause, Compare) and clause.what == "index")
        or (isinstance(clause, Known) and "index" in clause.whats)
        for clause in clauses_of(expr)
    )


def every_expression(rules: Ruleset) -> Iterator[Expr]:
    """Walk every condition of a release."""
    for condition in rules.conditions.values():
        yield condition.holds_if
        if condition.ruled_out_if is not None:
            yield condition.ruled_out_if
    for index in rules.indices.values():
        yield from (gate.when for gate in index.not_valid_if)
        yield from index.conditions.values()
        yield from index.count_of.values()
    if rules.stages is not None:
        yield from (line.condition for line in rules.stages.lines if line.condition is not None)
    for factor in rules.factors.values():
        if factor.assess_if is not None:
            yield factor.assess_if
        for one in factor.exclude_if:
            yield one.when
            if one.relevant is not None:
                yield one.relevant
        yield from (one.when for one in (*factor.evidence_for, *factor.evidence_against))
    for card in rules.cards.values():
        yield from expressions_of(card)
    if rules.population is not None:
        yield rules.population.require
        for one, _ in rules.population.unless:
            yield one.when
            if one.relevant is not None:
                yield one.relevant
