"""
The lists of ids, and which tests say that they show them.

A test says so with ids in brackets in its docstring, `(SEC-16, T4)`, or a range of them,
`(PF-01 to PF-06)`; its file is parsed, not imported.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

__all__ = [
    "LATER",
    "LEVELS",
    "LISTS",
    "ROOT",
    "Group",
    "Item",
    "Shown",
    "by_id",
    "ids_of",
    "read",
    "shown",
]

ROOT: Final = Path(__file__).resolve().parents[2]
LISTS: Final = ("checklist", "invariants", "threats", "sandbox", "extras")
LEVELS: Final = frozenset({"MUST", "MUST NOT", "MUST*", "SHOULD", "SHOULD*", "MAY", "C", "info"})
LATER: Final = "later"

_HERE: Final = Path(__file__).parent
_ID: Final = r"(?:[A-Z]{1,5}-\d\d|T\d{1,2}|cds-[a-z]+-\d|ord-\d)"
_ONE: Final = re.compile(_ID)
_BRACKETS: Final = re.compile(rf"\(({_ID}(?:(?:,| and| to|;)? {_ID})*)\)")
_RANGE: Final = re.compile(rf"({_ID}) to ({_ID})")
_SPLIT: Final = re.compile(r"(.*?)(\d+)")


@dataclass(frozen=True, slots=True)
class Item:
    """
    One id: its level, what we do, and why no test shows it where none can.

    Only clauses have a level; *later* is for what another issue will do.
    """

    id: str
    level: str
    does: str
    why: str = ""

    @property
    def is_due(self) -> bool:
        """Tell whether the build fails without a test."""
        return self.level.startswith("MUST") or (not self.level and not self.why)


@dataclass(frozen=True, slots=True)
class Group:
    """Ids of one subject."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A test that says it shows something."""

    path: str
    name: str
    ids: frozenset[str]

    @property
    def node(self) -> str:
        """How pytest calls it."""
        return f"{self.path}::{self.name}"


def read(name: str) -> tuple[Group, ...]:
    """Read one of the lists."""
    found = yaml.safe_load((_HERE / f"{name}.yaml").read_text("utf-8"))
    return tuple(
        Group(
            one["title"],
            tuple(_item(key, row, leveled=name == "checklist") for key, row in one["ids"].items()),
        )
        for one in found
    )


def _item(key: str, row: list[str], *, leveled: bool) -> Item:
    level, *rest = row if leveled else ["", *row]
    if level and level not in LEVELS:
        raise ValueError(f"{key}: the level {level}")
    return Item(key, level, *rest)


def ids_of(text: str) -> frozenset[str]:
    """Give the ids that stand in brackets in a docstring."""
    found: set[str] = set()
    for inside in _BRACKETS.findall(" ".join(text.split())):
        for first, last in _RANGE.findall(inside):
            found.update(_between(first, last))
        found.update(_ONE.findall(inside))
    return frozenset(found)


def _between(first: str, last: str) -> Iterator[str]:
    start, end = _SPLIT.fullmatch(first), _SPLIT.fullmatch(last)
    if start is None or end is None or start[1] != end[1]:
        raise ValueError(f"{first} to {last} is no range")
    for number in range(int(start[2]), int(end[2]) + 1):
        yield f"{start[1]}{number:0{len(start[2])}d}"


def shown() -> tuple[Shown, ...]:
    """Find every test that says it shows something."""
    found: list[Shown] = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        place = str(path.relative_to(ROOT))
        found += [
            Shown(place, name, ids)
            for name, node in _tests(tree)
            if (ids := _counted(place, ids_of(ast.get_docstring(node) or "")))
        ]
    return tuple(found)


def _counted(place: str, ids: frozenset[str]) -> frozenset[str]:
    """Leave out what tests of the model say: they show the model, not what is served."""
    if not place.startswith("tests/contract/"):
        return ids
    return frozenset(one for one in ids if one[0].islower())


def _tests(
    tree: ast.Module | ast.ClassDef, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("test_"):
                yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _tests(node, f"{prefix}{node.name}::")


def by_id(tests: Iterable[Shown]) -> Mapping[str, list[Shown]]:
    """Give the tests of every id."""
    found: dict[str, list[Shown]] = {}
    for one in tests:
        for each in one.ids:
            found.setdefault(each, []).append(one)
    return found
