"""
A breaker: a server that keeps failing is left in peace for a while.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["Breaker"]

_FAILURES: Final = 5
_SECONDS: Final = 30.0


class Breaker:
    """
    Counts the failures of one server, one after the other.

    After *failures* of them nothing is admitted for *seconds*; then one request is, as a
    probe, and decides. *now* gives seconds that never go back.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        failures: int = _FAILURES,
        seconds: float = _SECONDS,
    ) -> None:
        self._now = now
        self._most = failures
        self._seconds = seconds
        self._failures = 0
        self._until = 0.0
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Tell whether nothing would be admitted now."""
        return self._failures >= self._most and (self._probing or self._now() < self._until)

    def admits(self) -> bool:
        """Take one request in; its end must be told."""
        if self._failures < self._most:
            return True
        if self.is_open:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """Say that the server answered, whatever it said."""
        self._failures = 0
        self._probing = False

    def failed(self) -> None:
        """Say that it did not, or that it failed."""
        self._failures += 1
        self._probing = False
        if self._failures >= self._most:
            self._until = self._now() + self._seconds

    def abandoned(self) -> None:
        """Say that nobody waited for the answer, which tells nothing."""
        self._probing = False
