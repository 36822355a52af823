"""
One request, from bytes to cards: the eight steps of the house plan, one line each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

from cds.core.facts import Gap, Snapshot
from cds.core.findings import Conclusions, Decision
from cds.core.hooks import DEFAULT_HOOK
from cds.core.options import EVERYTHING, Options
from cds.core.rules import Ruleset
from cds.core.trial import hidden, on_trial
from cds.errors import ForeignData
from cds.fhir.context import About, about, references_of
from cds.fhir.retrieve import Retrieved, retrieve
from cds.hooks.adapting import adapt
from cds.hooks.cards import evaluation
from cds.hooks.ehr import EHRS, hl7_codes
from cds.hooks.options import read_options
from cds.hooks.unchecked import unchecked
from cds.hooks.wire import EVALUATION, HookRequest, Response, read_request
from cds.reasoning.arbiter import arbitrate
from cds.reasoning.evaluator import EngineChoice
from cds.service.clients import ANYBODY, Caller, Client
from cds.service.composing import Composer, new_uuid
from cds.service.desks import desks_of
from cds.service.grants import check_grant
from cds.service.wholeness import check_conclusions, check_decision, check_response

__all__ = ["Answer", "Call", "Pipeline"]


@dataclass(frozen=True, slots=True)
class Answer:
    """
    The response, how many resources of another patient were left out of it, which
    actions could not be drafted, and which cards not written, with the fault of each
    without its message; *trial* are the cards on trial that would be in it, where
    somebody asked for them.

    *snapshot* and *decision* are what it was made of, for tools on the machine of who
    asks; a service sends and keeps neither.
    """

    response: dict[str, Any]
    foreign: int
    undrafted: tuple[str, ...] = ()
    unwritten: tuple[Mapping[str, Any], ...] = ()
    snapshot: Snapshot | None = field(default=None, repr=False)
    decision: Decision | None = field(default=None, repr=False)
    trial: tuple[dict[str, Any], ...] = ()

    @property
    def would_have_shown(self) -> tuple[str, ...]:
        """Name the cards on trial that would be in the response, were they active."""
        return () if self.decision is None else tuple(one.card for one in self.decision.trial)


@dataclass(frozen=True, slots=True)
class Call:
    """
    What is known of a call besides its body: for which hook, by whom, and its id.

    Without a *hook* the body says which.
    """

    hook: str | None = None
    caller: Caller = ANYBODY
    trace_id: str = ""


_NOBODY_SAID: Final = Call()


class Completes(Protocol):
    """What asks the FHIR server of a caller for what was not sent."""

    async def complete(
        self,
        request: HookRequest,
        templates: Mapping[str, str],
        client: Client,
        *,
        references: Sequence[str] = (),
        trace_id: str = "",
    ) -> Mapping[str, Any]:
        """Give the prefetch with what was missing in it, and what *references* name."""
        ...


class Pipeline:
    """
    One release, ready to answer.

    *now* is read once for each request; *fetching* asks for what a request lacks. With
    *check* every response passes through the strict models of the wire before it goes
    out; with *trial* cards on trial are written too, beside the response. With *crd*
    configuration options are read under the name of Da Vinci CRD too. Not thread-safe, as
    its reasoners.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        *,
        engine: EngineChoice,
        now: Callable[[], datetime],
        fetching: Completes | None = None,
        check: bool = False,
        trial: bool = False,
        crd: bool = False,
    ) -> None:
        self.ruleset = ruleset
        self._desks = desks_of(ruleset, engine)
        self._composer = Composer(ruleset)
        self._now = now
        self._fetching = fetching
        self._check = check
        self._trial = trial
        self._crd = crd
        self._hl7_codes = hl7_codes(ruleset.profile)
        self._has_trial = bool(on_trial(ruleset))

    @property
    def engine(self) -> str:
        """Say which evaluators run: `both`, `durable` or `reference`."""
        return self._desks[DEFAULT_HOOK].reasoner.engine

    @property
    def why_not_durable(self) -> str:
        """Say why the rule engine does not run; empty where it does."""
        return self._desks[DEFAULT_HOOK].reasoner.why_not_durable

    async def answer(self, raw: bytes, call: Call = _NOBODY_SAID) -> Answer:
        """Answer the body of a hook call."""
        as_of = self._now()
        keys = self.ruleset.searches.keys()
        request = read_request(raw, hook=call.hook, keys=keys)  # 1 receive
        check_grant(request.authorization, call.caller.client)  # 2 admit; the caller: before this
        concerned = about(request.hook, request.context)
        prefetch = await self._gather(request, concerned, call)  # 3 gather
        retrieved = retrieve(
            prefetch,
            patient_id=request.patient_id,
            searches=self.ruleset.searches,
            about=concerned,
        )
        options = read_options(
            self.ruleset, call.caller.client.options, request.extension, crd=self._crd
        )
        return self.conclude(retrieved, as_of=as_of, call=call, options=options)

    async def _gather(
        self, request: HookRequest, concerned: About, call: Call
    ) -> Mapping[str, Any]:
        """Complete what was sent with what the caller lets us ask for."""
        client = call.caller.client
        if client.null_is_unknown:
            sent = {key: one for key, one in request.prefetch.items() if one is not None}
            request = replace(request, prefetch=sent)
        if self._fetching is None:
            return request.prefetch
        templates = self._desks[request.hook].templates
        return await self._fetching.complete(
            request,
            templates,
            client,
            references=references_of(concerned),
            trace_id=call.trace_id,
        )

    def conclude(
        self,
        retrieved: Retrieved,
        *,
        as_of: datetime,
        call: Call = _NOBODY_SAID,
        options: Options = EVERYTHING,
    ) -> Answer:
        """
        Answer what was gathered, from a request or from a record, as far as *options* go.

        Raises `BadRequest` where it holds data of another patient and the caller wants
        no answer then.
        """
        rules, client = self.ruleset, call.caller.client
        desk = self._desks[retrieved.about.hook]
        snapshot = desk.extractor.extract(retrieved, as_of=as_of)  # 4 extract
        foreign = sum(one.count for one in snapshot.not_used if one.reason is Gap.OTHER_PATIENT)
        if foreign and client.reject_foreign:
            raise ForeignData("holds resources of another patient", path="$.prefetch")

        conclusions = desk.reasoner.conclude(snapshot)  # 5 reason
        check_conclusions(conclusions, desk.asked)

        decision = arbitrate(rules, conclusions, hook=snapshot.hook, options=options)  # 6 arbitrate
        check_decision(rules, conclusions, decision)

        visible = hidden(rules, conclusions) if self._has_trial else conclusions
        composed = self._composer.compose(snapshot, visible, decision)  # 7 compose
        said = evaluation(
            rules,
            snapshot,
            visible,
            decision,
            engine=self.engine,
            trace_id=call.trace_id or new_uuid(),
            read=desk.read,
            off=options.off,
        )
        lacking = unchecked(rules, snapshot, decision, off=options.off)
        sent = self._composer.with_unchecked(composed.cards, lacking, options)

        whole = {"cards": sent, "extension": {EVALUATION: said}}
        response = self._adapted(whole, client)  # 8 answer
        check_response(response, decision, besides=len(sent) - len(composed.cards))
        if self._check:
            Response.model_validate(response)
        return Answer(
            response,
            foreign,
            composed.undrafted,
            composed.unwritten,
            snapshot=snapshot,
            decision=decision,
            trial=self._on_trial(snapshot, conclusions, decision),
        )

    def _on_trial(
        self, snapshot: Snapshot, conclusions: Conclusions, decision: Decision
    ) -> tuple[dict[str, Any], ...]:
        """Write the cards on trial, where somebody asked for them."""
        if not self._trial or not decision.trial:
            return ()
        would = replace(decision, shown=decision.trial)
        return tuple(self._composer.compose(snapshot, conclusions, would).cards)

    def _adapted(self, response: dict[str, Any], client: Client) -> dict[str, Any]:
        """Fit a response to what the record system of the caller takes."""
        return adapt(
            response,
            EHRS[client.ehr],
            order_codes=client.order_codes,
            link_hosts=client.link_hosts,
            systems=self.ruleset.systems,
            override_codes=self._hl7_codes if client.override_codes == "hl7" else {},
        )

    def close(self) -> None:
        """Give the engine's memory back."""
        for one in {id(one.reasoner): one.reasoner for one in self._desks.values()}.values():
            one.close()
