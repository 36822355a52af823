"""
The states that a variable can be in, as far as the conditions of a release can tell.

States that come first are the plain ones, so that examples are plain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Literal, Protocol

from cds.core.clauses import Case, Limit
from cds.core.quantity import Conversion, plain
from cds.proofs.line import Line, Step

__all__ = [
    "Ages",
    "Answer",
    "Cells",
    "Choice",
    "Entries",
    "Grades",
    "Numbers",
    "Sent",
    "Windows",
    "is_above",
]

Answer = tuple[int, int]
"""The states in which something is proved yes, and those in which it is proved no."""


class Cells(Protocol):
    """A variable: its name, its number of states, and each of them in words."""

    @property
    def name(self) -> str:
        """Name what varies, in the words of the rule files."""
        ...

    @property
    def size(self) -> int:
        """Count the states."""
        ...

    def says(self, state: int) -> str:
        """Say a state in words."""
        ...

    def given(self, state: int) -> Mapping[str, str]:
        """Write a state as in `given:` of a test; empty where tests have no word for it."""
        ...


@dataclass(frozen=True)
class Choice:
    """One of a few words: a sex, a stage, the answer of a condition."""

    name: str
    words: tuple[str, ...]
    tests: tuple[Mapping[str, str], ...] = ()

    @property
    def size(self) -> int:
        """Count the words."""
        return len(self.words)

    def says(self, state: int) -> str:
        """Give the word."""
        return self.words[state]

    def given(self, state: int) -> Mapping[str, str]:
        """Give what a test writes for it."""
        return self.tests[state] if self.tests else {}

    def of(self, words: Iterable[str]) -> int:
        """Give the states with one of these words."""
        wanted = set(words)
        return sum(1 << at for at, word in enumerate(self.words) if word in wanted)


class Ages:
    """Completed years; a birth date that is not exact may leave two ages open."""

    name = "age"

    def __init__(self, line: Line) -> None:
        self.line = line
        pieces = range(line.first, line.last + 1)
        exact = [(piece, piece) for piece in pieces]
        either = [(piece, piece + 1) for piece in pieces[:-1]]
        self._spans: list[tuple[int, int]] = [*exact, *either]
        self.unknown = 1 << len(self._spans)

    @property
    def size(self) -> int:
        """Count the spans of age, and not known."""
        return len(self._spans) + 1

    def says(self, state: int) -> str:
        """Say the age."""
        return "unknown" if state == len(self._spans) else self.line.says(*self._spans[state])

    def given(self, state: int) -> Mapping[str, str]:
        """Write the age; a test has no word for a birth date that is not exact."""
        if state >= len(self._spans) or len(set(self._spans[state])) > 1:
            return {}
        piece = self._spans[state][0]
        years = int(self.line.example(piece))
        return {"age": f"{years} years"}

    @cached_property
    def ages(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Give each state with the ages that stand for all that may be meant."""
        every = tuple(int(self.line.example(piece)) for piece in range(len(self.line.steps) + 1))
        known = [
            (1 << state, tuple(every[low : high + 1]))
            for state, (low, high) in enumerate(self._spans)
        ]
        return (*known, (self.unknown, every[self.line.first :]))

    def within(self, days: int | None) -> int:  # noqa: ARG002 - an age is of today
        """Give the states in which the age is known."""
        return self.unknown - 1

    def reach(self, limit: Limit, case: Case, *, upper: bool) -> Answer:
        """Say where the age is proved to lie beyond a cut-off, and where not to."""
        start = self.line.reached_from((case.value, is_above(limit, upper=upper)))
        yes = no = 0
        for state, (low, high) in enumerate(self._spans):
            if low >= start:
                yes |= 1 << state
            elif high < start:
                no |= 1 << state
        return yes, no


# --- numbers ----------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """A unit in which a number can come, with its line; *way* leads to the canonical unit."""

    unit: str
    way: Conversion
    line: Line

    def step(self, case: Case, *, above: bool) -> Step:
        """Give the step of a cut-off on this line."""
        if case.alternate is not None and case.alternate_unit == self.unit:
            return self.way.to_canonical(case.alternate), above
        return case.value, above


def is_above(limit: Limit, *, upper: bool) -> bool:
    """Tell whether an end of a range changes just above its number: `<= 5` and `> 5`."""
    return limit.inclusive if upper else not limit.inclusive


@dataclass(frozen=True)
class _Number:
    """One state: how old, in which unit, from which piece to which; own limits of the lab."""

    days: int
    sent: int
    low: int
    high: int
    conflict: bool = False
    own: tuple[str, str] = ("", "")


_OWN = ("", "below", "at", "above", "across")


class Numbers:
    """
    A number that may be missing, in pieces of its line, by unit and by age.

    *bounds*: what ranges it can come as: `ends` (a comparator reaches to an end of the
    line), `any` (worked out from bounds). With *conflicts* two
    results can contradict each other: no value, but still a range. *owns* are the limits
    of the laboratory that some threshold gives way to.
    """

    def __init__(
        self,
        name: str,
        sents: tuple[Sent, ...],
        days: tuple[int, ...] = (),
        *,
        bounds: Literal["ends", "any"] = "ends",
        conflicts: bool = False,
        owns: frozenset[str] = frozenset(),
        missing: bool = True,
    ) -> None:
        self.name = name
        self.sents = sents
        self.days = days
        self._missing = missing
        states: list[_Number | None] = [None] if missing else []
        lows = _OWN if "lower" in owns else ("",)
        highs = _OWN if "upper" in owns else ("",)
        for own, day in product(product(lows, highs), range(len(days) + 1)):
            for at, sent in enumerate(sents):
                for low, high in _ranges(sent.line, bounds):
                    # One number lies on one side of a limit; a range can lie across it.
                    if low < high or "across" not in own:
                        states.append(_Number(day, at, low, high, own=own))
        if conflicts:
            for day in range(len(days) + 1):
                for at, sent in enumerate(sents):
                    pieces = range(sent.line.first, sent.line.last + 1)
                    states.extend(
                        _Number(day, at, low, high, conflict=True)
                        for low in pieces
                        for high in pieces
                        if low <= high
                    )
        self._states = states
        self._tables()

    def _tables(self) -> None:
        """Note which states begin or end in which piece, and so on, as sets."""
        self.known = self.there = 0
        self._young = [0] * (len(self.days) + 1)
        self._from = [[0] * (len(sent.line.steps) + 2) for sent in self.sents]
        self._to = [[0] * (len(sent.line.steps) + 2) for sent in self.sents]
        self._own = (dict.fromkeys(_OWN, 0), dict.fromkeys(_OWN, 0))
        for at, state in enumerate(self._states):
            if state is None:
                continue
            bit = 1 << at
            self.there |= bit
            if not state.conflict:
                self.known |= bit
            self._young[state.days] |= bit
            self._from[state.sent][state.low] |= bit
            self._to[state.sent][state.high] |= bit
            for side in (0, 1):
                self._own[side][state.own[side]] |= bit
        for table in self._from:
            for piece in range(len(table) - 2, -1, -1):
                table[piece] |= table[piece + 1]
        for table in self._to:
            for piece in range(1, len(table)):
                table[piece] |= table[piece - 1]
        for day in range(1, len(self._young)):
            self._young[day] |= self._young[day - 1]

    @property
    def size(self) -> int:
        """Count the states."""
        return len(self._states)

    def within(self, days: int | None) -> int:
        """Give the states with a number no older than so many days."""
        return self.there if days is None else self._young[self.days.index(days)]

    def reach(self, limit: Limit, case: Case, *, upper: bool) -> Answer:
        """Say where the number is proved to lie beyond a cut-off, and where not to."""
        yes = no = 0
        above = is_above(limit, upper=upper)
        for at, sent in enumerate(self.sents):
            start = sent.line.reached_from(sent.step(case, above=above))
            yes |= self._from[at][start]
            no |= self._to[at][start - 1]
        own = limit.threshold.or_own
        if own:
            table = self._own[own == "upper"]
            free = table[""]
            yes = yes & free | table["above"] | (0 if above else table["at"])
            no = no & free | table["below"] | (table["at"] if above else 0)
        return yes, no

    @property
    def counts(self) -> tuple[int, ...]:
        """Give the whole numbers at which something changes."""
        return tuple(int(number) for number, _ in self.sents[0].line.steps if number > 0)

    def from_low(self, count: int) -> int:
        """Give the states of a count that surely reaches *count*, a number of `counts`."""
        return self._from[0][self.sents[0].line.reached_from((Decimal(count), False))]

    def from_high(self, count: int) -> int:
        """Give the states of a count that may reach *count*, a number of `counts`."""
        short = self.sents[0].line.reached_from((Decimal(count), False)) - 1
        return self.there & ~self._to[0][short]

    def says(self, state: int) -> str:
        """Say the number, its unit and its age."""
        one = self._states[state]
        if one is None:
            return "not known"
        sent = self.sents[one.sent]
        words = [sent.line.says(one.low, one.high)]
        if len(self.sents) > 1 and one.sent:
            words.append(f"(sent in {sent.unit})")
        if self.days:
            words.append(self._age(one.days))
        words.extend(
            f"{word} the laboratory's own {side} limit"
            for word, side in zip(one.own, ("lower", "upper"), strict=True)
            if word
        )
        if one.conflict:
            words.append("(two results contradict each other)")
        elif one.low != one.high:
            words.append("(known within bounds only)")
        return " ".join(words)

    def _age(self, at: int) -> str:
        if at == len(self.days):
            return f"older than {self.days[-1]} days"
        return f"within {self.days[at]} days"

    def given(self, state: int) -> Mapping[str, str]:
        """Write the number as a test does, where a test can."""
        one = self._states[state]
        if one is None:
            return {self.name: "none"}
        if one.conflict or one.low != one.high or any(one.own):
            return {}
        sent = self.sents[one.sent]
        number = sent.line.example(one.low)
        if sent.unit != self.sents[0].unit:
            number = sent.way.from_canonical(number)
        age = ""
        if self.days:
            days = self.days[one.days - 1] + 1 if one.days else min(10, self.days[0])
            age = f" {days} days ago"
        unit = "" if sent.unit == "1" else f" {sent.unit}"
        return {self.name: f"{plain(number.normalize())}{unit}{age}"}


def _ranges(line: Line, bounds: str) -> Iterator[tuple[int, int]]:
    """Give the ranges in which a number can come, exact ones first."""
    pieces = range(line.first, line.last + 1)
    yield from ((piece, piece) for piece in pieces)
    if bounds == "any":
        yield from ((low, high) for low in pieces for high in pieces if low < high)
    else:
        zero, end = line.piece(Decimal(0)), len(line.steps)
        down = {(zero, high) for high in range(max(line.first - 1, zero), line.last + 1)}
        up = {(low, end) for low in range(line.first, min(line.last + 1, end) + 1)}
        yield from sorted((down | up) - {(piece, piece) for piece in pieces})


# --- lists and windows --------------------------------------------------------------


class Entries:
    """
    What a list holds of one thing and one kind: active, past, ordered, by a route.

    Of dated entries only the youngest matters; undated ones stand beside it.
    """

    def __init__(self, name: str, kind: str, days: tuple[int, ...]) -> None:
        self.name = name
        self.kind = kind
        self.days = days
        # 0 is none, then by age; with a window an undated entry differs from any dated one.
        self._dated = len(days) + 2
        self.size = self._dated * (2 if days else 1)
        self.any = ((1 << self.size) - 1) & ~1
        self.undated = ((1 << self.size) - (1 << self._dated)) if days else 0

    def within(self, days: int) -> int:
        """Give the states with a dated entry no older than so many days."""
        last = self.days.index(days) + 1
        return sum(1 << state for state in range(self.size) if 1 <= state % self._dated <= last)

    def says(self, state: int) -> str:
        """Say what is on the list."""
        if not state:
            return f"no {self.kind} entry"
        words = [f"{self.kind} entry"]
        dated = state % self._dated
        if self.days and dated:
            late = dated > len(self.days)
            words.append(
                f"older than {self.days[-1]} days"
                if late
                else f"within {self.days[dated - 1]} days"
            )
        if state >= self._dated:
            words.append("and one without a date" if dated else "without a date")
        return " ".join(words)

    def given(self, state: int) -> Mapping[str, str]:
        """Write the entry as a test does, where a test can."""
        if not state or state >= self._dated or self.kind not in {"active", "past"}:
            return {}
        word = "history" if self.kind == "past" else "present"
        if not self.days:
            return {self.name: word}
        days = self.days[-1] + 1 if state > len(self.days) else self.days[state - 1]
        return {self.name: f"{word} {days} days ago"}


class Windows:
    """Whether something came, and in the shortest of which windows."""

    def __init__(self, name: str, days: tuple[int, ...]) -> None:
        self.name = name
        self.days = days
        self.size = len(days) + 2

    def within(self, days: int | None) -> int:
        """Give the states in which it came in a window, or ever."""
        last = self.size - 1 if days is None else self.days.index(days) + 1
        return (1 << (last + 1)) - 2

    def says(self, state: int) -> str:
        """Say when it came."""
        if not state:
            return "no"
        if state > len(self.days):
            return f"yes, older than {self.days[-1]} days" if self.days else "yes"
        return f"yes, within {self.days[state - 1]} days"

    def given(self, state: int) -> Mapping[str, str]:  # noqa: ARG002 - a test has no word for it
        """Give nothing: how a result came to be unusable is not one word."""
        return {}


class Grades:
    """The grade of a factor and the best it could become; or that it is not graded."""

    def __init__(self, name: str, grades: tuple[str, ...]) -> None:
        self.name = name
        self._words = ("undetermined", *reversed(grades))
        last = len(grades)
        self._spans = [(at, could) for at in range(last + 1) for could in range(at, last + 1)]
        self._spans.sort(key=lambda span: (span[1] - span[0], span))

    @property
    def size(self) -> int:
        """Count the spans of grades, and not graded."""
        return len(self._spans) + 1

    def is_grade(self, grade: str, *, or_more: bool) -> Answer:
        """Say where the factor is proved to have a grade, and where not to."""
        wanted = self._words.index(grade) if grade in self._words else 0
        yes = no = 0
        for state, (at, could) in enumerate(self._spans):
            if at >= wanted if or_more else at == could == wanted:
                yes |= 1 << state
            elif could < wanted or (at > wanted and not or_more):
                no |= 1 << state
        return yes, no

    def says(self, state: int) -> str:
        """Say the grade."""
        if state == len(self._spans):
            return "not graded"
        at, could = self._spans[state]
        return self._words[at] + (f", could become {self._words[could]}" if could > at else "")

    def given(self, state: int) -> Mapping[str, str]:  # noqa: ARG002 - a test gives data, not grades
        """Give nothing: a test gives data."""
        return {}
