"""
What stands between a changed folder of rules and the people they are served to.

Run as a process of its own (`python -m cds.workshop.gate FOLDER PROFILE`), which may be killed,
crash or run out of memory without harm: it reads and compiles the rules, runs every
case they carry on both evaluators, and compares the two on patients mixed from those
cases. It prints one line of JSON: what was done, and why the rules are refused, if so.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from cds.core.rules import Ruleset
from cds.errors import CdsError, EvaluatorsDisagree
from cds.reasoning.evaluator import Reasoner
from cds.rulefiles.diagnostics import concise
from cds.rulefiles.profiles import DEFAULT
from cds.workshop.checks.checking import check_folder
from cds.workshop.testing.calls import call_of
from cds.workshop.testing.cases import cases_of
from cds.workshop.testing.lab import reader_of
from cds.workshop.testing.patients import CannotRead
from cds.workshop.testing.running import run_cases

__all__ = ["main", "refusals"]

MIXED: Final = 500
_MOST_SHOWN: Final = 20
_MOST_MEMORY: Final = 2 * 1024**3
_MOST_SECONDS: Final = 120


def refusals(
    folder: Path, profile: str = DEFAULT, *, as_of: date, mixed: int = MIXED
) -> Iterator[str]:
    """
    Say every reason why the rules of *folder* must not be served, as far as one can see.

    Cases of rules run under the default profile, as they were written; what is served is
    the rules under *profile*, so that one's cases and both evaluators are tried on these.
    """
    checked = check_folder(folder, as_of=as_of, profile=profile)
    errors = [one for one in checked.findings if one.severity == "error"]
    rules = checked.loaded.ruleset
    if errors or rules is None:
        yield from map(concise, errors)
        return
    for one in run_cases(folder, profiles=(DEFAULT, profile)):
        if not one.passed:
            first = f": {one.differences[0]}" if one.differences else ""
            yield f"{one.place}: the case {one.name!r} fails{first}"
    yield from _disagreements(rules, mixed)


def _disagreements(rules: Ruleset, count: int) -> Iterator[str]:
    """Compare the evaluators on patients whose facts come from several cases each."""
    # The same rules are tried on the same patients: a refusal can be looked into.
    rng = Random(20_26)  # noqa: S311 - keeps no secret
    givens = [case.given for _, case in cases_of(rules) if case.given]
    if not givens:
        return
    read = reader_of(rules)
    reasoner = Reasoner(rules, engine="both", everything=True)
    try:
        for _ in range(count):
            given = _mixed(rng, givens)
            try:
                snapshot = read(call_of(rules, given))
            except CannotRead:
                continue  # what two cases say does not fit together
            try:
                reasoner.conclude(snapshot)
            except EvaluatorsDisagree as error:
                yield f"the evaluators differ on {', '.join(error.nodes)}"
                return
    finally:
        reasoner.close()


def _mixed(rng: Random, givens: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Take most facts of one case and some of up to three others."""
    given: dict[str, Any] = {}
    for number in range(rng.choice((1, 2, 2, 3, 4))):
        keep = 0.9 if number == 0 else 0.5
        other = rng.choice(givens)
        given.update({name: value for name, value in other.items() if rng.random() < keep})
    return given


def main(arguments: list[str]) -> int:
    """Judge the folder that *arguments* name, print the verdict, give the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS))
    # Requests go first.
    os.nice(10)
    try:
        why = list(refusals(Path(arguments[0]), *arguments[1:], as_of=datetime.now(UTC).date()))
    except CdsError as error:
        why = [str(error)]
    sys.stdout.write(json.dumps({"why": why[:_MOST_SHOWN], "count": len(why)}) + "\n")
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
