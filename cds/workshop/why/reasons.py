"""
Reasons as a tree of values: what was asked, what was found, what would have been needed.

The layout is plain text in columns, so that it can be read in any terminal, diffed and
kept in a page; nothing but spaces draws it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rich.cells import cell_len

from cds.core.clauses import Place

__all__ = ["Reason", "as_json", "written"]

_MARKS: Final = {"yes": "yes", "no": "no", "unknown": "?", "held": "held"}
_MARK_WIDTH: Final = 5
_STEP: Final = 2
_GAP: Final = 2
_LEAST_TEXT: Final = 24
_LEAST_NOTE: Final = 16


@dataclass(frozen=True, slots=True)
class Reason:
    """
    One thing that was asked, in the words of the file.

    *answer* is `yes`, `no`, `unknown` or `held` (a suggestion that a guard holds back);
    empty for what has none. *found* is the value with unit and date, *needed* the
    cut-off that applied, *why* the reason of an unknown answer, *then* what follows from
    the answer. A *heading* names a part of a rule: its answer is kept, but not marked. *of* are the
    reasons behind it.
    """

    text: str
    answer: str = ""
    found: str = ""
    needed: str = ""
    why: str = ""
    then: str = ""
    place: Place | None = None
    points: int | None = None
    heading: bool = False
    of: tuple[Reason, ...] = ()

    @property
    def note(self) -> str:
        """Give in one sentence what was found, needed and not known."""
        needed = f"needs {self.needed}" if self.needed and self.answer == "no" else self.needed
        known = ", ".join(one for one in (self.found, needed) if one)
        text = ": ".join(one for one in (known, self.why) if one)
        return f"{text} -> {self.then}".strip() if self.then else text


def as_json(reason: Reason) -> dict[str, Any]:
    """Give a tree of reasons as plain values; what is empty is left out."""
    place = reason.place
    found: dict[str, Any] = {
        "text": reason.text,
        "answer": reason.answer,
        "found": reason.found,
        "needed": reason.needed,
        "why": reason.why,
        "then": reason.then,
        "points": reason.points,
        "file": place.path if place is not None else "",
        "line": place.line if place is not None else None,
        "of": [as_json(one) for one in reason.of],
    }
    return {name: value for name, value in found.items() if value not in ("", None, [])}


@dataclass(frozen=True, slots=True)
class _Row:
    """One reason on its way to the page: *left* is what stands before its words."""

    left: str
    text: str
    note: str
    line: str

    @property
    def width(self) -> int:
        return cell_len(self.left) + cell_len(self.text)


def written(*reasons: Reason, width: int = 100, lines: bool = True) -> Iterator[str]:
    """
    Write trees as aligned lines, no wider than *width* where words allow it.

    With *lines* each row ends in the line of the file where it stands; a row that opens
    another file names it, and the rows below it are lines of that one.
    """
    rows = [row for reason in reasons for row in _rows(reason, 0, 0, lines=lines)]
    numbers = max((len(one.line) for one in rows), default=0)
    room = width - (numbers + _GAP if numbers else 0)
    # A heading may run on; what has a note must leave room for it.
    longest = max((one.width for one in rows if one.note), default=0)
    notes = max((cell_len(one.note) for one in rows), default=0)
    deepest = max((cell_len(one.left) for one in rows), default=0)
    # Deep trees need room for their words too, but never at the cost of every note.
    deep = min(deepest + _LEAST_TEXT, room * 2 // 3)
    column = min(longest, max(room - notes - _GAP, room * 11 // 20, deep))
    column = min(column, room - _GAP - _LEAST_NOTE)
    note_room = min(room - column - _GAP, notes)
    for row in rows:
        yield from _laid_out(row, column, note_room, room)


def _elsewhere(reason: Reason) -> str:
    """Name the file that a reason opens: the lines below it are lines of that file."""
    here = reason.place.path if reason.place is not None else ""
    paths = (one.place.path for one in reason.of if one.place is not None)
    there = next((path for path in paths if path != here), "")
    return there.rpartition("/")[2] if here else ""


def _rows(reason: Reason, indent: int, points: int, *, lines: bool) -> Iterator[_Row]:
    mark = ""
    if reason.answer and not reason.heading:
        mark = _MARKS.get(reason.answer, reason.answer).ljust(_MARK_WIDTH)
    if points:
        number = "" if reason.points is None else str(reason.points)
        mark += f"{number:>{points}}  "
    left = " " * indent + mark
    note, line = reason.note, ""
    if lines and reason.place is not None:
        line = f"line {reason.place.line}" if indent else ""
        opened = _elsewhere(reason)
        note += f"{' ' * bool(note)}[{opened}]" if opened else ""
    yield _Row(left, reason.text, note, line)
    widest = max((len(str(one.points)) for one in reason.of if one.points is not None), default=0)
    for one in reason.of:
        yield from _rows(one, len(left) + _STEP, widest, lines=lines)


def _laid_out(row: _Row, column: int, note_room: int, room: int) -> Iterator[str]:
    hanging = " " * cell_len(row.left)
    # Without a note beside it a text may take the whole line.
    text_room = (column if row.note else room) - len(hanging)
    left, texts = row.left, list(_wrapped(row.text, max(text_room, 1)))
    notes = list(_wrapped(row.note, note_room))
    line = row.line
    while texts or notes:
        text = left + (texts.pop(0) if texts else "")
        left = hanging
        # A word that is too long for its column keeps the line for itself.
        if notes and cell_len(text) <= column:
            text = _padded(text, column + _GAP) + notes.pop(0)
        if line:
            text = _padded(text, column + _GAP + note_room + _GAP) + line
            line = ""
        yield text.rstrip()


def _padded(text: str, width: int) -> str:
    """Fill with blanks up to a column, and with one at least."""
    return text + " " * max(width - cell_len(text), 1)


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Break a text between words; a word that is too long for a line stands alone."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and cell_len(longer) > width:
            yield line
            line = word
        else:
            line = longer
    if line:
        yield line
