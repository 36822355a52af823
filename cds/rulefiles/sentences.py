"""
The words of one clause, read one after the other.

Whatever does not fit ends the reading at that word, with what was expected there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NoReturn

from cds.core.clauses import Place
from cds.core.quantity import read_unit
from cds.rulefiles.diagnostics import Report, did_you_mean
from cds.rulefiles.nodes import Scalar

__all__ = ["MisreadError", "Sentence", "is_too_long"]

# A word may carry brackets of its own: `u[IU]/mL`.
_TOKEN: Final = re.compile(
    r">=|<=|[<>,\]]"
    r"|\["
    r"|[^\s,<>\[\]]+(?:\[[^\]\s]*\][^\s,<>\[\]]*)*"
)
_NO_UNITS: Final = frozenset(
    {"", ",", "within", "below", "above", "before", "after", "to", "or", "ago"}
)
_LONGEST: Final = 2000
_FORMS: Final = "AUTHORING.md lists the forms of a clause"


def is_too_long(node: Scalar, report: Report) -> bool:
    """Report a sentence that nobody could read aloud."""
    if len(node.text) <= _LONGEST:
        return False
    report.add(
        "CDS110",
        node,
        f"{len(node.text)} characters in one sentence",
        label=f"at most {_LONGEST}",
        help="say it in several, or name a part of it",
    )
    return True


class MisreadError(Exception):
    """The sentence stops making sense at these characters."""

    def __init__(self, first: int, last: int, headline: str, label: str, help_: str) -> None:
        super().__init__(headline)
        self.first = first
        self.last = last
        self.headline = headline
        self.label = label
        self.help = help_


class Sentence:
    """A cursor over the words of a clause; *form* is the sentence that would be right."""

    def __init__(self, node: Scalar) -> None:
        self.node = node
        self.text = node.text
        self.form = _FORMS
        self.at = 0
        self.words: list[tuple[str, int, int]] = [
            (match[0], match.start(), match.end()) for match in _TOKEN.finditer(node.text)
        ]

    @property
    def word(self) -> str:
        """Give the next word; empty at the end."""
        return self.words[self.at][0] if self.at < len(self.words) else ""

    def take(self) -> str:
        """Give the next word and pass over it."""
        word = self.word
        self.at += 1
        return word

    def skip(self) -> None:
        """Pass over whatever is left."""
        self.at = len(self.words)

    def back(self, count: int) -> None:
        """Return to an earlier word, to point at it."""
        self.at -= count

    def accept(self, *words: str) -> bool:
        """Pass over these words where they come next."""
        end = self.at + len(words)
        if tuple(one[0] for one in self.words[self.at : end]) == words:
            self.at = end
            return True
        return False

    def expect(self, *words: str) -> None:
        """Pass over these words, which must come next."""
        for word in words:
            if self.word != word:
                self.misread(f"expected `{word}`", [word])
            self.at += 1

    def _span(self, index: int) -> tuple[int, int]:
        if index < len(self.words):
            return self.words[index][1:]
        end = len(self.text.rstrip())
        return max(end - 1, 0), end

    @property
    def place(self) -> Place:
        """Say where the next word stands, or the end."""
        return self.node.span(*self._span(self.at))

    def misread(self, label: str, expected: Iterable[str] = ()) -> NoReturn:
        """Stop at the next word: it does not fit."""
        first, last = self._span(self.at)
        word = self.word
        headline = f"`{word}` does not fit here" if word else "the clause ends too early"
        nearest = did_you_mean(word, expected) if word else ""
        raise MisreadError(first, last, headline, label, nearest or self.form)

    def finish(self) -> None:
        """Stop unless the sentence ends here."""
        if self.word:
            self.misread("nothing more can follow", ["within"])

    def unit(self) -> str:
        """Read a unit: all up to the next blank, for `[lb_av]` begins with a bracket."""
        if self.word in _NO_UNITS:
            return ""
        start = self.words[self.at][1]
        unit = re.split(r"[\s,]", self.text[start:], maxsplit=1)[0]
        while self.at < len(self.words) and self.words[self.at][1] < start + len(unit):
            self.at += 1
        return read_unit(unit, is_code=True)

    def within(self) -> int | None:
        """Read `within N days`, after a comma or not."""
        if self.word == "," and self.at + 1 < len(self.words):
            self.at += self.words[self.at + 1][0] == "within"
        return self.days() if self.accept("within") else None

    def days(self) -> int:
        """Read `N days`."""
        if not self.word.isdigit():
            self.misread("expected a number of days")
        days = int(self.take())
        if self.word not in {"days", "day"}:
            self.form = "windows are counted in days: within 365 days"
            self.misread("expected `days`", ["days"])
        self.at += 1
        return days

    def bracketed(self) -> list[tuple[str, Place]]:
        """Read `[a, b]`; an item may have several words."""
        self.expect("[")
        found: list[tuple[str, Place]] = []
        while True:
            first = self.at
            while self.word not in {",", "]", "[", ""}:
                self.at += 1
            if self.at == first:
                self.misread("expected a word")
            start, end = self.words[first][1], self.words[self.at - 1][2]
            found.append((self.text[start:end], self.node.span(start, end)))
            if self.accept("]"):
                return found
            if not self.accept(","):
                self.misread("expected `,` or `]`")

    def one_or_more(self) -> list[tuple[str, Place]]:
        """Read `WORD`, or `one of [WORD, WORD]`; a label may have several words."""
        if self.accept("one", "of"):
            return self.bracketed()
        if not self.word:
            self.misread("expected a word")
        at = self.place
        return [(self.take(), at)]
