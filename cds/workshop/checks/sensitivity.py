"""
Cases that notice no fault of their rule: CDS706, a finding of `cds test --mutate`.

Trying every fault on every case takes too long for `cds check`.
"""

from __future__ import annotations

from cds.rulefiles.diagnostics import Report
from cds.workshop.thoroughness.mutation import Score

__all__ = ["check_score"]


def check_score(score: Score, report: Report) -> None:
    """Report the cases of a rule that no mutant of it makes fail."""
    for case in score.insensitive:
        report.add(
            "CDS706",
            case.place,
            f"no mutant of `{score.rule}` makes the case `{case.name}` fail",
            help="let it expect more, or take it out",
        )
