"""
Every row of the table, by what it attacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tests.attacks import drafts, envelopes, feedbacks, prefetch, texts, transport
from tests.attacks.table import Row

__all__ = ["ROWS"]

ROWS: Final[Mapping[str, Sequence[Row]]] = {
    "envelopes": [*envelopes.envelopes()],
    "contexts": [*envelopes.contexts()],
    "ids": [*envelopes.ids()],
    "drafts": [*drafts.drafts(), *drafts.selections()],
    "prefetch": [*prefetch.shapes(), *prefetch.versions(), *prefetch.others()],
    "members": [*prefetch.members()],
    "encodings": [*texts.encodings()],
    "numbers": [*texts.numbers()],
    "nesting": [*texts.nested()],
    "doubled": [*texts.doubled()],
    "collisions": [*texts.collisions()],
    "payloads": [*texts.payloads()],
    "addresses": [*transport.addresses()],
    "feedback": [*feedbacks.batches()],
    "headers": [*transport.headers()],
}
