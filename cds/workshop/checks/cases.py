"""
Whether rules have tests at all: CDS701.
"""

from __future__ import annotations

from cds.workshop.checks.context import Context

__all__ = ["check"]


def check(context: Context) -> None:
    """Report rules without a single case."""
    for rule in context.every_rule():
        if not rule.tests and rule.status != "retired":
            context.report.add(
                "CDS701",
                context.root_of(rule).at("id"),
                f"`{rule.id}` has no tests",
                help="add `tests:` with a case in which it says yes and one in which not",
            )
