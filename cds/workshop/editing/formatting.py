"""
Rule files laid out anew, and never with another meaning than before.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds.core.clauses import Place
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.nodes import Block, Items, Node, Scalar, Source
from cds.rulefiles.source import read_source
from cds.workshop.editing.layout import is_special, layout
from cds.workshop.editing.remarks import comments_in

__all__ = ["Formatted", "first_difference", "format_source", "is_same"]


@dataclass(frozen=True, slots=True)
class Formatted:
    """What a file would look like; *text* is None where it is left alone, for *reasons*."""

    text: str | None
    reasons: tuple[str, ...] = ()


def format_source(source: Source) -> Formatted:
    """
    Lay out a file anew.

    A file that cannot be read is left alone, and so is one whose keys, values or comments
    would not all come through.
    """
    report = Report()
    root = read_source(source, report)
    found = report.sorted()
    if root is None or any(one.severity == "error" for one in found):
        return Formatted(None, tuple(str(one) for one in found))
    text = layout(source, root)
    if text == source.text:
        return Formatted(text)
    new = Source(source.path, text)
    again = read_source(new, Report())
    if again is None or not is_same(root, again) or _words(source, root) != _words(new, again):
        return Formatted(None, (f"{source.path}: has a key or comment that cannot be laid out",))
    return Formatted(text)


def _words(source: Source, root: Block) -> list[str]:
    return sorted(one.text for one in comments_in(source, root))


def is_same(one: Node, other: Node) -> bool:
    """Tell whether two nodes hold the same; the order of keys is no difference."""
    if isinstance(one, Scalar):
        return (
            isinstance(other, Scalar)
            and one.text == other.text
            and _is_bare(one) == _is_bare(other)
        )
    if isinstance(one, Items):
        return (
            isinstance(other, Items)
            and len(one.items) == len(other.items)
            and all(map(is_same, one.items, other.items))
        )
    return (
        isinstance(other, Block)
        and one.values.keys() == other.values.keys()
        and all(is_same(node, other.values[key]) for key, node in one.values.items())
    )


def _is_bare(node: Scalar) -> bool:
    """Tell whether somebody would read this as a number, a date, a flag or nothing."""
    return not node.quoted and is_special(node.text)


def first_difference(source: Source, text: str) -> Place:
    """Say where a file begins to differ from what it should look like."""
    old, new = source.lines, text.splitlines()
    for number, (line, wanted) in enumerate(zip(old, new, strict=False), start=1):
        if line != wanted:
            return Place(source.path, number, 1, max(len(line), 1))
    return Place(source.path, max(min(len(old), len(new)), 1), 1)
