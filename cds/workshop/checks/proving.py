"""
What the checks of logic share: the proofs of a release, words for conditions, and places.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cached_property

from cds.core.clauses import All, Any_, AtLeast, Expr, Not, Place
from cds.core.headers import Rule
from cds.core.indices import Gate
from cds.core.rules import Card, Exclusion, Guard
from cds.proofs.prover import Fact, Proofs, TooLargeError
from cds.rulefiles.fixes import Fix, taken_out
from cds.rulefiles.nodes import Block, Items, Node
from cds.workshop.checks.context import Context

__all__ = ["ASKS", "Proving", "Stop", "parts_of", "relevance", "said", "stops_not"]

ASKS = ("hide", "block", "instead", "withhold")
"""What `if_unknown` says where unknown stops as yes does."""

Stop = Exclusion | Guard | Gate
"""What can stop a rule, or a suggestion of one, or make a number none."""


def parts_of(expr: Expr) -> tuple[Expr, ...]:
    """Give the parts of a joined condition; a clause has none."""
    if isinstance(expr, Not):
        return (expr.of,)
    return expr.of if isinstance(expr, All | Any_ | AtLeast) else ()


def said(expr: Expr) -> str:
    """Say a condition as its author wrote it, in backquotes; a block by its first clauses."""
    if isinstance(expr, Not):
        text = getattr(expr.of, "text", "")
        if text and expr.of.place == expr.place:
            return f"`{text}`"
        return f"not {said(expr.of)}"
    if isinstance(expr, All | Any_ | AtLeast):
        joint = " and " if isinstance(expr, All) else " or "
        words = [said(one) for one in expr.of[:3]]
        return joint.join(words) + (" ..." if len(expr.of) > len(words) else "")
    return f"`{expr.text}`"


def stops_not(one: Stop) -> list[Fact]:
    """Say what lets a patient pass an exclusion, a guard or a gate: one of these."""
    found = [(one.when, "no" if one.if_unknown in ASKS else "not yes")]
    relevant = relevance(one)
    return [*found, (relevant, "no")] if relevant is not None else found


def relevance(one: Stop) -> Expr | None:
    """Give the condition without which it is not asked at all."""
    return None if isinstance(one, Gate) else one.relevant


class Proving:
    """
    One pass of the checks of logic over a folder.

    What stands in a *broken* file is not judged, and nothing is concluded from it; *closed*
    as of `Proofs`.
    """

    def __init__(self, context: Context, broken: frozenset[str], *, closed: bool = False) -> None:
        self.context = context
        self.broken = broken
        self.report = context.report
        self.rules = context.rules
        self.proofs = Proofs(context.rules, broken=broken, closed=closed)
        self._parents: dict[str, dict[int, tuple[Items, Node]]] = {}
        self._gates: dict[str, list[Fact | list[Fact]]] = {}

    @contextmanager
    def skipping(self, place: Place, what: str) -> Iterator[None]:
        """Say what was not checked where a proof would need too much."""
        try:
            yield
        except TooLargeError:
            self.report.add(
                "CDS901",
                place,
                f"not checked: {what}",
                notes=["a proof would need too many cases"],
                help="name a part of it in a file of its own (`kind: condition`)",
            )

    @cached_property
    def sound(self) -> tuple[Rule, ...]:
        """Give the rules that can be reasoned about."""
        return tuple(one for one in self.context.every_rule() if one.place.path not in self.broken)

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        """Give the cards that can be reasoned about."""
        return tuple(one for one in self.sound if isinstance(one, Card))

    def gates(self, card: Card) -> list[Fact | list[Fact]]:
        """Say what the population lets through to a card."""
        population = self.rules.population
        if population is None or population.require.place.path in self.broken:
            return []
        facts: list[Fact | list[Fact]] = [(population.require, "yes")]
        facts.extend(
            stops_not(one)
            for one, exempt in population.unless
            if not any(fnmatchcase(card.code, pattern) for pattern in exempt)
        )
        return facts

    def fires(self, card: Card) -> list[Fact | list[Fact]]:
        """Say what holds of every patient for whom a card fires."""
        found = self._gates.get(card.id)
        if found is None:
            passed = [stops_not(one) for one in card.unless]
            found = [(card.show_if, "yes"), *self.gates(card), *passed]
            self._gates[card.id] = found
        return found

    # --- places -------------------------------------------------------------------------

    def removal(self, expr: Expr) -> Fix | None:
        """Take a member of a list of conditions out, where it stands in one."""
        path = expr.place.path
        if path not in self._parents:
            root = self.context.roots.get(path)
            self._parents[path] = {} if root is None else dict(_members(root))
        found = self._parents[path].get(_at(expr.place))
        if found is None or len(found[0].items) < 2:  # noqa: PLR2004 - an empty list is no list
            return None
        return Fix("take the line out", (taken_out(*found),))


def _at(place: Place) -> int:
    return place.line * 10_000 + place.column


def _members(node: Node) -> Iterator[tuple[int, tuple[Items, Node]]]:
    """Find every member of a list below a node, by where it stands."""
    if isinstance(node, Block):
        for _, value in node.entries():
            yield from _members(value)
    elif isinstance(node, Items):
        for one in node.items:
            yield _at(one.place), (node, one)
            if isinstance(one, Block) and one.keys:
                # A joined condition stands at its word, a named clause at its `when`.
                yield _at(next(iter(one.keys.values())).place), (node, one)
                yield _at(one.at("when").place), (node, one)
            yield from _members(one)
