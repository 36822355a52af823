"""
What could be written next: keys, names, thresholds, words of a clause, fixed words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cds.rulefiles.checks import CHECKS
from cds.rulefiles.conditions import JOINERS
from cds.rulefiles.hints import hint
from cds.rulefiles.kinds import KINDS
from cds.rulefiles.nodes import Block
from cds.rulefiles.shapes import Grammar, Keys, Named, Pattern, Shape, Text
from cds.workshop.editing.cursor import ITEM, Cursor, cursor_at, keys_beside, shapes_at
from cds.workshop.editing.vocabulary import Term, Vocabulary, cut_off

__all__ = ["OPERANDS", "Proposal", "kind_in", "names_for", "proposals"]

OPERANDS: Final = ("reading", "input", "named", "concept", "index", "condition", "factor")
"""What can begin a clause."""

_BY_KEY: Final[dict[str, tuple[str, ...]]] = {
    "cite": ("source",),
    "action": ("action",),
    "use": ("patient",),
    "group": ("group",),
    "concept": ("concept",),
    "index": ("index",),
    "reading": ("reading",),
    "instead": ("suggestion",),
    "offers": ("suggestion",),
    "drivers": ("factor",),
    "appended_to": ("card",),
    "search": ("search",),
    "result": ("concept",),
    "cancel": ("concept",),
    "draft": ("concept",),
    "never_cancel": ("concept",),
    "fasting_with": ("concept",),
    "begins": ("concept",),
    "ends": ("concept",),
    "count days of": ("concept",),
    "highest of": ("concept",),
    "mean of": ("concept",),
    "lowest of": ("concept",),
    "first of": ("concept",),
    "last end of": ("concept",),
    "same_collection_as": ("input",),
    "from": ("threshold",),
    "below": ("threshold",),
    "inputs": ("concept", "index", "reading"),
    "first_of": ("index", "concept"),
    "highest_known_of": ("index", "concept"),
    "counts_once": ("evidence",),
}
_PATIENT: Final = frozenset({"given", "but"})
_PERSON: Final = ("age", "sex", "group", "history", "not_sent", "not_complete")
_COMPARISONS: Final = (">= ", "> ", "<= ", "< ", "from ")
_KNOWN: Final = ("is known", "is unknown")
_LISTED: Final = (
    "is present",
    "is absent",
    "is on record",
    "is not on record",
    "is ordered",
    "is newly ordered",
    "was received within ",
)
_BEGINNINGS: Final = (
    "any of [",
    "none of [",
    "all of [",
    "some result was not used because of [",
    "the ",
    "card ",
    "stage is ",
    "sex is ",
    "age ",
)
_VALUE: Final = re.compile(
    r"(?:>=|<=|>|<|\bfrom|\bbelow|(?<!\bis )\bat least|\bat most|\babove) +(\w*)$"
)
_LISTING: Final = re.compile(r"\b(?:any|none|all|some result) of \[(?:[^\]]*[, ])?(\w*)$")
_WITHIN: Final = re.compile(r"(?:>=|<=|>|<|\bbelow) +\S+(?: \S+)? +(\w*)$")
_IS: Final = re.compile(r"(\w+) is (?:one of \[(?:[^\]]*[, ])?|at least )?([\w+?()]*)$")
_AFTER: Final = re.compile(r"(\w+) +((?:is |was )?[\w ]*|[<>]=?)$")
_FIRST: Final = re.compile(r"(\w*)$")
_KIND: Final = re.compile(r"kind: *(\w+)")


@dataclass(frozen=True, slots=True)
class Proposal:
    """
    Something that could be written in place of the columns from *start* to *end*.

    *sort* is what it is: `key`, `word`, or the kind of the thing it names.
    """

    text: str
    sort: str
    start: int
    end: int
    detail: str = ""
    about: str = ""


def kind_in(lines: Sequence[str]) -> str:
    """Read what kind of file this is; empty where it does not say."""
    found = (match[1] for line in lines if (match := _KIND.match(line)))
    kind = next(found, "")
    return kind if kind in KINDS else ""


def names_for(cursor: Cursor) -> tuple[str, ...]:
    """Say names of what sort of things stand at a position; empty for any."""
    if cursor.key == "of":
        return ("input",) if "same_draw" in cursor.path else ("concept",)
    return _BY_KEY.get(cursor.key, ())


def proposals(
    lines: Sequence[str], line: int, column: int, vocabulary: Vocabulary, path: str
) -> list[Proposal]:
    """Say what could be written at a position; *line* and *column* count from zero."""
    cursor = cursor_at(lines, line, column)
    asked = _Asked(lines, line, column, cursor, vocabulary, path)
    found = list(dict.fromkeys(asked.all()))
    return [one for one in found if one.text.strip() != asked.text_of(one).strip() or one.about]


class _Asked:
    """One question: what could stand here?"""

    def __init__(
        self,
        lines: Sequence[str],
        line: int,
        column: int,
        cursor: Cursor,
        vocabulary: Vocabulary,
        path: str,
    ) -> None:
        self.lines = lines
        self.line = line
        self.column = column
        self.cursor = cursor
        self.vocabulary = vocabulary
        self.path = path
        self.kind = kind_in(lines)

    def text_of(self, one: Proposal) -> str:
        """Give what the proposal would replace."""
        return self.lines[self.line][one.start : one.end] if self.line < len(self.lines) else ""

    def all(self) -> Iterator[Proposal]:
        """Give every proposal."""
        cursor = self.cursor
        if cursor.path == ("kind",):
            yield from self._words(KINDS)
        elif not self.kind:
            if cursor.in_key and not cursor.path:
                yield self._proposal("kind: ", "key", hint("", "kind"))
        else:
            shapes = shapes_at(KINDS[self.kind].shape, cursor.path)
            if cursor.in_key:
                for shape in shapes:
                    yield from self._keys(shape)
            if not cursor.in_key or cursor.path[-1:] == (ITEM,):
                yield from self._values(shapes)

    def _proposal(
        self, text: str, sort: str, detail: str = "", typed: str | None = None, about: str = ""
    ) -> Proposal:
        width = len(self.cursor.typed if typed is None else typed)
        return Proposal(text, sort, self.column - width, self.column, detail, about)

    # --- keys ---------------------------------------------------------------------------

    def _keys(self, shape: Shape) -> Iterator[Proposal]:
        start = self.column - len(self.cursor.typed)
        there = keys_beside(self.lines, self.line, start)
        if isinstance(shape, Keys):
            for key in (*shape.must, *shape.may):
                if key not in there:
                    needed = "needed. " if key in shape.must else ""
                    yield self._proposal(f"{key}: ", "key", needed + hint(shape.what, key))
        elif isinstance(shape, Grammar) and shape.name == "condition":
            if " " not in self.cursor.typed:
                for key in JOINERS:
                    yield self._proposal(f"{key}: ", "key", "joins conditions")
        elif isinstance(shape, Grammar):
            for key in ("value", "pair", "male", "female", "cite", "or_own", "localisable"):
                if key not in there:
                    yield self._proposal(f"{key}: ", "key")
        elif isinstance(shape, Named) and self._is_patient():
            for key in _PERSON:
                yield self._proposal(f"{key}: ", "word")
            for term in self.vocabulary.of("concept"):
                yield self._named(term, self.cursor.typed, ": ")

    def _is_patient(self) -> bool:
        path = self.cursor.path
        return path[-1:] != (ITEM,) and (
            self.cursor.key in _PATIENT or (len(path) > 1 and path[-2] == "patients")
        )

    # --- values -------------------------------------------------------------------------

    def _values(self, shapes: Sequence[Shape]) -> Iterator[Proposal]:
        for kind in names_for(self.cursor):
            for term in self.vocabulary.of(kind, path=self.path):
                yield self._named(term, self.cursor.typed)
        if self.cursor.key == "check":
            yield from self._words(one.name for one in CHECKS.values())
        for shape in shapes:
            if isinstance(shape, Text):
                yield from self._words(shape.choices)
            elif isinstance(shape, Pattern) and shape.type == "boolean":
                yield from self._words(("true", "false"))
            elif isinstance(shape, Grammar) and shape.name == "condition":
                yield from self._clause(self.cursor.typed)

    def _words(self, words: object) -> Iterator[Proposal]:
        for word in words:  # type: ignore[attr-defined]
            yield self._proposal(word, "word")

    def _named(self, term: Term, typed: str, behind: str = "") -> Proposal:
        detail = cut_off(term.node) if term.kind == "threshold" else term.title
        about = self.vocabulary.words_about(term)
        return self._proposal(term.id + behind, term.kind, detail, typed, about)

    # --- clauses ------------------------------------------------------------------------

    def _clause(self, typed: str) -> Iterator[Proposal]:
        """Say how a clause could go on."""
        ways: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterator[Proposal]]], ...] = (
            (_LISTING, self._of_list),
            (_VALUE, self._of_value),
            (_WITHIN, self._of_window),
            (_IS, self._of_answer),
            (_AFTER, self._of_question),
            (_FIRST, self._of_beginning),
        )
        for pattern, propose in ways:
            match = pattern.search(typed)
            if match is not None and (pattern is not _FIRST or match.start() == 0):
                found = list(propose(match))
                yield from found
                if found:
                    return

    def _operands(self, typed: str) -> Iterator[Proposal]:
        for term in self.vocabulary.of(*OPERANDS, path=self.path):
            yield self._named(term, typed)

    def _of_list(self, match: re.Match[str]) -> Iterator[Proposal]:
        yield from self._operands(match[1])

    def _of_value(self, match: re.Match[str]) -> Iterator[Proposal]:
        for term in self.vocabulary.of("threshold", path=self.path):
            yield self._named(term, match[1])

    def _of_window(self, match: re.Match[str]) -> Iterator[Proposal]:
        for text in ("within ", "below "):
            yield self._proposal(text, "word", typed=match[1])

    def _of_answer(self, match: re.Match[str]) -> Iterator[Proposal]:
        name, typed = match[1], match[2]
        for word in self._words_of(name):
            yield self._proposal(word, "word", typed=typed)
        if " one of [" not in match[0] and " at least " not in match[0]:
            for text in self._questions(name):
                if text.startswith("is "):
                    yield self._proposal(text.removeprefix("is "), "word", typed=typed)

    def _words_of(self, name: str) -> list[str]:
        """Give bands, grades, labels: what the number or finding can be."""
        if name == "sex":
            return ["male", "female"]
        term = self.vocabulary.find(name, "index", "factor")
        if name == "stage":
            term = next(self.vocabulary.of("stages"), None)
        if term is None or not isinstance(term.node, Block):
            return []
        bands = [one.text("name") for one in term.node.blocks("bands")]
        labels = [one.text("label") for one in term.node.blocks("lines")]
        return [*bands, *labels, *(key.text for key, _ in term.node.pairs("grades"))]

    def _of_question(self, match: re.Match[str]) -> Iterator[Proposal]:
        if match[1] == "card":
            for term in self.vocabulary.of("card"):
                yield self._named(term, match[2], " fires")
            return
        for text in self._questions(match[1]):
            yield self._proposal(text, "word", typed=match[2])

    def _questions(self, name: str) -> Iterator[str]:
        """Say what can be asked of a name."""
        term = self.vocabulary.find(name, *OPERANDS, path=self.path)
        if name == "age":
            yield from (*_COMPARISONS, *_KNOWN)
        elif term is None:
            return
        elif term.kind in {"condition", "named"}:
            yield "holds"
        elif term.kind == "factor":
            yield from ("is at least ", "is ")
        elif term.kind == "concept" and isinstance(term.node, Block):
            sort = term.node.text("type")
            if sort == "quantity":
                yield from (*_COMPARISONS, *_KNOWN, "was received within ")
            elif sort == "answer":
                yield from ("is answered yes", "is answered no", *_KNOWN)
            elif sort == "date":
                yield from (*_KNOWN, "is in the future")
            else:
                yield from _LISTED
        else:
            yield from (*_COMPARISONS, *_KNOWN)
            if self._words_of(name):
                yield from ("is ", "is one of [")

    def _of_beginning(self, match: re.Match[str]) -> Iterator[Proposal]:
        yield from self._operands(match[1])
        for text in _BEGINNINGS:
            yield self._proposal(text, "word", typed=match[1])
