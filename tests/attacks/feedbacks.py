"""
Feedback: batches in every odd shape.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.attacks.good import FOREIGN, HOOKS, MARK, Request
from tests.attacks.table import BAD, Row

__all__ = ["batches"]

_UUID: Final = "2f1e2a40-3b8e-4c8e-9d2a-0a5b6c7d8e9f"
_TAKEN_OR_NOT: Final = (200, 400)


def _item(**members: Any) -> Request:
    return {
        "card": _UUID,
        "outcome": "overridden",
        "overrideReason": {
            "reason": {"code": f"{MARK}-code", "system": f"urn:{MARK}", "display": MARK},
            "userComment": f"{MARK} comment about {FOREIGN}",
        },
        "outcomeTimestamp": "2026-06-01T12:00:00Z",
        **members,
    }


def batches() -> Iterator[Row]:
    """Yield batches for the feedback endpoints of all services, one after the other."""
    for position, (name, body, expected) in enumerate(_bodies()):
        hook = HOOKS[position % len(HOOKS)]
        path = f"/cds-services/metabolic-{hook}/feedback"
        yield Row(f"feedback: {name}", _is(body), expected, hooks=(hook,), path=path)


def _is(body: Any) -> Callable[[Request], bytes]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _: raw


def _bodies() -> Iterator[tuple[str, Any, tuple[int, ...]]]:
    yield "good", {"feedback": [_item()]}, (200,)
    yield "a hundred", {"feedback": [_item()] * 100}, (200,)
    yield "a hundred and one", {"feedback": [_item()] * 101}, BAD
    yield "none", {"feedback": []}, BAD
    for name, value in {
        "null": None,
        "a number": 1,
        "a text": MARK,
        "an object": {"card": _UUID},
        "items of every type": [None, 1, MARK, [], {}, True],
    }.items():
        yield f"feedback is {name}", {"feedback": value}, BAD
    for name, whole in {"a list": [_item()], "a text": MARK, "null": None, "empty": {}}.items():
        yield f"the body is {name}", whole, BAD
    yield "twice the member", b'{"feedback": [], "feedback": []}', BAD
    yield "no JSON", b'{"feedback": [', BAD
    yield "too large", b" " * (256 * 1024 + 1), (413,)
    yield "too deep", b'{"feedback": ' + b"[" * 100 + b"]" * 100 + b"}", BAD
    for member in ("card", "outcome", "outcomeTimestamp"):
        for name, value in {
            "missing": ...,
            "null": None,
            "a number": 7,
            "an object": {MARK: MARK},
            "empty": "",
            "a long text": MARK * 1_000,
        }.items():
            item = _item(**{member: value})
            if value is ...:
                del item[member]
            yield f"{member} {name}", {"feedback": [item]}, BAD
    for time in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z"):
        yield f"at {time}", {"feedback": [_item(outcomeTimestamp=time)]}, _TAKEN_OR_NOT
    for name, value in {
        "a list": [],
        "a text": MARK,
        "a comment of objects": {"userComment": {MARK: 1}},
        "a long comment": {"userComment": MARK * 1_000},
        "a comment that bites": {"userComment": "<script>=cmd|' /C calc'!A0\u2028\x1b[31m\u202e"},
        "a reason of a list": {"reason": [MARK]},
        "a code of an object": {"reason": {"code": {}, "system": []}},
    }.items():
        yield (
            f"overrideReason is {name}",
            {"feedback": [_item(overrideReason=value)]},
            _TAKEN_OR_NOT,
        )
    accepted = {"outcome": "accepted", "overrideReason": None}
    for name, value in {
        "a text": MARK,
        "nulls": [None],
        "of another form": [{"id": MARK}],
        "10,000": [{"id": _UUID}] * 2_000,
        "a script": [{"id": "<script>"}],
    }.items():
        item = _item(**accepted, acceptedSuggestions=value)
        yield f"acceptedSuggestions: {name}", {"feedback": [item]}, _TAKEN_OR_NOT
