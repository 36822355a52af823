"""
One request, from bytes to cards: the eight steps of the house plan, one line each.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cds.core.facts import Gap, Snapshot
from cds.core.findings import Conclusions, Decision
from cds.core.reads import concepts_read
from cds.core.rules import Ruleset
from cds.core.trial import hidden, on_trial
from cds.fhir.drafts import Drafts, codeable
from cds.fhir.evidence import faults
from cds.fhir.extract import Extractor
from cds.fhir.retrieve import Retrieved, retrieve
from cds.hooks.cards import compose, evaluation, evidence_of
from cds.hooks.discovery import HOOK
from cds.hooks.wire import EVALUATION, Response, read_request
from cds.reasoning.arbiter import arbitrate
from cds.reasoning.evaluator import EngineChoice, Reasoner

__all__ = ["Answer", "Pipeline"]


@dataclass(frozen=True, slots=True)
class Answer:
    """
    The response, how many resources of another patient were left out of it, and which
    actions could not be drafted; *trial* are the cards on trial that would be in it, where
    somebody asked for them.

    *snapshot* and *decision* are what it was made of, for tools on the machine of who
    asks; a service sends and keeps neither.
    """

    response: dict[str, Any]
    foreign: int
    undrafted: tuple[str, ...] = ()
    snapshot: Snapshot | None = field(default=None, repr=False)
    decision: Decision | None = field(default=None, repr=False)
    trial: tuple[dict[str, Any], ...] = ()

    @property
    def would_have_shown(self) -> tuple[str, ...]:
        """Name the cards on trial that would be in the response, were they active."""
        return () if self.decision is None else tuple(one.card for one in self.decision.trial)


class Pipeline:
    """
    One release, ready to answer.

    *now* is read once for each request. With *check* every response passes through the
    strict models of the wire before it goes out; with *trial* cards on trial are written
    too, beside the response. Not thread-safe, as its reasoner.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        *,
        engine: EngineChoice,
        now: Callable[[], datetime],
        check: bool = False,
        trial: bool = False,
    ) -> None:
        self.ruleset = ruleset
        self._reasoner = Reasoner(ruleset, engine=engine, hook=HOOK)
        self._read = concepts_read(ruleset, HOOK)
        self._extractor = Extractor(
            concepts={name: one for name, one in ruleset.concepts.items() if name in self._read},
            searches=ruleset.searches,
            systems=ruleset.systems,
            groups=ruleset.groups_of_people,
            group_extension=ruleset.group_extension,
        )
        self._draft = Drafts(
            {name: codeable(one, ruleset.systems) for name, one in ruleset.concepts.items()}
        )
        self._now = now
        self._check = check
        self._trial = trial
        self._has_trial = bool(on_trial(ruleset))

    @property
    def engine(self) -> str:
        """Say which evaluators run: `both`, `durable` or `reference`."""
        return self._reasoner.engine

    @property
    def why_not_durable(self) -> str:
        """Say why the rule engine does not run; empty where it does."""
        return self._reasoner.why_not_durable

    def answer(self, raw: bytes, *, trace_id: str = "") -> Answer:
        """Answer the body of a hook call."""
        as_of = self._now()
        request = read_request(raw, hook=HOOK)  # 1 receive; 2 admit: every caller, one release
        retrieved = retrieve(  # 3 gather
            request.prefetch, patient_id=request.patient_id, searches=self.ruleset.searches
        )
        return self.conclude(retrieved, as_of=as_of, trace_id=trace_id)

    def conclude(self, retrieved: Retrieved, *, as_of: datetime, trace_id: str = "") -> Answer:
        """Answer what was gathered, from a request or from a record."""
        rules = self.ruleset
        snapshot = self._extractor.extract(retrieved, as_of=as_of)  # 4 extract
        conclusions = self._reasoner.conclude(snapshot)  # 5 reason
        decision = arbitrate(rules, conclusions, hook=snapshot.hook)  # 6 arbitrate
        visible = hidden(rules, conclusions) if self._has_trial else conclusions
        cards, undrafted = self._composed(snapshot, visible, decision)  # 7 compose
        trial: list[dict[str, Any]] = []
        if self._trial and decision.trial:
            would = replace(decision, shown=decision.trial)
            trial, _ = self._composed(snapshot, conclusions, would)
        about = evaluation(
            rules,
            snapshot,
            visible,
            decision,
            engine=self.engine,
            trace_id=trace_id or _new_uuid(),
            read=self._read,
        )
        response = {"cards": cards, "extension": {EVALUATION: about}}  # 8 answer
        if self._check:
            Response.model_validate(response)
        foreign = sum(one.count for one in snapshot.not_used if one.reason is Gap.OTHER_PATIENT)
        return Answer(response, foreign, tuple(undrafted), snapshot, decision, tuple(trial))

    def _composed(
        self, snapshot: Snapshot, conclusions: Conclusions, decision: Decision
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """Write the cards of a decision, and name the actions that could not be drafted."""
        cited = evidence_of(self.ruleset, conclusions, decision, snapshot)
        undrafted: list[str] = []
        cards = compose(
            self.ruleset,
            snapshot,
            conclusions,
            decision,
            draft=self._draft,
            new_uuid=_new_uuid,
            faults={key: found for key, one in cited.items() if (found := faults(one))},
            on_undrafted=undrafted.append,
        )
        return cards, undrafted

    def close(self) -> None:
        """Give the engine's memory back."""
        self._reasoner.close()


def _new_uuid() -> str:
    return str(uuid.uuid4())
