"""
Where feedback goes: a protocol, and a memory of the latest for as long as there is no other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from cds.hooks.feedback import Feedback
from cds.service.clients import Caller

__all__ = ["Feedbacks", "Kept", "LatestFeedback"]

_MOST: Final = 10_000


class Feedbacks(Protocol):
    """
    What takes feedback.

    It is called with items that were read; whether a card is known is for it to find out,
    and nobody is told (T55).
    """

    async def take(
        self, caller: Caller, service: str, items: Iterable[Feedback], received: datetime
    ) -> None:
        """Take the items of one call."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """One item, with who sent it to which service, and when it was received first."""

    client: str
    tenant: str
    service: str
    feedback: Feedback
    received: datetime


class LatestFeedback:
    """
    Keeps the latest items in memory; the oldest go first.

    The same sent again is kept once, however often and in whatever order (T57); an
    acceptance and an override of one card are both kept. Comments are not kept (T56).
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[object, ...], Kept] = OrderedDict()

    async def take(
        self, caller: Caller, service: str, items: Iterable[Feedback], received: datetime
    ) -> None:
        """Take the items of one call."""
        client, tenant = caller.client.name, caller.tenant
        for one in items:
            kept = Kept(client, tenant, service, replace(one, comment=""), received)
            self._kept.setdefault((client, tenant, *one.key), kept)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)

    @property
    def latest(self) -> tuple[Kept, ...]:
        """Give what is kept, the oldest first."""
        return tuple(self._kept.values())
