"""
How much one caller may ask for: calls in a time, and calls at a time.

A bucket of calls for each tenant of each client, filled again at the rate of its
registration; and where several share a service, at most half of its places for one of
them, so that none starves the others (T65). Each worker process counts for itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from cds.errors import Busy, TooManyCalls
from cds.service.clients import DEFAULT_CLIENT, Client, Clients

__all__ = ["FEEDBACK_BURST", "FEEDBACK_RATE", "Limits"]

FEEDBACK_RATE: Final = 2.0
"""Feedback calls a second; 120 in a minute."""
FEEDBACK_BURST: Final = 120

_MOST_BUCKETS: Final = 10_000

_Key = tuple[str, str, str]


@dataclass(slots=True)
class _Bucket:
    """Calls that are left, and when they were counted (seconds of a monotonic clock)."""

    left: float
    at: float
    rate: float
    burst: int

    def fill(self, now: float) -> None:
        self.left = min(self.burst, self.left + max(0.0, now - self.at) * self.rate)
        self.at = now


class Limits:
    """
    Count the calls of every caller.

    *in_flight* is the number of places of this process; *now* gives seconds and never
    goes back. Who calls a service without authentication is not limited: there is nobody
    else.
    """

    def __init__(self, clients: Clients, *, in_flight: int, now: Callable[[], float]) -> None:
        sharing = sum(max(1, len(one.tenants)) for one in clients.by_name.values())
        self._share = in_flight if sharing <= 1 else max(1, in_flight // 2)
        self._now = now
        self._buckets: dict[_Key, _Bucket] = {}
        self._at_work: Counter[_Key] = Counter()

    @contextmanager
    def call(self, client: Client, tenant: str = "") -> Iterator[None]:
        """
        Count a call of a service for as long as it is answered.

        Raises `TooManyCalls` beyond the rate of *client*, `Busy` beyond its share.
        """
        with self._counted(client, ("call", client.name, tenant), client.rate, client.burst):
            yield

    @contextmanager
    def feedback(self, client: Client, tenant: str = "") -> Iterator[None]:
        """Count a call of feedback; a flood of those takes nothing from the others (T54)."""
        key = ("feedback", client.name, tenant)
        with self._counted(client, key, FEEDBACK_RATE, FEEDBACK_BURST):
            yield

    @contextmanager
    def _counted(self, client: Client, key: _Key, rate: float, burst: int) -> Iterator[None]:
        if client is DEFAULT_CLIENT:
            yield
            return
        if self._at_work[key] >= self._share:
            raise Busy("as many calls of this caller as may be are under way", retry_after=1)
        self._spend(key, rate, burst)
        self._at_work[key] += 1
        try:
            yield
        finally:
            self._at_work[key] -= 1
            if not self._at_work[key]:
                del self._at_work[key]

    def _spend(self, key: _Key, rate: float, burst: int) -> None:
        now = self._now()
        bucket = self._buckets.get(key)
        if bucket is None:
            self._forget(now)
            bucket = self._buckets[key] = _Bucket(burst, now, rate, burst)
        bucket.fill(now)
        if bucket.left < 1:
            raise TooManyCalls(
                "more calls than agreed",
                retry_after=max(1, math.ceil((1 - bucket.left) / rate)),
            )
        bucket.left -= 1

    def _forget(self, now: float) -> None:
        """Drop buckets that are full again, and then the oldest: both are as good as new."""
        if len(self._buckets) < _MOST_BUCKETS:
            return
        for one in self._buckets.values():
            one.fill(now)
        self._buckets = {k: one for k, one in self._buckets.items() if one.left < one.burst}
        while len(self._buckets) >= _MOST_BUCKETS:
            del self._buckets[next(iter(self._buckets))]
