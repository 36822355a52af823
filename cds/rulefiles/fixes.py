"""
How a finding could be mended: pieces of text to put in the place of others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds.core.clauses import Place
from cds.rulefiles.nodes import Block, Items, Node, Scalar, Source

__all__ = ["Edit", "Fix", "applied", "put", "put_at", "taken_out"]


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """
    Replace what stands between two offsets of a file's text by *text*.

    Offsets count characters from zero, as `Source.text` holds them; *end* is not included.
    """

    path: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """
    What would mend a finding, in one step.

    A *safe* fix cannot change what any patient is told; another one is a guess that its
    author must look at. With *rename* the file of the finding moves to that path.
    """

    title: str
    edits: tuple[Edit, ...] = ()
    safe: bool = True
    rename: str = ""


def put(node: Node, text: str) -> Edit:
    """Replace a whole node."""
    return Edit(node.source.path, node.start.index, node.end.index, text)


def put_at(place: Place, text: str, source: Source) -> Edit:
    """Replace the words that a place marks."""
    start = source.offset(place.line, place.column)
    return Edit(place.path, start, start + place.width, text)


def applied(text: str, edits: Iterable[Edit]) -> str:
    """Give the text with every edit made; the edits do not overlap."""
    for one in sorted(edits, reverse=True):
        text = text[: one.start] + one.text + text[one.end :]
    return text


def taken_out(parent: Block | Items, child: Node) -> Edit:
    """
    Take a member out of a list, or a key (*child*) with its value out of a block.

    In block style whole lines go, and what stands above them as comments stays.
    """
    source, text = parent.source, parent.source.text
    ends = _ends(parent)
    at = next(i for i, (begin, _) in enumerate(ends) if begin == child.start.index)
    begin, end = ends[at]
    if text[parent.start.index] in "[{":
        if at + 1 < len(ends):
            return Edit(source.path, begin, ends[at + 1][0], "")
        return Edit(source.path, ends[at - 1][1] if at else begin, end, "")
    line = text.rfind("\n", 0, begin) + 1
    before = text[line:begin]
    if isinstance(parent, Block) and before.strip() and at + 1 < len(ends):
        # The first key of a list's member: the next one takes its place behind the dash.
        return Edit(source.path, begin, ends[at + 1][0], "")
    stop = text.find("\n", end) + 1
    return Edit(source.path, line, stop or len(text), "")


def _ends(parent: Block | Items) -> list[tuple[int, int]]:
    """Give the offsets from which and to which each member reaches."""
    if isinstance(parent, Items):
        return [(one.start.index, _end(one)) for one in parent.items]
    return [(key.start.index, _end(value)) for key, value in parent.entries()]


def _end(node: Node) -> int:
    """Say where the words of a node end: YAML lets a block reach to what follows it."""
    source = node.source
    if isinstance(node, Scalar) or source.text[node.start.index] in "[{":
        written = source.text[node.start.index : node.end.index]
        return int(node.start.index) + len(written.rstrip())
    last = node.items if isinstance(node, Items) else [*node.values.values()]
    return _end(last[-1])
