"""
What a connection may take: time, bytes, and which shapes of a request are refused unread.

uvicorn waits for ever for the rest of a request. Here every state of a connection ends by
itself: the head and the body of a request have a deadline, so has an answer that nobody
takes, and there are only so many connections. What two readers could understand in two
ways (T29) is refused. The body's own limits are in `cds.service.app`.
"""

from __future__ import annotations

import asyncio
import http
import uuid
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cds.hooks.strict import encode
from cds.service.frame import SECURITY_HEADERS, Frame
from cds.service.logs import log
from cds.service.outcomes import OUTCOME_TYPE, outcome

__all__ = ["MOST_HEAD", "MOST_HEADERS", "Configuration"]

MOST_HEAD: Final = 16 * 1024
"""Bytes of a request line with its headers."""
MOST_HEADERS: Final = 64

# Requests sent before the one ahead of them is answered; uvicorn takes any number.
_MOST_AHEAD: Final = 8
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_GRACE: Final = 1.0
# How long what comes after an answer is thrown away, so that the answer can be read.
_LINGER: Final = 1.0
_SECONDS_TO_READ_AN_ANSWER: Final = 5.0


class Configuration(uvicorn.Config):
    """
    What uvicorn takes, and what it does not know of.

    *receive_seconds* is the time for a head, and for a body; *connections* how many may be
    open in one process. Can be pickled, as worker processes need it.
    """

    def __init__(
        self, app: Any, *, receive_seconds: float, connections: int, **others: Any
    ) -> None:
        super().__init__(app, http=_Receiving, ws="none", **others)
        self.receive_seconds = receive_seconds
        self.connections = connections
        self.waiting: dict[_Receiving, None] = {}
        """Connections whose next request is not there yet, the longest waiting first."""


class _Receiving(HttpToolsProtocol):
    """One connection."""

    config: Configuration
    _deadline: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None
    _in_head = True
    _in_body = False
    _completed = False
    _raw = 0
    _head = 0
    _headers = 0
    _refusal = 400
    _refused = False
    _too_large = False
    _has_no_place = False
    _origins: tuple[bytes, ...] = ()

    # --- the connection -----------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        waiting = self.config.waiting
        if len(self.connections) > self.config.connections:
            if not waiting:
                # Answered once it asks: nobody reads an answer to what was not asked, and
                # a page reads it only if it says that the page may.
                self._has_no_place = True
                self._start(_GRACE)
                return
            # Who has been silent longest gives way to who has just come.
            next(iter(waiting)).drop()
        waiting[self] = None
        self._start(self.config.receive_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self._read()
        self.config.waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused or self.transport.is_closing():
            return
        if self._in_head and self._deadline is None:
            self._start(self.config.receive_seconds)
        self._completed = False
        super().data_received(data)
        # A piece with the end of another request is not all head.
        self._raw = self._raw + len(data) if self._in_head and not self._completed else 0
        if self._raw > MOST_HEAD and not self._refused:
            self._refuse(431)

    # --- one request ----------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # Perhaps in the middle of what arrived with the end of the last request.
        self._in_head, self._head, self._headers = True, 0, 0
        self._origins, self._too_large = (), False
        if not self._has_no_place:
            self._start(self.config.receive_seconds)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._too_large = self._too_large or len(self.url) > MOST_HEAD

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers += 1
        self._head += len(name) + len(value) + len(": \r\n")
        if self._headers > MOST_HEADERS or len(self.url) + self._head > MOST_HEAD:
            self._too_large = True
        if not self._in_head:  # a header behind the body is nobody's business
            if self._too_large:
                self._fail(431)
            return
        if name.lower() == b"origin":
            self._origins += (value,)
        if not self._too_large:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._too_large:
            self._fail(431)
        if self._has_no_place:
            self._fail(503)
        names = [name for name, _ in self.headers]
        if len(self.pipeline) >= _MOST_AHEAD:
            self._fail(400)
        version = self.parser.get_http_version()
        if not self.url.startswith(b"/") or (names.count(b"host") != 1 and version == "1.1"):
            self._fail(400)
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        # The parser takes a chunked body out of any other coding, and what is in it as it is.
        if codings and (codings != [b"chunked"] or version != "1.1"):
            self._fail(400)
        if version not in _VERSIONS:
            self._fail(400)
        self._in_head, self._in_body = False, True
        self.config.waiting.pop(self, None)
        # The application refuses what comes too late; this is for what it does not read.
        self._start(self.config.receive_seconds + _GRACE)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._in_body, self._completed = True, False, True
        self._origins = ()
        self._stop()
        cycle: Any = self.cycle
        if cycle is not None and cycle.response_complete:
            # It was answered before it was read, so uvicorn no longer waits with a clock.
            self._wait()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            if self._in_body:
                self._start(_LINGER)
            else:
                self._wait()

    def _fail(self, status: int) -> None:
        """Give up on a head; the parser calls `send_400_response` then."""
        self._refusal = status
        raise ValueError("not to be read any further")

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's sentence
        """Refuse what is no request, with an OperationOutcome."""
        self._refuse(self._refusal)

    # --- clocks ---------------------------------------------------------------------------

    def _wait(self) -> None:
        self.config.waiting[self] = None
        self._start(self.config.receive_seconds)

    def _start(self, seconds: float) -> None:
        self._stop()
        self._deadline = self.loop.call_later(seconds, self.drop)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def pause_writing(self) -> None:
        """Notice that nobody reads what is sent, and do not wait for ever."""
        super().pause_writing()
        if self._stuck is None:
            self._stuck = self.loop.call_later(_SECONDS_TO_READ_AN_ANSWER, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        self._read()
        super().resume_writing()

    def _read(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def drop(self) -> None:
        """End the connection; what is still to be sent has a moment."""
        self._stop()
        self.config.waiting.pop(self, None)
        if not self.transport.is_closing():
            self.transport.close()
            if self.transport.get_write_buffer_size():
                self.loop.call_later(_SECONDS_TO_READ_AN_ANSWER, self.transport.abort)

    def _refuse(self, status: int) -> None:
        """Answer what nobody else will, and read no more; where it can be told apart."""
        self._refused = True
        cycle: Any = self.cycle
        answered = cycle is None or cycle.response_complete
        if self.pipeline or not (answered or (self._in_body and not cycle.response_started)):
            # An answer that is under way must not be mistaken for this one, nor this for it.
            self.drop()
            return
        if not answered:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(self._refusal_of(status))
        if not self.transport.can_write_eof():
            self.drop()
            return
        # Closing on bytes that were not read would take the answer away from the caller.
        self.transport.write_eof()
        self._start(_LINGER)

    def _refusal_of(self, status: int) -> bytes:
        request = str(uuid.uuid4())
        log.info("answered", request=request, path="", status=status)
        # Which page may read it is the application's to say; of two that ask, none may.
        app = self.app
        origin = self._origins[0].decode("latin-1") if len(self._origins) == 1 else ""
        every = app.headers_for(origin) if isinstance(app, Frame) else SECURITY_HEADERS
        body = encode(outcome(status, request=request))
        headers = [
            *self.server_state.default_headers,
            *every,
            (b"content-type", OUTCOME_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request.encode()),
            *([] if (b"connection", b"close") in every else [(b"connection", b"close")]),
            *([(b"retry-after", b"1")] if status == http.HTTPStatus.SERVICE_UNAVAILABLE else []),
        ]
        line = f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}".encode()
        return b"\r\n".join([line, *(b": ".join(one) for one in headers), b"", body])
