"""
Checks of logic: what the conditions of a release can and cannot do, by proof.
"""

from __future__ import annotations

from cds.workshop.checks.conditions import check_conditions
from cds.workshop.checks.context import Context
from cds.workshop.checks.guards import check_guards
from cds.workshop.checks.proving import Proving
from cds.workshop.checks.reach import check_reach

__all__ = ["check"]


def check(context: Context) -> None:
    """Run every check of logic on the rules that could be read."""
    if any(path.startswith("rules/concepts/") for path in context.broken):
        return
    proving = Proving(context)
    check_conditions(proving)
    check_guards(proving)
    check_reach(proving)
