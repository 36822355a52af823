"""
Pieces of a rule file that know where they stand.

Plain scalars are text: whoever asks for a number or a flag decides what one means. The
getters of a block never complain, so that one pass can report everything: what has the
wrong shape was reported when the file was checked, and reads as if it were not there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from typing import Any, Final

from cds.core.clauses import Place

__all__ = ["NUMBER", "Block", "Items", "Node", "Piece", "Scalar", "Source"]

NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?")
"""A number as rule files write it: digits, at most one point, no exponent."""

_DAYS: Final = re.compile(r"(\d+) days?")


class Source:
    """A rule file: its path as diagnostics print it, its text, and its lines."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Give the lines without their ends."""
        return tuple(self.text.splitlines())

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        ends = accumulate(len(line) for line in self.text.splitlines(keepends=True))
        return (0, *ends)

    def offset(self, line: int, column: int) -> int:
        """Give the offset in the text of a line and a column, both counted from one."""
        return self._starts[line - 1] + column - 1

    def position(self, offset: int) -> tuple[int, int]:
        """Give the line and the column of an offset, both counted from one."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


class Piece:
    """A piece of a file; *start* and *end* are YAML marks, counted from zero."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: Source, start: Any, end: Any) -> None:
        self.source = source
        self.start = start
        self.end = end

    @property
    def place(self) -> Place:
        """Say where this stands; of several lines, the first."""
        line, column = self.start.line, self.start.column
        if self.end.line == line:
            width = self.end.column - column
        else:
            width = len(self._line(line).rstrip()) - column
        return Place(self.source.path, line + 1, column + 1, max(width, 1))

    def _line(self, line: int) -> str:
        lines = self.source.lines
        return lines[line] if line < len(lines) else ""


class Scalar(Piece):
    """A text. *quoted* tells it from a plain word, which may be read as a number."""

    __slots__ = ("style", "text")

    def __init__(self, source: Source, start: Any, end: Any, text: str, style: str | None) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.text = text
        self.style = style

    @property
    def quoted(self) -> bool:
        """Tell whether the author quoted it, or wrote it as a block of text."""
        return bool(self.style)

    @property
    def is_null(self) -> bool:
        """Tell whether nothing stands here."""
        return not self.style and self.text in {"", "~", "null"}

    def span(self, first: int, last: int) -> Place:
        """
        Say where the characters from *first* to *last* of the text stand.

        Folding changes white space only, so other characters are counted off in the
        source; text that was written with escapes gets the place of the whole.
        """
        text, style = self.text, self.style
        if self.start.line == self.end.line:
            shift = 1 if style in {"'", '"'} else 0
            column = self.start.column + shift
            seen = self._line(self.start.line)[column : column + len(text)]
            if seen == text:
                width = max(last - first, 1)
                return Place(self.source.path, self.start.line + 1, column + first + 1, width)
            return self.place
        return self._folded(first, last)

    def _folded(self, first: int, last: int) -> Place:
        line, column = self.start.line, self.start.column
        if self.style in {"|", ">"}:
            line, column = line + 1, 0
        elif self.style:
            column += 1
        skip = sum(1 for char in self.text[:first] if not char.isspace())
        width = max(last - first, 1)
        while line <= self.end.line:
            for at, char in enumerate(self._line(line)[column:], start=column):
                if char.isspace():
                    continue
                if not skip:
                    width = min(width, len(self._line(line).rstrip()) - at)
                    return Place(self.source.path, line + 1, at + 1, width)
                skip -= 1
            line, column = line + 1, 0
        return self.place


class Items(Piece):
    """A list."""

    __slots__ = ("items",)

    def __init__(self, source: Source, start: Any, end: Any) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.items: list[Node] = []

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)


class Block(Piece):
    """Keys with values, in file order."""

    __slots__ = ("keys", "values")

    def __init__(self, source: Source, start: Any, end: Any) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.keys: dict[str, Scalar] = {}
        self.values: dict[str, Node] = {}

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def get(self, key: str) -> Node | None:
        """Give the node under *key*."""
        return self.values.get(key)

    def at(self, key: str) -> Node:
        """Give the node under *key*, else this block: a place to point at."""
        return self.values.get(key, self)

    def text(self, key: str, default: str = "") -> str:
        """Read a text; nothing written is *default*."""
        node = self.values.get(key)
        if isinstance(node, Scalar) and not node.is_null:
            return node.text
        return default

    def texts(self, key: str) -> tuple[str, ...]:
        """Read a list of texts."""
        return tuple(one.text for one in self.scalars(key))

    def scalars(self, key: str) -> list[Scalar]:
        """Give the texts of a list as nodes; a text that stands alone is a list of one."""
        node = self.values.get(key)
        if isinstance(node, Scalar):
            return [node]
        if isinstance(node, Items):
            return [one for one in node.items if isinstance(one, Scalar)]
        return []

    def block(self, key: str) -> Block | None:
        """Give the block under *key*."""
        node = self.values.get(key)
        return node if isinstance(node, Block) else None

    def blocks(self, key: str) -> list[Block]:
        """Give the blocks of a list."""
        node = self.values.get(key)
        if isinstance(node, Items):
            return [one for one in node.items if isinstance(one, Block)]
        return []

    def pairs(self, key: str) -> list[tuple[Scalar, Node]]:
        """Give the keys and values of the block under *key*."""
        block = self.block(key)
        return [] if block is None else list(block.entries())

    def entries(self) -> Iterator[tuple[Scalar, Node]]:
        """Give keys and values, the keys as nodes."""
        return zip(self.keys.values(), self.values.values(), strict=True)

    def flag(self, key: str) -> bool:
        """Read `true` or `false`; nothing written is false."""
        return self.text(key) == "true"

    def number(self, key: str) -> Decimal | None:
        """Read a number."""
        text = self.text(key)
        return Decimal(text) if NUMBER.fullmatch(text) else None

    def whole(self, key: str) -> int | None:
        """Read a whole number."""
        number = self.number(key)
        return int(number) if number is not None and number == int(number) else None

    def days(self, key: str) -> int | None:
        """Read `N days`."""
        match = _DAYS.fullmatch(self.text(key))
        return int(match[1]) if match else None


Node = Scalar | Items | Block
