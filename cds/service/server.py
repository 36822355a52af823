"""
The web server: uvicorn in one process, which ends only after what it has begun.

Told to stop, it first says so in `/readyz`, so that a proxy sends nobody any more; then it
accepts no connection, finishes what is under way, and ends with 0.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from types import FrameType
from typing import Any, Final

import uvicorn

from cds.service.frame import Frame
from cds.service.receiving import Configuration
from cds.service.settings import Settings

__all__ = ["Server", "configuration", "serve"]

_NOT_STARTED: Final = 3
_SECONDS_TO_FINISH: Final = 20
# Who was accepted at the last moment asks now, and is told to close.
_SECONDS_TO_ASK: Final = 0.5
# A loop that has not turned for so long does not come back by itself.
_HUNG: Final = 5.0


def serve(app: Any, settings: Settings, door: socket.socket) -> None:
    """Serve at *door* until told to stop; what is being answered then is finished."""
    server = Server(configuration(app, settings), drain_seconds=settings.seconds_to_drain)
    server.run([door])
    if not server.started:
        raise SystemExit(_NOT_STARTED)


def configuration(app: Any, settings: Settings, *, workers: int = 1) -> Configuration:
    """
    Choose what uvicorn does: no log lines, no name of its own, an end that ends.

    What a proxy says of a caller is not believed: nothing here depends on it.
    """
    most = settings.recycle if workers > 1 else 0
    return Configuration(
        app,
        receive_seconds=settings.receive_seconds,
        connections=settings.connections,
        host=settings.host,
        port=settings.port,
        workers=workers,
        factory=workers > 1,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_max_requests=most or None,
        limit_max_requests_jitter=most // 10,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
    )


class Server(uvicorn.Server):
    """uvicorn's, with a wait between the word and the end."""

    def __init__(self, config: uvicorn.Config, *, drain_seconds: float) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._ends_at: float | None = None
        self._parent = os.getppid()
        self._turned = time.monotonic()

    @property
    def hangs(self) -> bool:
        """Tell whether the event loop has not turned for too long."""
        turns = self.started and not self.should_exit
        return turns and time.monotonic() - self._turned > _HUNG

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """
        Begin to stop on the first signal; on a second one do not wait.

        The signal is not raised again afterwards, as uvicorn would: an end that was asked
        for is no failure.
        """
        if self._ends_at is not None and sig == signal.SIGINT:
            self.should_exit = self.force_exit = True
        self._begin_to_end(self._drain_seconds if sig == signal.SIGTERM else 0)

    def _begin_to_end(self, seconds: float) -> None:
        app = getattr(self.config, "loaded_app", None)
        if isinstance(app, Frame) and self._ends_at is None:
            app.drain()
        ends_at = time.monotonic() + seconds
        self._ends_at = ends_at if self._ends_at is None else min(ends_at, self._ends_at)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nobody any more, hear out who has just come, and then end as uvicorn does."""
        for server in self.servers:
            server.close()
        ends_at = time.monotonic() + _SECONDS_TO_ASK
        # Connections tell nobody when they end.
        while self.server_state.connections and time.monotonic() < ends_at and not self.force_exit:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Look ten times a second whether it is time to end."""
        self._turned = time.monotonic()
        if self.config.workers > 1 and os.getppid() != self._parent:
            self._begin_to_end(0)  # nobody would ever end this worker
        if self._ends_at is not None and self._turned >= self._ends_at:
            self.should_exit = True
        ends = await super().on_tick(counter)
        if ends and not self.should_exit:  # it has answered enough
            self._begin_to_end(self._drain_seconds)
            return False
        return ends
