"""
Versions of rules: what of a rule changed, and which number must move.

Patch: the same answers in other words. Minor: other answers, or more. Major: another
matter, or something gone that others use.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Final, Literal

from cds.core.clauses import Place, Threshold
from cds.core.indices import Index
from cds.core.rules import Card, Factor, Stages
from cds.workshop.testing.expectations import Rule, kind_of

__all__ = [
    "Bump",
    "bumped",
    "logic_of",
    "lost_names",
    "needed_bump",
    "next_version",
    "size_of_bump",
]

Bump = Literal["", "patch", "minor", "major"]

_WORDS: Final = frozenset(
    {
        "about", "because", "cite", "label", "links", "localisable", "logic", "meaning", "note",
        "override_reasons", "place", "say", "source", "summary", "tests", "text", "title",
        "thresholds", "upkeep", "version", "warn",
    }
)  # fmt: skip
"""Fields that decide no answer: they are words, or stand again in the clauses."""


def logic_of(value: Any) -> Any:
    """Give what decides answers of a rule, or of whatever it holds, to be compared."""
    if isinstance(value, Place):
        return None
    if isinstance(value, Threshold):
        return value.unit, value.or_own, value.cases
    if isinstance(value, Card) and value.also_on:
        return logic_of(value.as_written)
    if is_dataclass(value) and not isinstance(value, type):
        return (
            type(value).__name__,
            *(
                (one.name, logic_of(getattr(value, one.name)))
                for one in fields(value)
                if one.name not in _WORDS
            ),
        )
    if isinstance(value, dict):
        return tuple((name, logic_of(one)) for name, one in value.items())
    if isinstance(value, list | tuple):
        return tuple(logic_of(one) for one in value)
    return value


def lost_names(old: Rule, new: Rule) -> Iterator[str]:
    """Name what others could use of a rule and cannot any more."""
    if kind_of(old) != kind_of(new):
        yield f"it was {kind_of(old)} and is {kind_of(new)}"
        return
    if isinstance(old, Card) and isinstance(new, Card) and old.code != new.code:
        yield f"its code was {old.code}"
    if isinstance(old, Index) and isinstance(new, Index) and old.unit != new.unit:
        yield f"its unit was {old.unit}"
    gone = _names(old) - _names(new)
    yield from (f"{one} is gone" for one in sorted(gone))


def _names(rule: Rule) -> set[str]:
    if isinstance(rule, Index):
        return {f"band {band.name}" for band in rule.bands}
    if isinstance(rule, Factor):
        return {f"grade {grade.name}" for grade in rule.grades}
    if isinstance(rule, Stages):
        return {f"stage {line.label}" for line in rule.lines}
    return set()


def bumped(old: str, new: str) -> Bump:
    """Say which number of a version moved; empty where it did not, or moved back."""
    before, after = _parts(old), _parts(new)
    if after <= before:
        return ""
    if after[0] != before[0]:
        return "major"
    return "minor" if after[1] != before[1] else "patch"


def next_version(version: str, bump: Bump) -> str:
    """Give the version after this one."""
    major, minor, patch = _parts(version)
    if bump == "major":
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if bump == "minor" else f"{major}.{minor}.{patch + 1}"


def size_of_bump(bump: Bump) -> int:
    """Order bumps by their size."""
    return ("", "patch", "minor", "major").index(bump)


def _parts(version: str) -> tuple[int, int, int]:
    major, minor, patch = (int(part) for part in version.split("."))
    return major, minor, patch


def needed_bump(*, answers: bool, words: bool, lost: Collection[str]) -> Bump:
    """Say which number must move."""
    if lost:
        return "major"
    if answers:
        return "minor"
    return "patch" if words else ""
