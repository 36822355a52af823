"""
Yes, no and unknown with reasons: Kleene's strong logic, where every unknown says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NoReturn

__all__ = [
    "NO",
    "YES",
    "Need",
    "Truth",
    "all_of",
    "any_of",
    "at_least",
    "known",
    "negate",
    "unknown",
]


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """What is not known (*name*, a word of the rule files) and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Truth:
    """
    One of three answers.

    There is no truth value in the sense of Python: `if answer:` would read
    unknown as yes or as no, so it raises. Ask `is_yes`, `is_no` or `is_unknown`.
    """

    word: str
    needs: tuple[Need, ...] = ()

    def __bool__(self) -> NoReturn:
        msg = "three answers do not fit into two: ask is_yes, is_no or is_unknown"
        raise TypeError(msg)

    @property
    def is_yes(self) -> bool:
        """Tell whether the answer is proved to be yes."""
        return self.word == "yes"

    @property
    def is_no(self) -> bool:
        """Tell whether the answer is proved to be no."""
        return self.word == "no"

    @property
    def is_unknown(self) -> bool:
        """Tell whether neither yes nor no is proved."""
        return self.word == "unknown"

    def __str__(self) -> str:
        return self.word


YES: Final = Truth("yes")
NO: Final = Truth("no")


def known(fact: bool) -> Truth:  # noqa: FBT001 - the one door from two values to three
    """Turn a plain yes or no into an answer."""
    return YES if fact else NO


def unknown(*needs: Need) -> Truth:
    """Answer unknown, for these reasons."""
    return Truth("unknown", tuple(dict.fromkeys(needs)) if len(needs) > 1 else needs)


def negate(answer: Truth) -> Truth:
    """Swap yes and no; unknown keeps its reasons."""
    if answer.word == "yes":
        return NO
    if answer.word == "no":
        return YES
    return answer


def _cloud(answers: Iterable[Truth]) -> Truth:
    return unknown(*(need for one in answers for need in one.needs))


def all_of(answers: Iterable[Truth]) -> Truth:
    """
    Join *answers* with "and": one no decides, else one unknown clouds.

    The reasons of every unknown are kept, so a reader sees all that is missing
    and not only the first. No answers at all: yes.
    """
    clouds = []
    for one in answers:
        if one.word == "no":
            return NO
        if one.word == "unknown":
            clouds.append(one)
    return _cloud(clouds) if clouds else YES


def any_of(answers: Iterable[Truth]) -> Truth:
    """Join *answers* with "or": one yes decides, else one unknown clouds; none: no."""
    clouds = []
    for one in answers:
        if one.word == "yes":
            return YES
        if one.word == "unknown":
            clouds.append(one)
    return _cloud(clouds) if clouds else NO


def at_least(count: int, answers: Iterable[Truth]) -> Truth:
    """Say whether *count* or more are yes: no once too many are no, else unknown."""
    every = tuple(answers)
    sure = sum(one.is_yes for one in every)
    clouds = [one for one in every if one.is_unknown]
    if sure >= count:
        return YES
    if sure + len(clouds) < count:
        return NO
    return _cloud(clouds)
