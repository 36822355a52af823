"""
HTTP: the routes. Bodies are received in `bodies`, failures become answers in `refusals`.

Every failure is an OperationOutcome; no failure is ever an empty list of cards, which
would look like a healthy patient.
"""

from __future__ import annotations

import asyncio
import gc
import platform
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from typing import Any, Final, Protocol

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from cds import __version__
from cds.core.rules import Ruleset
from cds.errors import (
    StoreFailed,
    UnknownService,
)
from cds.hooks.discovery import hook_of, hooks_of, services
from cds.hooks.feedback import MOST_FEEDBACK, read_feedback
from cds.hooks.options import configuration
from cds.hooks.strict import encode
from cds.service.bodies import is_json, receive
from cds.service.clients import Caller, Clients
from cds.service.cors import EVERY_ORIGIN, Cors, marks_of
from cds.service.description import described
from cds.service.feedbacks import Feedbacks, LatestFeedback
from cds.service.frame import CALLER, REQUEST_ID, Frame
from cds.service.limits import Limits
from cds.service.logs import log
from cds.service.outcomes import OUTCOME_TYPE, outcome_of_places
from cds.service.pipeline import Call
from cds.service.refusals import guarded, refuse_by_status, refused
from cds.service.settings import Settings
from cds.service.tokens import Anybody, Callers

__all__ = ["Answering", "create_app"]

_SLASHES: Final = re.compile("/{2,}")
_NO_DATA: Final = 412
_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "The request is not valid"},
    401: {"description": "The call is not signed by a registered client"},
    403: {"description": "The client may not call this service"},
    404: {"description": "No such service"},
    408: {"description": "The request did not arrive in time"},
    412: {"description": "Required data is missing"},
    413: {"description": "The body is too large"},
    415: {"description": "The body is not JSON"},
    429: {"description": "The client calls more often than agreed"},
    500: {"description": "The service failed"},
    503: {"description": "The service is busy"},
}


class _Answer(Protocol):
    @property
    def response(self) -> Mapping[str, Any]: ...
    @property
    def foreign(self) -> int: ...
    @property
    def undrafted(self) -> tuple[str, ...]: ...
    @property
    def unwritten(self) -> tuple[Mapping[str, Any], ...]: ...
    @property
    def would_have_shown(self) -> tuple[str, ...]: ...


class Answering(Protocol):
    """What answers hook calls: `cds.service.pipeline.Pipeline`, or a fake in tests."""

    @property
    def ruleset(self) -> Ruleset:
        """The release that is served."""
        ...

    @property
    def engine(self) -> str:
        """Which evaluators run."""
        ...

    @property
    def why_not_durable(self) -> str:
        """Why the rule engine does not, where it does not."""
        ...

    async def answer(self, raw: bytes, call: Call) -> _Answer:
        """Answer the body of a hook call."""
        ...

    def close(self) -> None:
        """Give memory back."""
        ...


def create_app(
    settings: Settings,
    answering: Answering,
    *,
    about: Callable[[], Mapping[str, Any]] = dict,
    alongside: Callable[[], Coroutine[Any, Any, None]] | None = None,
    clients: Clients | None = None,
    callers: Callers | None = None,
    feedbacks: Feedbacks | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Frame:
    """
    Build the application; *about* gives what `/status` says of the rules besides.

    *alongside* runs as long as the application does. *clients* says who may
    call, how often, and from which pages; in development any page may. *callers* tells
    them apart; without it everybody is let in. *feedbacks* takes what clinicians did with
    cards; without it the latest is kept in memory. *now* is the clock.

    What is reasoned stays on the event loop: it is work, not waiting, and its engine keeps
    one session.
    """
    clients = clients or Clients()
    callers = callers or Anybody(registered=len(clients.by_name))
    limits = Limits(clients, in_flight=settings.in_flight, now=time.monotonic)
    feedbacks = LatestFeedback() if feedbacks is None else feedbacks
    app = _Application(
        title="Metabolic CDS",
        version=__version__,
        openapi_url=None if settings.is_production else "/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(settings, answering, alongside, callers),
    )
    app.add_exception_handler(HTTPException, refuse_by_status)
    app.add_exception_handler(Exception, refuse_by_status)
    _add_discovery(app, settings, answering, callers if settings.protect_discovery else Anybody())
    _add_service(app, settings, answering, limits, callers)
    _add_feedback(app, _FeedbackDesk(settings, answering, limits, callers, feedbacks, now))
    _add_health(app, settings, answering, about, callers)
    pages = clients.origins if settings.is_production else EVERY_ORIGIN
    return Frame(
        app,
        in_flight=settings.in_flight,
        most_held=settings.in_flight * settings.max_body,
        around=partial(Cors, origins=pages),
        marks=marks_of(pages),
        secure=settings.base_url.startswith("https:"),
    )


class _Application(FastAPI):
    """
    Routes, and a description that says what goes through them.

    However many slashes stand between the parts of an address and behind them, it is the
    same: clients put addresses together from what was typed in (Q-02). Nobody is sent
    elsewhere for that, as a preflight must not be.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at the address without needless slashes."""
        if scope["type"] == "http":
            scope["path"] = _SLASHES.sub("/", scope["path"]).rstrip("/") or "/"
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Describe the interface."""
        return described(super().openapi())


def _lifespan(
    settings: Settings,
    answering: Answering,
    alongside: Callable[[], Coroutine[Any, Any, None]] | None,
    callers: Callers,
) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # What is alive now stays: the collector need not look at it with every request.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        if answering.why_not_durable:
            log.warning(
                "engine_unavailable", engine=answering.engine, why=answering.why_not_durable
            )
        log.info(
            "serving",
            release=answering.ruleset.release,
            engine=answering.engine,
            environment=settings.env,
        )
        await _open(callers)
        task = asyncio.create_task(alongside()) if alongside is not None else None
        app.state.ready = True
        yield
        app.state.ready = False
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        answering.close()
        callers.close()
        log.info("stopped")

    return lifespan


async def _open(callers: Callers) -> None:
    """Open what callers are told apart by, so that the first call need not wait for it."""
    try:
        await callers.open()
    except StoreFailed as error:
        # It may come back: until then every signed call is answered 503.
        log.error("store_failed", why=str(error))


def _add_discovery(
    app: FastAPI, settings: Settings, answering: Answering, callers: Callers
) -> None:
    described = _Described(settings)

    refusals: dict[int | str, dict[str, Any]] = {one: _REFUSALS[one] for one in (401, 500, 503)}

    @app.get("/cds-services", summary="The services there are", responses=refusals)
    async def discover(request: Request) -> Response:
        return await guarded(request, listed(request))

    async def listed(request: Request) -> Response:
        await _caller_of(request, callers)
        return Response(described.body(answering.ruleset), media_type="application/json")


class _Described:
    """The discovery answer of the release that is served, made once for each release."""

    def __init__(self, settings: Settings) -> None:
        self._spec = settings.spec
        self._crd = settings.crd
        self._rules: Ruleset | None = None
        self._body = b""

    def body(self, rules: Ruleset) -> bytes:
        if rules is not self._rules:
            self._rules, self._body = (
                rules,
                encode(
                    services(
                        rules,
                        spec=self._spec,
                        extension=partial(configuration, rules, crd=self._crd),
                    )
                ),
            )
        return self._body


async def _caller_of(
    request: Request, callers: Callers, service: str = "", *, feedback: bool = False
) -> Caller:
    """
    Find out who is calling, before anything of the body is received.

    Feedback may be signed for the service too, which is what some clients do (AMB-03).
    """
    routes = [f"/cds-services/{service}" if service else "/cds-services"]
    if feedback:
        routes.append(f"{routes[0]}/feedback")
    authorizations = request.headers.getlist("authorization")
    caller = await callers.identify(authorizations, routes=routes, service=service)
    if callers.need_tokens:
        request.scope[CALLER] = (caller.client.name, caller.tenant)
    return caller


def _add_service(
    app: FastAPI, settings: Settings, answering: Answering, limits: Limits, callers: Callers
) -> None:
    @app.post("/cds-services/{service}", summary="Call a service", responses=_REFUSALS)
    async def call(service: str, request: Request) -> Response:
        return await guarded(request, answered(service, request))

    async def answered(service: str, request: Request) -> Response:
        caller = await _caller_of(request, callers, service)
        hook = _hook_of(service, answering.ruleset)
        if not is_json(request):
            return refused(415, request)
        with limits.call(caller.client, caller.tenant):
            raw = await receive(request, most=settings.max_body, seconds=settings.receive_seconds)
            call = Call(hook, caller, request.scope.get(REQUEST_ID, ""))
            return await _answered(answering, raw, call)


@dataclass(frozen=True, slots=True)
class _FeedbackDesk:
    """What takes feedback."""

    settings: Settings
    answering: Answering
    limits: Limits
    callers: Callers
    feedbacks: Feedbacks
    now: Callable[[], datetime]

    async def answer(self, service: str, request: Request) -> Response:
        """Receive, read and pass on; say how many, and what could not be read."""
        caller = await _caller_of(request, self.callers, service, feedback=True)
        _hook_of(service, self.answering.ruleset)
        if not is_json(request):
            return refused(415, request)
        with self.limits.feedback(caller.client, caller.tenant):
            raw = await receive(request, most=MOST_FEEDBACK, seconds=self.settings.receive_seconds)
            received = self.now()
            found = read_feedback(raw, now=received)
            if found.items:
                await self.feedbacks.take(caller, service, found.items, received)
        request_id = request.scope.get(REQUEST_ID, "")
        outcomes = Counter(one.outcome for one in found.items)
        log.info(
            "feedback",
            request=request_id,
            accepted=outcomes["accepted"],
            overridden=outcomes["overridden"],
            refused=len(found.refused),
        )
        places = [(one.path, one.because) for one in found.refused]
        if not found.items:
            body = encode(outcome_of_places(places, request=request_id))
            return Response(body, 400, media_type=OUTCOME_TYPE)
        said: dict[str, Any] = {"received": len(found.items)}
        if places:
            said["refused"] = [{"path": path, "because": because} for path, because in places]
        return Response(encode(said), media_type="application/json")


def _add_feedback(app: FastAPI, desk: _FeedbackDesk) -> None:
    @app.post(
        "/cds-services/{service}/feedback",
        summary="Say what became of cards",
        # Feedback needs no data of the patient.
        responses={status: one for status, one in _REFUSALS.items() if status != _NO_DATA},
    )
    async def feedback(service: str, request: Request) -> Response:
        return await guarded(request, desk.answer(service, request))


def _hook_of(service: str, rules: Ruleset) -> str:
    hook = hook_of(service)
    if hook not in hooks_of(rules):
        raise UnknownService(
            "must be the id of a service, as GET /cds-services lists them",
            path="/cds-services/{id}",
        )
    return hook


async def _answered(answering: Answering, raw: bytes, call: Call) -> Response:
    answer = await answering.answer(raw, call)
    for action in answer.undrafted:
        log.error("undrafted", request=call.trace_id, template=action)
    for one in answer.unwritten:
        log.error("unwritten", request=call.trace_id, **one)
    if answer.foreign:
        log.warning("foreign_data", request=call.trace_id, count=answer.foreign)
    if answer.would_have_shown:
        nodes = list(answer.would_have_shown[:30])
        log.info("would_have_shown", request=call.trace_id, nodes=nodes)
    return Response(encode(answer.response), media_type="application/json")


def _is_remote(request: Request) -> bool:
    """Tell whether another machine asks; what a proxy says of that is not believed."""
    try:
        return request.client is not None and not ip_address(request.client.host).is_loopback
    except ValueError:  # no address: a socket of this machine
        return False


def _add_health(
    app: FastAPI,
    settings: Settings,
    answering: Answering,
    about: Callable[[], Mapping[str, Any]],
    callers: Callers,
) -> None:
    began = time.monotonic()
    app.state.ready = False

    @app.get("/livez", summary="The process answers")
    async def live() -> Response:
        return Response(b'{"live":true}', media_type="application/json")

    @app.get(
        "/readyz",
        summary="Rules are loaded and requests welcome",
        responses={503: {"description": "Not yet, or no longer"}},
    )
    async def ready(request: Request) -> Response:
        if not app.state.ready:
            return refused(503, request, headers={"Retry-After": "1"})
        return Response(b'{"ready":true}', media_type="application/json")

    @app.get("/status", summary="What is served, and by what")
    async def status(request: Request) -> Response:
        if settings.is_production and _is_remote(request):
            return refused(404, request)
        rules = answering.ruleset
        found = {
            "version": __version__,
            "release": rules.release,
            "profile": rules.profile.id,
            "environment": settings.env,
            "engine": {"asked": settings.engine, "used": answering.engine},
            "clock": "frozen" if settings.clock is not None else "running",
            "python": platform.python_version(),
            "uptimeSeconds": round(time.monotonic() - began),
            "clients": {"registered": callers.registered, "needTokens": callers.need_tokens},
            **about(),
        }
        if answering.why_not_durable:
            found["engine"]["why"] = answering.why_not_durable
        return Response(encode(found), media_type="application/json")
