"""
What surrounds every request: an id, security headers, a limit, one log line, last resort.

Plain ASGI, so that it stands outside the web framework and sees what that one does not.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

from cds.errors import Busy
from cds.hooks.strict import encode
from cds.service.logs import log, told_of
from cds.service.outcomes import OUTCOME_TYPE, outcome

__all__ = ["CALLER", "REQUEST_ID", "SECURITY_HEADERS", "Frame"]

Header = tuple[bytes, bytes]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUEST_ID: Final = "cds.request"
CALLER: Final = "cds.caller"
"""Who was found to be calling: the names of client and tenant, for the log line."""
_CALL: Final = "cds.call"
SECURITY_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'"),
)
_SECURE: Final = (b"strict-transport-security", b"max-age=31536000")
# What is read once: of two, a proxy may have read the other one (T29).
_ONCE: Final = (b"content-type", b"content-encoding", b"host", b"origin")
_READY: Final = "/readyz"
_PROBES: Final = frozenset({"/livez", _READY, "/status"})


class Frame:
    """
    The outermost application.

    Never more than *in_flight* requests at a time (503, `Retry-After`), not counting those
    whose body is still on its way; of all bodies together never more than *most_held*
    bytes. Probes always pass. The id of a request is ours; it is in `X-Request-Id` and in
    the log. *around* is put round whatever answers, refusals of the frame included: CORS
    belongs there; *marks* gives the same headers, by origin, for what is refused before it
    is a request. With *secure* browsers are told to come back by https only.
    """

    def __init__(
        self,
        inner: Application,
        *,
        in_flight: int,
        most_held: int,
        around: Callable[[Application], Application] = lambda inner: inner,
        marks: Callable[[str], Iterable[Header]] = lambda _: (),
        secure: bool = False,
    ) -> None:
        self._inner = inner
        self._marks = marks
        self._headers = (*SECURITY_HEADERS, *([_SECURE] if secure else []))
        self._drains = False
        self._in_flight = in_flight
        self._now = 0
        self._most_held = most_held
        self._held = 0
        self._way = around(self._admit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens inside."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        call = _Call(scope, send, self._headers)
        scope[_CALL] = call
        await self._way(scope, receive, call.send)
        call.write_line()

    def drain(self) -> None:
        """Say from now on that no more requests are welcome; those that come are answered."""
        self._drains = True
        self._headers = (*self._headers, (b"connection", b"close"))

    def headers_for(self, origin: str) -> list[Header]:
        """Give what every answer has, for a page of *origin*; empty where no page is known."""
        return [*self._headers, *self._marks(origin)]

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_ambiguous(scope):
            await _answer(scope, send, 400)
        elif self._has_no_place_for(scope["path"]):
            await _answer(scope, send, 503)
        else:
            await self._pass_on(scope, receive, send)

    def _has_no_place_for(self, path: str) -> bool:
        if path in _PROBES:
            return self._drains and path == _READY
        return self._now >= self._in_flight

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._now += 1
        held = 0

        async def wait() -> Message:
            # Who sends slowly takes no place from those who are answered (T27).
            nonlocal held
            self._now -= 1
            try:
                message = await receive()
            finally:
                self._now += 1
            size = len(message.get("body", b""))
            held += size
            self._held += size
            whole = message["type"] == "http.request" and not message.get("more_body", False)
            if self._held > self._most_held or (whole and self._now > self._in_flight):
                raise Busy("as many calls as may be are under way", retry_after=1)
            return message

        try:
            await self._inner(scope, wait, send)
        except Exception as error:  # noqa: BLE001 - the last resort: an answer, never a stack
            log.error("failed", request=scope[REQUEST_ID], **told_of(error))
            if not scope[_CALL].status:
                await _answer(scope, send, 500)
        finally:
            self._now -= 1
            self._held -= held


def _is_ambiguous(scope: Scope) -> bool:
    """Tell whether a header came twice that must not."""
    names = [name for name, _ in scope["headers"]]
    return any(names.count(one) > 1 for one in _ONCE)


async def _answer(scope: Scope, send: Send, status: int) -> None:
    """Answer with an OperationOutcome of our own."""
    body = encode(outcome(status, request=scope[REQUEST_ID]))
    headers = [
        (b"content-type", OUTCOME_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    if status == 503:  # noqa: PLR2004 - a status is its number
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Call:
    """One request on its way through the frame."""

    def __init__(self, scope: Scope, send: Send, headers: tuple[Header, ...]) -> None:
        self.id = str(uuid.uuid4())
        self.status = 0
        self._scope = scope
        self._send = send
        self._headers = headers
        self._began = time.perf_counter()
        scope[REQUEST_ID] = self.id

    async def send(self, message: Message) -> None:
        """Send on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message.get("headers", ()),
                *self._headers,
                (b"x-request-id", self.id.encode()),
            ]
        await self._send(message)

    def write_line(self) -> None:
        """Write the one log line of this request; probes are not worth one."""
        path = self._scope["path"]
        if path in _PROBES:
            return
        route = self._scope.get("route")
        client, tenant = self._scope.get(CALLER, ("", ""))
        log.info(
            "answered",
            request=self.id,
            **({"client": client} if client else {}),
            **({"tenant": tenant} if tenant else {}),
            # What was asked for, as a pattern: a path is free text of the caller.
            path=getattr(route, "path", ""),
            status=self.status,
            ms=round((time.perf_counter() - self._began) * 1000, 2),
        )
