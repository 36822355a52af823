"""
HTTP: routes, status codes, CORS. The only module that knows the web framework.

Every failure is an OperationOutcome; no failure is ever an empty list of cards, which
would look like a healthy patient.
"""

from __future__ import annotations

import asyncio
import gc
import platform
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from cds import __version__
from cds.core.rules import Ruleset
from cds.errors import (
    BadRequest,
    EngineFailed,
    EvaluatorsDisagree,
    RequestError,
    TooLarge,
    UnknownService,
)
from cds.hooks.discovery import SERVICE, services
from cds.hooks.strict import encode
from cds.service.frame import REQUEST_ID, Frame
from cds.service.logs import log, told_of
from cds.service.outcomes import OUTCOME_TYPE, outcome, outcome_of
from cds.service.settings import Settings

__all__ = ["Answering", "create_app"]

_MEDIA: Final = frozenset({"", "application/json", "application/fhir+json"})
_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "The request is not valid"},
    404: {"description": "No such service"},
    408: {"description": "The request did not arrive in time"},
    412: {"description": "Required data is missing"},
    413: {"description": "The body is too large"},
    415: {"description": "The body is not JSON"},
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

    def answer(self, raw: bytes, *, trace_id: str = "") -> _Answer:
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
) -> Frame:
    """
    Build the application; *about* gives what `/status` says of the rules besides.

    *alongside* runs as long as the application does.

    What is answered stays on the event loop: reasoning is work, not waiting, and its
    engine keeps one session.
    """
    app = FastAPI(
        title="Metabolic CDS",
        version=__version__,
        openapi_url=None if settings.is_production else "/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(settings, answering, alongside),
    )
    app.add_exception_handler(HTTPException, _refuse_by_status)
    if not settings.is_production:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=["*"],
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["X-Request-Id"],
            allow_private_network=True,
        )
    _add_discovery(app, answering)
    _add_service(app, settings, answering)
    _add_health(app, settings, answering, about)
    return Frame(app, in_flight=settings.in_flight)


def _lifespan(
    settings: Settings,
    answering: Answering,
    alongside: Callable[[], Coroutine[Any, Any, None]] | None,
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
        task = asyncio.create_task(alongside()) if alongside is not None else None
        app.state.ready = True
        yield
        app.state.ready = False
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        answering.close()
        log.info("stopped")

    return lifespan


def _add_discovery(app: FastAPI, answering: Answering) -> None:
    described = _Described()

    @app.get("/cds-services", summary="The services there are")
    @app.get("/cds-services/", include_in_schema=False)
    async def discover() -> Response:
        return Response(described.body(answering.ruleset), media_type="application/json")


class _Described:
    """The discovery answer of the release that is served, made once for each release."""

    def __init__(self) -> None:
        self._rules: Ruleset | None = None
        self._body = b""

    def body(self, rules: Ruleset) -> bytes:
        if rules is not self._rules:
            self._rules, self._body = rules, encode(services(rules))
        return self._body


def _add_service(app: FastAPI, settings: Settings, answering: Answering) -> None:
    # The sandbox adds a slash to the discovery address and then calls two.
    @app.post("/cds-services/{service}", summary="Call a service", responses=_REFUSALS)
    @app.post("/cds-services//{service}", include_in_schema=False)
    async def call(service: str, request: Request) -> Response:
        request_id = request.scope.get(REQUEST_ID, "")
        try:
            _find(service)
            if _media_of(request) not in _MEDIA:
                return _refused(415)
            raw = await _body_of(request, settings)
            return _answered(answering, raw, request_id)
        except RequestError as error:
            return Response(
                encode(outcome_of(error)), status_code=error.status, media_type=OUTCOME_TYPE
            )
        except TimeoutError:
            return _refused(408, headers={"Connection": "close"})
        except ClientDisconnect:
            return _refused(400)
        except Exception as error:  # noqa: BLE001 - an answer to the caller, an alarm to us
            _raise_alarm(error, request_id)
            return _refused(500, request_id=request_id)


def _find(service: str) -> None:
    if service != SERVICE:
        raise UnknownService("no service has this id", path="/cds-services/{id}")


def _answered(answering: Answering, raw: bytes, request_id: str) -> Response:
    answer = answering.answer(raw, trace_id=request_id)
    for action in answer.undrafted:
        log.error("undrafted", request=request_id, template=action)
    if answer.foreign:
        log.warning("foreign_data", request=request_id, count=answer.foreign)
    if answer.would_have_shown:
        log.info("would_have_shown", request=request_id, nodes=list(answer.would_have_shown[:30]))
    return Response(encode(answer.response), media_type="application/json")


def _raise_alarm(error: Exception, request_id: str) -> None:
    if isinstance(error, EvaluatorsDisagree):
        log.error("engine_divergence", request=request_id, nodes=list(error.nodes[:30]))
    elif isinstance(error, EngineFailed):
        log.error("engine_failed", request=request_id, **told_of(error))
    else:
        log.error("failed", request=request_id, **told_of(error))


def _media_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _body_of(request: Request, settings: Settings) -> bytes:
    """Receive the body, within its limit and in time, whatever was promised."""
    promised = request.headers.get("content-length", "")
    too_large = TooLarge(f"must have no more than {settings.max_body} bytes")
    if promised.isdigit() and int(promised) > settings.max_body:
        raise too_large
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(settings.receive_seconds):
        async for part in request.stream():
            size += len(part)
            if size > settings.max_body:
                raise too_large
            parts.append(part)
    if not size:
        raise BadRequest("must be a JSON object")
    return b"".join(parts)


async def _refuse_by_status(_request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses: no such address, no such method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    return _refused(status, headers=headers)


def _refused(
    status: int, *, request_id: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        encode(outcome(status, request=request_id)),
        status_code=status,
        media_type=OUTCOME_TYPE,
        headers=dict(headers or {}),
    )


def _add_health(
    app: FastAPI,
    settings: Settings,
    answering: Answering,
    about: Callable[[], Mapping[str, Any]],
) -> None:
    began = time.monotonic()
    app.state.ready = False

    @app.get("/livez", summary="The process answers")
    async def live() -> Response:
        return Response(b'{"live":true}', media_type="application/json")

    @app.get("/readyz", summary="Rules are loaded and requests welcome")
    async def ready() -> Response:
        if not app.state.ready:
            return _refused(503, headers={"Retry-After": "1"})
        return Response(b'{"ready":true}', media_type="application/json")

    @app.get("/status", summary="What is served, and by what")
    async def status() -> Response:
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
            **about(),
        }
        if answering.why_not_durable:
            found["engine"]["why"] = answering.why_not_durable
        return Response(encode(found), media_type="application/json")
