"""
One line of the table: what is done to a good request, and which answer is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.attacks.good import HOOKS, Request, call, raw

__all__ = ["ANSWERED", "BAD", "ODD", "REFUSED", "Row", "Sent", "at", "put", "without"]

Change = Callable[[Request], Any]

BAD: Final = (400,)
ANSWERED: Final = (200,)
REFUSED: Final = (400, 412)
ODD: Final = (200, 400, 412)
"""Whichever: what counts is that nothing fails and nothing leaks."""


class Sent:
    """A value to be sent in place of the request, None too."""

    def __init__(self, value: Any) -> None:
        self.value = value


@dataclass(frozen=True)
class Row:
    """
    One attack, on each of its *hooks*.

    *change* alters a good request in its place, or gives bytes or `Sent` to be sent
    instead. *place* is how the place begins that the refusal names.
    """

    name: str
    change: Change
    expected: tuple[int, ...] = BAD
    place: str = ""
    hooks: tuple[str, ...] = ("patient-view",)
    method: str = "POST"
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    everywhere: bool = False
    nightly: bool = False

    @property
    def services(self) -> tuple[str, ...]:
        """List the hooks it is tried on."""
        return HOOKS if self.everywhere else self.hooks

    def body(self, hook: str) -> bytes:
        """Do to a good request of *hook* what the row says, and give what is sent."""
        request = call(hook)
        made = self.change(request)
        if isinstance(made, bytes):
            return made
        return raw(made.value if isinstance(made, Sent) else request)


def at(request: Any, path: str) -> tuple[Any, str]:
    """Give the holder of a dotted path, and its last name; numbers are positions."""
    *before, last = path.split(".")
    for name in before:
        request = request[int(name)] if isinstance(request, list) else request[name]
    return request, last


def put(path: str, value: Any) -> Change:
    """Put a value in its place."""

    def change(request: Request) -> None:
        holder, last = at(request, path)
        holder[int(last) if isinstance(holder, list) else last] = value

    return change


def without(path: str) -> Change:
    """Leave a member out."""

    def change(request: Request) -> None:
        holder, last = at(request, path)
        del holder[last]

    return change
