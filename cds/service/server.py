"""
The web server: uvicorn, and the deadline that uvicorn does not have.

uvicorn waits for ever for the rest of a request's head. Here a head of more than 16 KiB,
or one that is not there in time, ends the connection; the body has its own limits in
`cds.service.app`. A proxy in front may do the same and should (`docs/operating.md`).
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cds.service.settings import Settings

__all__ = ["MOST_HEAD", "configuration", "serve"]

MOST_HEAD: Final = 16 * 1024
_NOT_STARTED: Final = 3


def serve(app: Any, settings: Settings) -> None:
    """Serve until told to stop; what is being answered then is finished."""
    server = uvicorn.Server(configuration(app, settings))
    server.run()
    if not server.started:
        raise SystemExit(_NOT_STARTED)


def configuration(app: Any, settings: Settings) -> uvicorn.Config:
    """Choose what uvicorn does: no log lines, no name of its own, an end that ends."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol(settings.receive_seconds),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=20,
    )


def protocol(seconds: float) -> type[HttpToolsProtocol]:
    """Make a protocol that waits *seconds* for the head of a request."""
    return type("WithDeadline", (_WithDeadline,), {"seconds": seconds})


class _WithDeadline(HttpToolsProtocol):
    seconds: float
    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _head = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._start()
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > MOST_HEAD:
            self._end()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # Perhaps in the middle of what arrived with the end of the last request.
        self._in_head = True
        self._head = 0
        self._start()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value)
        if self._head > 2 * MOST_HEAD:
            raise ValueError("a head that is too long, all of it at once")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._head = 0

    def _start(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.seconds, self._end)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        self._stop()
        if not self.transport.is_closing():
            self.transport.close()
