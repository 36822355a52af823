"""
The release that is served: its rules, loaded or refused, and what is known about them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cds.core.rules import Ruleset
from cds.errors import CdsError, RuleError
from cds.rulefiles.loader import load

__all__ = ["NotServedError", "Release", "open_release"]


class NotServedError(CdsError):
    """These rules are sound and must not be served as they are; the message says why."""


@dataclass(frozen=True, slots=True)
class Release:
    """The rules, and which of them are `pending` clinical review."""

    ruleset: Ruleset
    pending: tuple[str, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """Count what there is of each kind."""
        rules = self.ruleset
        return {
            "concepts": len(rules.concepts),
            "indices": len(rules.indices),
            "conditions": len(rules.conditions),
            "factors": len(rules.factors),
            "cards": len(rules.cards),
            "active": sum(one.status == "active" for one in rules.cards.values()),
        }


def open_release(folder: Path, *, unreviewed: bool, profile: str = "default") -> Release:
    """
    Load the rules of *folder* under a *profile*.

    Raises `RuleError` where they cannot be used, also because the profile was written for
    another release; `NotServedError` where no card is
    active, or some rules are pending review and *unreviewed* ones are not allowed.
    """
    loaded = load(folder, profile)
    if loaded.ruleset is None:
        raise RuleError([one for one in loaded.diagnostics if one.severity == "error"])
    release = Release(loaded.ruleset, _pending(loaded.ruleset))
    if not release.counts["active"]:
        # An answer without cards would look like a healthy patient, for every patient.
        raise NotServedError("CDS_RULES: there is no active card among the rules of this folder")
    if release.pending and not unreviewed:
        raise NotServedError(
            f"{len(release.pending)} rules have not been reviewed by a clinician; "
            "ALLOW_UNREVIEWED=1 serves them all the same"
        )
    return release


def _pending(rules: Ruleset) -> tuple[str, ...]:
    every = [
        *rules.indices.values(),
        *rules.conditions.values(),
        *rules.factors.values(),
        *rules.cards.values(),
        *([rules.stages] if rules.stages is not None else []),
    ]
    return tuple(
        one.id
        for one in every
        if one.status == "active" and one.upkeep.clinical_review == "pending"
    )
