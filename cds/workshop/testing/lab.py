"""
The lab: test patients in, conclusions about one rule out.

A patient is made and read once, whoever asks again. For each rule only what it leans on
is worked out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from cds.core.facts import Snapshot
from cds.core.findings import Conclusions, Decision
from cds.core.history import History
from cds.core.reads import leaned_on
from cds.core.rules import Ruleset
from cds.core.trial import veiled
from cds.fhir.context import about
from cds.fhir.extract import Extractor
from cds.fhir.retrieve import retrieve
from cds.proofs.prover import Proofs
from cds.reasoning.arbiter import arbitrate
from cds.reasoning.evaluator import EngineChoice, Reasoner
from cds.reasoning.firing import outcome_of
from cds.reasoning.questions import questions
from cds.reasoning.reference import Reference, Run
from cds.workshop.testing.calls import Call, call_of
from cds.workshop.testing.expectations import Rule, kind_of
from cds.workshop.testing.patients import NOW

__all__ = ["Lab", "concluded", "reader_of"]


Read = Callable[[Call], Snapshot]


def reader_of(rules: Ruleset) -> Read:
    """Make what turns the call of a case into a snapshot."""
    extractor = Extractor(
        concepts=rules.concepts,
        searches=rules.searches,
        systems=rules.systems,
        groups=rules.groups_of_people,
        group_extension=rules.group_extension,
    )

    def read(call: Call) -> Snapshot:
        retrieved = retrieve(
            call.prefetch,
            patient_id="case",
            searches=rules.searches,
            about=about(call.hook, call.context),
        )
        return extractor.extract(retrieved, as_of=NOW)

    return read


class Lab:
    """
    Tries the rules of one release on test patients.

    `conclude` asks the evaluators of *engine*; `start` the reference evaluator alone, for
    tools that look into the answers. To be closed after use.
    """

    def __init__(self, rules: Ruleset, *, engine: EngineChoice = "both") -> None:
        self.rules = rules
        self._engine = engine
        self._read = reader_of(rules)
        self._snapshots: dict[str, Snapshot] = {}
        self._reasoners: dict[tuple[str, str], Reasoner] = {}
        self._references: dict[tuple[str, str], Reference] = {}
        self._all: Reasoner | None = None
        self._runs: dict[tuple[str, str, int], Run] = {}

    @cached_property
    def proofs(self) -> Proofs:
        """Prove things about the conditions of the release."""
        return Proofs(self.rules)

    def close(self) -> None:
        """Give the memory of the engine back."""
        while self._reasoners:
            self._reasoners.popitem()[1].close()

    def forget(self) -> None:
        """Let go of the patients and answers that were kept."""
        self._snapshots.clear()
        self._runs.clear()

    def snapshot(self, given: Mapping[str, Any], hooks: Sequence[str] = ()) -> Snapshot:
        """
        Read a test patient the way a request is read, in a call of one of *hooks*.

        Raises `CannotRead` for what no patient can have.
        """
        key = json.dumps([given, hooks], sort_keys=True, default=str)
        found = self._snapshots.get(key)
        if found is None:
            found = self._snapshots[key] = self._read(call_of(self.rules, given, hooks=hooks))
        return found

    def conclude(self, rule: Rule, snapshot: Snapshot) -> Conclusions:
        """Draw the conclusions about one rule; raises `EvaluatorsDisagree`."""
        about = kind_of(rule), rule.id
        reasoner = self._reasoners.get(about)
        if reasoner is None:
            reasoner = Reasoner(self.rules, engine=self._engine, about=about)
            self._reasoners[about] = reasoner
        return reasoner.conclude(snapshot)

    def decide(
        self, rule: Rule, snapshot: Snapshot, history: History, expect: Collection[str]
    ) -> Decision:
        """
        Arbitrate between all cards, by the reference evaluator.

        A card that is not active takes part as if it were, unless the case asks what
        becomes of it on trial.
        """
        if self._all is None:
            self._all = Reasoner(self.rules, engine="reference", everything=True)
        rehearsed = "" if "trial" in expect else rule.id
        found = self._all.conclude(snapshot)
        return arbitrate(self.rules, found, history, hook=snapshot.hook, rehearsed=rehearsed)

    def start(self, rule: Rule, snapshot: Snapshot) -> Run:
        """Evaluate one rule, and what it leans on, by the reference evaluator; once."""
        kind = kind_of(rule)
        found = self._runs.get((kind, rule.id, id(snapshot)))
        if found is None:
            reference = self._references.get((kind, rule.id))
            if reference is None:
                rules = veiled(self.rules)
                rules = replace(rules, order=leaned_on(rules, kind, rule.id))
                reference = Reference(rules, questions(rules))
                self._references[kind, rule.id] = reference
            found = self._runs[kind, rule.id, id(snapshot)] = reference.start(snapshot)
        return found


def concluded(rule: Rule, rules: Ruleset, run: Run) -> Conclusions:
    """Give what a run found about one rule; *rules* is the release it was run by."""
    found = run.conclude()
    if kind_of(rule) == "card":
        return replace(found, cards={rule.id: outcome_of(rules.cards[rule.id], rules, run)})
    return found
