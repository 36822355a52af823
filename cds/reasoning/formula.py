"""
A formula with its numbers: exact where they are exact, a range where one is a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from itertools import product
from typing import Final

from cds.core.concepts import Concept
from cds.core.facts import Result
from cds.core.findings import Interval
from cds.core.indices import Binary, Call, FormulaExpr, Index, InputRef, Number, OneIf, Step
from cds.core.quantity import round12

__all__ = ["FREE", "Chosen", "Formula"]

# No traps: ln(0), 1/0 and infinite ends are numbers here; what cannot be computed
# comes out as NaN and is reported, never shown.
FREE: Final = Context(prec=28, traps=[])
_INFINITE: Final = Decimal("Infinity")
_NONE: Final = Decimal("NaN")


@dataclass(frozen=True, slots=True)
class Chosen:
    """An input of a formula with the number that was chosen for it."""

    number: Interval
    sent: Interval
    unit: str
    result: Result | None = None
    notes: tuple[str, ...] = ()


class Formula:
    """
    A formula with its numbers.

    A result below detection is a range; the formula is worked out at both ends of
    every range, and the answer is the range of what came out. All formulas of the
    knowledge base rise or fall steadily with each input, so no end is missed.
    """

    def __init__(
        self,
        index: Index,
        chosen: Mapping[str, Chosen],
        ones: Mapping[str, Decimal],
        concepts: Mapping[str, Concept | None],
        constants: Mapping[str, Decimal],
    ) -> None:
        self._index = index
        self._chosen = chosen
        self._ones = ones
        self._concepts = concepts
        self._constants = constants

    def interval(self, formula: FormulaExpr, first: str, first_unit: str) -> Interval | None:
        """Work the formula out; None where it cannot be."""
        ends: list[tuple[Decimal, bool]] = []
        for corner in self._corners():
            at = {name: end[0] for name, end in corner.items()}
            value = self._work(formula, at, first, first_unit)
            if value.is_nan():
                return None
            ends.append((value, any(is_open for _, is_open in corner.values())))
        low, low_open = min(ends, key=lambda end: end[0])
        high, high_open = max(ends, key=lambda end: end[0])
        if len(ends) == 1 and not low.is_finite():
            return None
        return Interval(
            round12(low) if low.is_finite() else None,
            round12(high) if high.is_finite() else None,
            low_open=low_open and low != high,
            high_open=high_open and low != high,
        )

    def _corners(self) -> Iterator[dict[str, tuple[Decimal, bool]]]:
        names = list(self._chosen)
        ends = []
        for name in names:
            number = self._chosen[name].number
            if number.value is not None:
                ends.append([(number.value, False)])
            else:
                low = number.low if number.low is not None else Decimal(0)
                high = number.high if number.high is not None else _INFINITE
                ends.append([(low, number.low_open), (high, number.high_open)])
        for combination in product(*ends):
            yield dict(zip(names, combination, strict=True))

    def _input(
        self, ref: InputRef, at: Mapping[str, Decimal], first: str, first_unit: str
    ) -> Decimal:
        value = at.get(ref.name)
        if value is None:
            return _NONE
        unit = ref.unit or (first_unit if ref.name == first else "")
        concept = self._concepts.get(ref.name)
        if not unit or concept is None or unit == concept.unit:
            return value
        chosen = self._chosen[ref.name]
        if chosen.unit == unit and chosen.number.value is not None:
            sent = chosen.sent.value
            return sent if sent is not None else value
        return concept.units[unit].from_canonical(value)

    def _work(
        self, expr: FormulaExpr, at: Mapping[str, Decimal], first: str, first_unit: str
    ) -> Decimal:
        if isinstance(expr, Number):
            return expr.value
        if isinstance(expr, InputRef):
            return self._input(expr, at, first, first_unit)
        if isinstance(expr, Step):
            constant = self._constants.get(expr.name)
            if constant is not None:
                return constant
            return self._work(self._index.let[expr.name], at, first, first_unit)
        if isinstance(expr, OneIf):
            return self._ones[expr.name]
        if isinstance(expr, Binary):
            left = self._work(expr.left, at, first, first_unit)
            right = self._work(expr.right, at, first, first_unit)
            return _OPERATORS[expr.op](left, right)
        assert isinstance(expr, Call)  # noqa: S101 - the union is closed
        return _FUNCTIONS[expr.function](
            *(self._work(one, at, first, first_unit) for one in expr.arguments)
        )


def _extreme(pick: Callable[..., Decimal], values: tuple[Decimal, ...]) -> Decimal:
    """Pick from numbers; what is not a number among them is the answer."""
    return next((one for one in values if one.is_nan()), None) or pick(values)


def _logistic(x: Decimal) -> Decimal:
    return FREE.divide(Decimal(1), FREE.add(Decimal(1), FREE.exp(-x)))


_OPERATORS: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": FREE.add,
    "-": FREE.subtract,
    "*": FREE.multiply,
    "/": FREE.divide,
    "^": FREE.power,
}
_FUNCTIONS: Mapping[str, Callable[..., Decimal]] = {
    "ln": FREE.ln,
    "log10": FREE.log10,
    "exp": FREE.exp,
    "sqrt": FREE.sqrt,
    "min": lambda *values: _extreme(min, values),
    "max": lambda *values: _extreme(max, values),
    "logistic": _logistic,
}
