"""
Mutation score: which faults of a rule its cases notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from cds.core.clauses import Place
from cds.core.facts import Snapshot
from cds.core.headers import TestCase
from cds.core.rules import Ruleset, Stages
from cds.reasoning.reference import Run
from cds.workshop.testing.cases import cases_of
from cds.workshop.testing.expectations import Expectations, Rule, hooks_of, kind_of
from cds.workshop.testing.lab import Lab, concluded
from cds.workshop.testing.patients import CannotRead
from cds.workshop.thoroughness.equivalence import proved_equivalent
from cds.workshop.thoroughness.mutants import Mutant, mutants_of

__all__ = ["FAULTS", "Score", "Trial", "concluded_with", "score_of", "scores", "trials_of"]

FAULTS: Final = (ArithmeticError, KeyError, ValueError, StopIteration)
"""What a fault may bring about that makes a rule impossible to work out."""

# What a case expects of all cards together: mutants are judged by the rule alone.
_BETWEEN_CARDS: Final = frozenset({"cut", "merged", "trial"})

_TABLES: Final = {
    "index": "indices",
    "condition": "conditions",
    "factor": "factors",
    "card": "cards",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """A case that agrees with its rule, with its patient read and its answers worked out."""

    case: TestCase
    snapshot: Snapshot
    run: Run


@dataclass(frozen=True, slots=True)
class Score:
    """
    What became of the mutants of one rule.

    *alive* no case noticed; *proved* nobody could, by proof; *equivalent* are those that the
    rule file excuses, with the reason; *stale* are excuses of mutants that are noticed or
    proved, or that there are not; *insensitive* are cases that no mutant makes fail.
    """

    rule: str
    place: Place
    noticed: int
    alive: tuple[Mutant, ...] = ()
    proved: tuple[Mutant, ...] = ()
    equivalent: tuple[tuple[Mutant, str], ...] = ()
    stale: tuple[str, ...] = ()
    insensitive: tuple[TestCase, ...] = ()

    @property
    def mutants(self) -> int:
        """Count every mutant."""
        return self.noticed + len(self.alive) + len(self.proved) + len(self.equivalent)

    @property
    def percent(self) -> float:
        """Give the share of the mutants that could be noticed and were."""
        could = self.noticed + len(self.alive)
        return 100 * self.noticed / could if could else 100.0


def trials_of(lab: Lab, rule: Rule) -> list[Trial]:
    """Read and work out the cases of a rule; those that differ, or cannot be read, are left out."""
    found = []
    for case in rule.tests:
        try:
            snapshot = lab.snapshot(case.given, hooks_of(rule))
        except CannotRead:
            continue
        trial = Trial(case, snapshot, lab.start(rule, snapshot))
        if not case.todo and not _notices(lab.rules, rule, trial, trial.run):
            found.append(trial)
    return found


def concluded_with(rules: Ruleset, other: Rule) -> Ruleset:
    """Put another text of a rule into a release."""
    kind = kind_of(other)
    readings = {**rules.readings, **{one.id: one for one in other.readings.values()}}
    if isinstance(other, Stages):
        return replace(rules, stages=other, readings=readings)
    name = _TABLES[kind]
    changes: dict[str, Any] = {name: {**getattr(rules, name), other.id: other}}
    return replace(rules, readings=readings, **changes)


def _notices(rules: Ruleset, rule: Rule, trial: Trial, run: Run) -> bool:
    found = Expectations(rules, trial.snapshot, concluded(rule, rules, run))
    expect = {word: one for word, one in trial.case.expect.items() if word not in _BETWEEN_CARDS}
    return bool(expect) and next(found.differences(rule, expect), None) is not None


def _is_noticed(rules: Ruleset, mutant: Mutant, trial: Trial) -> bool:
    kind = kind_of(mutant.rule)
    try:
        run = trial.run.instead(rules, kind, mutant.rule.id)
        return _notices(rules, mutant.rule, trial, run)
    except FAULTS:
        return True  # a fault that cannot even be worked out


def score_of(lab: Lab, rule: Rule) -> Score:
    """Try every mutant of a rule on the rule's own cases."""
    trials = trials_of(lab, rule)
    idle = {id(one): one for one in trials}
    excuses = dict(rule.equivalent)
    alive: list[Mutant] = []
    equivalent: list[tuple[Mutant, str]] = []
    noticed = 0
    for mutant in mutants_of(lab.rules, rule):
        rules = concluded_with(lab.rules, mutant.rule)
        killer = next((one for one in trials if _is_noticed(rules, mutant, one)), None)
        if killer is not None:
            noticed += 1
            idle.pop(id(killer), None)
            # Who noticed one fault is asked first about the next.
            trials.remove(killer)
            trials.insert(0, killer)
        elif mutant.name in excuses:
            equivalent.append((mutant, excuses.pop(mutant.name)))
        else:
            alive.append(mutant)
    texts = [concluded_with(lab.rules, one.rule) for one in alive]
    proved = tuple(proved_equivalent(lab.rules, rule, alive, texts))
    names = {one.name for one in proved}
    return Score(
        rule=rule.id,
        place=rule.place,
        noticed=noticed,
        alive=tuple(one for one in alive if one.name not in names),
        proved=proved,
        equivalent=tuple(equivalent),
        stale=tuple(excuses),
        insensitive=tuple(_insensitive(lab, rule, list(idle.values()))),
    )


def _insensitive(lab: Lab, rule: Rule, idle: list[Trial]) -> Iterator[TestCase]:
    """Give the cases that none of the mutants makes fail."""
    left = list(idle)
    for mutant in mutants_of(lab.rules, rule) if left else ():
        rules = concluded_with(lab.rules, mutant.rule)
        left = [one for one in left if not _is_noticed(rules, mutant, one)]
        if not left:
            return
    for one in left:
        yield one.case


def scores(lab: Lab, wanted: Iterable[Rule] = ()) -> Iterator[Score]:
    """Score rules, or every rule that has cases."""
    every = {id(rule): rule for rule, _ in cases_of(lab.rules)}
    for rule in wanted or every.values():
        yield score_of(lab, rule)
