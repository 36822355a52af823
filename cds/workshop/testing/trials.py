"""
How the cases of a rule answer one of its clauses: what the clause met in each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds.core.clauses import Clause, clauses_of
from cds.core.rules import Ruleset
from cds.reasoning.questions import is_input, questions
from cds.workshop.testing.cases import cases_of
from cds.workshop.testing.lab import Lab
from cds.workshop.testing.patients import CannotRead
from cds.workshop.why.tracing import Tracer

__all__ = ["Trial", "clause_at", "trials_of"]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a clause answered in one case, and what it met: `6.2 h, needs below 7 h`."""

    case: str
    answer: str
    note: str


def clause_at(rules: Ruleset, path: str, line: int, column: int) -> Clause | None:
    """Find the clause that stands at a place; lines and columns count from one."""
    for question in questions(rules):
        for clause in clauses_of(question.expr):
            place = clause.place
            on_line = place.path == path and place.line == line
            if on_line and place.column <= column <= place.column + place.width:
                return clause
    return None


def trials_of(rules: Ruleset, clause: Clause) -> Iterator[Trial]:
    """Answer a clause in every case of its file; inputs of an index have no answer alone."""
    if is_input(clause):
        return
    lab = Lab(rules, engine="reference")
    for rule, case in cases_of(rules):
        if rule.place.path != clause.place.path:
            continue
        try:
            run = lab.start(rule, lab.snapshot(case.given))
        except CannotRead:
            continue
        reason = Tracer(rules, run, depth=0).condition(clause)
        yield Trial(case.name, reason.answer, reason.note)
    lab.close()
