"""
One request, from bytes to cards: the eight steps of the house plan, one line each.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

from cds.core.facts import Gap, Snapshot
from cds.core.findings import Conclusions, Decision
from cds.core.hooks import DEFAULT_HOOK
from cds.core.options import EVERYTHING, Options
from cds.core.reads import concepts_read
from cds.core.rules import Ruleset
from cds.core.trial import hidden, on_trial
from cds.errors import ForeignData
from cds.fhir.context import About, about, references_of
from cds.fhir.drafts import Drafts, codeable
from cds.fhir.evidence import faults
from cds.fhir.extract import Extractor
from cds.fhir.retrieve import Retrieved, retrieve
from cds.hooks.adapting import adapt
from cds.hooks.cards import compose, evaluation, evidence_of
from cds.hooks.discovery import by_worth, hooks_of
from cds.hooks.ehr import EHRS, hl7_codes
from cds.hooks.options import read_options
from cds.hooks.unchecked import Unchecked, unchecked
from cds.hooks.wire import EVALUATION, HookRequest, Response, read_request
from cds.reasoning.arbiter import arbitrate
from cds.reasoning.evaluator import EngineChoice, Reasoner
from cds.service.clients import ANYBODY, Caller, Client
from cds.service.grants import check_grant
from cds.service.logs import told_of
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


@dataclass(frozen=True, slots=True)
class _Desk:
    """What answers the calls of one hook, or of several that ask the same."""

    asked: frozenset[str]
    read: frozenset[str]
    templates: Mapping[str, str]
    extractor: Extractor
    reasoner: Reasoner


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
        self._desks = _desks(ruleset, engine)
        self._draft = Drafts(
            {name: codeable(one, ruleset.systems) for name, one in ruleset.concepts.items()}
        )
        self._change = self._draft.change
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
        request = read_request(raw, hook=call.hook)  # 1 receive
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
        rules = self.ruleset
        desk = self._desks[retrieved.about.hook]
        snapshot = desk.extractor.extract(retrieved, as_of=as_of)  # 4 extract
        foreign = sum(one.count for one in snapshot.not_used if one.reason is Gap.OTHER_PATIENT)
        if foreign and call.caller.client.reject_foreign:
            raise ForeignData("holds resources of another patient", path="$.prefetch")
        conclusions = desk.reasoner.conclude(snapshot)  # 5 reason
        check_conclusions(conclusions, desk.asked)
        decision = arbitrate(  # 6 arbitrate
            rules, conclusions, hook=snapshot.hook, options=options
        )
        check_decision(rules, conclusions, decision)
        visible = hidden(rules, conclusions) if self._has_trial else conclusions
        cards, undrafted, unwritten = self._composed(snapshot, visible, decision)  # 7 compose
        trial: list[dict[str, Any]] = []
        if self._trial and decision.trial:
            would = replace(decision, shown=decision.trial)
            trial, _, _ = self._composed(snapshot, conclusions, would)
        said = evaluation(
            rules,
            snapshot,
            visible,
            decision,
            engine=self.engine,
            trace_id=call.trace_id or _new_uuid(),
            read=desk.read,
            off=options.off,
        )
        lacking = unchecked(rules, snapshot, decision, off=options.off)
        client = call.caller.client
        sent = _with_unchecked(rules, cards, lacking, options)
        response = adapt(  # 8 answer
            {"cards": sent, "extension": {EVALUATION: said}},
            EHRS[client.ehr],
            order_codes=client.order_codes,
            link_hosts=client.link_hosts,
            systems=rules.systems,
            override_codes=self._hl7_codes if client.override_codes == "hl7" else {},
        )
        check_response(response, decision, besides=len(sent) - len(cards))
        if self._check:
            Response.model_validate(response)
        return Answer(
            response,
            foreign,
            tuple(undrafted),
            tuple(unwritten),
            snapshot=snapshot,
            decision=decision,
            trial=tuple(trial),
        )

    def _composed(
        self, snapshot: Snapshot, conclusions: Conclusions, decision: Decision
    ) -> tuple[list[dict[str, Any]], list[str], list[Mapping[str, Any]]]:
        """Write the cards of a decision; name actions not drafted and cards not written."""
        cited = evidence_of(self.ruleset, conclusions, decision, snapshot)
        undrafted: list[str] = []
        unwritten: list[Mapping[str, Any]] = []
        cards = compose(
            self.ruleset,
            snapshot,
            conclusions,
            decision,
            draft=self._draft,
            change=self._change,
            new_uuid=_new_uuid,
            faults={key: found for key, one in cited.items() if (found := faults(one))},
            on_undrafted=undrafted.append,
            on_unwritten=lambda card, error: unwritten.append({"card": card, **told_of(error)}),
        )
        return cards, undrafted, unwritten

    def close(self) -> None:
        """Give the engine's memory back."""
        for one in {id(one.reasoner): one.reasoner for one in self._desks.values()}.values():
            one.close()


def _with_unchecked(
    rules: Ruleset, cards: list[dict[str, Any]], lacking: Unchecked | None, options: Options
) -> list[dict[str, Any]]:
    """
    Say what could not be checked, on a card of its own or above the footer of the last one.

    Of its own where it is about safety or nothing else is shown, as long as there is room.
    Who asks for no cards asks for none but those about safety.
    """
    if lacking is None or (not cards and not lacking.is_of_safety and options.most_cards == 0):
        return cards
    if not cards or (lacking.is_of_safety and len(cards) < rules.profile.most_cards):
        return [*cards, lacking.card(rules, new_uuid=_new_uuid)]
    *others, last = cards
    said, _, footer = last["detail"].rpartition("\n\n")
    detail = "\n\n".join(one for one in (said, lacking.block(rules), footer) if one)
    return [*others, {**last, "detail": detail}]


def _desks(ruleset: Ruleset, engine: EngineChoice) -> dict[str, _Desk]:
    """Make what answers each hook; hooks for which the same cards are share it."""
    made: dict[tuple[str, ...], _Desk] = {}
    desks = {}
    for hook in dict.fromkeys((DEFAULT_HOOK, *hooks_of(ruleset))):
        cards = tuple(one.id for one in ruleset.cards.values() if hook in one.hooks)
        if cards not in made:
            made[cards] = _desk(ruleset, hook, engine)
        desks[hook] = made[cards]
    return desks


def _desk(ruleset: Ruleset, hook: str, engine: EngineChoice) -> _Desk:
    read = concepts_read(ruleset, hook)
    return _Desk(
        asked=frozenset(
            one.id for one in ruleset.cards.values() if hook in one.hooks and one.status == "active"
        ),
        read=read,
        templates=by_worth(ruleset, hook),
        extractor=Extractor(
            concepts={name: one for name, one in ruleset.concepts.items() if name in read},
            searches=ruleset.searches,
            systems=ruleset.systems,
            groups=ruleset.groups_of_people,
            group_extension=ruleset.group_extension,
        ),
        reasoner=Reasoner(ruleset, engine=engine, hook=hook),
    )


def _new_uuid() -> str:
    return str(uuid.uuid4())
