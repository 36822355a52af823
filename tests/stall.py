"""
Stalled connections beside people who work: `make stall` prints what the latter notice.

Two hundred connections, each stalling in one of five ways and coming back as soon as it is
cut off, for a minute, against the service as it is started, with two worker processes.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
SERVICE: Final = b"/cds-services/metabolic-patient-view"
BODY: Final = ROOT / "fixtures" / "requests" / "compensated_insulin_resistance.json"
_HEAD: Final = b"GET /cds-services HTTP/1.1\r\nHost: x\r\n"
_CALL: Final = (
    b"POST " + SERVICE + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 5000\r\n\r\n"
)
# What is sent at once, and what is sent every half second from then on.
WAYS: Final = {
    "silence": (b"", b""),
    "half a head": (_HEAD, b""),
    "a head that drips": (_HEAD, b"X"),
    "a body that never comes": (_CALL, b""),
    "a body that drips": (_CALL, b" "),
}


@dataclass
class Stalling:
    """Connections that do not get on; *cut* counts how often one was ended."""

    port: int
    count: int
    cut: int = 0
    opened: int = 0
    stops: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Keep them open until told to stop."""
        picker = selectors.DefaultSelector()
        ways = list(WAYS.values())
        for number in range(self.count):
            self._open(picker, ways[number % len(ways)])
        drips_at = time.monotonic()
        while not self.stops.is_set():
            for key, _ in picker.select(timeout=0.1):
                self._look(picker, key)
            if time.monotonic() >= drips_at:
                drips_at = time.monotonic() + 0.5
                for key in list(picker.get_map().values()):
                    try:
                        key.fileobj.send(key.data[1])  # type: ignore[union-attr]
                    except OSError:
                        self._again(picker, key)
        for key in list(picker.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]

    def _open(self, picker: selectors.BaseSelector, way: tuple[bytes, bytes]) -> None:
        one = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        one.setblocking(False)
        self.opened += 1
        with suppress(OSError):
            one.send(way[0])
        picker.register(one, selectors.EVENT_READ, way)

    def _look(self, picker: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        try:
            ended = not key.fileobj.recv(65536)  # type: ignore[union-attr]
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self._again(picker, key)

    def _again(self, picker: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        picker.unregister(key.fileobj)
        key.fileobj.close()  # type: ignore[union-attr]
        self.cut += 1
        if not self.stops.is_set():
            self._open(picker, key.data)


@dataclass
class Working:
    """Somebody who calls *rate* times a second; *waited* are the milliseconds of each call."""

    port: int
    rate: float
    waited: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    stops: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Call until told to stop, with a new connection every tenth time."""
        body = BODY.read_bytes()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        at = 0
        while not self.stops.wait(1 / self.rate):
            at += 1
            if at % 10 == 0:
                connection.close()
            began = time.perf_counter()
            try:
                connection.request(
                    "POST", SERVICE.decode(), body, {"Content-Type": "application/json"}
                )
                answer = connection.getresponse()
                cards = json.loads(answer.read()).get("cards")
                if answer.status != 200 or not cards:
                    self.failed.append(str(answer.status))
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(type(error).__name__)
                connection.close()
            self.waited.append((time.perf_counter() - began) * 1000)
        connection.close()


def measure(port: int, *, seconds: float, stalled: int, rate: float = 10) -> dict[str, Any]:
    """Measure what two who work notice beside *stalled* connections."""
    stalling = Stalling(port, stalled)
    working = [Working(port, rate / 2) for _ in range(2)]
    threads = [threading.Thread(target=one.run) for one in (stalling, *working)]
    for one in threads:
        one.start()
    time.sleep(seconds)
    for each in (*working, stalling):
        each.stops.set()
    for one in threads:
        one.join()
    waited = sorted(ms for one in working for ms in one.waited)
    return {
        "calls": len(waited),
        "failed": [each for one in working for each in one.failed],
        "p50": statistics.median(waited),
        "p95": waited[int(len(waited) * 0.95)],
        "p99": waited[int(len(waited) * 0.99)],
        "longest": waited[-1],
        "opened": stalling.opened,
        "cut": stalling.cut,
    }


def main() -> None:
    """Start the service, measure without and with stalled connections, and print both."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--stalled", type=int, default=200)
    options.add_argument("--workers", type=int, default=2)
    given = options.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **{key: one for key, one in os.environ.items() if key[:4] != "CDS_"},
        "CDS_ENV": "development",
        "CDS_PORT": str(port),
        "CDS_WORKERS": str(given.workers),
        "CDS_CLOCK": "2026-06-01",
        "CDS_DATABASE": f"sqlite:///{tempfile.gettempdir()}/cds-stall.sqlite3",
    }
    service = subprocess.Popen(
        [sys.executable, str(ROOT / "hooks_service.py")],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_for(port)
        time.sleep(3)  # the other workers
        print(f"{given.workers} workers, 10 calls a second, {os.cpu_count()} cores; milliseconds")
        for stalled, seconds in ((0, min(15.0, given.seconds)), (given.stalled, given.seconds)):
            found = measure(port, seconds=seconds, stalled=stalled)
            print(
                f"{stalled:>4} stalled, {seconds:.0f} s:  calls {found['calls']}"
                f"  failed {len(found['failed'])}  p50 {found['p50']:.1f}  p95 {found['p95']:.1f}"
                f"  p99 {found['p99']:.1f}  longest {found['longest']:.1f}"
                f"  (opened {found['opened']}, cut off {found['cut']})"
            )
            if found["failed"]:
                print("    failed:", ", ".join(sorted(set(found["failed"]))))
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(40)


def _wait_for(port: int) -> None:
    for _ in range(600):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise SystemExit("the service did not start")


if __name__ == "__main__":
    main()
