"""
What is wrong in a rule file, said so that its author can put it right.

The model is ruff's: a headline that stands alone, one place with a short label, notes
that are facts, help that is an action. Checks know nothing of how it is printed.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cds.core.clauses import Place
from cds.rulefiles.checks import CHECKS, Severity
from cds.rulefiles.fixes import Fix, put_at
from cds.rulefiles.nodes import Node, Scalar, Source

__all__ = [
    "Diagnostic",
    "Report",
    "Span",
    "a",
    "concise",
    "did_you_mean",
    "in_order",
    "listed",
    "nearest",
]

_MOST_OF_ONE_FILE: Final = 200
_MOST_GUESSES: Final = 30
_PARTS: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Span:
    """A second place that a finding is about, with what is to be seen there."""

    place: Place
    label: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """
    One finding about a rule file.

    *headline* is the one thing to show if only one thing can be shown; *label* stands
    under the place; *spans* are other places that belong to it, maybe in other files;
    *notes* are facts; *help* says what to do; *fix* could do it.
    """

    code: str
    name: str
    severity: Severity
    headline: str
    place: Place
    label: str = ""
    notes: tuple[str, ...] = ()
    help: str = ""
    spans: tuple[Span, ...] = ()
    fix: Fix | None = None

    def __str__(self) -> str:
        return concise(self)


_ALIKE: Final = 0.67
"""How alike the letters of two words must be for one to be meant by the other."""


class Report:
    """
    Collects the diagnostics of one pass, in whatever order they are found.

    The same finding at the same place is kept once: a threshold that is used twice is
    still one mistake. Of a file with very many findings the first are kept, and one more
    that says so and is always an error.
    """

    def __init__(self, sources: Mapping[str, Source] | None = None) -> None:
        self._found: dict[tuple[str, Place, str], Diagnostic] = {}
        self._counts: Counter[str] = Counter()
        self._sources = {} if sources is None else sources

    def add(
        self,
        code: str,
        at: Node | Place,
        headline: str,
        *,
        label: str = "",
        notes: Iterable[str] = (),
        help: str = "",  # noqa: A002 - the word of the printed line
        severity: Severity | None = None,
        spans: Iterable[tuple[Node | Place, str]] = (),
        fix: Fix | None = None,
    ) -> None:
        """Note a finding; the severity is the check's own unless one is given."""
        check = CHECKS[code]
        place = _place_of(at)
        if self._counts[place.path] >= _MOST_OF_ONE_FILE:
            self._keep(_too_many(place.path))
            return
        found = Diagnostic(
            code=code,
            name=check.name,
            severity=severity or check.severity,
            headline=headline,
            place=place,
            label=label,
            notes=tuple(notes),
            help=help,
            spans=tuple(Span(_place_of(where), words) for where, words in spans),
            fix=fix,
        )
        self._keep(found)

    def _keep(self, found: Diagnostic) -> None:
        key = found.code, found.place, found.headline
        if key not in self._found:
            self._found[key] = found
            self._counts[found.place.path] += 1

    def extend(self, found: Iterable[Diagnostic]) -> None:
        """Note findings of an earlier pass over the same text."""
        for one in found:
            self._keep(one)

    def is_full(self, path: str) -> bool:
        """Tell whether no more findings of a file are kept."""
        return self._counts[path] > _MOST_OF_ONE_FILE

    def is_crowded(self, path: str) -> bool:
        """Tell whether so much is wrong in a file that no more guesses are worth their time."""
        return self._counts[path] >= _MOST_GUESSES

    def rewriting(self, place: Place, text: str, *, safe: bool = False) -> Fix | None:
        """Make the fix that writes *text* where *place* is; None where its file is not at hand."""
        source = self._sources.get(place.path)
        if source is None or not text:
            return None
        return Fix(f"write `{text}`", (put_at(place, text, source),), safe=safe)

    def missing(
        self,
        what: str,
        at: Scalar | Place,
        word: str,
        known: Iterable[str],
        *,
        code: str = "CDS201",
        also: Mapping[str, str] | None = None,
    ) -> None:
        """Report a name that nothing has, with the nearest that is *known*."""
        crowded = self.is_crowded(_place_of(at).path)
        near = "" if crowded else nearest(word, known, also)
        self.add(
            code,
            at,
            f"`{word}` is not {what}",
            help=f"did you mean `{near}`?" if near else "",
            fix=self.rewriting(_place_of(at), near),
        )

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Give every finding by file, line, column and code."""
        return in_order(self._found.values())

    @property
    def has_errors(self) -> bool:
        """Tell whether any finding is an error."""
        return any(one.severity == "error" for one in self._found.values())


def _too_many(path: str) -> Diagnostic:
    return Diagnostic(
        code="CDS101",
        name=CHECKS["CDS101"].name,
        severity="error",
        headline=f"more than {_MOST_OF_ONE_FILE} findings in one file",
        place=Place(path, 1, 1),
        notes=("the others are not listed",),
        help="mend these first",
    )


def in_order(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort findings by file, line, column and code."""
    return tuple(sorted(found, key=_position))


def _place_of(at: Node | Place) -> Place:
    return at if isinstance(at, Place) else at.place


def _position(one: Diagnostic) -> tuple[str, int, int, str, str]:
    place = one.place
    return place.path, place.line, place.column, one.code, one.headline


def concise(diagnostic: Diagnostic) -> str:
    """Write a diagnostic in one line, as editors and grep read it."""
    return (
        f"{diagnostic.place}: {diagnostic.severity}[{diagnostic.code}] "
        f"{diagnostic.name}: {diagnostic.headline}"
    )


def nearest(word: str, known: Iterable[str], also: Mapping[str, str] | None = None) -> str:
    """
    Find which of the *known* words was meant; empty where none is near.

    By what *also* leads to a known word: a code, a short name, a title; else by the
    letters; else by most of the words in it (`hdl` is near `hdl_cholesterol`). A word
    that is only half alike means something else: nothing is better than another medicine.
    """
    for written in (word.lower(), word.lower().replace("_", " ")):
        if also and written in also:
            return also[written]
    choices = sorted(set(known))
    near = difflib.get_close_matches(word, choices, n=1, cutoff=_ALIKE)
    if near:
        return near[0]
    parts = set(_PARTS.split(word.lower())) - {""}
    shared = [(len(parts & set(one.split("_"))), -len(one), one) for one in choices]
    best = max(shared, default=(0, 0, ""))
    return best[2] if best[0] * 2 > len(parts) else ""


def did_you_mean(word: str, known: Iterable[str], also: Mapping[str, str] | None = None) -> str:
    """Ask for the nearest of the *known* words; empty where none is near."""
    near = nearest(word, known, also)
    return f"did you mean `{near}`?" if near else ""


def listed(words: Iterable[str]) -> str:
    """Join words for a reader: `a`, `b`, `c`."""
    return ", ".join(f"`{word}`" for word in words)


def a(word: str) -> str:
    """Put the article before a word: an index, a card."""
    return f"an {word}" if word[:1] in "aeiou" else f"a {word}"
