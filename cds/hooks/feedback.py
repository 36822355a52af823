"""
Feedback: what clinicians did with cards, as record systems report it.

Items stand by themselves: one that cannot be read is refused with its place, and the others
count. Nothing is said of whether a card is known, and nothing is repeated of what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Literal

from cds.errors import BadRequest
from cds.hooks.strict import decode

__all__ = [
    "MOST_COMMENT",
    "MOST_FEEDBACK",
    "MOST_ITEMS",
    "Feedback",
    "Received",
    "Refused",
    "read_feedback",
]

MOST_FEEDBACK: Final = 256 * 1024
"""The bytes a body may have."""
MOST_ITEMS: Final = 100
MOST_COMMENT: Final = 2_000
"""The characters of a comment."""

_MOST_SUGGESTIONS: Final = 100
_MOST_CODE: Final = 200
_BEFORE: Final = timedelta(days=30)
_AHEAD: Final = timedelta(minutes=5)
_UUID: Final = re.compile(
    r"(?:urn:uuid:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE
)
_LEAP: Final = re.compile(r"(?<=:\d\d):60")
_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class Feedback:
    """
    What was done with one card.

    *at* is what the client says, in UTC; *is_out_of_time* tells that this is more than 30
    days before it was received or more than five minutes after. *suggestions* are those
    accepted, *reason* and *system* the code of an override; its display is never taken
    from there. *comment* is free text and may be about the patient: it is not shown.
    """

    card: str
    outcome: Literal["accepted", "overridden"]
    at: datetime
    suggestions: tuple[str, ...] = ()
    reason: str = ""
    system: str = ""
    comment: str = field(default="", repr=False)
    is_out_of_time: bool = False

    @property
    def key(self) -> tuple[str, str, datetime, frozenset[str]]:
        """Give what is the same when a client sends the same once more."""
        return self.card, self.outcome, self.at, frozenset(self.suggestions)


@dataclass(frozen=True, slots=True)
class Refused:
    """Where an item cannot be read, and what would have been right."""

    path: str
    because: str


@dataclass(frozen=True, slots=True)
class Received:
    """One call: what can be used, in the order in which it came, and what cannot."""

    items: tuple[Feedback, ...]
    refused: tuple[Refused, ...] = ()


def read_feedback(raw: bytes, *, now: datetime) -> Received:
    """
    Read the body of a feedback call that was received *now*.

    Members nobody knows are ignored. Also read is what clients really send: an
    `overrideReasons` in place of `overrideReason`, a code in place of its `reason`, ids in
    place of `acceptedSuggestions` of objects. Raises `BadRequest` for what is no list of
    1 to 100 items.
    """
    body = decode(raw)
    if not isinstance(body, dict):
        raise BadRequest("must be a JSON object")
    items = body.get("feedback")
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_ITEMS:
        raise BadRequest(f"must be a list of 1 to {MOST_ITEMS} items", path="$.feedback")
    taken: list[Feedback] = []
    refused: list[Refused] = []
    for at, item in enumerate(items):
        try:
            taken.append(_item(item, f"$.feedback[{at}]", now))
        except BadRequest as error:
            refused.append(Refused(error.path, error.message))
    return Received(tuple(taken), tuple(refused))


def _item(item: Any, path: str, now: datetime) -> Feedback:
    if not isinstance(item, dict):
        raise BadRequest("must be an object", path=path)
    card = _uuid(item.get("card"), f"{path}.card")
    outcome = item.get("outcome")
    if outcome not in ("accepted", "overridden"):
        raise BadRequest("must be accepted or overridden", path=f"{path}.outcome")
    at = _instant(item.get("outcomeTimestamp"), f"{path}.outcomeTimestamp")
    about = partial(
        Feedback,
        card=card,
        outcome=outcome,
        at=at,
        is_out_of_time=not now - _BEFORE <= at <= now + _AHEAD,
    )
    if outcome == "accepted":
        return about(suggestions=_suggestions(item, f"{path}.acceptedSuggestions"))
    reason, system, comment = _override(item, path)
    return about(reason=reason, system=system, comment=comment)


def _uuid(value: Any, path: str) -> str:
    found = _UUID.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise BadRequest("must be a UUID", path=path)
    return found.group(1).lower()


def _instant(value: Any, path: str) -> datetime:
    try:
        if isinstance(value, str) and _INSTANT.fullmatch(value):
            # A leap second is one of RFC 3339; here its minute has a second less.
            return datetime.fromisoformat(_LEAP.sub(":59", value.upper())).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadRequest("must be an instant with its zone, as RFC 3339 writes it", path=path)


def _suggestions(item: Mapping[str, Any], path: str) -> tuple[str, ...]:
    values = item.get("acceptedSuggestions")
    if not isinstance(values, list) or not 1 <= len(values) <= _MOST_SUGGESTIONS:
        raise BadRequest("must name the suggestions that were accepted", path=path)
    ids: Iterable[str] = (
        _uuid(one.get("id") if isinstance(one, dict) else one, f"{path}[{at}].id")
        for at, one in enumerate(values)
    )
    return tuple(dict.fromkeys(ids))


def _override(item: Mapping[str, Any], path: str) -> tuple[str, str, str]:
    """Give code, system and comment of an override; each may be empty."""
    name = "overrideReason" if item.get("overrideReason") is not None else "overrideReasons"
    path = f"{path}.{name}"
    given = item.get(name)
    if isinstance(given, list):
        # A list of one is what the plural leads to.
        given = given[0] if given else None
        path += "[0]"
    if given is None:
        return "", "", ""
    if not isinstance(given, dict):
        raise BadRequest("must be an object", path=path)
    coding, at = given, path
    if given.get("reason") is not None:
        coding, at = given["reason"], f"{path}.reason"
    if not isinstance(coding, dict):
        raise BadRequest("must be a coding", path=at)
    return (
        _text(coding, "code", at, _MOST_CODE),
        _text(coding, "system", at, _MOST_CODE),
        _text(given, "userComment", path, MOST_COMMENT),
    )


def _text(parent: Mapping[str, Any], name: str, path: str, most: int) -> str:
    value = parent.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise BadRequest(f"must be a string of at most {most} characters", path=f"{path}.{name}")
    return value
