"""
`cds test --coverage`, `--mutate`, `--suggest`, `--require`: how much the cases prove.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cds.cli.console import REFUSED, clean, say_rule_error
from cds.cli.test import say_nothing_selected
from cds.errors import RuleError
from cds.rulefiles.diagnostics import Report, concise
from cds.service.places import default_rules
from cds.workshop.checks.sensitivity import check_score
from cds.workshop.testing.cases import NothingSelected, selected
from cds.workshop.testing.expectations import Rule
from cds.workshop.testing.lab import Lab
from cds.workshop.testing.running import run_case, usable
from cds.workshop.testing.subjects import patients_of
from cds.workshop.thoroughness.coverage import Coverage, coverage_of, table, wanting
from cds.workshop.thoroughness.mutation import Score, score_of
from cds.workshop.thoroughness.suggesting import suggest
from cds.workshop.thoroughness.writing_cases import appended, as_yaml

__all__ = ["Wanted", "show_thoroughness"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the cases; *at_least* is the percentage below which the exit code is 1."""

    coverage: bool = False
    mutate: bool = False
    suggest: bool = False
    write: bool = False
    require: bool = False
    at_least: float | None = None


def show_thoroughness(words: Sequence[str], wanted: Wanted, *, rules: Path | None) -> int:
    """Say how much the cases of the rules prove; give the exit code."""
    folder = rules or default_rules()
    began = time.perf_counter()
    try:
        lab = Lab(usable(folder), engine="reference")
        chosen = {rule.id: rule for rule, _ in selected(lab.rules, words)}
    except RuleError as error:
        return say_rule_error(error)
    except NothingSelected as problem:
        return say_nothing_selected(problem, words)
    fine = _all_pass(lab, words)
    if wanted.require:
        fine = _require(lab, list(chosen.values())) and fine
    if wanted.coverage:
        fine = _cover(lab, list(chosen.values()), wanted.at_least, whole=not words) and fine
    if wanted.mutate:
        fine = _mutate(lab, list(chosen.values()), wanted.at_least) and fine
    if wanted.suggest:
        for rule in chosen.values():
            lab.forget()
            _suggest(lab, rule, folder, write=wanted.write)
    sys.stdout.write(f"{len(chosen)} rules  {time.perf_counter() - began:.1f} s\n")
    return 0 if fine else REFUSED


def _all_pass(lab: Lab, words: Sequence[str]) -> bool:
    """Name the cases that fail: what they would show is not counted."""
    results = [run_case(lab, rule, case) for rule, case in selected(lab.rules, words)]
    failed = [one for one in results if not one.passed]
    for one in failed:
        _say(f"this case fails and counts for nothing: {one.name} ({one.place}); see `cds test`")
    return not failed


def _say(text: str) -> None:
    sys.stdout.write(clean(text) + "\n")


def _require(lab: Lab, rules: Sequence[Rule]) -> bool:
    fine = True
    for rule in rules:
        if rule.status == "active":
            for sentence in wanting(coverage_of(lab, rule)):
                fine = False
                _say(f"{rule.place.path}: {sentence}")
    if fine:
        _say("every active rule is seen to say yes and no, and every guard to block")
    return fine


def _cover(lab: Lab, rules: Sequence[Rule], at_least: float | None, *, whole: bool) -> bool:
    found = [coverage_of(lab, rule) for rule in rules]
    for one in found:
        if not whole:
            _say(table(one) + "\n")
        elif one.percent < 100:  # noqa: PLR2004 - all of it
            seen, could = one.counts
            _say(f"{one.rule:<44} {seen:>4} of {could:<4} {one.percent:5.1f} %")
    percent = _share(found)
    _say(f"{percent:.1f} % of the answers that can happen were seen")
    return at_least is None or percent >= at_least


def _share(found: Sequence[Coverage]) -> float:
    seen = sum(one.counts[0] for one in found)
    could = sum(one.counts[1] for one in found)
    return 100 * seen / could if could else 100.0


def _mutate(lab: Lab, rules: Sequence[Rule], at_least: float | None) -> bool:
    found = []
    for rule in rules:
        found.append(score_of(lab, rule))
        _say(_scored(found[-1]))
    noticed = sum(one.noticed for one in found)
    alive = sum(len(one.alive) for one in found)
    excused = sum(len(one.equivalent) for one in found)
    proved = sum(len(one.proved) for one in found)
    percent = 100 * noticed / (noticed + alive) if noticed + alive else 100.0
    _say(
        f"{noticed} of {noticed + alive} mutants noticed ({percent:.1f} %), "
        f"{proved} proved to change nothing, "
        f"{excused} excused ({100 * excused / max(noticed + alive + excused, 1):.1f} %)"
    )
    stale = any(one.stale for one in found)
    return not stale and (at_least is None or percent >= at_least)


def _scored(one: Score) -> str:
    lines = [
        f"{one.rule:<44} {one.noticed:>4} of {one.noticed + len(one.alive):<4} {one.percent:5.1f} %"
    ]
    lines += [f"  {each.place.path}:{each.place.line}  {each.name}" for each in one.alive]
    lines += [f"  changes nothing, by proof  {each.name}" for each in one.proved]
    lines += [f"  excused  {each.name}\n           {because}" for each, because in one.equivalent]
    lines += [f"  no mutant left for `equivalent`: {name}" for name in one.stale]
    report = Report()
    check_score(one, report)
    lines += [f"  {concise(finding)}" for finding in report.sorted()]
    return "\n".join(lines)


def _suggest(lab: Lab, rule: Rule, folder: Path, *, write: bool) -> None:
    taken = [case.name.partition(" [")[0] for case in rule.tests]
    found = suggest(lab, rule)
    text = as_yaml(lab.rules, found, patients_of(folder, rule.place), taken)
    if not text:
        _say(f"{rule.place.path}: nothing is missing")
    elif write:
        path = folder.parent / rule.place.path
        path.write_text(appended(path.read_text("utf-8"), text), "utf-8")
        _say(f"{rule.place.path}: {len(found)} cases added; read what they expect")
    else:
        _say(f"# {rule.place.path}\n{text}")
