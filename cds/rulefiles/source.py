"""
YAML 1.2 core, and less: files in, nodes with places out.

Anchors, aliases, tags, duplicate keys, several documents in one file, very large and
very deep files are diagnostics, not features. Nodes are built from PyYAML's events
rather than by its own `compose`: one pass without recursion, so no file can exhaust the
stack, and anchors and tags are still to be seen.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Final

import yaml

from cds.core.clauses import Place
from cds.rulefiles.diagnostics import Diagnostic, Report
from cds.rulefiles.fixes import Fix
from cds.rulefiles.nodes import Block, Items, Node, Scalar, Source

__all__ = [
    "MOST_BYTES",
    "MOST_DEPTH",
    "MOST_NODES",
    "Memory",
    "read_folder",
    "read_source",
    "signature_of",
]

MOST_BYTES: Final = 256 * 1024
MOST_DEPTH: Final = 20
MOST_NODES: Final = 10_000

_Loader: Final[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_OPEN: Final = {
    "while parsing a flow sequence": "`[`",
    "while parsing a flow mapping": "`{`",
}
_UNIT_BRACKET: Final = re.compile(r"[A-Za-z/ ]\[[A-Za-z_]+\]|/\{1\.73")


class Memory:
    """Remembers what the files of a folder read as; only what changed is read again."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[bytes, Source, Block | None, tuple[Diagnostic, ...]]] = {}

    def read(self, name: str, raw: bytes, report: Report) -> tuple[Source, Block | None]:
        """Read a file, or give what the same bytes read as before."""
        known = self._read.get(name)
        if known is None or known[0] != raw:
            own = Report()
            source, root = _read_bytes(name, raw, own)
            known = self._read[name] = (raw, source, root, own.sorted())
        report.extend(known[3])
        return known[1], known[2]


def read_folder(
    folder: Path,
    report: Report,
    *,
    buffers: Mapping[str, str] = MappingProxyType({}),
    memory: Memory | None = None,
) -> list[tuple[Source, Block | None]]:
    """
    Read every `.yaml` file below *folder*, in the order of their paths.

    A file that cannot be read as one block of keys comes without a block and leaves a
    diagnostic. *buffers* are texts not saved yet, by the path that diagnostics print:
    they count in place of the files.
    """
    memory = memory or Memory()
    found: dict[str, tuple[Source, Block | None]] = {}
    for path in sorted(folder.rglob("*.y*ml")):
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        if path.suffix != ".yaml" and not path.is_dir():
            report.add(
                "CDS107",
                Place(name, 1, 1),
                f"`{path.name}` ends in `{path.suffix}`",
                help=f"rename it to `{path.stem}.yaml`",
                fix=Fix("rename it", rename=f"{name.removesuffix(path.suffix)}.yaml"),
            )
        elif name not in buffers:
            raw = _bytes_of(path, name, report)
            if raw is None:
                found[name] = Source(name, ""), None
            else:
                found[name] = memory.read(name, raw, report)
    for name, text in buffers.items():
        found[name] = memory.read(name, text.encode(), report)
    return [found[name] for name in sorted(found, key=PurePosixPath)]


def signature_of(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Say what the files look like from outside: enough to see that something changed."""
    found = []
    for path in sorted(folder.rglob("*.y*ml")):
        try:
            about = path.stat()
        except OSError:
            continue  # gone between two looks
        found.append((str(path), about.st_size, about.st_mtime_ns))
    return tuple(found)


def _bytes_of(path: Path, name: str, report: Report) -> bytes | None:
    """Read a file that is one, and not too large; links are followed."""
    why = ""
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            why = "it is not a file"
        elif state.st_size <= MOST_BYTES:
            return path.read_bytes()
        else:
            _refuse_size(name, state.st_size, report)
            return None
    except OSError as problem:
        why = problem.strerror or "the system does not say why"
    report.add(
        "CDS101",
        Place(name, 1, 1),
        f"the file cannot be read: {why[:1].lower()}{why[1:]}",
        help="put a rule file here, or take this away",
    )
    return None


def _refuse_size(name: str, size: int, report: Report) -> None:
    report.add(
        "CDS101",
        Place(name, 1, 1),
        f"the file has {size} bytes, more than {MOST_BYTES}",
        help="split it: one rule to a file",
    )


def _read_bytes(name: str, raw: bytes, report: Report) -> tuple[Source, Block | None]:
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
        _refuse_size(source.path, size, report)
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
    opened = problem.context_mark
    if opened is not None and problem.context in _OPEN and opened.line < mark.line:
        # The reader stumbles lines later; what to mend is where it was opened.
        report.add(
            "CDS101",
            Place(source.path, opened.line + 1, opened.column + 1),
            f"this {_OPEN[problem.context]} is never closed",
            label="opened here",
            spans=[(place, "and this does not belong inside")],
            help="close it, or quote the text that begins with it",
        )
        return
    context = f"{problem.context}: " if problem.context else ""
    lines = source.lines
    line = lines[mark.line] if mark.line < len(lines) else ""
    advice = "check quotes, colons and indentation on this line and the one above"
    if "\t" in line:
        advice = "there is a tab on this line: indent with blanks"
    elif _UNIT_BRACKET.search(line):
        advice = "quote it: inside { } a plain text ends at a bracket, a brace or a comma"
    elif ": " in line[: mark.column + 2].partition(": ")[2]:
        advice = "quote it: a plain text cannot hold a colon and a blank"
    report.add("CDS101", place, f"{context}{problem.problem}", label="here", help=advice)


class _Builder:
    """Builds nodes from YAML events, with a stack of its own instead of recursion."""

    def __init__(self, source: Source, report: Report) -> None:
        self.source = source
        self.report = report
        self.root: Node | None = None
        self.refused = False
        self._stack: list[Block | Items] = []
        self._key: Scalar | None = None
        self._documents = 0

    def run(self) -> None:
        """Read events to the end of the file, or to what no file may hold."""
        steps = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        loader = _Loader(self.source.text)
        read = 0
        try:
            while not self.refused:
                event = loader.get_event()
                read += 1
                if read > MOST_NODES:
                    self._refuse_size(event)
                    return
                if self.report.is_full(self.source.path):
                    self.refused = True
                    return
                kind = type(event)
                step = steps.get(kind)
                if step is not None:
                    step(event)
                elif kind is yaml.StreamEndEvent:
                    return
        finally:
            loader.dispose()

    def _scalar(self, event: Any) -> None:
        node = Scalar(self.source, event.start_mark, event.end_mark, event.value, event.style)
        if event.anchor or event.tag:
            self._refuse_marks(event, node)
        self._place(node)

    def _alias(self, event: Any) -> None:
        node = Scalar(self.source, event.start_mark, event.end_mark, "", None)
        self.report.add(
            "CDS101",
            node,
            "aliases are not used in rule files",
            help="repeat what is meant, or quote a text that begins with `*`",
        )
        self._place(node)

    def _place(self, node: Scalar) -> None:
        here = self._stack[-1] if self._stack else None
        if isinstance(here, Block):
            key = self._key
            if key is None:
                self._take_key(here, node)
                return
            # Of a key that is written twice the first value counts.
            here.keys.setdefault(key.text, key)
            here.values.setdefault(key.text, node)
            self._key = None
        elif here is None:
            self.root = node
        else:
            here.items.append(node)

    def _take_key(self, here: Block, key: Scalar) -> None:
        self._key = key
        earlier = here.keys.get(key.text)
        if earlier is not None:
            self.report.add(
                "CDS103",
                key,
                f"`{key.text}` is written twice in this block",
                label="again",
                spans=[(earlier, "first")],
                help="keep one of the two",
            )

    def _open(self, event: Any) -> None:
        made = Block if type(event) is yaml.MappingStartEvent else Items
        node = made(self.source, event.start_mark, event.end_mark)
        if event.anchor or event.tag:
            self._refuse_marks(event, node)
        here, key = self._stack[-1] if self._stack else None, self._key
        if isinstance(here, Block):
            if key is None:
                self._refuse_key(node)
                return
            here.keys.setdefault(key.text, key)
            here.values.setdefault(key.text, node)
            self._key = None
        elif here is None:
            self.root = node
        else:
            here.items.append(node)
        self._stack.append(node)
        if len(self._stack) > MOST_DEPTH:
            self._refuse_depth(node)

    def _close(self, event: Any) -> None:
        self._stack.pop().end = event.end_mark

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self.refused = True
            mark = event.start_mark
            self.report.add(
                "CDS101",
                Place(self.source.path, mark.line + 1, mark.column + 1, 3),
                "a second document begins here",
                help="one rule to a file: move what follows into its own",
            )

    def _refuse_marks(self, event: Any, node: Node) -> None:
        word = f"&{event.anchor}" if event.anchor else str(event.tag)
        self.report.add(
            "CDS101",
            node,
            f"anchors and tags are not used in rule files: `{word}`",
            help="write the text itself, or quote it",
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

    def _refuse_size(self, event: Any) -> None:
        self.refused = True
        mark = event.start_mark
        self.report.add(
            "CDS101",
            Place(self.source.path, mark.line + 1, mark.column + 1),
            f"more than {MOST_NODES} keys, values and lists",
            label="the file is read no further",
            help="split it: one rule to a file",
        )

    def _refuse_depth(self, node: Node) -> None:
        self.refused = True
        self.report.add(
            "CDS101",
            node,
            f"more than {MOST_DEPTH} levels of blocks",
            help="name the inner condition in a file of its own (`kind: condition`)",
        )
