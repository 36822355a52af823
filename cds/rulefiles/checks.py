"""
What can be wrong: every check by its code, with its name and its weight.

The hundreds are families: file, names, quantities, logic, cards, evidence and upkeep,
tests, profiles, engine. A name reads after the word "allow". Each has a page in
`docs/checks/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["CHECKS", "Check", "Severity", "code_of"]

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
    "CDS108": Check("unformatted", "warning"),
    "CDS109": Check("odd-character", "warning"),
    "CDS110": Check("unreadable-clause", "error"),
    "CDS201": Check("unknown-name", "error"),
    "CDS202": Check("unknown-threshold", "error"),
    "CDS203": Check("duplicate-id", "error"),
    "CDS204": Check("unused-definition", "warning"),
    "CDS205": Check("wrong-question", "error"),
    "CDS206": Check("unverified-binding", "warning"),
    "CDS207": Check("shared-code", "warning"),
    "CDS208": Check("shared-public-code", "error"),
    "CDS210": Check("cycle", "error"),
    "CDS211": Check("unserved-name", "error"),
    "CDS301": Check("unit-mismatch", "error"),
    "CDS302": Check("missing-unit", "error"),
    "CDS303": Check("unconvertible", "error"),
    "CDS304": Check("unitless-formula", "error"),
    "CDS305": Check("implausible-threshold", "warning"),
    "CDS306": Check("bare-number", "warning"),
    "CDS307": Check("unequal-pair", "warning"),
    "CDS401": Check("never-true", "error"),
    "CDS402": Check("always-true", "error"),
    "CDS403": Check("redundant-clause", "warning"),
    "CDS404": Check("subsumed-guard", "warning"),
    "CDS405": Check("band-gap", "error"),
    "CDS406": Check("band-overlap", "error"),
    "CDS407": Check("unreachable-rule", "error"),
    "CDS408": Check("unreachable-grade", "error"),
    "CDS409": Check("contradictory-guards", "error"),
    "CDS410": Check("unbounded-recency", "error"),
    "CDS411": Check("window-beyond-prefetch", "warning"),
    "CDS412": Check("trial-dependency", "warning"),
    "CDS413": Check("draft-off-hook", "error"),
    "CDS414": Check("threshold-overlap", "error"),
    "CDS415": Check("threshold-gap", "error"),
    "CDS416": Check("unlike-hooks", "error"),
    "CDS420": Check("silent-guard", "error"),
    "CDS421": Check("silent-evidence", "error"),
    "CDS422": Check("fail-open-guard", "warning"),
    "CDS423": Check("dead-unknown", "warning"),
    "CDS424": Check("overlapping-answers", "warning"),
    "CDS425": Check("unexplained-show", "warning"),
    "CDS501": Check("long-summary", "error"),
    "CDS502": Check("unknown-hole", "error"),
    "CDS503": Check("hole-may-be-empty", "error"),
    "CDS504": Check("invalid-resource", "error"),
    "CDS505": Check("wrong-code", "error"),
    "CDS506": Check("live-order", "error"),
    "CDS507": Check("drafted-medicine", "error"),
    "CDS508": Check("indicator-inflation", "warning"),
    "CDS509": Check("markdown-risk", "warning"),
    "CDS510": Check("no-way-out", "warning"),
    "CDS511": Check("never-quiet", "warning"),
    "CDS512": Check("priority-tie", "warning"),
    "CDS513": Check("not-a-draft", "error"),
    "CDS514": Check("chosen-beforehand", "error"),
    "CDS515": Check("protected-draft", "error"),
    "CDS516": Check("nothing-to-cancel", "error"),
    "CDS517": Check("changed-identity", "error"),
    "CDS601": Check("uncited-threshold", "warning"),
    "CDS602": Check("unknown-source", "error"),
    "CDS603": Check("unsupported-claim", "warning"),
    "CDS604": Check("self-reviewed", "error"),
    "CDS605": Check("review-overdue", "warning"),
    "CDS606": Check("unnoted-limits", "warning"),
    "CDS607": Check("stale-version", "error"),
    "CDS608": Check("unused-allow", "warning"),
    "CDS609": Check("ungraded-citation", "warning"),
    "CDS611": Check("pending-review", "warning"),
    "CDS612": Check("unexplained-retirement", "error"),
    "CDS613": Check("insecure-link", "warning"),
    "CDS701": Check("untested-rule", "error"),
    "CDS702": Check("unseen-answer", "warning"),
    "CDS703": Check("untested-edge", "warning"),
    "CDS704": Check("unseen-band", "warning"),
    "CDS705": Check("duplicate-test-name", "error"),
    "CDS706": Check("insensitive-test", "warning"),
    "CDS801": Check("outside-limits", "error"),
    "CDS802": Check("not-localisable", "error"),
    "CDS803": Check("unexplained-override", "error"),
    "CDS804": Check("pinned-elsewhere", "error"),
    "CDS805": Check("no-local-code", "error"),
    "CDS901": Check("proof-skipped", "warning"),
}


def code_of(word: str) -> str:
    """Find a check by its code or its name; empty where there is none."""
    if word in CHECKS:
        return word
    return next((code for code, check in CHECKS.items() if check.name == word), "")
