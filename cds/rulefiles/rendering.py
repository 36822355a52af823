"""
A diagnostic as its author reads it: the lines of the file, with what to look at marked.

The form is rustc's. The place itself is underlined with `^`, other places with `-`; each
label stands beside its mark, or below it where the line has several. Lines that lie apart
are parted by `...`, and other files begin with `:::`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cds.rulefiles.diagnostics import Diagnostic
from cds.rulefiles.nodes import Source

__all__ = ["render"]

_MOST_COLUMNS: Final = 160
_KEPT_BEFORE: Final = 60
_TAB: Final = 4


@dataclass(frozen=True, slots=True)
class _Mark:
    """A stretch of one line to underline, in columns from zero."""

    line: int
    start: int
    width: int
    label: str
    sign: str


def render(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> str:
    """
    Write a diagnostic in full: headline, lines with marks, notes, help and page.

    Lines are left out where *sources* does not hold the file.
    """
    by_file = _marks_by_file(diagnostic, sources)
    last = max([diagnostic.place.line, *(one.line for marks in by_file.values() for one in marks)])
    margin = " " * len(str(last))
    out = [
        f"{diagnostic.severity}[{diagnostic.code}] {diagnostic.name}: {diagnostic.headline}",
        f"{margin}--> {diagnostic.place}",
    ]
    for path, marks in by_file.items():
        if path != diagnostic.place.path:
            first = min(marks, key=lambda one: (one.line, one.start))
            out.append(f"{margin}::: {path}:{first.line}:{first.start + 1}")
        out += _block(sources[path], marks, margin)
    out += [f"{margin} = note: {note}" for note in diagnostic.notes]
    if diagnostic.help:
        out += _below(f"{margin} = help: ", diagnostic.help)
    out.append(f"{margin} = page: cds explain {diagnostic.code}")
    return "\n".join(out)


def _below(head: str, text: str) -> list[str]:
    """Write a text of several lines; those after the first stand under it."""
    first, *rest = text.split("\n")
    return [head + first, *(" " * len(head) + line for line in rest)]


def _marks_by_file(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> dict[str, list[_Mark]]:
    found: dict[str, list[_Mark]] = {}
    every = [(diagnostic.place, diagnostic.label, "^")]
    every += [(one.place, one.label, "-") for one in diagnostic.spans]
    for place, label, sign in every:
        source = sources.get(place.path)
        if source is not None and place.line <= len(source.lines):
            mark = _Mark(place.line, place.column - 1, max(place.width, 1), label, sign)
            found.setdefault(place.path, []).append(mark)
    return found


def _block(source: Source, marks: list[_Mark], margin: str) -> list[str]:
    out = [f"{margin} |"]
    lines: dict[int, list[_Mark]] = {}
    for mark in sorted(marks, key=lambda one: (one.line, one.start)):
        lines.setdefault(mark.line, []).append(mark)
    before = 0
    for number, here in lines.items():
        if before and number == before + 2:
            out.append(f"{before + 1:>{len(margin)}} | {_shown(source.lines[before])}".rstrip())
        elif before and number > before + 1:
            out.append("...")
        text, here_shown = _fitted(source.lines[number - 1], here)
        out.append(f"{number:>{len(margin)}} | {text}".rstrip())
        out += [f"{margin} | {row}".rstrip() for row in _rows(here_shown)]
        before = number
    return out


# --- one line -----------------------------------------------------------------------


def _rows(marks: list[_Mark]) -> list[str]:
    """Underline the marks of one line, and write their labels from right to left."""
    row = ""
    for mark in sorted(marks, key=lambda one: one.sign == "^"):
        end = mark.start + mark.width
        row = row.ljust(end)
        row = row[: mark.start] + mark.sign * mark.width + row[end:]
    last = max(marks, key=lambda one: one.start)
    beside = last if last.start + last.width >= len(row) else None
    if beside is not None and beside.label:
        row += f" {beside.label}"
    hanging = [one for one in marks if one is not beside and one.label]
    if not hanging:
        return [row]
    rows = [row, _stems(hanging)]
    while hanging:
        mark = hanging.pop()
        rows.append(_stems(hanging).ljust(mark.start) + mark.label)
    return rows


def _stems(marks: list[_Mark]) -> str:
    row = ""
    for mark in marks:
        row = row.ljust(mark.start) + ("|" if len(row) <= mark.start else "")
    return row


def _fitted(line: str, marks: list[_Mark]) -> tuple[str, list[_Mark]]:
    """Give a line as a terminal shows it, cut around what is marked, with its marks."""
    columns = [0]
    for char in line:
        columns.append(columns[-1] + _width(char))
    columns += [columns[-1] + extra for extra in range(1, 3)]
    shown = _shown(line)

    def column(at: int) -> int:
        return columns[min(at, len(columns) - 1)]

    placed = [
        _Mark(
            one.line,
            column(one.start),
            max(column(min(one.start + one.width, len(line))) - column(one.start), 1),
            one.label,
            one.sign,
        )
        for one in marks
    ]
    if columns[-1] <= _MOST_COLUMNS:
        return shown, placed
    # A line of a whole page is cut to what surrounds the first mark.
    left = max(min(one.start for one in placed) - _KEPT_BEFORE, 0)
    left = line_start = min(left, max(len(shown) - 1, 0))
    kept = shown[line_start : line_start + _MOST_COLUMNS]
    head, tail = "…" if left else "", "…" if line_start + _MOST_COLUMNS < len(shown) else ""
    moved = [
        _Mark(
            one.line,
            min(one.start - left, _MOST_COLUMNS) + len(head),
            min(one.width, max(_MOST_COLUMNS - (one.start - left), 1)),
            one.label,
            one.sign,
        )
        for one in placed
    ]
    return head + kept + tail, moved


def _shown(line: str) -> str:
    return "".join(_seen(char) for char in line)


def _seen(char: str) -> str:
    """Give a character so that it can be seen and does not move the marks."""
    if char == "\t":
        return " " * _TAB
    return "\ufffd" if unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs"} else char


def _width(char: str) -> int:
    if char == "\t":
        return _TAB
    if char < "\x7f":
        return 1
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
