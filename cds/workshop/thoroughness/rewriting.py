"""
Other texts of a resolved rule: one place of it changed, everything else as it was.

Rules are trees of dataclasses. A condition that asks something else gets a key of its
own, and so does every condition around it: answers are kept by key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from cds.core.clauses import Place

__all__ = ["Step", "changed_at", "everywhere", "places_in"]

Step = str | int
_ASIDE: Final = frozenset({"about", "upkeep", "tests", "thresholds", "place", "links"})


def places_in(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Walk every dataclass of a rule with the path to it, the rule itself first."""
    if is_dataclass(value) and not isinstance(value, Place):
        yield path, value
        for one in fields(value):
            if one.name not in _ASIDE:
                yield from places_in(getattr(value, one.name), (*path, one.name))
    elif isinstance(value, tuple):
        for at, one in enumerate(value):
            yield from places_in(one, (*path, at))
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from places_in(one, (*path, name))


def changed_at(value: Any, path: tuple[Step, ...], new: Any, mark: str) -> Any:
    """Put *new* where *path* leads; *mark* tells this text's keys from every other's."""
    if not path:
        return new
    first, rest = path[0], path[1:]
    if isinstance(value, tuple):
        at = int(first)
        return (*value[:at], changed_at(value[at], rest, new, mark), *value[at + 1 :])
    if isinstance(value, Mapping):
        return {**value, first: changed_at(value[str(first)], rest, new, mark)}
    changes = {str(first): changed_at(getattr(value, str(first)), rest, new, mark)}
    if hasattr(value, "key"):
        changes["key"] = f"{value.key}~{mark}"
    return replace(value, **changes)


def everywhere(value: Any, change: Callable[[Any], Any], mark: str) -> Any:
    """Change every dataclass for which *change* gives another; the inner ones first."""
    if isinstance(value, tuple):
        found = tuple(everywhere(one, change, mark) for one in value)
        return value if all(a is b for a, b in zip(found, value, strict=True)) else found
    if isinstance(value, Mapping):
        table = {name: everywhere(one, change, mark) for name, one in value.items()}
        return value if all(table[name] is value[name] for name in table) else table
    if not is_dataclass(value) or isinstance(value, type | Place):
        return value
    changes = {}
    for one in fields(value):
        if one.name not in _ASIDE:
            old = getattr(value, one.name)
            new = everywhere(old, change, mark)
            if new is not old:
                changes[one.name] = new
    if changes and hasattr(value, "key"):
        changes["key"] = f"{value.key}~{mark}"
    return change(replace(value, **changes) if changes else value)
