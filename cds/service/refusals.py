"""
Refusals: what failed on the way becomes an answer to the caller, and where it is ours an alarm.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from cds.errors import (
    EngineFailed,
    EvaluatorsDisagree,
    ForeignData,
    NotAuthenticated,
    RequestError,
    StoreFailed,
    Throttled,
    TooSlow,
    WrongGrant,
)
from cds.hooks.strict import encode
from cds.service.frame import REQUEST_ID
from cds.service.logs import log, told_of
from cds.service.outcomes import OUTCOME_TYPE, outcome, outcome_of

__all__ = ["guarded", "refuse_by_status", "refused"]


async def guarded(request: Request, answer: Coroutine[Any, Any, Response]) -> Response:
    """Wait for an answer; what goes wrong on the way becomes a refusal."""
    try:
        return await answer
    except (RequestError, StoreFailed) as error:
        return _refusal_of(error, request)
    except ClientDisconnect:
        return refused(400, request)
    except Exception as error:  # noqa: BLE001 - an answer to the caller, an alarm to us
        _raise_alarm(error, request.scope.get(REQUEST_ID, ""))
        return refused(500, request)


def _refusal_of(error: RequestError | StoreFailed, request: Request) -> Response:
    """Answer what was refused, with the headers that go with it."""
    request_id = request.scope.get(REQUEST_ID, "")
    if isinstance(error, NotAuthenticated):
        known = {"client": error.client} if error.client else {}
        log.warning("refused_caller", request=request_id, reason=str(error.reason), **known)
        # The same for every reason, to the last byte (T9).
        body = encode(outcome(error.status))
        headers = {"WWW-Authenticate": "Bearer"}
        return Response(body, error.status, headers=headers, media_type=OUTCOME_TYPE)
    if isinstance(error, StoreFailed):
        log.error("store_failed", request=request_id, why=str(error))
        return refused(503, request, headers={"Retry-After": "1"})
    if isinstance(error, WrongGrant):
        log.warning("wrong_grant", request=request_id, path=error.path)
    if isinstance(error, ForeignData):
        log.warning("foreign_data", request=request_id, path=error.path)
    if isinstance(error, TooSlow):
        return refused(error.status, request, headers={"Connection": "close"})
    if isinstance(error, Throttled):
        again = {"Retry-After": str(error.retry_after)}
        return refused(error.status, request, headers=again)
    return Response(
        encode(outcome_of(error, request=request_id)),
        status_code=error.status,
        media_type=OUTCOME_TYPE,
    )


def _raise_alarm(error: Exception, request_id: str) -> None:
    if isinstance(error, EvaluatorsDisagree):
        log.error("engine_divergence", request=request_id, nodes=list(error.nodes[:30]))
    elif isinstance(error, EngineFailed):
        log.error("engine_failed", request=request_id, **told_of(error))
    else:
        log.error("failed", request=request_id, **told_of(error))


async def refuse_by_status(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses, and what fails: the frame tells of that."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    return refused(status, request, headers=headers)


def refused(status: int, request: Request, *, headers: Mapping[str, str] | None = None) -> Response:
    """Answer a status with an OperationOutcome and the id of the request."""
    return Response(
        encode(outcome(status, request=request.scope.get(REQUEST_ID, ""))),
        status_code=status,
        media_type=OUTCOME_TYPE,
        headers=dict(headers or {}),
    )
