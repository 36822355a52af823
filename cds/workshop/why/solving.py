"""
Which measurement would bring a number where it is wanted: solved by trying, not by algebra.

An index is worked out by the evaluator itself with one input moved through its plausible
range; where the answer turns, the turning point is closed in on. So gates, pairs and
indices made of indices need no treatment of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from statistics import median_high
from typing import Final

from cds.core.facts import Gap, Snapshot
from cds.core.indices import Index
from cds.core.reads import leaned_on
from cds.core.rules import Ruleset
from cds.reasoning.questions import questions
from cds.reasoning.reference import Reference, Run
from cds.workshop.why.wishes import Range, Way, Wish, fulfilled, nearest

__all__ = ["Solver", "usual_values"]

_POINTS: Final = 14
_HALVINGS: Final = 24
_MOST_MISSING: Final = 3
_THREE: Final = 3
_ROUND: Final = 6
_CLOSE: Final = Decimal("0.000001")
_WORK: Final = Context(prec=18)


def usual_values(rules: Ruleset, subjects: Iterable[Snapshot]) -> dict[str, Decimal]:
    """Give the middle of what is measured in *subjects*, for each concept."""
    values: dict[str, list[Decimal]] = {}
    for snapshot in subjects:
        for name, results in snapshot.results.items():
            values.setdefault(name, []).extend(one.value for one in results)
    return {name: median_high(many) for name, many in values.items() if name in rules.concepts}


class Solver:
    """Solves the indices of one release for one patient."""

    def __init__(self, rules: Ruleset, snapshot: Snapshot, usual: Mapping[str, Decimal]) -> None:
        self._rules = rules
        self._snapshot = snapshot
        self.usual = usual
        self._references: dict[str, Reference] = {}

    def after(self, way: Way) -> Solver:
        """Give the solver of the patient in whom these wishes hold."""
        numbers = {
            one: nearest(self._rules, self._snapshot, one, self.usual)
            for one in way
            if one.kind in {"measure", "age"}
        }
        changed = fulfilled(self._rules, self._snapshot, way, numbers)
        return Solver(self._rules, changed, self.usual)

    def is_in(self, name: str, wanted: Range) -> bool:
        """Tell whether an index lies where it is wanted as things are."""
        found = self._run(name, self._snapshot).conclude().numbers[name]
        value = found.number.value if found.number is not None else None
        return found.state == "value" and value is not None and wanted.holds(value)

    def plausible(self, concept: str) -> Range:
        """Give the numbers that a result of a concept may have."""
        rule = self._rules.concepts[concept]
        bounds = rule.units.get(rule.unit)
        return Range() if bounds is None else Range(bounds.low, bounds.high)

    def ways(self, name: str, wanted: Range) -> Iterator[Way]:
        """
        Give ways to a number of an index, each by one input that is moved.

        Inputs that are missing besides are wished for at a usual value: an example.
        """
        for needed in self._sets(name):
            missing = [one for one in needed if self._is_missing(name, one)]
            if len(missing) > _MOST_MISSING:
                continue
            for free in missing or needed:
                examples = [self._example(one, name) for one in missing if one != free]
                others = tuple(one for one in examples if one is not None)
                if len(others) < len(examples):
                    continue
                found = self._solved(name, free, others, wanted)
                if found is not None:
                    yield tuple(sorted((*others, found), key=lambda one: one.variable))

    def _example(self, concept: str, index: str) -> Wish | None:
        value = self.usual.get(concept)
        if value is None:
            return None
        with_ = self._company(self._rules.indices[index], concept)
        return Wish("measure", concept, range=Range(value, value), with_=with_, example=True)

    # --- inputs -------------------------------------------------------------------

    def _sets(self, name: str) -> list[tuple[str, ...]]:
        """Give the sets of concepts of which one is enough for an index, the own first."""
        index = self._rules.indices.get(name)
        if index is None:
            return [(name,)]
        own: list[tuple[str, ...]] = [()]
        for one in index.inputs:
            if one.what in {"concept", "index"} and not one.optional:
                own = [
                    tuple(dict.fromkeys((*left, *right)))
                    for left in own
                    for right in self._sets(one.source)
                ]
        if index.highest_known_of:
            members = [self._sets(member) for member in index.highest_known_of]
            return list(dict.fromkeys(one for several in members for one in several))
        if not index.first_of:
            return own
        found = []
        for member in index.first_of:
            found.extend(own if member == "formula" else self._sets(member))
        return list(dict.fromkeys(found))

    def _is_missing(self, index: str, concept: str) -> bool:
        """Tell whether an index has no result of a concept that it could use."""
        found = self._run(index, self._snapshot).conclude().numbers[index]
        if found.state == "value":
            return not self._snapshot.results.get(concept)
        lacking = {need.name for need in found.needs if need.reason != Gap.NO_PAIR}
        return concept in lacking or not self._snapshot.results.get(concept)

    def _company(self, index: Index, concept: str) -> str:
        """Name a known input that a result has to be drawn together with."""
        sources = {one.name: one.source for one in index.inputs}
        for pair in index.same_draw:
            names = [sources[name] for name in pair.of if name in sources]
            if concept in names:
                others = (one for one in names if one != concept)
                return next((one for one in others if self._snapshot.results.get(one)), "")
        for one in index.inputs:
            if one.what == "index" and (found := self._company_of(one.source, concept)):
                return found
        return ""

    def _company_of(self, name: str, concept: str) -> str:
        return self._company(self._rules.indices[name], concept)

    # --- one input ----------------------------------------------------------------

    def _solved(self, index: str, free: str, others: Way, wanted: Range) -> Wish | None:
        """Give the wish about one input that brings the index where it is wanted."""
        bounds = self.plausible(free)
        if bounds.low is None or bounds.high is None:
            return None
        company = self._company(self._rules.indices[index], free)
        moved = Wish("measure", free, with_=company)
        numbers = {one: one.range.low for one in others if one.range.low is not None}

        def fits(value: Decimal) -> bool:
            snapshot = fulfilled(
                self._rules, self._snapshot, (*others, moved), {**numbers, moved: value}
            )
            found = self._run(index, snapshot).conclude().numbers[index]
            if found.state != "value" or found.number is None or found.number.value is None:
                return False
            return wanted.holds(found.number.value)

        points = _between(bounds.low, bounds.high, self._near(free))
        answers = [fits(one) for one in points]
        if not any(answers):
            return None
        first = answers.index(True)
        last = next((at for at in range(first, len(points)) if not answers[at]), len(points)) - 1
        low = high = None
        if first > 0:
            low = _closed_in(points[first - 1], points[first], fits)
        if last < len(points) - 1:
            high = _closed_in(points[last + 1], points[last], fits)
        if low is not None and high is not None and low > high:
            return None
        return replace(moved, range=Range(low, high))

    def _near(self, concept: str) -> list[Decimal]:
        """Give values that a patient may well have: the present one, and the usual."""
        results = self._snapshot.results.get(concept, ())
        found = [one.value for one in results[:1]]
        return [*found, self.usual[concept]] if concept in self.usual else found

    def _run(self, index: str, snapshot: Snapshot) -> Run:
        reference = self._references.get(index)
        if reference is None:
            rules = replace(self._rules, order=leaned_on(self._rules, "index", index))
            reference = self._references[index] = Reference(rules, questions(rules))
        return reference.start(snapshot)


def _between(low: Decimal, high: Decimal, near: list[Decimal]) -> list[Decimal]:
    """Spread points over a range: evenly by ratio, or by distance where it touches zero."""
    found = [one for one in near if low <= one <= high]
    if low > 0:
        ratio = _WORK.power(_WORK.divide(high, low), Decimal(1) / (_POINTS - 1))
        spread = [_WORK.multiply(low, _WORK.power(ratio, at)) for at in range(_POINTS - 1)]
    else:
        step = (high - low) / (_POINTS - 1)
        spread = [low + step * at for at in range(_POINTS - 1)]
    return sorted({*found, *(one for one in spread if low <= one <= high), low, high})


def _closed_in(wrong: Decimal, right: Decimal, fits: Callable[[Decimal], bool]) -> Decimal:
    """
    Close in on where the answer turns, and give a round number on the right side.

    Three figures where they do, one more wherever they would say too much.
    """
    for _ in range(_HALVINGS):
        middle = (wrong + right) / 2
        if fits(middle):
            right = middle
        else:
            wrong = middle
    # Where the turn is a round number itself, it is exactly that one.
    for figures in range(1, _ROUND):
        near = _rounded(right, figures, ROUND_HALF_EVEN)
        if abs(near - right) <= abs(right) * _CLOSE and fits(near):
            return near
    rounding = ROUND_CEILING if right > wrong else ROUND_FLOOR
    for figures in range(_THREE, _ROUND + 1):
        rounded = _rounded(right, figures, rounding)
        if fits(rounded):
            return rounded
    return right


def _rounded(number: Decimal, figures: int, rounding: str) -> Decimal:
    exponent = number.adjusted() - figures + 1
    found = number.quantize(Decimal(1).scaleb(exponent), rounding=rounding)
    return found if exponent < 0 else found.quantize(Decimal(1))
