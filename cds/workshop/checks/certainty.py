"""
What is surely known where a condition is proved, or ruled out.

A hole in a text is safe where its sentence is only said when the value is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from cds.core.clauses import (
    All,
    Any_,
    AtLeast,
    BandIs,
    Compare,
    Expr,
    Holds,
    Known,
    Listed,
    Not,
    StageIs,
)
from cds.core.indices import Index
from cds.core.rules import Ruleset

__all__ = ["Certainty"]

Names = frozenset[str]
_NOTHING: Names = frozenset()
_DEEPEST = 12


class Certainty:
    """Tells which names have a value, by the rules of one release."""

    def __init__(self, rules: Ruleset) -> None:
        self._rules = rules

    def when(self, expr: Expr | None, *, answer: bool, depth: int = 0) -> Names:
        """Give what has a value in its own window whenever *expr* is yes (or no)."""
        if expr is None or depth > _DEEPEST:
            return _NOTHING
        if isinstance(expr, Not):
            return self.when(expr.of, answer=not answer, depth=depth + 1)
        if isinstance(expr, All | Any_):
            every = [self.when(one, answer=answer, depth=depth + 1) for one in expr.of]
            # A yes of `all` and a no of `any` need every member.
            return _union(every) if isinstance(expr, All) == answer else _common(every)
        if isinstance(expr, AtLeast):
            return self._counted(expr, answer=answer, depth=depth)
        return self._clause(expr, answer=answer, depth=depth)

    def _counted(self, expr: AtLeast, *, answer: bool, depth: int) -> Names:
        every = [self.when(one, answer=answer, depth=depth + 1) for one in expr.of]
        needed = expr.count if answer else len(expr.of) - expr.count + 1
        # A name is sure where too few members do without it.
        names = _union(every)
        return frozenset(name for name in names if sum(name not in one for one in every) < needed)

    def _clause(self, expr: Expr, *, answer: bool, depth: int) -> Names:
        if isinstance(expr, Compare):
            return self._measured(expr.name, expr.within, depth)
        if isinstance(expr, BandIs):
            return self._measured(expr.name, None, depth)
        if isinstance(expr, Known):
            sure = answer and (expr.quantifier == "all" or len(expr.names) == 1)
            found = [self._measured(one, expr.within, depth) for one in expr.names]
            return _union(found) if sure else _NOTHING
        if isinstance(expr, Listed):
            single = answer and len(expr.names) == 1 and not expr.ordered
            return frozenset(expr.names) if single else _NOTHING
        if isinstance(expr, Holds):
            condition = self._rules.conditions.get(expr.name)
            if condition is None:
                return _NOTHING
            if answer or condition.ruled_out_if is None:
                return self.when(condition.holds_if, answer=answer, depth=depth + 1)
            return self.when(condition.ruled_out_if, answer=True, depth=depth + 1)
        if isinstance(expr, StageIs) and answer and self._rules.stages is not None:
            lines = [one for one in self._rules.stages.lines if one.label in expr.labels]
            return _common(
                [self.when(one.condition, answer=True, depth=depth + 1) for one in lines]
            )
        return _NOTHING

    def _measured(self, name: str, within: int | None, depth: int) -> Names:
        """Give a name that has a value, with what that value is made from."""
        concept = self._rules.concepts.get(name)
        if concept is not None:
            # A text prints what lies in the concept's own window.
            wide = within is not None and concept.within is not None and within > concept.within
            return _NOTHING if wide else frozenset({name})
        index = self._rules.indices.get(name)
        if index is None or depth > _DEEPEST:
            return frozenset({name})
        return frozenset({name}) | self._inputs(index, depth)

    def _inputs(self, index: Index, depth: int) -> Names:
        if index.first_of or index.count_of or index.highest_known_of:
            return _NOTHING
        return _union(
            self._measured(one.source, one.within, depth + 1)
            for one in index.inputs
            if not one.optional and one.what != "age"
        )


def _union(several: Iterable[Names]) -> Names:
    return reduce(frozenset.union, several, _NOTHING)


def _common(several: Iterable[Names]) -> Names:
    found = list(several)
    return reduce(frozenset.intersection, found) if found else _NOTHING
