"""
Several processes behind one address: one that dies is replaced, the others go on serving.

uvicorn's supervisor, with our meaning of signals: SIGHUP and SIGUSR1 are about rules, for
every worker, and end nobody. A worker whose event loop hangs is replaced as well.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import Final

from uvicorn.supervisors.multiprocess import Multiprocess, Process

from cds.errors import CdsError
from cds.service.activation import copy_rules
from cds.service.logs import configure, log
from cds.service.process import harden
from cds.service.receiving import Configuration
from cds.service.server import Server, configuration
from cds.service.settings import Settings
from cds.service.start import begun, clients_of

__all__ = ["supervise"]

# One that dies again and again must not take the processor from those that serve.
_SECONDS_BETWEEN_STARTS: Final = (0.0, 1.0, 2.0, 5.0, 15.0, 30.0)
_SECONDS_TO_BEGIN: Final = 60.0
_SECONDS_TO_ASK_A_BEGINNER: Final = 0.05
_SECONDS_OF_A_GOOD_LIFE: Final = 60.0


def supervise(settings: Settings, door: socket) -> None:
    """Serve at *door* by `CDS_WORKERS` processes until told to stop."""
    with ExitStack() as stack:
        # Read once: a worker that comes later must neither know others nor fail at a file.
        kept = _kept(settings.rules, stack)
        application = partial(begun, settings, clients_of(settings), kept)
        config = configuration(application, settings, workers=settings.workers)
        _Supervisor(config, [door], drain_seconds=settings.seconds_to_drain).run()


def _kept(rules: Path, stack: ExitStack) -> Path | None:
    """Copy the rules for as long as *stack* is open; None where there is no room for them."""
    try:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="cds-rules-"))) / "rules"
        copy_rules(rules, folder)
    except (CdsError, OSError):
        return None
    return folder


class _Worker(Process):
    """One process that serves, seen from both sides."""

    def __init__(
        self, config: Configuration, sockets: list[socket], *, drain_seconds: float
    ) -> None:
        self._drain_seconds = drain_seconds
        self.began = time.monotonic()
        super().__init__(config, sockets)
        self._serving: Server | None = None
        self._heard = False

    def target(self, sockets: list[socket] | None = None) -> None:
        """Serve, in the process of the worker."""
        harden()
        configure()
        threading.Thread(target=self.always_pong, daemon=True).start()
        self.server.run(sockets)

    @property
    def server(self) -> Server:
        """Give the server of this process."""
        if self._serving is None:
            self._serving = Server(self.config, drain_seconds=self._drain_seconds)
        return self._serving

    def is_alive(self, timeout: float = 5) -> bool:
        """Ask the worker; one that is still beginning has a minute before it must answer."""
        if not self.process.is_alive():
            return False
        with suppress(OSError, EOFError):
            while self.parent_conn.poll(0):
                self.parent_conn.recv()  # answers that came too late to be waited for
        answers = self.ping(timeout if self._heard else _SECONDS_TO_ASK_A_BEGINNER)
        self._heard = self._heard or answers
        begins = not self._heard and time.monotonic() - self.began < _SECONDS_TO_BEGIN
        return answers or begins

    def always_pong(self) -> None:
        """Answer the supervisor for as long as the event loop turns."""
        with suppress(OSError, EOFError):
            while True:
                self.child_conn.recv()
                if not self.server.hangs:
                    self.child_conn.send(self.server.started)


class _Supervisor(Multiprocess):
    processes: list[Process]

    def __init__(
        self, config: Configuration, sockets: list[socket], *, drain_seconds: float
    ) -> None:
        super().__init__(config, sockets)
        self._configuration = config
        self._drain_seconds = drain_seconds
        self._died = 0
        self._next_start = 0.0

    def init_processes(self) -> None:
        for _ in range(self.processes_num):
            self.processes.append(self._begin())

    def _begin(self) -> _Worker:
        worker = _Worker(self._configuration, self.sockets, drain_seconds=self._drain_seconds)
        worker.start()
        log.info("worker_started", pid=worker.pid or 0)
        return worker

    def keep_subprocess_alive(self) -> None:
        """Replace who died, hangs, or has answered enough."""
        for worker in list(self.processes):
            if self.should_exit.is_set():
                return
            if not worker.is_alive(timeout=self.config.timeout_worker_healthcheck):
                self._bury(worker)
        now = time.monotonic()
        while len(self.processes) < self.processes_num and now >= self._next_start:
            self.processes.append(self._begin())
            pause = _SECONDS_BETWEEN_STARTS[min(self._died, len(_SECONDS_BETWEEN_STARTS) - 1)]
            self._next_start = now + pause

    def _bury(self, worker: Process) -> None:
        worker.kill()
        worker.join()
        self.processes.remove(worker)
        code = worker.exitcode or 0
        began = worker.began if isinstance(worker, _Worker) else 0.0
        if code == 0:
            log.info("worker_ended", pid=worker.pid or 0)  # it had answered enough
            return
        lived = time.monotonic() - began
        self._died = 1 if lived > _SECONDS_OF_A_GOOD_LIFE else self._died + 1
        log.error("worker_died", pid=worker.pid or 0, status=code)

    def terminate_all(self) -> None:
        """Tell every worker to end, and let nobody wait at a door that will not open."""
        for one in self.sockets:
            one.close()
        super().terminate_all()

    def _tell(self, sig: int) -> None:
        for worker in self.processes:
            if worker.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(worker.pid, sig)

    def handle_hup(self) -> None:
        """Let every worker look at the rules."""
        self._tell(signal.SIGHUP)

    def handle_usr1(self) -> None:
        """Let every worker go a release back."""
        self._tell(signal.SIGUSR1)

    def handle_ttin(self) -> None:
        """Keep the number of processes: it is a setting."""

    def handle_ttou(self) -> None:
        """Keep the number of processes: it is a setting."""
