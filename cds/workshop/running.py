"""
Every inline case of a folder of rules, run by the evaluators that are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from cds.core.facts import Snapshot
from cds.core.rules import Ruleset
from cds.errors import EvaluatorsDisagree, RuleError
from cds.fhir.extract import Extractor
from cds.fhir.retrieve import retrieve
from cds.reasoning.evaluator import EngineChoice, Reasoner
from cds.rulefiles.loader import load
from cds.rulefiles.profiles import DEFAULT
from cds.workshop.cases import CaseResult, Difference, cases_of, run_case, site_cases_of
from cds.workshop.patients import NOW

__all__ = ["reader_of", "results_of", "run_cases"]

Read = Callable[[Mapping[str, Any]], Snapshot]


def run_cases(
    folder: Path,
    ids: Collection[str] = (),
    *,
    engine: EngineChoice = "both",
    profiles: Collection[str] = (),
) -> Iterator[CaseResult]:
    """
    Run the cases of the rules *ids*, or of every rule.

    Cases of rules run under the default profile, those of a profile under their own; with
    *profiles* only theirs. Raises `RuleError` where the rules cannot be used. A case on
    which the two evaluators differ has failed.
    """
    first = next(iter(profiles), DEFAULT)
    rules = {first: load(folder, first)}
    for name in dict.fromkeys(profiles or (DEFAULT, *rules[first].profiles)):
        loaded = rules.get(name) or load(folder, name)
        if loaded.ruleset is None:
            raise RuleError([one for one in loaded.diagnostics if one.severity == "error"])
        yield from results_of(loaded.ruleset, ids, engine=engine)


def reader_of(rules: Ruleset) -> Read:
    """Make what turns the prefetch of a case into a snapshot."""
    extractor = Extractor(
        concepts=rules.concepts,
        searches=rules.searches,
        systems=rules.systems,
        groups=rules.groups_of_people,
    )

    def read(prefetch: Mapping[str, Any]) -> Snapshot:
        retrieved = retrieve(prefetch, patient_id="case", searches=rules.searches)
        return extractor.extract(retrieved, as_of=NOW)

    return read


def results_of(
    rules: Ruleset, ids: Collection[str] = (), *, engine: EngineChoice = "both"
) -> Iterator[CaseResult]:
    """Run the cases of rules that are read already, or of the site they were read for."""
    reasoner = Reasoner(rules, engine=engine, everything=True)
    read = reader_of(rules)
    try:
        for rule, case in cases_of(rules) if rules.profile.id == DEFAULT else site_cases_of(rules):
            if ids and rule.id not in ids:
                continue
            try:
                yield run_case(rules, rule, case, read, reasoner.conclude)
            except EvaluatorsDisagree as error:
                differ = Difference("evaluators", "one conclusion", ", ".join(error.nodes))
                yield CaseResult(rule.id, case.name, case.place, (differ,))
    finally:
        reasoner.close()
