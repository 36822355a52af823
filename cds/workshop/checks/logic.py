"""
Checks of logic: what the conditions of a release can and cannot do, by proof.
"""

from __future__ import annotations

from cds.workshop.checks.conditions import check_conditions
from cds.workshop.checks.context import Context
from cds.workshop.checks.guards import check_guards
from cds.workshop.checks.leaning import check_leaning
from cds.workshop.checks.proving import Proving
from cds.workshop.checks.reach import check_reach

__all__ = ["check"]


def check(context: Context) -> None:
    """
    Run every check of logic on the rules that could be read.

    First each condition by its own words; what is amiss there says nothing sure of what
    leans on it, and the rest is judged as if it could have any answer.
    """
    concepts = {root.source.path for root in context.loaded.roots["concepts"]}
    if concepts & context.broken:
        return
    amiss = check_conditions(Proving(context, context.broken, closed=True), all_of_them=True)
    proving = Proving(context, context.broken | amiss)
    amiss = check_conditions(proving, all_of_them=False)
    if amiss:
        proving = Proving(context, proving.broken | amiss)
    check_guards(proving)
    check_reach(proving)
    check_leaning(proving)
