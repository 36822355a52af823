"""
`cds test`: the cases that rule files carry, through the same door as requests.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from cds.cli.console import REFUSED, say_rule_error, say_usage
from cds.errors import RuleError
from cds.reasoning.evaluator import EngineChoice
from cds.service.settings import default_rules
from cds.workshop.cases import CaseResult
from cds.workshop.running import run_cases

__all__ = ["test_rules"]


def test_rules(
    ids: Sequence[str], *, rules: Path | None, profile: str | None, engine: EngineChoice
) -> int:
    """Run the cases of the named rules, or of every rule; give the exit code."""
    began = time.perf_counter()
    try:
        results = list(
            run_cases(
                rules or default_rules(), ids, engine=engine, profiles=[profile] if profile else []
            )
        )
    except RuleError as error:
        return say_rule_error(error)
    if not results:
        return say_usage("no case was selected: is it a rule id?" if ids else "no rule has a case")
    failed = [one for one in results if not one.passed]
    for one in failed:
        sys.stdout.write(_written(one))
    for path, count in _passed_by_file(results) if not failed else ():
        sys.stdout.write(f"{path:<56} {count} passed\n")
    passed = len(results) - len(failed)
    summary = f"{passed} passed" + (f", {len(failed)} failed" if failed else "")
    todo = sum(one.todo for one in results)
    summary += f", {todo} still to be done" if todo else ""
    sys.stdout.write(f"{summary}  {time.perf_counter() - began:.1f} s\n")
    return REFUSED if failed else 0


def _passed_by_file(results: Iterable[CaseResult]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for one in results:
        counts[one.place.path] = counts.get(one.place.path, 0) + 1
    return sorted(counts.items())


def _written(result: CaseResult) -> str:
    lines = [f"FAIL  {result.name}", f"      {result.place}"]
    lines += [f"      {one}" for one in result.differences]
    return "\n".join(lines) + "\n"
