"""
A number line in pieces: the cut-offs of a release divide it, and inside a piece nothing changes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from cds.core.quantity import plain

__all__ = ["Line", "Step"]

Step = tuple[Decimal, bool]
"""Where an answer can change: at a number, or (with True) just above it."""


class Line:
    """
    The pieces of a line between the *steps* of what is asked about it.

    Pieces are counted from zero, upwards; *first* and *last* are those in which a value
    can lie. On a *whole* line there are only whole numbers from zero, so that no piece
    is empty.
    """

    def __init__(
        self,
        steps: frozenset[Step],
        *,
        low: Decimal | None = None,
        high: Decimal | None = None,
        whole: bool = False,
    ) -> None:
        self.whole = whole
        if whole:
            low = Decimal(0)
        self._low, self._high = low, high
        found = {self._fitted(step) for step in steps}
        if low is not None and any(step <= (low, False) for step in found):
            found.add((low, False))
        if high is not None and any(step > (high, False) for step in found):
            found.add(self._fitted((high, True)))
        self.steps = tuple(sorted(found))
        self.first = 0 if low is None else self.piece(low)
        self.last = len(self.steps) if high is None else self.piece(high)

    def _fitted(self, step: Step) -> Step:
        """Move a step of a line of whole numbers to the next whole number."""
        number, above = step
        if not self.whole:
            return step
        if above:
            return number.to_integral_value(ROUND_FLOOR) + 1, False
        return number.to_integral_value(ROUND_CEILING), False

    def reached_from(self, step: Step) -> int:
        """Give the first piece that lies beyond a step of this line."""
        return bisect_left(self.steps, self._fitted(step)) + 1

    def piece(self, number: Decimal) -> int:
        """Give the piece in which a number lies."""
        return bisect_right(self.steps, (number, False))

    def says(self, low: int, high: int) -> str:
        """Say in words what lies from one piece to another."""
        below = self.steps[low - 1] if low else None
        above = self.steps[high] if high < len(self.steps) else None
        if below is None and above is None:
            return "any"
        if above is None:
            number, open_ = self.steps[low - 1]
            return f"above {plain(number)}" if open_ else f"{plain(number)} or more"
        if below is None:
            return f"{plain(above[0])} or less" if above[1] else f"below {plain(above[0])}"
        if below[0] == above[0]:
            return plain(below[0])
        start = f"above {plain(below[0])}" if below[1] else f"from {plain(below[0])}"
        return f"{start} {'to' if above[1] else 'below'} {plain(above[0])}"

    def example(self, piece: int) -> Decimal:
        """Give a number of a piece, as near to a step as its digits allow."""
        if piece:
            number, above = self.steps[piece - 1]
            return number + self._digit(number) if above else number
        if not self.steps:
            return self._low or self._high or Decimal(1)
        number, above = self.steps[0]
        return number if above else number - self._digit(number)

    def _digit(self, number: Decimal) -> Decimal:
        """Give one in the last place that is written; a tenth for whole numbers."""
        if self.whole:
            return Decimal(1)
        exponent = number.as_tuple().exponent
        places = exponent if isinstance(exponent, int) else 0
        return Decimal(1).scaleb(min(places, -1))
