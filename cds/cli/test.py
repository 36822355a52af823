"""
`cds test`: the cases that rule files carry, through the same door as requests.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from cds.cli.console import REFUSED, clean, say_rule_error, say_usage
from cds.errors import RuleError
from cds.reasoning.evaluator import EngineChoice
from cds.rulefiles.diagnostics import did_you_mean, listed
from cds.service.places import default_rules
from cds.workshop.testing.cases import CaseResult, NothingSelected
from cds.workshop.testing.reports import as_json, as_junit, in_full, summary
from cds.workshop.testing.running import run_cases

__all__ = ["CaseForm", "say_nothing_selected", "test_rules"]

CaseForm = Literal["full", "junit", "json"]
_MOST_CANDIDATES = 12


def test_rules(
    wanted: Sequence[str],
    *,
    named: str,
    rules: Path | None,
    profile: str | None,
    engine: EngineChoice,
    form: CaseForm,
) -> int:
    """Run the cases of the wanted rules, or of every rule; give the exit code."""
    began = time.perf_counter()
    try:
        found = run_cases(
            rules or default_rules(),
            wanted,
            named=named,
            engine=engine,
            profiles=[profile] if profile else [],
        )
        results = list(found)
    except RuleError as error:
        return say_rule_error(error)
    except NothingSelected as problem:
        return say_nothing_selected(problem, (*wanted, named))
    if not results:
        return say_usage("no rule has a case")
    sys.stdout.write(_written(results, form, time.perf_counter() - began))
    return 0 if all(one.passed for one in results) else REFUSED


def _written(results: Sequence[CaseResult], form: CaseForm, seconds: float) -> str:
    if form == "json":
        return as_json(results) + "\n"
    if form == "junit":
        return as_junit(results) + "\n"
    return clean(f"{in_full(results)}\n{summary(results)}  {seconds:.1f} s\n")


def say_nothing_selected(problem: NothingSelected, words: Sequence[str]) -> int:
    """Say that nothing was selected, and what could have been meant."""
    sentence = str(problem)
    for word in words:
        if f"`{word}`" in sentence and (meant := did_you_mean(word, problem.candidates)):
            return say_usage(f"{sentence}; {meant}")
    few = problem.candidates[:_MOST_CANDIDATES]
    more = len(problem.candidates) - len(few)
    if few:
        sentence += f"; there are {listed(few)}" + (f" and {more} more" if more else "")
    return say_usage(sentence)
