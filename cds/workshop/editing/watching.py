"""
A folder of rules that is being edited: after every save, what became of the answers.

The cases of the saved rules come first, for somebody waits for them; then what
`cds check` says, and the cases of everything that leans on what was saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from cds.core.clauses import Place, Threshold
from cds.core.headers import TestCase
from cds.core.quantity import plain
from cds.core.reads import needed_by
from cds.core.rules import Ruleset
from cds.rulefiles.diagnostics import Diagnostic
from cds.rulefiles.loader import Loaded, load
from cds.rulefiles.source import Memory
from cds.workshop.changes.answers import answer_of
from cds.workshop.checks.checking import check_folder
from cds.workshop.testing.cases import CaseResult, cases_of, selected
from cds.workshop.testing.expectations import Rule, hooks_of, kind_of
from cds.workshop.testing.lab import Lab, concluded
from cds.workshop.testing.patients import CannotRead
from cds.workshop.testing.running import run_case

__all__ = ["Affected", "Changed", "Checked", "Ran", "Saved", "Step", "Watcher"]

_NOWHERE = Place("", 0, 0)
# That nobody has reviewed a rule is no news to who is writing it.
_SAID_EVERY_TIME = frozenset({"CDS611"})


@dataclass(frozen=True, slots=True)
class Saved:
    """Which files changed, and which thresholds in them: `thresholds.high 3.46 -> 3.8`."""

    files: tuple[str, ...]
    thresholds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """One case that answers otherwise than before the save."""

    rule: str
    case: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Ran:
    """The cases of the rules that were saved."""

    passed: int
    failed: tuple[CaseResult, ...]
    changed: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong in the folder now; of warnings, those in the saved files."""

    errors: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]
    loaded: Loaded


@dataclass(frozen=True, slots=True)
class Affected:
    """The cases of one rule that leans on what was saved."""

    rule: str
    passed: int
    failed: tuple[CaseResult, ...]
    changed: tuple[Changed, ...]


Step = Saved | Ran | Checked | Affected


class Watcher:
    """
    Watches the rules of *folder*, or only the *wanted* ones and what they affect.

    `begin` looks at everything once, `look` at what was saved since. While a file cannot
    be read, the answers before it are kept, so that mending it shows what really changed.
    """

    def __init__(self, folder: Path, wanted: Iterable[str] = (), *, as_of: date) -> None:
        self._folder = folder
        self._wanted = tuple(wanted)
        self._as_of = as_of
        self._memory = Memory()
        self._texts: dict[str, str] = {}
        self._rules: Ruleset | None = None
        self._answers: dict[tuple[str, str], str] = {}
        self._known: set[str] = set()

    def begin(self) -> Iterator[Step]:
        """
        Check the folder and run the cases that are watched.

        Raises `NothingSelected` where the watched words mean no rule.
        """
        loaded = load(self._folder, memory=self._memory)
        self._texts = _texts_of(loaded)
        if loaded.ruleset is not None:
            self._rules = loaded.ruleset
            watched = {rule.id for rule, _ in selected(loaded.ruleset, self._wanted)}
            self._known |= watched
            yield self._test(loaded.ruleset, watched)
        yield self._check(self._texts)

    def look(self) -> Iterator[Step]:
        """Say what was saved since the last look, if anything, and what came of it."""
        loaded = load(self._folder, memory=self._memory)
        texts = _texts_of(loaded)
        files = {
            name for name in texts.keys() | self._texts if texts.get(name) != self._texts.get(name)
        }
        if not files:
            return
        self._texts = texts
        rules, before = loaded.ruleset, self._rules
        yield Saved(tuple(sorted(files)), tuple(_thresholds(before, loaded.readable, files)))
        affected: list[Rule] = []
        if rules is not None:
            self._rules = rules
            nodes = _nodes_in(rules, before, files)
            own = {rule.id for rule in _rules_of(rules) if rule.place.path in files}
            affected = [
                rule
                for rule in _rules_of(rules)
                if rule.id not in own
                and not nodes.isdisjoint(needed_by(rules, kind_of(rule), rule.id))
            ]
            self._remember(before, own)
            yield self._test(rules, own)
        yield self._check(files)
        if rules is not None:
            for rule in affected:
                self._remember(before, {rule.id})
                tested = self._test(rules, {rule.id})
                yield Affected(rule.id, tested.passed, tested.failed, tested.changed)

    def _check(self, files: Iterable[str]) -> Checked:
        found = check_folder(self._folder, as_of=self._as_of, memory=self._memory)
        near = set(files)
        return Checked(
            tuple(one for one in found.findings if one.severity == "error"),
            tuple(
                one
                for one in found.findings
                if one.severity == "warning"
                and one.place.path in near
                and one.code not in _SAID_EVERY_TIME
            ),
            found.loaded,
        )

    def _test(self, rules: Ruleset, ids: set[str]) -> Ran:
        lab = Lab(rules)
        results: list[CaseResult] = []
        changed: list[Changed] = []
        try:
            for rule, case in cases_of(rules):
                if rule.id in ids:
                    results.append(run_case(lab, rule, case))
                    changed.extend(self._compare(lab, rule, case))
        finally:
            lab.close()
        failed = tuple(one for one in results if not one.passed)
        return Ran(len(results) - len(failed), failed, tuple(changed))

    def _compare(self, lab: Lab, rule: Rule, case: TestCase) -> Iterator[Changed]:
        before = self._answers.get((rule.id, case.name))
        now = self._answer(lab, rule, case)
        self._answers[rule.id, case.name] = now
        if before is not None and before != now:
            yield Changed(rule.id, case.name, before, now)

    def _answer(self, lab: Lab, rule: Rule, case: TestCase) -> str:
        try:
            snapshot = lab.snapshot(case.given, hooks_of(rule))
        except CannotRead:
            return "no patient"
        return answer_of(rule, concluded(rule, lab.rules, lab.start(rule, snapshot)))

    def _remember(self, before: Ruleset | None, ids: set[str]) -> None:
        """Work out what rules that were not run so far answered before the save."""
        ids = ids - self._known
        self._known |= ids
        if before is not None and ids:
            lab = Lab(before, engine="reference")
            for rule, case in cases_of(before):
                if rule.id in ids:
                    self._answers[rule.id, case.name] = self._answer(lab, rule, case)


def _texts_of(loaded: Loaded) -> dict[str, str]:
    return {name: source.text for name, source in loaded.sources.items()}


def _rules_of(rules: Ruleset) -> list[Rule]:
    return list({rule.id: rule for rule, _ in cases_of(rules)}.values())


def _nodes_in(
    rules: Ruleset, before: Ruleset | None, files: set[str]
) -> frozenset[tuple[str, str]]:
    """Name what the files define and what changed in it, as rules lean on it."""
    nodes: set[tuple[str, str]] = set()
    for kind, table in (
        ("index", rules.indices),
        ("condition", rules.conditions),
        ("factor", rules.factors),
        ("card", rules.cards),
        ("reading", rules.readings),
    ):
        nodes.update((kind, name) for name, one in table.items() if one.place.path in files)
    if rules.stages is not None and rules.stages.place.path in files:
        nodes.add(("stages", ""))
    for name, concept in rules.concepts.items():
        old = before.concepts.get(name) if before is not None else None
        if concept.place.path in files and (
            old is None or replace(old, place=_NOWHERE) != replace(concept, place=_NOWHERE)
        ):
            nodes.add(("concept", name))
    if any(one.split("/")[1] in _FOR_ALL_CARDS for one in files if "/" in one):
        nodes.update(("card", name) for name in rules.cards)
    return frozenset(nodes)


_FOR_ALL_CARDS = frozenset({"actions", "population", "profiles", "groups", "release.yaml"})


def _thresholds(before: Ruleset | None, now: Ruleset, files: set[str]) -> Iterator[str]:
    """Say which thresholds of the saved files are others now."""
    if before is None:
        return
    old = {rule.id: rule.thresholds for rule in _rules_of(before)}
    for rule in _rules_of(now):
        if rule.place.path in files and rule.id in old:
            for name, one in rule.thresholds.items():
                was = old[rule.id].get(name)
                if was is not None and was.cases != one.cases:
                    words = f"thresholds.{name} {_numbers(was)} -> {_numbers(one)}"
                    yield f"{words} {_unit(one)}".rstrip()


def _numbers(threshold: Threshold) -> str:
    return " / ".join(plain(one.value) for one in threshold.cases)


def _unit(threshold: Threshold) -> str:
    return "" if threshold.unit == "1" else threshold.unit
