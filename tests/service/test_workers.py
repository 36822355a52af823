"""
Several worker processes: one may die, all end together, and no answer is ever wrong.
"""

import http.client
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from cds.service.settings import Settings
from cds.service.start import callers_of
from cds.service.workers import supervise
from tests.calling import FIXTURES, ROOT, SERVICE
from tests.contract.traffic import python_path
from tests.stall import measure
from tests.tokens import BASE, Signer

BODIES = {
    name: (FIXTURES / "requests" / f"{name}.json").read_bytes()
    for name in ("compensated_insulin_resistance", "raised_homa_ir_alone", "age_and_sex_only")
}


class Running:
    """
    The service as it is started, with two workers and people who call it all the time.
    """

    def __init__(self, tmp_path, **environment):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.log = tmp_path / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "hooks_service.py")],
                env={
                    **{key: one for key, one in os.environ.items() if key[:4] != "CDS_"},
                    "CDS_ENV": "development",
                    "CDS_CLOCK": "2026-06-01",
                    "CDS_PORT": str(self.port),
                    "CDS_WORKERS": "2",
                    "CDS_DATABASE": f"sqlite:///{tmp_path / 'state.sqlite3'}",
                    "PYTHONPATH": python_path(ROOT),
                    **environment,
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wrong = []
        self.broken = []
        self.answered = 0
        self.expected = {}
        self.stops = threading.Event()

    def lines(self, event):
        """
        The log lines of an event.
        """
        lines = [one for one in self.log.read_text("utf-8").splitlines() if one[:1] == "{"]
        return [one for one in map(json.loads, lines) if one["event"] == event]

    def wait(self, tells, seconds=60):
        """
        Wait until *tells* says yes.
        """
        ends = time.monotonic() + seconds
        while not tells():
            assert time.monotonic() < ends, self.log.read_text("utf-8")[-3000:]
            assert self.process.poll() is None or self.stops.is_set()
            time.sleep(0.05)

    def wait_for(self, count):
        """
        Wait until so many workers serve; they say so a moment before they listen.
        """
        self.wait(lambda: len(self.lines("serving")) == count)
        self.wait(lambda: self.get("/readyz") == 200)

    def workers(self):
        """
        The processes that serve.
        """
        serving = {one["pid"] for one in self.lines("worker_started")}
        children = psutil.Process(self.process.pid).children()
        return [one.pid for one in children if one.pid in serving]

    def get(self, path):
        """
        Ask with a connection of its own: the status, 0 where there is nobody.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def cards(self, connection, name):
        """
        Call for one patient: the summaries.
        """
        connection.request("POST", SERVICE, BODIES[name], {"Content-Type": "application/json"})
        answer = connection.getresponse()
        raw = answer.read()
        assert answer.status == 200, answer.status
        return [one["summary"] for one in json.loads(raw)["cards"]]

    def learn(self):
        """
        Ask once for everybody, while nothing happens.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.expected = {name: self.cards(connection, name) for name in BODIES}
        connection.close()
        assert len({json.dumps(one) for one in self.expected.values()}) == len(BODIES)

    def call(self):
        """
        Call for one patient after the other until told to stop.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        names = list(BODIES)
        at = 0
        while not self.stops.is_set():
            name = names[at % len(names)]
            at += 1
            try:
                if self.cards(connection, name) != self.expected[name]:
                    self.wrong.append(name)
                self.answered += 1
            except AssertionError as error:
                self.wrong.append(str(error))
            except (OSError, http.client.HTTPException) as error:
                self.broken.append(error)
                connection.close()
                time.sleep(0.02)
        connection.close()


@pytest.fixture
def running(tmp_path):
    """
    Start the service with settings, and end whatever is left of it.
    """
    begun = []

    def start(**environment):
        begun.append(Running(tmp_path, **environment))
        return begun[-1]

    yield start
    for one in begun:
        one.stops.set()
        children = psutil.Process(one.process.pid).children() if one.process.poll() is None else []
        for each in [*children, one.process]:
            each.kill()
        one.process.wait()


def test_a_worker_dies_and_the_service_ends_under_load(running):
    """
    SIGKILL of one of two: no wrong answer, the other serves, it is replaced; SIGHUP and
    SIGUSR1 end nobody; SIGTERM drains and ends with 0.
    """
    service = running(CDS_DRAIN_SECONDS="1", MALLOC_PERTURB_="0")
    service.wait_for(2)
    service.learn()
    callers = [threading.Thread(target=service.call) for _ in range(4)]
    for one in callers:
        one.start()
    service.wait(lambda: service.answered > 20)

    first, second = service.workers()
    os.kill(first, signal.SIGKILL)
    killed_at = service.answered
    service.wait(lambda: service.answered > killed_at + 20)
    broken_by_the_kill = len(service.broken)
    service.wait(lambda: len(service.lines("serving")) == 3)
    service.wait(lambda: len(service.workers()) == 2)
    survivors = set(service.workers())
    for sig in (signal.SIGHUP, signal.SIGUSR1):
        os.kill(service.process.pid, sig)
    told_at = service.answered
    service.wait(lambda: service.answered > told_at + 20)
    still_there = set(service.workers())
    broken_before_the_end = len(service.broken)

    os.kill(service.process.pid, signal.SIGTERM)
    service.wait(lambda: service.get("/readyz") != 200)
    last = service.get("/livez")
    service.wait(lambda: service.process.poll() is not None or service.stops.is_set(), 30)
    service.stops.set()
    for one in callers:
        one.join()

    assert [] == service.wrong
    assert second in survivors
    assert first not in survivors
    assert survivors == still_there
    # Each caller had one connection, and perhaps a second one in the hands of the killed.
    assert broken_by_the_kill <= len(callers)
    assert broken_before_the_end == broken_by_the_kill
    assert last in {200, 0}
    assert 0 == service.process.returncode
    assert ["worker_died"] == [one["event"] for one in service.lines("worker_died")]
    assert 2 == len(service.lines("stopped"))


@pytest.mark.nightly
def test_a_worker_that_has_answered_enough_is_replaced(running):
    """
    Without a broken connection, and without an alarm.
    """
    service = running(CDS_DRAIN_SECONDS="0.3", CDS_RECYCLE="60")
    service.wait_for(2)
    service.learn()
    caller = threading.Thread(target=service.call)
    caller.start()
    service.wait(lambda: service.lines("worker_ended") and len(service.lines("serving")) > 2)
    service.stops.set()
    caller.join()

    assert ([], []) == (service.wrong, service.broken)
    assert [] == service.lines("worker_died")


def test_a_token_counts_once_for_all_workers(running, tmp_path):
    """
    Fired fifty times at two workers, one call is answered; as it is exposed, in production
    (T4, SEC-16).
    """
    signer = Signer()
    client = {"name": "ehr", "issuer": signer.issuer, "keys": [signer.jwk]}
    (tmp_path / "clients").mkdir()
    (tmp_path / "clients" / "ehr.json").write_text(json.dumps(client), "utf-8")
    service = running(
        CDS_ENV="production",
        CDS_CLOCK="",
        CDS_ALLOW_UNREVIEWED="1",
        CDS_CLIENTS=str(tmp_path / "clients"),
        CDS_PUBLIC_URL=BASE,
        CDS_DRAIN_SECONDS="0",
    )
    service.wait_for(2)
    headers = {"Content-Type": "application/json", **signer.authorization(now=int(time.time()))}
    body = BODIES["age_and_sex_only"]
    statuses = []

    def fire():
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        connection.request("POST", SERVICE, body, headers)
        statuses.append(connection.getresponse().status)
        connection.close()

    threads = [threading.Thread(target=fire) for _ in range(50)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert {200: 1, 401: 49} == {one: statuses.count(one) for one in set(statuses)}


@pytest.mark.nightly
def test_a_worker_that_hangs_is_replaced(running):
    """
    One that stands still is killed, and the other serves meanwhile (T52).
    """
    service = running()
    service.wait_for(2)
    service.learn()
    time.sleep(2)
    hung, other = service.workers()
    os.kill(hung, signal.SIGSTOP)
    service.wait(lambda: service.lines("worker_died"))
    service.wait(lambda: len(service.lines("serving")) == 3)

    assert hung not in service.workers()
    assert other in service.workers()


@pytest.mark.nightly
def test_workers_do_not_outlive_who_started_them(running):
    """
    A supervisor that is killed leaves nobody behind who could never be told to end.
    """
    service = running()
    service.wait_for(2)
    workers = service.workers()
    service.stops.set()
    service.process.kill()
    service.process.wait()
    service.wait(lambda: not any(psutil.pid_exists(one) for one in workers), 30)

    assert 2 == len(service.lines("stopped"))


@pytest.mark.nightly
def test_stalled_connections_cost_those_who_work_little(running):
    """
    Two hundred for a minute: no call fails, and the 99th percentile stays below half a
    second (T27).
    """
    service = running()
    service.wait_for(2)

    found = measure(service.port, seconds=60, stalled=200)

    assert [] == found["failed"]
    assert found["cut"] > 200
    assert found["p99"] < 500


def test_one_process_ends_with_zero_too(running):
    """
    What is asked for is no failure; a service that cannot start says why (78).
    """
    service = running(CDS_WORKERS="1")
    service.wait(lambda: service.lines("serving"))
    service.process.send_signal(signal.SIGTERM)
    ended = service.process.wait(20)
    broken = running(CDS_WORKERS="2", CDS_RULES=str(Path(__file__).parent))
    refused = broken.process.wait(60)

    assert 0 == ended
    assert 78 == refused
    assert "cannot start" in broken.log.read_text("utf-8")


@pytest.mark.parametrize(
    ("env", "drain", "expected"),
    [
        ("production", None, 3),
        ("development", None, 0),
        ("development", 7, 7),
        ("production", 0, 0),
    ],
)
def test_production_waits_for_its_proxy(env, drain, expected):
    """
    Development ends at once.
    """
    assert expected == Settings(env=env, drain_seconds=drain).seconds_to_drain


def test_a_later_worker_knows_whom_the_others_know(tmp_path, monkeypatch):
    """
    A registration that was spoiled or added meanwhile neither ends it nor sets it apart (T50, T6).
    """
    signer = Signer()
    client = {"name": "ehr", "issuer": signer.issuer, "keys": [signer.jwk]}
    (tmp_path / "ehr.json").write_text(json.dumps(client), "utf-8")
    settings = Settings(env="development", auth="required", clients=tmp_path, workers=2)
    made = []

    class Supervising:
        def __init__(self, config, _doors, *, drain_seconds):
            made.append(config.app)

        def run(self):
            assert (made[0].args[-1] / "release.yaml").is_file()
            (tmp_path / "ehr.json").write_text("{", "utf-8")

    monkeypatch.setattr("cds.service.workers._Supervisor", Supervising)
    with socket.socket() as door:
        supervise(settings, door)
    monkeypatch.setattr("cds.service.start.build", lambda *read: read)
    found, clients, _ = pickle.loads(pickle.dumps(made[0]))()  # noqa: S301 - as workers get it

    assert settings == found
    assert 1 == callers_of(found, clients).registered
    assert signer.issuer == clients.by_name["ehr"].issuer
