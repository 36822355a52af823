"""
Both evaluators on one release: they answer the same questions, or nobody answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from cds.core.facts import Snapshot
from cds.core.findings import Conclusions
from cds.core.reads import leaned_on, reached
from cds.core.rules import Ruleset
from cds.core.trial import veiled
from cds.core.truth import Truth, unknown
from cds.errors import EvaluatorsDisagree
from cds.reasoning.compile import Program, compile_program
from cds.reasoning.engine import UNAVAILABLE, Engine
from cds.reasoning.firing import outcome_of
from cds.reasoning.questions import asked_by, questions
from cds.reasoning.reference import Decide, Reference, Run

__all__ = ["EngineChoice", "Reasoner"]

EngineChoice = Literal["durable", "reference", "both"]


class Reasoner:
    """
    Draws conclusions from snapshots by one release.

    With `both`, the default, the engine and the reference evaluator work on every
    snapshot and `EvaluatorsDisagree` is raised where they differ. With `durable` the
    engine decides alone and the reference evaluator only finds reasons and sentences;
    with `reference` it decides. Where the engine cannot be had, the reference evaluator
    serves and *why_not_durable* says so. What no card, stage or gate asks about is not
    worked out, unless *everything* is wanted; with *hook*, only what its cards ask; with
    *about*, only that rule is, by kind and id, and what it leans on. A card runs on the
    hooks that it lists. Not thread-safe.
    """

    def __init__(
        self,
        rules: Ruleset,
        *,
        engine: EngineChoice = "both",
        hook: str = "",
        everything: bool = False,
        about: tuple[str, str] | None = None,
    ) -> None:
        rules = veiled(rules)
        if about is not None:
            self.rules = replace(rules, order=leaned_on(rules, *about))
        else:
            self.rules = rules if everything else replace(rules, order=reached(rules, hook))
        asked = questions(self.rules)
        self._reference = Reference(self.rules, asked)
        self._cards = tuple(
            self.rules.cards[name] for kind, name in self.rules.order if kind == "card"
        )
        self.why_not_durable = UNAVAILABLE if engine != "reference" else "switched off"
        self.program: Program | None = None
        self._engine: Engine | None = None
        if not self.why_not_durable:
            besides = (about[1],) if about is not None else ()
            self.program = compile_program(self.rules, asked, besides=besides)
            self._engine = Engine(
                self.rules, self.program, asked_by("index", asked), asked_by("factor", asked)
            )
        self.engine: EngineChoice = engine if self._engine else "reference"

    def close(self) -> None:
        """Give the engine's memory back."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def start(self, snapshot: Snapshot) -> Run:
        """Evaluate by the reference evaluator alone, for tools that want the trace."""
        return self._reference.start(snapshot)

    def conclude(self, snapshot: Snapshot) -> Conclusions:
        """
        Draw every conclusion: numbers, stage, grades, and what becomes of each card.

        Raises `EvaluatorsDisagree`, or `EngineFailed` where the engine refuses.
        """
        decide = None
        if self.engine == "durable" and self._engine is not None and self.program is not None:
            decide = _decided_by(self._engine.conclude(snapshot), self.program)
        run = self._reference.start(snapshot, decide)
        cards = {
            card.id: outcome_of(card, self.rules, run)
            for card in self._cards
            if snapshot.hook in card.hooks
        }
        found = replace(run.conclude(), cards=cards)
        if self.engine == "both" and self._engine is not None and self.program is not None:
            other = self._engine.conclude(snapshot, run.worked, run.graded)
            differing = tuple(_differences(found, other, self.program))
            if differing:
                raise EvaluatorsDisagree(differing)
        return found


def _decided_by(found: Conclusions, program: Program) -> Decide:
    """Let the engine's answers stand; ours give the reasons of what it leaves unknown."""

    def decide(name: str, ours: Truth) -> Truth:
        theirs = found.answers.get(name)
        if theirs is not None:
            return theirs
        node = program.same_as.get(name, "")
        if ours.is_unknown or (node, ours.is_yes) not in program.rails:
            return ours
        return unknown()

    return decide


def _differences(found: Conclusions, other: Conclusions, program: Program) -> Iterable[str]:
    """Name every place where the two evaluators came to different conclusions."""
    if found.stage.label != other.stage.label:
        yield "stage"
    for name, number in found.numbers.items():
        theirs = other.numbers.get(name)
        if theirs is None or (number.state, number.number) != (theirs.state, theirs.number):
            yield name
    for name, graded in found.grades.items():
        theirs_graded = other.grades.get(name)
        if theirs_graded is None or (graded.state, graded.grade, graded.could_become) != (
            theirs_graded.state,
            theirs_graded.grade,
            theirs_graded.could_become,
        ):
            yield name
    for name, answer in found.answers.items():
        word = other.answers[name].word if name in other.answers else "unknown"
        if word == answer.word:
            continue
        # A rail that nobody reads is not compiled: its silence says nothing.
        node = program.same_as.get(name, "")
        if answer.is_unknown or (node, answer.is_yes) in program.rails:
            yield name
