"""
Findings that a file allows: `allow:` lines, each with its reason.

Only warnings can be allowed. A line that allows nothing is itself a finding, so that
none outlives what it was written for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from cds.rulefiles.checks import CHECKS, code_of
from cds.rulefiles.diagnostics import Diagnostic
from cds.rulefiles.fixes import Fix, taken_out
from cds.rulefiles.nodes import Block, Items, Node
from cds.workshop.checks.context import Context

__all__ = ["without_allowed"]


@dataclass(slots=True)
class _Line:
    """One `allow:` line: its check, and the lines of the file for which it speaks."""

    block: Block
    root: Block
    code: str
    stretches: tuple[tuple[int, int], ...]
    used: bool = False
    refused: list[Diagnostic] = field(default_factory=list)

    def covers(self, found: Diagnostic) -> bool:
        return (
            found.code == self.code
            and found.place.path == self.block.source.path
            and any(first <= found.place.line <= last for first, last in self.stretches)
        )


def without_allowed(
    found: Iterable[Diagnostic], context: Context, *, unsought: Collection[str] = ()
) -> tuple[Diagnostic, ...]:
    """
    Leave out the warnings that their files allow, and report what is wrong with the lines.

    Whether a line about an *unsought* check allows anything is not known in this pass.
    """
    lines = [line for root in context.roots.values() for line in _lines_of(root, context)]
    kept = []
    for one in found:
        if one.code == "CDS611":
            kept.append(one)
            continue
        covering = [line for line in lines if line.covers(one)]
        if not covering:
            kept.append(one)
        elif one.severity == "error":
            kept.append(one)
            for line in covering:
                line.refused.append(one)
        for line in covering:
            line.used = True
    for line in lines:
        if line.code not in unsought:
            _judge(line, context)
    return tuple(kept)


def _lines_of(root: Block, context: Context) -> Iterator[_Line]:
    for block in root.blocks("allow"):
        word = block.text("check")
        code = code_of(word)
        if not code:
            names = [*CHECKS, *(check.name for check in CHECKS.values())]
            context.report.missing("a check", block.at("check").place, word, names)
            continue
        at = block.text("at")
        stretches = tuple(_stretches(root, at)) if at else ((1, root.end.line + 1),)
        if not stretches:
            context.report.add(
                "CDS201",
                block.at("at"),
                f"`{at}` is nothing in this file",
                help="name an `id`, a `name`, a `label` or a key of this file",
            )
            continue
        yield _Line(block, root, code, stretches)


def _judge(line: _Line, context: Context) -> None:
    check = CHECKS[line.code]
    if line.refused:
        context.report.add(
            "CDS608",
            line.block.at("check"),
            f"`{check.name}` is an error here, and an error cannot be allowed",
            spans=[(one.place, "this one") for one in line.refused],
            help="mend what is found, or ask for another check",
        )
    elif line.code == "CDS611":
        context.report.add(
            "CDS608",
            line.block.at("check"),
            "a pending review cannot be allowed, only done",
            fix=_removal(line),
        )
    elif not line.used:
        context.report.add(
            "CDS608",
            line.block.at("check"),
            f"no `{check.name}` is found here",
            label="allows nothing",
            help="take the line out",
            fix=_removal(line),
        )


def _removal(line: _Line) -> Fix:
    """Take the line out, and the whole of `allow:` with its last."""
    items = line.root.at("allow")
    if isinstance(items, Items) and len(items.items) > 1:
        return Fix("take the line out", (taken_out(items, line.block),))
    return Fix("take `allow` out", (taken_out(line.root, line.root.keys["allow"]),))


def _stretches(node: Node, word: str) -> Iterator[tuple[int, int]]:
    """Find what *word* names below a node: blocks by id, name or label, and keys."""
    if isinstance(node, Block):
        own = {node.text(key) for key in ("id", "name", "label")}
        if word in own:
            yield node.start.line + 1, node.end.line + 1
        for key, value in node.entries():
            if key.text == word:
                yield key.start.line + 1, value.end.line + 1
            if key.text != "allow":
                yield from _stretches(value, word)
    elif isinstance(node, Items):
        for one in node.items:
            yield from _stretches(one, word)
    elif node.text == word:
        yield node.start.line + 1, node.end.line + 1
