"""
Text of a rule file as nodes that know where they stand: YAML 1.2 core, and less.

Plain scalars stay text; whoever asks for a number or a flag decides what a scalar
means. Anchors, aliases, tags, duplicate keys, several documents in one file, very
large and very deep files are diagnostics, not features. Nodes are built from PyYAML's
events rather than by its own `compose`: one pass without recursion, so no file can
exhaust the stack, and anchors and tags are still to be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

from cds.core.rules import Place
from cds.rulefiles.diagnostics import Report

__all__ = [
    "MOST_BYTES",
    "MOST_DEPTH",
    "Block",
    "Items",
    "Node",
    "Scalar",
    "Source",
    "read_folder",
    "read_source",
]

MOST_BYTES: Final = 256 * 1024
MOST_DEPTH: Final = 20

_Loader: Final[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_BRACED: Final = re.compile(r"(?:^|[:,\[-])\s+\{\{|^\s*\{\{")
_UNIT_BRACKET: Final = re.compile(r"[A-Za-z/ ]\[[A-Za-z_]+\]|/\{1\.73")
NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?")
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


class Node:
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


class Scalar(Node):
    """A text. *quoted* tells it from a plain word, which may be read as a number."""

    __slots__ = ("style", "text")

    def __init__(
        self, source: Source, start: Any, end: Any, text: str, style: str | None
    ) -> None:
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
                return Place(
                    self.source.path, self.start.line + 1, column + first + 1, width
                )
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


class Items(Node):
    """A list."""

    __slots__ = ("items",)

    def __init__(self, source: Source, start: Any, end: Any) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.items: list[Node] = []

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)


class Block(Node):
    """
    Keys with values, in file order.

    The getters never complain: what has the wrong shape was reported when the file was
    checked against its shape, and reads as if it were not there.
    """

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


def read_folder(folder: Path, report: Report) -> list[tuple[Source, Block | None]]:
    """
    Read every `.yaml` file below *folder*, in the order of their paths.

    A file that cannot be read as one block of keys comes without a block and leaves a
    diagnostic.
    """
    found = []
    for path in sorted(folder.rglob("*.y*ml")):
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        if path.suffix != ".yaml":
            report.add(
                "CDS107",
                Place(name, 1, 1),
                f"`{path.name}` ends in `{path.suffix}`",
                help=f"rename it to `{path.stem}.yaml`",
            )
            continue
        found.append(_read_file(path, name, report))
    return found


def _read_file(path: Path, name: str, report: Report) -> tuple[Source, Block | None]:
    raw = path.read_bytes()
    try:
        source = Source(name, raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        source = Source(name, "")
        report.add(
            "CDS101",
            Place(name, 1, 1),
            "the file is not UTF-8",
            help="save it as UTF-8",
        )
        return source, None
    return source, read_source(source, report)


def read_source(source: Source, report: Report) -> Block | None:
    """Turn the text of one file into its block of keys."""
    size = len(source.text.encode())
    if size > MOST_BYTES:
        report.add(
            "CDS101",
            Place(source.path, 1, 1),
            f"the file has {size} bytes, more than {MOST_BYTES}",
            help="split it: one rule to a file",
        )
        return None
    builder = _Builder(source, report)
    try:
        builder.run()
    except yaml.MarkedYAMLError as problem:
        _report_problem(source, problem, report)
        return None
    except yaml.reader.ReaderError as problem:
        line = source.text.count("\n", 0, problem.position) + 1
        report.add(
            "CDS101",
            Place(source.path, line, 1),
            f"a character that YAML does not allow: {problem.reason}",
            help="remove it",
        )
        return None
    if builder.refused:
        return None
    root = builder.root
    if not isinstance(root, Block):
        report.add(
            "CDS101",
            Place(source.path, 1, 1),
            "the file holds no keys" if root else "the file is empty",
            help="begin with `kind:` and `id:`",
        )
        return None
    return root


def _report_problem(source: Source, problem: Any, report: Report) -> None:
    mark = problem.problem_mark or problem.context_mark
    place = Place(source.path, mark.line + 1, mark.column + 1)
    context = f"{problem.context}: " if problem.context else ""
    lines = source.lines
    line = lines[mark.line] if mark.line < len(lines) else ""
    advice = "check quotes, colons and indentation on this line and the one above"
    if _BRACED.search(line):
        advice = "quote it: a plain text cannot begin with `{{`"
    elif _UNIT_BRACKET.search(line):
        advice = "quote it: inside { } a plain text ends at a bracket, a brace or a comma"
    elif ": " in line[: mark.column + 1].partition(": ")[2]:
        advice = "quote it: a plain text cannot hold a colon and a blank"
    report.add(
        "CDS101", place, f"{context}{problem.problem}", label="here", help=advice
    )


class _Builder:
    """Builds nodes from YAML events, with a stack of its own instead of recursion."""

    def __init__(self, source: Source, report: Report) -> None:
        self.source = source
        self.report = report
        self.root: Node | None = None
        self.refused = False

    def run(self) -> None:
        """Read events to the end of the file, or to what no file may hold."""
        source = self.source
        loader = _Loader(source.text)
        get = loader.get_event
        stack: list[tuple[Block | Items, Scalar | None]] = []
        here: Block | Items | None = None
        key: Scalar | None = None
        documents = 0
        scalar_event, mapping_event = yaml.ScalarEvent, yaml.MappingStartEvent
        list_event, alias_event = yaml.SequenceStartEvent, yaml.AliasEvent
        collection_end = yaml.CollectionEndEvent
        try:
            while True:
                event = get()
                kind = type(event)
                node: Node
                if kind is scalar_event:
                    node = Scalar(
                        source,
                        event.start_mark,
                        event.end_mark,
                        event.value,
                        event.style,
                    )
                    if event.anchor or event.tag:
                        self._refuse_marks(event, node)
                    if here.__class__ is Block and key is None:
                        key = self._key(here, node)  # type: ignore[arg-type]
                        continue
                elif kind is mapping_event or kind is list_event:
                    made = Block if kind is mapping_event else Items
                    node = made(source, event.start_mark, event.end_mark)
                    if event.anchor or event.tag:
                        self._refuse_marks(event, node)
                    if here.__class__ is Block and key is None:
                        self._refuse_key(node)
                        return
                elif issubclass(kind, collection_end):
                    # A block that was opened by an event ends with this one.
                    here.end = event.end_mark  # type: ignore[union-attr]
                    here, key = stack.pop()
                    continue
                elif kind is alias_event:
                    node = Scalar(source, event.start_mark, event.end_mark, "", None)
                    self._refuse_alias(node)
                    if here.__class__ is Block and key is None:
                        key = self._key(here, node)  # type: ignore[arg-type]
                        continue
                elif kind is yaml.DocumentStartEvent:
                    documents += 1
                    if documents > 1:
                        self._refuse_document(event)
                        return
                    continue
                elif kind is yaml.StreamEndEvent:
                    return
                else:
                    continue

                if here is None:
                    self.root = node
                elif here.__class__ is Items:
                    here.items.append(node)  # type: ignore[union-attr]
                else:
                    here.keys.setdefault(key.text, key)  # type: ignore[union-attr]
                    here.values.setdefault(key.text, node)  # type: ignore[union-attr]
                    key = None
                if kind is not scalar_event and kind is not alias_event:
                    stack.append((here, key))  # type: ignore[arg-type]
                    here, key = node, None  # type: ignore[assignment]
                    if len(stack) > MOST_DEPTH:
                        self._refuse_depth(node)
                        return
        finally:
            loader.dispose()

    def _key(self, here: Block, key: Node) -> Scalar:
        assert isinstance(key, Scalar)
        earlier = here.keys.get(key.text)
        if earlier is not None:
            self.report.add(
                "CDS103",
                key,
                f"`{key.text}` is written twice in this block",
                label="again",
                notes=[f"first at {earlier.place}"],
                help="keep one of the two",
            )
        return key

    def _refuse_marks(self, event: Any, node: Node) -> None:
        word = f"&{event.anchor}" if event.anchor else str(event.tag)
        self.report.add(
            "CDS101",
            node,
            f"anchors and tags are not used in rule files: `{word}`",
            help="write the text itself, or quote it",
        )

    def _refuse_alias(self, node: Node) -> None:
        self.report.add(
            "CDS101",
            node,
            "aliases are not used in rule files",
            help="repeat what is meant, or quote a text that begins with `*`",
        )

    def _refuse_key(self, node: Node) -> None:
        self.refused = True
        line = self.source.lines[node.start.line]
        braces = line[max(node.start.column - 1, 0) :].startswith("{{")
        self.report.add(
            "CDS101",
            node,
            "`{{` opens two blocks here, not a hole" if braces else "a key must be a text",
            help="quote it" if braces else "write one word, a colon and the value",
        )

    def _refuse_document(self, event: Any) -> None:
        self.refused = True
        mark = event.start_mark
        self.report.add(
            "CDS101",
            Place(self.source.path, mark.line + 1, mark.column + 1, 3),
            "a second document begins here",
            help="one rule to a file: move what follows into its own",
        )

    def _refuse_depth(self, node: Node) -> None:
        self.refused = True
        self.report.add(
            "CDS101",
            node,
            f"more than {MOST_DEPTH} levels of blocks",
            help="name the inner condition in a file of its own (`kind: condition`)",
        )
