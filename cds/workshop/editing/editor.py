"""
What an editor asks about a folder of rules: findings, what a word means, what could follow.

Pure: a folder, the texts that are open in the editor, a position; answers as values. Lines
and columns count from one, as diagnostics print them. Which protocol carries the answers
is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final

from cds.core.clauses import Place
from cds.rulefiles.diagnostics import Diagnostic
from cds.rulefiles.fixes import Fix
from cds.rulefiles.hints import hint
from cds.rulefiles.kinds import KINDS
from cds.rulefiles.loader import Loaded, load
from cds.rulefiles.nodes import Block, Node, Scalar, Source
from cds.rulefiles.shapes import Keys
from cds.rulefiles.source import Memory
from cds.workshop.checks.checking import check_folder
from cds.workshop.editing.completing import OPERANDS, Proposal, kind_in, names_for, proposals
from cds.workshop.editing.cursor import cursor_at, shapes_at, word_at
from cds.workshop.editing.formatting import Formatted, format_source
from cds.workshop.editing.vocabulary import Term, Vocabulary
from cds.workshop.testing.trials import clause_at, trials_of

__all__ = ["Editor", "Hover", "Symbol"]

_EVERYWHERE: Final = (
    "threshold",
    *OPERANDS,
    "stages",
    "card",
    "action",
    "source",
    "group",
    "search",
    "suggestion",
    "patient",
)
_WITH_NAMES: Final = frozenset({"tests", "lines", "bands", "evidence_for", "unless", "items"})
_MOST_TRIALS: Final = 12


@dataclass(frozen=True, slots=True)
class Hover:
    """What to say about the words at *place*, in Markdown."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Symbol:
    """A part of a file: its name, what it is, where its name stands, and its last line."""

    name: str
    sort: str
    place: Place
    last: int
    of: tuple[Symbol, ...] = ()


@dataclass(frozen=True)
class _State:
    """What the folder is as of now; worked out when first asked for, then kept."""

    folder: Path
    buffers: dict[str, str]
    memory: Memory
    as_of: date
    remembered: dict[str, Block]

    @cached_property
    def loaded(self) -> Loaded:
        return load(self.folder, buffers=self.buffers, memory=self.memory)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        found = Vocabulary(self.loaded, self.remembered)
        self.remembered.update(found.roots)
        return found

    @cached_property
    def findings(self) -> tuple[Diagnostic, ...]:
        return check_folder(
            self.folder, as_of=self.as_of, buffers=self.buffers, memory=self.memory
        ).findings


class Editor:
    """
    One folder of rules with the texts that are open; paths are those of diagnostics.

    *as_of* is the day by which review dates are judged.
    """

    def __init__(self, folder: Path, *, as_of: date) -> None:
        self.folder = folder
        self.as_of = as_of
        self._buffers: dict[str, str] = {}
        self._memory = Memory()
        self._remembered: dict[str, Block] = {}
        self._state = self._anew()

    def _anew(self) -> _State:
        return _State(self.folder, dict(self._buffers), self._memory, self.as_of, self._remembered)

    # --- what is open -------------------------------------------------------------------

    def put(self, path: str, text: str) -> None:
        """Take a text in place of the file."""
        self._buffers[path] = text
        self.refresh()

    def drop(self, path: str) -> None:
        """Go back to the file as it is saved."""
        self._buffers.pop(path, None)
        self.refresh()

    def refresh(self) -> None:
        """Look at the files again: somebody else may have written one."""
        self._state = self._anew()

    def name_of(self, file: Path) -> str:
        """Say how diagnostics call a file; empty where it is none of the folder's rules."""
        if file.suffix != ".yaml" or not file.is_relative_to(self.folder):
            return ""
        return f"{self.folder.name}/{file.relative_to(self.folder).as_posix()}"

    def file_of(self, path: str) -> Path:
        """Say which file a path of diagnostics means."""
        return self.folder.parent / path

    def source(self, path: str) -> Source:
        """Give the text of a file as it is now."""
        return self._state.loaded.sources.get(path) or Source(path, self._buffers.get(path, ""))

    # --- answers ------------------------------------------------------------------------

    def findings(self) -> dict[str, list[Diagnostic]]:
        """Give every finding by file; a file without one has an empty list."""
        state = self._state
        found: dict[str, list[Diagnostic]] = {path: [] for path in state.loaded.sources}
        for one in state.findings:
            found.setdefault(one.place.path, []).append(one)
        return found

    def fixes(self, path: str, first: int, last: int) -> list[tuple[Diagnostic, Fix]]:
        """Give the fixes of what was found from one line to another."""
        return [
            (one, one.fix)
            for one in self._state.findings
            if one.fix is not None and one.place.path == path and first <= one.place.line <= last
        ]

    def formatted(self, path: str) -> Formatted:
        """Lay out a file anew."""
        return format_source(self.source(path))

    def proposals(self, path: str, line: int, column: int) -> list[Proposal]:
        """Say what could be written at a position; columns of a proposal count from zero."""
        lines = self.source(path).lines
        return proposals(lines, line - 1, column - 1, self._state.vocabulary, path)

    def definition(self, path: str, line: int, column: int) -> Place | None:
        """Say where the name at a position is declared."""
        term = self._term_at(path, line, column)
        return term.place if term is not None else None

    def hover(self, path: str, line: int, column: int) -> Hover | None:
        """Say what stands at a position, and how the tests of the rule answer a clause."""
        lines = self.source(path).lines
        text = lines[line - 1] if line <= len(lines) else ""
        start, word = word_at(text, column - 1)
        if not word:
            return None
        place = Place(path, line, start + 1, len(word))
        said = self._hint_at(lines, line, start, word)
        if not said:
            term = self._term_at(path, line, column)
            said = self._state.vocabulary.words_about(term) if term is not None else ""
            said = "\n\n".join(one for one in (said, self._trials(path, line, column)) if one)
        return Hover(place, said) if said else None

    def symbols(self, path: str) -> list[Symbol]:
        """Give the parts of a file, for an outline."""
        root = self._state.vocabulary.roots.get(path)
        return [] if root is None else list(_symbols(root, depth=2))

    # --- words --------------------------------------------------------------------------

    def _term_at(self, path: str, line: int, column: int) -> Term | None:
        lines = self.source(path).lines
        if line > len(lines):
            return None
        start, word = word_at(lines[line - 1], column - 1)
        cursor = cursor_at(lines, line - 1, start + len(word))
        vocabulary = self._state.vocabulary
        # In a case a name is what the record holds, whatever the rule calls its inputs.
        in_case = cursor.path[:1] in {("tests",), ("patients",)}
        wanted = names_for(cursor) or (("concept",) if in_case else ())
        found = vocabulary.find(word, *wanted, path=path) if wanted else None
        return found or vocabulary.find(word, *_EVERYWHERE, path=path)

    def _hint_at(self, lines: tuple[str, ...], line: int, start: int, word: str) -> str:
        """Say what a key is for, where the word is one that the format knows."""
        kind = kind_in(lines)
        cursor = cursor_at(lines, line - 1, start)
        behind = lines[line - 1][start + len(word) :]
        if not (kind and cursor.in_key and behind.startswith(":")):
            return ""
        shapes = shapes_at(KINDS[kind].shape, cursor.path)
        for shape in shapes:
            if isinstance(shape, Keys) and (word in shape.must or word in shape.may):
                return hint(shape.what, word)
        return ""

    def _trials(self, path: str, line: int, column: int) -> str:
        """Say how the cases of the rule answer the clause at a position."""
        rules = self._state.loaded.ruleset
        clause = clause_at(rules, path, line, column) if rules is not None else None
        if rules is None or clause is None:
            return ""
        found = list(trials_of(rules, clause))
        rows = [
            f"- {one.answer}: {one.case}" + (f" ({one.note})" if one.note else "")
            for one in found[:_MOST_TRIALS]
        ]
        left = len(found) - _MOST_TRIALS
        more = [f"- and {left} more"] if left > 0 else []
        return "\n".join(["In the tests:", "", *rows, *more]) if rows else ""


def _symbols(block: Block, depth: int) -> Iterator[Symbol]:
    for key, value in block.entries():
        of = tuple(_below(key.text, value, depth - 1)) if depth > 1 else ()
        yield Symbol(key.text, "key", key.place, _last(value), of)


def _below(key: str, value: Node, depth: int) -> Iterator[Symbol]:
    if isinstance(value, Block):
        yield from _symbols(value, depth)
    elif not isinstance(value, Scalar) and key in _WITH_NAMES:
        for one in value.items:
            if isinstance(one, Block):
                name = next((one.text(word) for word in ("name", "id", "label") if word in one), "")
                yield Symbol(name or key, "member", one.place, _last(one))


def _last(node: Node) -> int:
    """Give the last line of a node; YAML lets a block reach to the line below it."""
    if isinstance(node, Scalar):
        ended = node.end.column > 0 or node.end.line == node.start.line
        return int(node.end.line) + (1 if ended else 0)
    inner = list(node.values.values()) if isinstance(node, Block) else node.items
    return _last(inner[-1]) if inner else int(node.end.line) + 1
