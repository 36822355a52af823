"""
The comments of a rule file, and what each stands with.

YAML's events leave comments out, so they are found in the lines. A comment on a line of
its own belongs to the entry below it, or closes the block that it is indented with; one
behind an entry belongs to that entry.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from cds.rulefiles.nodes import Block, Items, Node, Piece, Scalar, Source

__all__ = ["Remark", "Remarks", "comments_in", "is_flow", "remarks_of"]

_COMMENT: Final = re.compile(r"(?:^|(?<=[ \t]))#")
_ONLY_MARKS: Final = re.compile(r"(?:\s*(?:-|---|\.\.\.))*\s*")
_DASHES: Final = re.compile(r"[\s-]*")


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment; *apart* when a blank line stands above it."""

    line: int
    column: int
    text: str
    apart: bool = False
    alone: bool = True


@dataclass(slots=True)
class Remarks:
    """
    Comments by what they stand with.

    An entry is known by its key, or by the node that is a member of a list. *opened* are
    the lists and blocks in brackets that hold a comment, and so need lines.
    """

    head: list[Remark] = field(default_factory=list)
    above: dict[int, list[Remark]] = field(default_factory=dict)
    beside: dict[int, Remark] = field(default_factory=dict)
    closing: dict[int, list[Remark]] = field(default_factory=dict)
    opened: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Holder:
    """A list or block that has lines of its own."""

    node: Block | Items
    column: int
    outer: _Holder | None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key with its value, or a member of a list."""

    at: Scalar | Node
    value: Node
    holder: _Holder


def is_flow(node: Block | Items) -> bool:
    """Tell whether a list or block was written in brackets."""
    lines = node.source.lines
    line, column = node.start.line, node.start.column
    return line < len(lines) and lines[line][column : column + 1] in {"{", "["}


def remarks_of(source: Source, root: Block) -> Remarks:
    """Find every comment of a file and what it stands with."""
    found = Remarks()
    if "#" not in source.text:
        return found
    comments = list(comments_in(source, root))
    if all(one.line < root.start.line for one in comments):
        found.head = comments
    else:
        _Attaching(source, root, found).run(comments)
    return found


def comments_in(source: Source, root: Block) -> Iterator[Remark]:
    """Find the comments of a file, in the order of its lines."""
    spans: list[tuple[tuple[int, int], tuple[int, int]]] | None = None
    lines = source.lines
    for number, line in enumerate(lines):
        if "#" not in line:
            continue
        # Most files have a comment at their head and no other: no text stands there.
        if spans is None and number >= root.start.line:
            spans = sorted(_spans_in(root))
        for match in _COMMENT.finditer(line):
            column = match.start()
            if not _is_inside((number, column), spans or []):
                before = line[:column]
                yield Remark(
                    number,
                    column,
                    line[column:].rstrip(),
                    apart=number > 0 and not lines[number - 1].strip(),
                    alone=_ONLY_MARKS.fullmatch(before) is not None,
                )
                break


def _is_inside(
    place: tuple[int, int], spans: list[tuple[tuple[int, int], tuple[int, int]]]
) -> bool:
    at = bisect_right(spans, (place, (1 << 60, 0)))
    return at > 0 and place < spans[at - 1][1]


def _spans_in(node: Node) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Give from where to where the texts stand in which `#` may be a character."""
    if isinstance(node, Scalar):
        if node.style in {"|", ">"}:
            # A comment behind the mark of a block of text is none of its characters.
            yield (node.start.line + 1, 0), _mark(node.end)
        elif node.style:
            yield _mark(node.start), _mark(node.end)
    elif isinstance(node, Block):
        for key, value in node.entries():
            yield from _spans_in(key)
            yield from _spans_in(value)
    else:
        for one in node.items:
            yield from _spans_in(one)


def _mark(mark: object) -> tuple[int, int]:
    return mark.line, mark.column  # type: ignore[attr-defined]


class _Attaching:
    """Decides for every comment of one file what it stands with."""

    def __init__(self, source: Source, root: Block, found: Remarks) -> None:
        self.source = source
        self.root = root
        self.found = found
        self.entries: list[_Entry] = []
        self.members: dict[int, _Entry] = {}

    def run(self, comments: list[Remark]) -> None:
        """Attach them all."""
        self._open(self.root, comments)
        self._walk(self.root, None)
        first = self.entries[0] if self.entries else None
        for one in comments:
            if first is None or _mark(first.at.start) > (one.line, one.column):
                self.found.head.append(one)
            elif one.alone:
                self._attach_line(one)
            else:
                self._attach_beside(one)

    def _open(self, node: Node, comments: list[Remark]) -> bool:
        """Note the brackets that a comment stands in; tell whether these are such."""
        if isinstance(node, Scalar):
            return False
        inner = list(node.values.values()) if isinstance(node, Block) else node.items
        within = False
        for one in inner:
            within = self._open(one, comments) or within
        if not is_flow(node):
            return False
        start, end = _mark(node.start), _mark(node.end)
        within = within or any(start < (one.line, one.column) < end for one in comments)
        if within:
            self.found.opened.add(id(node))
        return within

    def _walk(self, node: Node, outer: _Holder | None) -> None:
        if isinstance(node, Scalar):
            return
        if is_flow(node) and id(node) not in self.found.opened:
            return
        column = node.start.column
        if outer is not None and (is_flow(node) or column <= outer.column):
            column = outer.column + 1
        holder = _Holder(node, column, outer)
        if isinstance(node, Block):
            for key, value in node.entries():
                self.entries.append(_Entry(key, value, holder))
                self._walk(value, holder)
        else:
            for one in node.items:
                self.members[id(one)] = _Entry(one, one, holder)
                self.entries.append(self.members[id(one)])
                self._walk(one, holder)

    def _attach_line(self, one: Remark) -> None:
        """Attach a comment that has a line of its own."""
        place = (one.line, one.column)
        at = self._last_before(place)
        last = self.entries[at]
        if isinstance(last.value, Scalar) and place < _mark(last.value.end):
            self._put_above(last, one)
            return
        bracket = self._bracket_around(last, place)
        after = self.entries[at + 1] if at + 1 < len(self.entries) else None
        if bracket is not None and (after is None or _mark(after.at.start) > _mark(bracket.end)):
            self.found.closing.setdefault(id(bracket), []).append(one)
            return
        dashed = _DASHES.fullmatch(self.source.lines[one.line][: one.column])
        is_behind_dash = bool(dashed and dashed[0].strip())
        if after is not None and (is_behind_dash or one.column <= after.holder.column):
            self._put_above(after, one)
            return
        below = after.holder if after is not None else None
        holder = self._holder_for(one.column, last, below)
        if holder is not None:
            self.found.closing.setdefault(id(holder.node), []).append(one)
        elif after is not None:
            self._put_above(after, one)
        else:
            self.found.closing.setdefault(id(self.root), []).append(one)

    def _attach_beside(self, one: Remark) -> None:
        """Attach a comment that stands behind something; an entry has room for one."""
        last = self.entries[self._last_before((one.line, one.column))]
        earlier = self.found.beside.get(id(last.at))
        if earlier is not None:
            self._put_above(last, earlier)
        self.found.beside[id(last.at)] = one

    def _put_above(self, entry: _Entry, one: Remark) -> None:
        """Attach above an entry; above a dash, where the entry stands behind one."""
        while entry.at is _first_of(entry.holder.node):
            outer = self.members.get(id(entry.holder.node))
            if outer is None:
                break
            entry = outer
        self.found.above.setdefault(id(entry.at), []).append(one)

    def _last_before(self, place: tuple[int, int]) -> int:
        starts = [_mark(entry.at.start) for entry in self.entries]
        return bisect_right(starts, place) - 1

    def _bracket_around(self, entry: _Entry, place: tuple[int, int]) -> Piece | None:
        """Give the innermost opened brackets that the place is in."""
        holders = [*self._inside(entry), *_chain(entry.holder)]
        for holder in holders:
            node = holder.node
            if id(node) in self.found.opened and _mark(node.start) < place < _mark(node.end):
                return node
        return None

    def _inside(self, entry: _Entry) -> Iterator[_Holder]:
        if not isinstance(entry.value, Scalar) and id(entry.value) in self.found.opened:
            yield _Holder(entry.value, entry.holder.column + 1, entry.holder)

    def _holder_for(self, column: int, last: _Entry, below: _Holder | None) -> _Holder | None:
        """Give the deepest block that ends here and is not indented more than the comment."""
        still_open = set() if below is None else {id(one.node) for one in _chain(below)}
        for holder in _chain(last.holder):
            if id(holder.node) in still_open:
                return None
            if holder.column <= column:
                return holder
        return None


def _first_of(node: Block | Items) -> Node:
    return next(iter(node.keys.values() if isinstance(node, Block) else node.items))


def _chain(holder: _Holder | None) -> Iterator[_Holder]:
    while holder is not None:
        yield holder
        holder = holder.outer
