"""
Words that mean a concept, in the text of a medicine, a problem or a plan.

Whole words; blank, hyphen and slash are one. The work grows with the length of the text
and not with the number of patterns, and no pattern of anybody's is ever compiled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from cds.core.concepts import Concept, TextPattern

__all__ = ["Phrases", "Words", "is_readable", "tokens_of"]

_LONGEST: Final = 2000
_MOST_TEXTS: Final = 40
# A number keeps its point, its colon and the comma of its thousands (`0.8`, `16:8`, `1,800`);
# a mark ends a sentence.
_TOKEN: Final = re.compile(r"\d+(?:[.:]\d+)+|(?<!\d)\d{1,3}(?:,\d{3})+(?!\d)|[^\W_]+|[.;\n\r!?]")
_INVISIBLE: Final = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF])
_LETTERS: Final = re.compile(r"[^\W\d_]{3}")

_STOPS: Final = frozenset(".;\n\r!?")
_DENIED_BEFORE: Final = frozenset(
    {"no", "avoid", "not", "stop", "without", "contraindicated", "declined"}
)
_REACH: Final = 3

Phrase = tuple[str, ...]
Tokens = Sequence[str]


def tokens_of(text: str) -> tuple[str, ...]:
    """Split a text into words, numbers and the marks that end a sentence, in small letters."""
    return tuple(_TOKEN.findall(text[:_LONGEST].translate(_INVISIBLE).casefold()))


def is_readable(text: str) -> bool:
    """Tell whether a text names something: three letters in a row will do."""
    return _LETTERS.search(text[:_LONGEST]) is not None


class Phrases:
    """Some phrases, ready to be found: whole, or with a last word that only begins or ends so."""

    def __init__(
        self, words: Iterable[str], beginnings: Iterable[str] = (), endings: Iterable[str] = ()
    ) -> None:
        self._whole = self._sorted(words, last=False)
        self._begins = self._sorted(beginnings, last=True)
        self._ends = self._sorted(endings, last=True)
        self._begin_lengths = tuple(sorted({len(one) for one in self._begins}))
        self._end_lengths = tuple(sorted({len(one) for one in self._ends}))

    @staticmethod
    def _sorted(phrases: Iterable[str], *, last: bool) -> dict[str, list[Phrase]]:
        """Sort phrases by one word: the last where that is only a part, else the first."""
        found: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            tokens = tuple(one for one in tokens_of(phrase) if one not in _STOPS)
            if tokens:
                found.setdefault(tokens[-1 if last else 0], []).append(tokens)
        return found

    def at(self, tokens: Tokens) -> Iterable[tuple[int, int]]:
        """Find every place: first word, and the word after the last."""
        for place, token in enumerate(tokens):
            for phrase in self._whole.get(token, ()):
                end = place + len(phrase)
                if tuple(tokens[place:end]) == phrase:
                    yield place, end
            for length in self._begin_lengths:
                yield from self._partly(self._begins.get(token[:length], ()), tokens, place)
            for length in self._end_lengths:
                if length <= len(token):
                    yield from self._partly(self._ends.get(token[-length:], ()), tokens, place)

    @staticmethod
    def _partly(phrases: Iterable[Phrase], tokens: Tokens, place: int) -> Iterable[tuple[int, int]]:
        for phrase in phrases:
            start = place + 1 - len(phrase)
            if start >= 0 and tuple(tokens[start:place]) == phrase[:-1]:
                yield start, place + 1


class _Pattern:
    def __init__(self, pattern: TextPattern, denied_by: Iterable[str] = ()) -> None:
        self._denied_by = frozenset(word.casefold() for word in denied_by) or _DENIED_BEFORE
        self._means = Phrases(pattern.words, pattern.beginnings, pattern.endings)
        self._without = Phrases(pattern.without)
        self._unless = Phrases(pattern.unless)

    def is_in(self, texts: Sequence[Tokens], *, deniable: bool) -> bool:
        return any(
            not (deniable and _is_denied(tokens, start, end, self._denied_by))
            for tokens in texts
            for start, end in self._means.at(tokens)
        )

    def is_excluded(self, texts: Sequence[Tokens]) -> bool:
        if not any(True for tokens in texts for _ in self._without.at(tokens)):
            return False
        return not self.is_saved(texts)

    def is_saved(self, texts: Sequence[Tokens]) -> bool:
        return any(True for tokens in texts for _ in self._unless.at(tokens))


def _is_denied(tokens: Tokens, start: int, end: int, words: frozenset[str]) -> bool:
    """Tell whether the words around say no: three before, three after, in one sentence."""
    before = list(tokens[max(0, start - _REACH) : start])
    for place in range(len(before) - 1, -1, -1):
        if before[place] in _STOPS:
            before = before[place + 1 :]
            break
    if not words.isdisjoint(before):
        return True
    after = list(tokens[end : end + _REACH])
    for place, token in enumerate(after):
        if token in _STOPS:
            after = after[:place]
            break
    return "contraindicated" in after or ("not", "advised") in pairwise(after)


class Words:
    """The text patterns of some concepts; made once."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self._patterns = {
            one.id: _Pattern(one.text, one.negated_by) for one in concepts if one.text is not None
        }
        self.meant_by = lru_cache(maxsize=4096)(self._meant_by)
        self.saved_by = lru_cache(maxsize=4096)(self._saved_by)

    def _meant_by(
        self, texts: tuple[str, ...], *, deniable: bool = False
    ) -> tuple[frozenset[str], frozenset[str]]:
        """
        Name the concepts whose words stand in one of *texts*, and those that are excluded.

        A concept whose words stand there and that is excluded is in the second set only.
        """
        several = [tokens_of(one) for one in texts[:_MOST_TEXTS]]
        excluded = frozenset(
            name for name, pattern in self._patterns.items() if pattern.is_excluded(several)
        )
        meant = frozenset(
            name
            for name, pattern in self._patterns.items()
            if name not in excluded and pattern.is_in(several, deniable=deniable)
        )
        return meant, excluded

    def _saved_by(self, texts: tuple[str, ...]) -> frozenset[str]:
        """Name the concepts that no route and no word excludes, because *texts* say `unless`."""
        several = [tokens_of(one) for one in texts[:_MOST_TEXTS]]
        return frozenset(
            name for name, pattern in self._patterns.items() if pattern.is_saved(several)
        )
