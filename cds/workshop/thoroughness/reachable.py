"""
Which answers a clause can have, as far as its own words tell.

Some questions are never unknown, and some are never answered no: silence proves nothing
of them. What only a proof over several clauses could show is not looked into here.
"""

from __future__ import annotations

from typing import Final

from cds.core.clauses import (
    All,
    Any_,
    AtLeast,
    Clause,
    Compare,
    Expr,
    Holds,
    Known,
    ListComplete,
    Listed,
    NewerThan,
    Not,
    NotUsedBecause,
    StageIs,
    clauses_of,
)
from cds.core.quantity import plain
from cds.core.rules import Ruleset

__all__ = ["ANSWERS", "can_be_yes", "cannot_be"]

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
    if isinstance(clause, Compare):
        return _of_compare(rules, clause)
    return {}


def can_be_yes(rules: Ruleset, expr: Expr) -> bool:
    """Tell whether a condition can be yes, as far as its clauses tell."""
    if isinstance(expr, All):
        return all(can_be_yes(rules, one) for one in expr.of)
    if isinstance(expr, Any_ | AtLeast):
        return any(can_be_yes(rules, one) for one in expr.of)
    return isinstance(expr, Not) or "yes" not in cannot_be(rules, expr)


def _of_compare(rules: Ruleset, clause: Compare) -> dict[str, str]:
    """Look at what is plausible: a result beyond it is never used."""
    names = {clause.name}
    if clause.what == "input":
        every = (one for index in rules.indices.values() for one in index.inputs)
        names = {one.source for one in every if one.name == clause.name}
    concepts = [rules.concepts[name] for name in names if name in rules.concepts]
    if clause.low is None and clause.high is not None and concepts:
        cuts = [case.value for case in clause.high.threshold.cases]
        lows = [one.units[one.unit].low for one in concepts if one.unit in one.units]
        if lows and all(low is not None and max(cuts) <= low for low in lows):
            return {"yes": f"below {plain(max(cuts))} is implausible"}
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
