"""
The `history:` of an inline case: when its card was shown before, and what became of it.

    {last_shown: 30 days ago, override: {reason: declined, ago: 10 days},
     grades then: {prediabetes: possible}}
    {shown: 60 times, overridden: 50 times}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cds.core.history import NOTHING_SHOWN, CardHistory, History, Override
from cds.core.rules import Ruleset
from cds.workshop.testing.patients import CannotRead

__all__ = ["Past", "past_of"]

_KEYS: Final = ("last_shown", "override", "grades then", "shown", "overridden")
_AGO: Final = re.compile(r"(\d+) days?(?: ago)?")
_TIMES: Final = re.compile(r"(\d+) times")


@dataclass(frozen=True, slots=True)
class Past:
    """What a case says of the past: of this patient, and of everybody together."""

    history: History = NOTHING_SHOWN
    shown: int = 0
    overridden: int = 0


def past_of(rules: Ruleset, card: str, given: Mapping[str, Any]) -> Past:
    """Read the history of a case of *card*; raises `CannotRead` for what it cannot mean."""
    said = given.get("history")
    if said is None:
        return Past()
    if not isinstance(said, Mapping):
        raise CannotRead(f"`history: {said}`: write {{last_shown: 30 days ago}}")
    for key in said:
        if key not in _KEYS:
            raise CannotRead(f"`history: {key}`: it has {', '.join(_KEYS)}")
    last = said.get("last_shown")
    levels = said.get("grades then", {})
    for name, level in levels.items():
        if str(level) not in _levels(rules, str(name)):
            raise CannotRead(f"`grades then: {name}: {level}` is no grade or band")
    one = CardHistory(
        last_shown=None if last is None else _number(_AGO, "last_shown", last, "30 days ago"),
        overrides=tuple(_overrides(said.get("override", []))),
        levels={str(name): str(level) for name, level in levels.items()},
    )
    return Past(
        History({card: one}),
        _number(_TIMES, "shown", said.get("shown", "0 times"), "60 times"),
        _number(_TIMES, "overridden", said.get("overridden", "0 times"), "50 times"),
    )


def _number(form: re.Pattern[str], key: str, said: Any, sample: str) -> int:
    match = form.fullmatch(str(said))
    if match is None:
        raise CannotRead(f"`history: {key}: {said}`: write `{sample}`")
    return int(match[1])


def _overrides(said: Any) -> Iterator[Override]:
    for one in said if isinstance(said, list) else [said]:
        if not isinstance(one, Mapping) or "ago" not in one or one.keys() - {"ago", "reason"}:
            raise CannotRead(f"`override: {one}`: write {{reason: declined, ago: 10 days}}")
        days = _number(_AGO, "override: ago", one["ago"], "10 days")
        yield Override(days, str(one.get("reason", "")))


def _levels(rules: Ruleset, name: str) -> tuple[str, ...]:
    if name in rules.factors:
        return (*(one.name for one in rules.factors[name].grades), "undetermined")
    return tuple(one.name for one in rules.indices[name].bands) if name in rules.indices else ()
