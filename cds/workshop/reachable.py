"""
Which answers a clause can have, as far as its own words tell.

Some questions are never unknown, and some are never answered no: silence proves nothing
of them. What only a proof over several clauses could show is not looked into here.
"""

from __future__ import annotations

from typing import Final

from cds.core.clauses import (
    Clause,
    Holds,
    Known,
    ListComplete,
    Listed,
    NewerThan,
    NotUsedBecause,
    StageIs,
    clauses_of,
)
from cds.core.rules import Ruleset

__all__ = ["ANSWERS", "cannot_be"]

ANSWERS: Final = ("yes", "no", "unknown")
_TWO_VALUED: Final = (Known, ListComplete, NewerThan, NotUsedBecause, StageIs)


def cannot_be(rules: Ruleset, clause: Clause) -> dict[str, str]:
    """Give the answers that a clause can never have, each with the reason."""
    if isinstance(clause, _TWO_VALUED):
        return {"unknown": "is always yes or no"}
    if isinstance(clause, Listed):
        return _of_listed(rules, clause)
    if isinstance(clause, Holds):
        return _of_condition(rules, clause.name)
    return {}


def _of_listed(rules: Ruleset, clause: Listed) -> dict[str, str]:
    if clause.on_record:
        return {"unknown": "`on record` is always yes or no"}
    silent = [
        name
        for name in clause.names
        if rules.concepts[name.partition(":")[0]].absent_means == "unknown"
    ]
    return {"no": f"silence about {silent[0]} proves nothing"} if silent else {}


def _of_condition(rules: Ruleset, name: str) -> dict[str, str]:
    condition = rules.conditions[name]
    parts = [*clauses_of(condition.holds_if)]
    if condition.ruled_out_if is None and all("unknown" in cannot_be(rules, one) for one in parts):
        return {"unknown": f"nothing in {name} is ever unknown"}
    return {}
