"""
What is wrong in a rule file, said so that its author can put it right.

The model is ruff's: a headline that stands alone, one place with a short label, notes
that are facts, help that is an action. Checks know nothing of how it is printed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from cds.core.clauses import Place

if TYPE_CHECKING:
    from cds.rulefiles.nodes import Node, Source

__all__ = [
    "CHECKS",
    "Check",
    "Diagnostic",
    "Report",
    "a",
    "concise",
    "did_you_mean",
    "listed",
    "render",
]

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong: its name reads after the word "allow"."""

    name: str
    severity: Severity


CHECKS: Final[Mapping[str, Check]] = {
    "CDS101": Check("invalid-yaml", "error"),
    "CDS102": Check("unknown-key", "error"),
    "CDS103": Check("duplicate-key", "error"),
    "CDS104": Check("missing-key", "error"),
    "CDS105": Check("wrong-type", "error"),
    "CDS106": Check("ambiguous-scalar", "error"),
    "CDS107": Check("misnamed-file", "error"),
    "CDS110": Check("unreadable-clause", "error"),
    "CDS201": Check("unknown-name", "error"),
    "CDS202": Check("unknown-threshold", "error"),
    "CDS203": Check("duplicate-id", "error"),
    "CDS205": Check("wrong-question", "error"),
    "CDS206": Check("unverified-binding", "warning"),
    "CDS210": Check("cycle", "error"),
    "CDS301": Check("unit-mismatch", "error"),
    "CDS302": Check("missing-unit", "warning"),
    "CDS304": Check("unitless-formula", "warning"),
    "CDS305": Check("implausible-threshold", "warning"),
    "CDS405": Check("band-gap", "error"),
    "CDS406": Check("band-overlap", "error"),
    "CDS410": Check("unbounded-recency", "error"),
    "CDS420": Check("silent-guard", "error"),
    "CDS421": Check("silent-evidence", "error"),
    "CDS501": Check("long-summary", "error"),
    "CDS502": Check("unknown-hole", "error"),
    "CDS506": Check("live-order", "error"),
    "CDS507": Check("drafted-medicine", "error"),
    "CDS601": Check("uncited-threshold", "warning"),
    "CDS602": Check("unknown-source", "error"),
    "CDS606": Check("unnoted-limits", "warning"),
    "CDS611": Check("pending-review", "warning"),
    "CDS701": Check("untested-rule", "warning"),
    "CDS705": Check("duplicate-test-name", "error"),
}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """
    One finding about a rule file.

    *headline* is the one thing to show if only one thing can be shown; *label* stands
    under the place; *notes* are facts; *help* says what to do.
    """

    code: str
    name: str
    severity: Severity
    headline: str
    place: Place
    label: str = ""
    notes: tuple[str, ...] = ()
    help: str = ""

    def __str__(self) -> str:
        return concise(self)


class Report:
    """
    Collects the diagnostics of one pass, in whatever order they are found.

    The same finding at the same place is kept once: a threshold that is used twice is
    still one mistake.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, Place, str], Diagnostic] = {}

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
    ) -> None:
        """Note a finding; the severity is the check's own unless one is given."""
        check = CHECKS[code]
        place = at if isinstance(at, Place) else at.place
        found = Diagnostic(
            code=code,
            name=check.name,
            severity=severity or check.severity,
            headline=headline,
            place=place,
            label=label,
            notes=tuple(notes),
            help=help,
        )
        self._found.setdefault((code, place, headline), found)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Give every finding by file, line, column and code."""
        return tuple(sorted(self._found.values(), key=_position))


def _position(one: Diagnostic) -> tuple[str, int, int, str, str]:
    place = one.place
    return place.path, place.line, place.column, one.code, one.headline


def concise(diagnostic: Diagnostic) -> str:
    """Write a diagnostic in one line, as editors and grep read it."""
    return (
        f"{diagnostic.place}: {diagnostic.severity}[{diagnostic.code}] "
        f"{diagnostic.name}: {diagnostic.headline}"
    )


def render(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> str:
    """
    Write a diagnostic in full: headline, source line, caret, notes and help.

    The source line is left out where *sources* does not hold the file.
    """
    place = diagnostic.place
    number = str(place.line)
    margin = " " * len(number)
    out = [
        f"{diagnostic.severity}[{diagnostic.code}] {diagnostic.name}: {diagnostic.headline}",
        f"{margin}--> {place}",
    ]
    source = sources.get(place.path)
    if source is not None and place.line <= len(source.lines):
        line = source.lines[place.line - 1]
        caret = " " * (place.column - 1) + "^" * max(place.width, 1)
        label = f" {diagnostic.label}" if diagnostic.label else ""
        out += [
            f"{margin} |",
            f"{number} | {line}".rstrip(),
            f"{margin} | {caret}{label}",
        ]
    out += [f"{margin} = note: {note}" for note in diagnostic.notes]
    if diagnostic.help:
        out.append(f"{margin} = help: {diagnostic.help}")
    return "\n".join(out)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Ask for the nearest of the *known* words; empty where none is near."""
    near = difflib.get_close_matches(word, sorted(set(known)), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def listed(words: Iterable[str]) -> str:
    """Join words for a reader: `a`, `b`, `c`."""
    return ", ".join(f"`{word}`" for word in words)


def a(word: str) -> str:
    """Put the article before a word: an index, a card."""
    return f"an {word}" if word[:1] in "aeiou" else f"a {word}"
