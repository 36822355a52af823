"""
The one layout of rule files.

What is printed follows from the nodes, the comments and the blank lines alone, so that
printing twice changes nothing. An author decides where a blank line stands and whether a
short list or block is written in brackets; the rest is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cds.rulefiles.nodes import Block, Items, Node, Scalar, Source
from cds.workshop.editing.remarks import Remark, Remarks, is_flow, remarks_of

__all__ = ["WIDTH", "is_special", "layout", "written_inline"]

WIDTH: Final = 120
"""Columns; what does not fit is broken."""

_SHORT: Final = 32
"""Columns of a word of a list, of which several stand in a line."""

_SHORT_PAIR: Final = 48
"""Columns of a key with its value, of which several stand in a line."""

_HEADER: Final = (
    "kind",
    "id",
    "title",
    "extends",
    "rules",
    "version",
    "status",
    "replaced_by",
    "because",
)
_ORDER: Final = {
    **{key: rank for rank, key in enumerate((*_HEADER, "about", "upkeep"))},
    "patients": 200,
    "tests": 201,
}
_LOGIC: Final = 100
_INNER: Final = {
    "about": ("purpose", "explanation", "limits", "evidence"),
    "upkeep": ("owner", "authors", "clinical_review", "reviewers", "reviewed", "review_by"),
}
_DRAWERS: Final = frozenset({"about", "thresholds", "readings", "patients", "tests"})

_WORD = r"[\w<$(+.][^,\[\]{}\"'#:\t\n]*(?<! )"
_LIST = rf"\[{_WORD}(?:, {_WORD})*\]"
_PAIRS = rf"\{{{_WORD}: {_WORD}(?:, {_WORD}: {_WORD})*\}}"
_VALUE = rf"(?:{_LIST}|{_PAIRS}|{_WORD})"
_TIDY: Final = re.compile(
    rf"\[{_VALUE}(?:, {_VALUE})*\]|\{{{_WORD}: {_VALUE}(?:, {_WORD}: {_VALUE})*\}}"
)
"""Brackets that stand as they would be printed: the common case, told at once."""

_ELSE: Final = re.compile(
    r"(?i)yes|no|on|off|y|n|true|false|null|~|=|<<"
    r"|[+-]?(?:[\d_.,]+(?:e[+-]?\d+)?|0[xob][\da-f_]+|\.inf|\.nan)"
    r"|\d+(?::\d+)+|\d{4}-\d\d?-\d\d?.*"
)
"""Words that somebody would read as a number, a date, a flag or nothing."""

_FIRST = r"(?:[^\s,\[\]{}#&*!|>'\"%@`?:-]|[?-](?=[^\s,\[\]{}]))"
_REST = r"(?:[^:#\s]|:(?=\S)|(?<=\S)#|(?<=\S) (?=[^\s#]))*"
_PLAIN: Final = re.compile(_FIRST + _REST)
_BRACKETED: Final = re.compile(r"[,\[\]{}?]")
_UNPRINTABLE: Final = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_FOLDABLE: Final = re.compile(r"\S+(?: \S+)+")


def layout(source: Source, root: Block) -> str:
    """Print a file anew."""
    return "\n".join(_Printer(source, root).lines()) + "\n"


# --- texts ------------------------------------------------------------------------------


def written_inline(text: str, *, bracketed: bool) -> str:
    """Write a text in one line: plain where that reads as the same text, else quoted."""
    if (
        _PLAIN.fullmatch(text)
        and not text.startswith(("---", "..."))
        and not text.endswith(":")
        and not (bracketed and _BRACKETED.search(text))
        and not _ELSE.fullmatch(text)
        and not _UNPRINTABLE.search(text)
    ):
        return text
    single = not ("\n" in text or "\t" in text or _UNPRINTABLE.search(text))
    if single and ('"' in text or "\\" in text):
        return "'" + text.replace("'", "''") + "'"
    inner = re.sub(r'["\\\n\t]', lambda match: _ESCAPES[match[0]], text)
    return '"' + _UNPRINTABLE.sub(_escaped, inner) + '"'


def is_special(text: str) -> bool:
    """Tell whether a plain text would be read as a number, a date, a flag or nothing."""
    return not text or _ELSE.fullmatch(text) is not None


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - a byte


def _inline(node: Scalar, *, bracketed: bool) -> str:
    if not node.style and node.start.line == node.end.line and "\n" not in node.text:
        return node.text
    return written_inline(node.text, bracketed=bracketed)


def _folded(text: str, indent: int) -> Iterator[str]:
    """Give the lines of a text, filled to the width."""
    margin = " " * indent
    line = ""
    for word in text.split(" "):
        if line and indent + len(line) + 1 + len(word) > WIDTH:
            yield margin + line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield margin + line


def _bracketed(node: Node) -> str:
    """Write a node in one line, inside brackets."""
    if isinstance(node, Scalar):
        return _inline(node, bracketed=True)
    if is_flow(node) and node.start.line == node.end.line:
        line: str = node.source.lines[node.start.line][node.start.column : node.end.column]
        if "  " not in line and _TIDY.fullmatch(line):
            return line
    if isinstance(node, Items):
        return "[" + ", ".join(_bracketed(one) for one in node.items) + "]"
    pairs = (
        f"{_inline(key, bracketed=True)}: {_bracketed(value)}" for key, value in node.entries()
    )
    return "{" + ", ".join(pairs) + "}"


# --- blocks -----------------------------------------------------------------------------


class _Printer:
    """Prints one file."""

    def __init__(self, source: Source, root: Block) -> None:
        self.source = source
        self.root = root
        self.remarks: Remarks = remarks_of(source, root)
        self.out: list[str] = []

    def lines(self) -> list[str]:
        """Give the lines of the whole file."""
        for one in self.remarks.head:
            self._remark(one, 0)
        previous = ""
        for key, value in self._ordered(self.root, None):
            drawer = self._opens_drawer(key.text, previous)
            self._entry(key, value, 0, first=not self.out, drawer=drawer)
            previous = key.text
        self._close(self.root, 0)
        return self.out

    def _opens_drawer(self, key: str, previous: str) -> bool:
        """Tell whether a blank line belongs above this key of the file."""
        if key in _DRAWERS:
            return True
        if key == "upkeep":
            return previous == "about"
        return previous in {"about", "upkeep"} and key not in _ORDER

    def _ordered(self, block: Block, key: str | None) -> list[tuple[Scalar, Node]]:
        entries = list(block.entries())
        if key is None:
            ranks = [_ORDER.get(one.text, _LOGIC) for one, _ in entries]
        else:
            known = _INNER[key]
            ranks = [
                known.index(one.text) if one.text in known else len(known) for one, _ in entries
            ]
        if ranks == sorted(ranks):
            return entries
        return [entries[at] for at in sorted(range(len(entries)), key=ranks.__getitem__)]

    # --- comments and blank lines -------------------------------------------------------

    def _remark(self, one: Remark, indent: int) -> None:
        if one.apart and self.out and self.out[-1]:
            self.out.append("")
        self.out.append(" " * indent + one.text)

    def _above(self, at: Node, indent: int, *, first: bool, drawer: bool) -> None:
        """Print the blank line and the comments above an entry."""
        out, remarks = self.out, self.remarks.above.get(id(at), ())
        top = first
        for one in remarks:
            wanted = (one.apart and not top) or drawer
            if wanted and out and out[-1]:
                out.append("")
            out.append(" " * indent + one.text)
            drawer = top = False
        line = at.start.line
        apart = line > 0 and not self.source.lines[line - 1].strip() and not top
        if (apart or drawer) and out and out[-1]:
            out.append("")

    def _close(self, node: Block | Items, indent: int) -> None:
        for one in self.remarks.closing.get(id(node), ()):
            self._remark(one, indent)

    def _beside(self, at: Node) -> str:
        one = self.remarks.beside.get(id(at))
        return f"  {one.text}" if one else ""

    # --- entries ------------------------------------------------------------------------

    def _block(self, block: Block, indent: int, key: str = "") -> None:
        entries = self._ordered(block, key) if key in _INNER else block.entries()
        first = True
        for one, value in entries:
            self._entry(one, value, indent, first=first)
            first = False
        self._close(block, indent)

    def _items(self, items: Items, indent: int) -> None:
        first = True
        for one in items.items:
            self._above(one, indent, first=first, drawer=False)
            first = False
            beside = self._beside(one)
            if (
                beside
                and not isinstance(one, Scalar)
                and self._is_open(one, indent + 2, member=True)
            ):
                self.out.append(" " * indent + beside.lstrip())
            begun = len(self.out)
            self._member(one, indent)
            # What stands below the dash moves up to it.
            self.out[begun] = " " * indent + "- " + self.out[begun][indent + 2 :]
            self.out[begun] = self.out[begun].rstrip()
        self._close(items, indent)

    def _member(self, node: Node, indent: int) -> None:
        beside = self._beside(node)
        if isinstance(node, Scalar):
            self._text("", node, indent, indent + 2, beside)
        elif self._is_open(node, indent + 2, member=True):
            self._open(node, indent + 2)
        else:
            self._broken("", node, indent + 2, beside)

    def _entry(
        self, key: Scalar, value: Node, indent: int, *, first: bool, drawer: bool = False
    ) -> None:
        self._above(key, indent, first=first, drawer=drawer)
        beside = self._beside(key)
        lead = _inline(key, bracketed=False) + ":"
        if isinstance(value, Scalar):
            self._text(lead, value, indent, indent, beside)
        elif self._is_open(value, indent + len(lead) + 1):
            self.out.append(" " * indent + lead + beside)
            self._open(value, indent + 2, key.text if not indent else "")
        else:
            self._broken(lead, value, indent, beside)

    def _is_open(self, node: Block | Items, column: int, *, member: bool = False) -> bool:
        """Tell whether a list or block has lines of its own."""
        if not is_flow(node):
            return True
        if id(node) in self.remarks.opened:
            return bool(node.values if isinstance(node, Block) else node.items)
        filled = _is_filled(node) and not (member and isinstance(node, Block))
        return not filled and column + len(_bracketed(node)) > WIDTH

    def _open(self, node: Block | Items, indent: int, key: str = "") -> None:
        if isinstance(node, Block):
            self._block(node, indent, key)
        else:
            self._items(node, indent)

    def _broken(self, lead: str, node: Block | Items, column: int, beside: str) -> None:
        """Print brackets: in one line, or as lines that are filled with short words."""
        line = _bracketed(node)
        start = " " * column + (lead + " " if lead else "")
        if len(start) + len(line) <= WIDTH or not _is_filled(node):
            self.out.append(start + line + beside)
        else:
            self.out.append(start + line[0])
            self.out += _filled(node, column + 2)
            self.out.append(" " * column + line[-1] + beside)
        self._close(node, column)

    def _text(self, lead: str, node: Scalar, indent: int, column: int, beside: str) -> None:
        text = node.text
        start = " " * column + lead
        if node.is_null:
            self.out.append((start + (" " + text if text else "") + beside).rstrip())
            return
        gap = " " if lead else ""
        inner = indent + 2
        if "\n" in text:
            if _is_literal(text):
                mark = "|" if text.endswith("\n") else "|-"
                self.out.append(f"{start}{gap}{mark}{beside}")
                self.out += [
                    " " * inner + line if line else "" for line in text.rstrip("\n").split("\n")
                ]
                return
        else:
            line = _inline(node, bracketed=False)
            fits = len(start) + len(gap) + len(line) <= WIDTH
            if fits or not _is_foldable(text):
                self.out.append(f"{start}{gap}{line}{beside}")
                return
            self.out.append(f"{start}{gap}>-{beside}")
            self.out += _folded(text, inner)
            return
        self.out.append(f"{start}{gap}{_inline(node, bracketed=False)}{beside}")


def _is_foldable(text: str) -> bool:
    return _FOLDABLE.fullmatch(text) is not None and not _UNPRINTABLE.search(text)


def _is_literal(text: str) -> bool:
    lines = text.split("\n")
    return (
        not _UNPRINTABLE.search(text)
        and "\t" not in text
        and not text.endswith("\n\n")
        and bool(lines[0])
        and not lines[0].startswith(" ")
        and all(line == line.rstrip() for line in lines)
    )


def _is_filled(node: Block | Items) -> bool:
    """Tell whether a list or block is one of short words, of which several stand in a line."""
    if isinstance(node, Items):
        return all(isinstance(one, Scalar) and _is_short(one, _SHORT) for one in node.items)
    return all(
        isinstance(one, Scalar) and _is_short(one, _SHORT_PAIR - len(key.text) - 2)
        for key, one in node.entries()
    )


def _is_short(node: Scalar, most: int) -> bool:
    return len(node.text) <= most and "\n" not in node.text


def _filled(node: Block | Items, indent: int) -> Iterator[str]:
    """Give the lines of what is filled."""
    if isinstance(node, Items):
        words = [_bracketed(one) for one in node.items]
    else:
        words = [
            f"{_inline(key, bracketed=True)}: {_bracketed(value)}" for key, value in node.entries()
        ]
    margin = " " * indent
    line = ""
    for at, word in enumerate(words):
        piece = word + ("," if at + 1 < len(words) else "")
        if line and indent + len(line) + 1 + len(piece) > WIDTH:
            yield margin + line
            line = piece
        else:
            line = f"{line} {piece}" if line else piece
    yield margin + line
