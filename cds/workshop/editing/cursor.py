"""
Where in a rule file somebody is writing: below which keys, and what is typed so far.

Read from the lines alone, by indentation and brackets, because a file that is being
written is seldom whole YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from cds.rulefiles.conditions import JOINERS
from cds.rulefiles.shapes import ByKey, Either, Grammar, Keys, Many, Named, Shape, Text

__all__ = ["ITEM", "Cursor", "cursor_at", "keys_beside", "shapes_at", "word_at"]

ITEM: Final = "-"
"""The step of a path into a member of a list."""

_DASH: Final = re.compile(r"-(?: +|$)")
_KEY: Final = re.compile(r"([ -]*)([^\s:'\"{}\[\]][^:]*?):(?= |$)")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_INSIDE: Final = frozenset({*JOINERS, "of", "when", ITEM})


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    A position in a file.

    *path* leads from the top of the file to what is being written: keys, and a dash for
    a member of a list. *typed* is what stands between the beginning of the value (or of
    the key, where *in_key*) and the position; it begins at *column*, counted from zero.
    """

    path: tuple[str, ...]
    typed: str
    column: int
    in_key: bool

    @property
    def key(self) -> str:
        """Give the innermost key: what the value or the list is of."""
        return next((one for one in reversed(self.path) if one != ITEM), "")


@dataclass(slots=True)
class _Reading:
    """What one line says up to a column: steps into it, and what is typed at the end."""

    steps: list[tuple[int, str]] = field(default_factory=list)
    typed: str = ""
    column: int = 0
    in_key: bool = True
    is_open: bool = False


def cursor_at(lines: Sequence[str], line: int, column: int) -> Cursor:
    """Say where a position is; *line* and *column* count from zero."""
    text = lines[line] if line < len(lines) else ""
    here = _read_line(text[:column])
    indent = len(text) - len(text.lstrip(" "))
    if not text.strip():
        indent = min(column, len(text)) if text else column
    steps = [step for _, step in here.steps]
    path = [*_above(lines, line, indent, dashed=bool(_DASH.match(text.lstrip(" ")))), *steps]
    return Cursor(tuple(path), here.typed, here.column, here.in_key)


def _above(lines: Sequence[str], line: int, indent: int, *, dashed: bool) -> list[str]:
    """Give the steps to the block that a line of this indentation belongs to."""
    path: list[str] = []
    for text in reversed(lines[:line]):
        stripped = text.lstrip(" ")
        if not stripped or stripped.startswith("#"):
            continue
        depth = len(text) - len(stripped)
        # A list may stand at the column of its own key.
        if depth > indent or (depth == indent and (not dashed or _DASH.match(stripped))):
            continue
        found = _read_line(text)
        above = [
            (column, step)
            for column, step in found.steps
            if found.is_open or column < indent or (column == indent and dashed and step != ITEM)
        ]
        path = [step for _, step in above] + path
        indent, dashed = depth, bool(_DASH.match(stripped))
        if not indent and not dashed:
            break
    return path


def _read_line(text: str) -> _Reading:
    """Read a line from its indentation to its end."""
    found = _Reading()
    at = len(text) - len(text.lstrip(" "))
    while match := _DASH.match(text, at):
        found.steps.append((at, ITEM))
        at = match.end()
    _Brackets(found).read(text, at)
    return found


class _Brackets:
    """Reads keys, brackets and quotes of one line."""

    def __init__(self, found: _Reading) -> None:
        self.found = found
        self.open: list[tuple[str, int]] = []
        self.start = 0
        self.key = False

    def read(self, text: str, at: int) -> None:
        """Read to the end; what is then still open is where the end is."""
        found, quote = self.found, ""
        self._begin(at)
        for column in range(at, len(text)):
            char = text[column]
            token = text[self.start : column].strip()
            if quote:
                if char == quote:
                    quote = ""
            elif char in "\"'" and not token:
                quote, self.start = char, column + 1
            elif char in "{[" and not token:
                self.open.append((char, len(found.steps)))
                if char == "[":
                    found.steps.append((column, ITEM))
                self._begin(column + 1)
            elif char in "}]" and self.open:
                _, depth = self.open.pop()
                del found.steps[depth:]
                self._begin(column + 1)
                self.key = True
            elif char == "," and self.open:
                bracket, depth = self.open[-1]
                del found.steps[depth + (bracket == "[") :]
                self._begin(column + 1)
            elif self._ends_key(text, column) and token:
                found.steps.append((self.start, token.strip("\"'")))
                self._begin(column + 1)
                self.key = True
        typed = text[self.start :]
        lead = len(typed) - len(typed.lstrip(" "))
        found.typed, found.column = typed.lstrip(" "), self.start + lead
        found.is_open = bool(self.open)
        found.in_key = not self.key and not (self.open and self.open[-1][0] == "[")

    def _begin(self, column: int) -> None:
        self.start, self.key = column, False

    def _ends_key(self, text: str, column: int) -> bool:
        in_list = bool(self.open) and self.open[-1][0] == "["
        return (
            text[column] == ":"
            and not self.key
            and not in_list
            and text[column + 1 :][:1]
            in {
                "",
                " ",
            }
        )


def keys_beside(lines: Sequence[str], line: int, column: int) -> set[str]:
    """Give the keys of the block that a key at this line and column belongs to."""
    above = _keys_on(reversed(lines[:line]), column, upwards=True)
    return {*above, *_keys_on(lines[line + 1 :], column, upwards=False)}


def _keys_on(lines: Iterable[str], column: int, *, upwards: bool) -> Iterator[str]:
    """Give the keys at a column, up to where another block or member of a list begins."""
    for text in lines:
        depth = len(text) - len(text.lstrip(" "))
        if depth > column or not text.strip() or text.lstrip().startswith("#"):
            continue
        match = _KEY.match(text)
        dashed = match is not None and bool(match[1].strip())
        if match is None or match.start(2) != column or (dashed and not upwards):
            return
        yield match[2]
        if dashed:
            return


def word_at(line: str, column: int) -> tuple[int, str]:
    """Give the word at a column and where it begins; no word is empty."""
    for match in _WORD.finditer(line):
        if match.start() <= column <= match.end():
            return match.start(), match[0]
    return column, ""


def shapes_at(shape: Shape, path: Sequence[str]) -> list[Shape]:
    """Give what may stand at a path below a shape."""
    found = [shape]
    for step in path:
        found = [inner for one in found for inner in _step(one, step)]
    return [part for one in found for part in _parts(one)]


def _parts(shape: Shape) -> Iterator[Shape]:
    if isinstance(shape, Either):
        for one in (shape.text, shape.items, shape.block):
            if one is not None:
                yield from _parts(one)
    elif isinstance(shape, ByKey):
        yield from (*_parts(shape.present), *_parts(shape.absent))
    else:
        yield shape


def _step(shape: Shape, step: str) -> Iterator[Shape]:
    for one in _parts(shape):
        if isinstance(one, Keys):
            inner = one.must.get(step) or one.may.get(step)
            if inner is not None:
                yield inner
        elif isinstance(one, Many | Named) and isinstance(one, Many) == (step == ITEM):
            yield one.of
        elif isinstance(one, Grammar):
            yield one if one.name == "condition" and step in _INSIDE else Text()
