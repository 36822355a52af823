"""
What every rule file has: its name, version, sources, upkeep and inline cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from cds.core.clauses import Place, Threshold
from cds.core.concepts import Reading

__all__ = [
    "EXPECTED",
    "About",
    "Citation",
    "Rule",
    "TestCase",
    "Upkeep",
]


@dataclass(frozen=True, slots=True)
class Citation:
    """A source by key, and what it supports here. *grade* as knowledge.md 0.5: A B C D X."""

    cite: str
    supports: str
    grade: str = ""
    strength: str = ""
    recommendation: str = ""
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """Why a rule exists, how it concludes, what it gets wrong, what it rests on."""

    purpose: str
    explanation: str
    limits: tuple[str, ...]
    evidence: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Who answers for a rule. *clinical_review* is `pending` until a named person reviewed it."""

    owner: str
    authors: tuple[str, ...]
    clinical_review: str
    reviewers: tuple[str, ...] = ()
    reviewed: str = ""
    review_by: str = ""


EXPECTED: Final[Mapping[str, tuple[str, ...]]] = {
    "index": ("value", "between", "below", "shown", "band", "unknown", "not_valid", "criteria"),
    "condition": ("holds",),
    "stages": ("stage", "could_be"),
    "factor": (
        "grade",
        "points",
        "could_become",
        "because",
        "disagrees",
        "excluded",
        "not_assessed",
    ),
    "card": (
        "shown",
        "because",
        "indicator",
        "priority",
        "summary",
        "says",
        "does_not_say",
        "offers",
        "actions",
        "cancels",
        "changes",
        "withheld",
        "warns",
        "quiet",
        "for_review",
        "cut",
        "merged",
        "trial",
    ),
}
"""What a case can expect, by the kind of its rule."""


@dataclass(frozen=True, slots=True)
class TestCase:
    """
    An inline case: *given* and *expect* as plain YAML values, checked when it runs.

    *said* is the patient as the author wrote it: `typical, but bmi: 35 kg/m2`.
    *rule* names the rule in a case of a profile; elsewhere it is that of the file.
    """

    __test__ = False

    name: str
    given: Mapping[str, Any]
    expect: Mapping[str, Any]
    place: Place
    todo: bool = False
    said: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    One thing of a rule file: what its header says, and where it stands.

    *equivalent* are mutants that change nothing a case could notice, each with the reason.
    """

    id: str
    title: str
    version: str
    status: Literal["draft", "trial", "active", "retired"]
    about: About
    upkeep: Upkeep
    place: Place
    tests: tuple[TestCase, ...] = ()
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    readings: Mapping[str, Reading] = field(default_factory=dict)
    equivalent: tuple[tuple[str, str], ...] = ()
