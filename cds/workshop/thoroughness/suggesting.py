"""
Cases that are missing: found by changing one thing of a patient that a rule has already.

A case is worth writing where it notices a fault that no case notices yet, or sees an
answer that none has seen. What it expects is what the rule answers now: to be read by
somebody who knows better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from cds.core.clauses import BandIs
from cds.core.findings import Conclusions
from cds.core.headers import TestCase
from cds.core.indices import Index
from cds.core.rules import Ruleset
from cds.workshop.testing.cases import cases_of
from cds.workshop.testing.expectations import Expectations, Rule, hooks_of, kind_of
from cds.workshop.testing.lab import Lab, concluded
from cds.workshop.testing.observing import everything_expected
from cds.workshop.testing.patients import CannotRead
from cds.workshop.thoroughness.brinks import brinks_of
from cds.workshop.thoroughness.coverage import (
    Edge,
    coverage_of,
    edge_of,
    goals_seen,
    missing_goals,
)
from cds.workshop.thoroughness.mutants import Mutant
from cds.workshop.thoroughness.mutation import FAULTS, Trial, concluded_with, score_of
from cds.workshop.thoroughness.neighbours import Change, changed, changes_for, clauses_about

__all__ = ["Suggested", "suggest", "suggest_sides"]

_MOST_PATIENTS: Final = 14
_MOST_PAIRS: Final = 2500
_FIRST: Final = {
    "card": ("shown",),
    "index": ("value", "not_valid", "unknown", "between"),
    "condition": ("holds",),
    "factor": ("grade", "excluded", "not_assessed"),
    "stages": ("stage",),
}


@dataclass(frozen=True, slots=True)
class Suggested:
    """A case worth writing: the patient, what it expects, and what it is good for."""

    given: Mapping[str, Any]
    changes: tuple[Change, ...]
    expect: Mapping[str, Any]
    notices: tuple[str, ...]
    sees: tuple[str, ...]


@dataclass(slots=True)
class _Candidate:
    given: dict[str, Any]
    changes: tuple[Change, ...]
    trial: Trial
    whole: dict[str, Any]
    kills: dict[str, set[str]]
    goals: set[str]
    texts: dict[str, list[str]]

    @property
    def worth(self) -> int:
        return len(self.kills) + len(self.goals)


def suggest(lab: Lab, rule: Rule, *, pairs: int = _MOST_PAIRS) -> list[Suggested]:
    """Find cases that are missing, the most telling first; *pairs* limits the search."""
    alive = {one.name: one for one in score_of(lab, rule).alive}
    goals = set(missing_goals(coverage_of(lab, rule)))
    search = _Search(lab, rule, alive, goals)
    found = search.chosen(search.singles())
    if search.alive or search.goals:
        found += search.chosen(search.pairs(pairs))
    return found


def suggest_sides(lab: Lab, rule: Rule, edge: Edge) -> list[Suggested]:
    """
    Find cases for the sides of a cut-off on which none stands.

    One thing of a patient is changed; there are none where that is not enough.
    """
    search = _Search(lab, rule, {}, set())
    wanted = {side for side, has in (("below", edge.below), ("above", edge.above)) if not has}
    found = []
    for one in search.singles():
        tried = edge_of(edge.clause, edge.limit, [one.trial])
        sides = {side for side in wanted if getattr(tried, side)}
        if sides:
            found.append(search.written(one))
            wanted -= sides
        if not wanted:
            break
    return found


class _Search:
    def __init__(self, lab: Lab, rule: Rule, alive: dict[str, Mutant], goals: set[str]) -> None:
        self.lab = lab
        self.rule = rule
        self.alive = alive
        self._known: dict[int, list[Change]] = {}
        self.goals = goals
        self._samples = _samples(lab.rules)
        self._texts = {name: concluded_with(lab.rules, one.rule) for name, one in alive.items()}

    def chosen(self, candidates: Iterator[_Candidate]) -> list[Suggested]:
        """Take the candidate that notices most, then the next, until nothing is left."""
        pool = [one for one in candidates if one.worth]
        found: list[Suggested] = []
        while pool:
            best = max(pool, key=lambda one: (one.worth, -len(one.changes), -len(str(one.changes))))
            found.append(self.written(best))
            for name in best.kills:
                self.alive.pop(name, None)
            self.goals -= best.goals
            for one in pool:
                one.kills = {name: w for name, w in one.kills.items() if name in self.alive}
                one.goals &= self.goals
            pool = [one for one in pool if one.worth]
        return found

    def written(self, best: _Candidate) -> Suggested:
        """Write a candidate down with the fewest words that tell what it notices."""
        words: dict[str, Any] = {}
        for name in _FIRST[kind_of(self.rule)]:
            if name in best.whole:
                words[name] = best.whole[name]
        if not words:
            name = next(iter(best.whole))
            words[name] = best.whole[name]
        for at in sorted(best.kills):
            telling = best.kills[at]
            if not telling & words.keys():
                name = min(telling, key=list(best.whole).index)
                words[name] = best.whole[name]
        for name in ("says", "does_not_say"):
            if name in words:
                words[name] = best.texts.get(name, words[name])
        return Suggested(
            best.given,
            best.changes,
            words,
            tuple(sorted(best.kills)),
            tuple(sorted(best.goals)),
        )

    def _patients(self) -> list[Mapping[str, Any]]:
        """Give patients of the rule's own cases, one for each thing they came to first."""
        found: dict[str, Mapping[str, Any]] = {}
        others: dict[str, Mapping[str, Any]] = {}
        for case in self.rule.tests:
            if not case.todo:
                key = str({k: str(v) for k, v in case.expect.items()})
                (others if key in found else found).setdefault(
                    f"{key}{len(others)}" if key in found else key, case.given
                )
        fullest = sorted(others.values(), key=lambda one: -len(one))
        return [*found.values(), *fullest][:_MOST_PATIENTS]

    def singles(self) -> Iterator[_Candidate]:
        """Change one thing."""
        seen: set[str] = set()
        for given in self._patients():
            for one in self._changes(given):
                yield from self._tried(given, (one,), seen)

    def pairs(self, most: int) -> Iterator[_Candidate]:
        """Change two things, one of which a fault that is left has to do with."""
        rng = Random(20_26)  # noqa: S311 - keeps no secret; the same search every time
        seen: set[str] = set()
        patients = self._patients()
        for _ in range(most if patients else 0):
            if not (self.alive or self.goals):
                return
            given = rng.choice(patients)
            every = self._changes(given)
            left = " ".join((*self.alive, *self.goals))
            near = [one for one in every if one.name in left] or every
            one, other = rng.choice(near), rng.choice(every)
            if other.name != one.name:
                yield from self._tried(given, (one, other), seen)

    def _changes(self, given: Mapping[str, Any]) -> list[Change]:
        found = self._known.get(id(given))
        if found is None:
            clauses = list(clauses_about(self.lab.rules, self.rule, depth=1))
            if isinstance(self.rule, Index):
                clauses += _of_bands(self.rule)
            found = [
                *brinks_of(self.lab, clauses, given),
                *changes_for(self.lab.rules, self.rule, given, self._samples),
            ]
            self._known[id(given)] = found
        return found

    def _tried(
        self, given: Mapping[str, Any], changes: tuple[Change, ...], seen: set[str]
    ) -> Iterator[_Candidate]:
        patient = changed(given, changes)
        key = str(sorted((name, str(value)) for name, value in patient.items()))
        if key in seen:
            return
        seen.add(key)
        try:
            snapshot = self.lab.snapshot(patient, hooks_of(self.rule))
        except CannotRead:
            return
        run = self.lab.start(self.rule, snapshot)
        found = concluded(self.rule, self.lab.rules, run)
        whole = everything_expected(self.lab.rules, self.rule, snapshot, found)
        case = TestCase("", patient, whole, self.rule.place)
        trial = Trial(case, snapshot, run)
        own = Expectations(self.lab.rules, snapshot, found)
        wrong = {one.word for one in own.differences(self.rule, whole)}
        whole = {name: value for name, value in whole.items() if name not in wrong}
        if not whole:
            return
        candidate = _Candidate(patient, changes, trial, whole, {}, set(), {})
        candidate.goals = goals_seen(self.lab, self.rule, trial) & self.goals
        for name, mutant in self.alive.items():
            self._try(candidate, name, mutant)
        yield candidate

    def _try(self, candidate: _Candidate, name: str, mutant: Mutant) -> None:
        rules = self._texts[name]
        try:
            run = candidate.trial.run.instead(rules, kind_of(mutant.rule), mutant.rule.id)
            found: Conclusions = concluded(mutant.rule, rules, run)
        except FAULTS:
            return
        compared = Expectations(rules, candidate.trial.snapshot, found)
        telling = set()
        for one in compared.differences(mutant.rule, candidate.whole):
            if one.word == "says":
                lines = [text for text in candidate.whole["says"] if text not in one.got]
                _note(candidate, "says", lines[:1])
            elif one.word == "does_not_say":
                lines = [text for text in candidate.whole["does_not_say"] if text in one.got]
                _note(candidate, "does_not_say", lines[:1])
            telling.add(one.word)
        if telling:
            candidate.kills[name] = telling


def _samples(rules: Ruleset) -> dict[str, Any]:
    """Give a value of each concept that any case of the release gives."""
    found: dict[str, Any] = {}
    for _, case in cases_of(rules):
        for name, value in case.given.items():
            if name in rules.concepts and isinstance(value, str) and "ago" not in value:
                found.setdefault(name, value)
    return found


def _of_bands(index: Index) -> list[BandIs]:
    """Ask for every band of an index, as a clause would."""
    return [
        BandIs(
            text="",
            place=index.place,
            key=f"{index.id} is {one.name}",
            name=index.id,
            bands=(one.name,),
        )
        for one in index.bands
    ]


def _note(candidate: _Candidate, word: str, lines: Sequence[str]) -> None:
    kept = candidate.texts.setdefault(word, [])
    kept += [one for one in lines if one not in kept]
