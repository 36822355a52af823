"""
What surrounds every request: an id, security headers, a limit, one log line, last resort.

Plain ASGI, so that it stands outside the web framework and sees what that one does not.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from cds.hooks.strict import encode
from cds.service.logs import log, told_of
from cds.service.outcomes import OUTCOME_TYPE, outcome

__all__ = ["REQUEST_ID", "Frame"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUEST_ID: Final = "cds.request"
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'"),
)
_PROBES: Final = frozenset({"/livez", "/readyz", "/status"})


class Frame:
    """
    The outermost application.

    Never more than *in_flight* requests at a time (503, `Retry-After`); probes always
    pass. The id of a request is ours; it is in `X-Request-Id` and in the log.
    """

    def __init__(self, inner: Application, *, in_flight: int) -> None:
        self._inner = inner
        self._in_flight = in_flight
        self._now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens inside."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        call = _Call(scope, send)
        if self._now >= self._in_flight and scope["path"] not in _PROBES:
            await call.answer(503)
        else:
            await self._pass_on(call, scope, receive)
        call.write_line()

    async def _pass_on(self, call: _Call, scope: Scope, receive: Receive) -> None:
        self._now += 1
        try:
            await self._inner(scope, receive, call.send)
        except Exception as error:  # noqa: BLE001 - the last resort: an answer, never a stack
            log.error("failed", request=call.id, **told_of(error))
            if not call.status:
                await call.answer(500)
        finally:
            self._now -= 1


class _Call:
    """One request on its way through the frame."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.id = str(uuid.uuid4())
        self.status = 0
        self._scope = scope
        self._send = send
        self._began = time.perf_counter()
        scope[REQUEST_ID] = self.id

    async def send(self, message: Message) -> None:
        """Send on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message.get("headers", ()),
                *_HEADERS,
                (b"x-request-id", self.id.encode()),
            ]
        await self._send(message)

    async def answer(self, status: int) -> None:
        """Answer with an OperationOutcome of our own."""
        body = encode(outcome(status, request=self.id))
        headers = [
            (b"content-type", OUTCOME_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        if status == 503:  # noqa: PLR2004 - a status is its number
            headers.append((b"retry-after", b"1"))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    def write_line(self) -> None:
        """Write the one log line of this request; probes are not worth one."""
        path = self._scope["path"]
        if path in _PROBES:
            return
        route = self._scope.get("route")
        log.info(
            "answered",
            request=self.id,
            # What was asked for, as a pattern: a path is free text of the caller.
            path=getattr(route, "path", ""),
            status=self.status,
            ms=round((time.perf_counter() - self._began) * 1000, 2),
        )
