"""
Inline cases of a folder of rules, run by the evaluators that are asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from cds.core.headers import EXPECTED, TestCase
from cds.core.rules import Ruleset
from cds.errors import EvaluatorsDisagree, RuleError
from cds.reasoning.evaluator import EngineChoice
from cds.rulefiles.loader import Loaded, load
from cds.rulefiles.profiles import DEFAULT
from cds.workshop.testing.cases import CaseResult, NothingSelected, selected
from cds.workshop.testing.expectations import Difference, Expectations, Rule, hooks_of, kind_of
from cds.workshop.testing.histories import past_of
from cds.workshop.testing.lab import Lab
from cds.workshop.testing.patients import CannotRead
from cds.workshop.why.explaining import Explainer
from cds.workshop.why.reasons import written

__all__ = ["results_of", "run_case", "run_cases", "usable"]

_WIDTH: Final = 88


def usable(folder: Path, profile: str = DEFAULT) -> Ruleset:
    """Load the rules of a folder; raises `RuleError` with the errors where there are any."""
    return _sound(load(folder, profile))


def _sound(loaded: Loaded) -> Ruleset:
    if loaded.ruleset is None:
        raise RuleError([one for one in loaded.diagnostics if one.severity == "error"])
    return loaded.ruleset


def run_cases(
    folder: Path,
    wanted: Collection[str] = (),
    *,
    named: str = "",
    engine: EngineChoice = "both",
    profiles: Collection[str] = (),
) -> Iterator[CaseResult]:
    """
    Run the cases of the rules *wanted*, or of every rule, with *named* in their name.

    Cases of rules run under the default profile, those of a profile under their own; with
    *profiles* only theirs.

    Raises `RuleError` where the rules cannot be used, `NothingSelected` where nothing is
    picked. A case on which the two evaluators differ has failed.
    """
    nothing: NothingSelected | None = None
    found = False
    first = load(folder, next(iter(profiles), DEFAULT))
    for profile in dict.fromkeys(profiles or (DEFAULT, *first.profiles)):
        loaded = first if profile == first.profile else load(folder, profile)
        try:
            for one in results_of(_sound(loaded), wanted, named=named, engine=engine):
                found = True
                yield one
        except NothingSelected as problem:
            nothing = nothing or problem
    if nothing is not None and not found:
        raise nothing


def results_of(
    rules: Ruleset,
    wanted: Collection[str] = (),
    *,
    named: str = "",
    engine: EngineChoice = "both",
) -> Iterator[CaseResult]:
    """Run the cases of rules that are read already; see `run_cases`."""
    lab = Lab(rules, engine=engine)
    try:
        for rule, case in selected(rules, wanted, named=named):
            yield run_case(lab, rule, case)
    finally:
        lab.close()


def run_case(lab: Lab, rule: Rule, case: TestCase) -> CaseResult:
    """Run one case by the evaluators of the lab."""
    differences: tuple[Difference, ...]
    try:
        snapshot = lab.snapshot(case.given, hooks_of(rule))
        conclusions = lab.conclude(rule, snapshot)
        past = past_of(lab.rules, rule.id, case.given)
        expectations = Expectations(
            lab.rules,
            snapshot,
            conclusions,
            past=past,
            decide=lambda: lab.decide(rule, snapshot, past.history, case.expect),
        )
        differences = tuple(expectations.differences(rule, case.expect))
    except CannotRead as problem:
        differences = (Difference("given", "a patient", str(problem)),)
    except EvaluatorsDisagree as error:
        differences = (Difference("evaluators", "one conclusion", ", ".join(error.nodes)),)
    result = CaseResult(
        rule=rule.id,
        name=case.name,
        place=case.place,
        differences=differences,
        todo=case.todo,
        given=case.said,
    )
    return result if result.passed else replace(result, why=_why(lab, rule, case, differences))


def _why(
    lab: Lab, rule: Rule, case: TestCase, differences: Sequence[Difference]
) -> tuple[str, ...]:
    """Give the reasons of what differs first; none where there was nothing to evaluate."""
    words = [one.word for one in differences if one.word in EXPECTED[kind_of(rule)]]
    if not words:
        return ()
    run = lab.start(rule, lab.snapshot(case.given, hooks_of(rule)))
    return tuple(written(Explainer(lab.rules, run).about(rule, words[0]), width=_WIDTH))
