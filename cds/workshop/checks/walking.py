"""
Walks over rules as they were read, and over files as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Final

from cds.core.clauses import Limit, Place, Threshold
from cds.rulefiles.nodes import Block, Items, Node, Scalar

__all__ = ["HOLE", "WORD", "parts_of", "scalars_below", "thresholds_asked", "words_below"]

HOLE: Final = re.compile(r"\{\{=?\s*(.*?)\s*\}\}", re.DOTALL)
WORD: Final = re.compile(r"[A-Za-z_][\w]*")
_PROSE: Final = frozenset(
    {
        "about",
        "allow",
        "as",
        "because",
        "by",
        "description",
        "detail",
        "display",
        "explanation",
        "in",
        "label",
        "limits",
        "logic",
        "meaning",
        "name",
        "note",
        "patients",
        "purpose",
        "say",
        "summary",
        "supports",
        "tests",
        "title",
        "upkeep",
        "warn",
    }
)
"""Keys whose texts are for readers: only their holes name anything."""
_SENSE: Final = frozenset({"cite", "if"})
"""Keys below those that name something all the same."""


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


def parts_of(thing: object) -> Iterator[object]:
    """Walk a rule and everything it is made of; its tests and its texts are passed over."""
    if isinstance(thing, str | int | None | Place):
        return
    if isinstance(thing, tuple | list):
        for one in thing:
            yield from parts_of(one)
    elif isinstance(thing, Mapping):
        for one in thing.values():
            yield from parts_of(one)
    elif is_dataclass(thing) and not isinstance(thing, type):
        yield thing
        for name in _fields(type(thing)):
            if name not in {"tests", "about", "upkeep", "place"}:
                yield from parts_of(getattr(thing, name))


def thresholds_asked(thing: object) -> Iterator[Threshold]:
    """Give the thresholds that clauses and readings below *thing* compare with."""
    return (one.threshold for one in parts_of(thing) if isinstance(one, Limit))


def scalars_below(node: Node) -> Iterator[Scalar]:
    """Walk the texts below a node, without keys."""
    if isinstance(node, Scalar):
        yield node
        return
    for one in node.items if isinstance(node, Items) else node.values.values():
        yield from scalars_below(one)


def words_below(node: Node, *, prose: bool = False) -> Iterator[str]:
    """
    Give every word below a node that can name something.

    Of a text for readers (*prose*) only what stands in holes.
    """
    if isinstance(node, Scalar):
        texts = HOLE.findall(node.text) if prose else [node.text]
        for text in texts:
            yield from WORD.findall(text)
    elif isinstance(node, Items):
        for one in node.items:
            yield from words_below(one, prose=prose)
    elif isinstance(node, Block):
        for key, value in node.entries():
            inner = key.text in _PROSE or (prose and key.text not in _SENSE)
            yield from words_below(value, prose=inner)
