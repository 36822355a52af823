"""
Used tokens: each counts once, for every worker, on SQLite and on PostgreSQL.
"""

import asyncio
import contextlib
import os
import select
import socket
import socketserver
import sqlite3
import subprocess
import sys
import threading
import uuid

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from cds.errors import StoreFailed
from cds.service.replay import Replays
from tests.contract.traffic import python_path
from tests.pages import ROOT

POSTGRESQL = os.environ.get("TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
NOW = 1_780_000_000


def postgresql():
    """
    A schema of its own on the server of this machine, where there is one.
    """
    schema = f"used_{uuid.uuid4().hex}"
    server = create_engine(POSTGRESQL, connect_args={"connect_timeout": 2})
    try:
        with server.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError:
        pytest.skip("there is no PostgreSQL here")
    return server, schema


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """
    A database with nothing in it.
    """
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/state.sqlite3"
        return
    server, schema = postgresql()
    name = f"u{uuid.uuid4().hex}"
    with server.begin() as connection:
        # A user whose tables are in this schema, so that the address says it all.
        connection.execute(text(f"CREATE ROLE {name} LOGIN"))
        connection.execute(text(f"ALTER ROLE {name} SET search_path = {schema}"))
        connection.execute(text(f"GRANT ALL ON SCHEMA {schema} TO {name}"))
    yield POSTGRESQL.replace("postgres@", f"{name}@")
    with server.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        connection.execute(text(f"DROP ROLE {name}"))
    server.dispose()


@pytest.fixture
def opened():
    """
    Open what remembers used tokens, and close it again.
    """
    found = []

    def open_(url, now=lambda: NOW, **members):
        found.append(Replays(url, now=now, **members))
        return found[-1]

    yield open_
    for one in found:
        one.close()


def claim(replays, jti="one", *, issuer="a", until=NOW + 300):
    """
    Use a token.
    """
    return asyncio.run(replays.claim(issuer, jti, until))


def test_a_token_is_used_once(url, opened):
    """
    By issuer and id; another of either is another token (SEC-16).
    """
    replays = opened(url)

    assert [True, False, True, True] == [
        claim(replays),
        claim(replays),
        claim(replays, "two"),
        claim(replays, issuer="b"),
    ]


def test_workers_share_what_they_remember(url, opened):
    """
    What one has seen the other refuses, also after a restart (T4, SEC-16).
    """
    first, second = opened(url), opened(url)

    assert [True, False] == [claim(first), claim(second)]
    first.close()
    assert not claim(opened(url))


def test_what_is_expired_is_forgotten(url, opened):
    """
    So that the store does not grow; a minute late, as clocks of replicas differ (SEC-16, T4).
    """
    clock = [NOW]
    replays = opened(url, now=lambda: clock[0])
    for number in range(20):
        claim(replays, str(number), until=NOW + 10 * number)
    clock[0] = NOW + 160
    kept = not claim(replays, "10", until=NOW + 400)
    gone = claim(replays, "9", until=NOW + 400)

    assert (True, True) == (kept, gone)
    engine, table = replays._store
    with engine.begin() as connection:
        assert 11 == len(connection.execute(table.select()).all())


def test_one_issuer_cannot_fill_the_store(url, opened, monkeypatch):
    """
    Beyond its part its calls are refused, for a while unread; not those of others (SEC-16, T65).
    """
    monkeypatch.setattr("cds.service.replay._COUNTED_EVERY", 1)
    clock = [NOW]
    replays = opened(url, now=lambda: clock[0], most=3)
    for number in range(3):
        assert claim(replays, str(number), until=NOW)

    for _ in range(2):
        with pytest.raises(StoreFailed):
            claim(replays, "4")
    assert claim(replays, issuer="b")

    engine, table = replays._store
    with engine.begin() as connection:
        connection.execute(table.delete())
    clock[0] = NOW + 9
    with pytest.raises(StoreFailed):
        claim(replays, "4")
    clock[0] = NOW + 10
    assert claim(replays, "4")


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:////nowhere/at/all/state.sqlite3",
        "postgresql+psycopg://127.0.0.1:1/none",
        "no address",
        "nosuch://x",
    ],
)
def test_a_store_that_is_down_lets_nothing_through(address, opened):
    """
    It says so, without a word of what was to be kept (T4).
    """
    with pytest.raises(StoreFailed) as caught:
        claim(opened(address), "canary")

    assert "canary" not in str(caught.value)


def test_a_store_that_comes_back_is_used_again(tmp_path, opened):
    """
    Without a restart (T4).
    """
    folder = tmp_path / "later"
    replays = opened(f"sqlite:///{folder}/state.sqlite3")
    with pytest.raises(StoreFailed):
        claim(replays)
    folder.mkdir()

    assert claim(replays)


class Relay(socketserver.ThreadingTCPServer):
    """
    Stands before a server, and can fall silent without hanging up.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, host, port):
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.silent = threading.Event()
        self.target = host, port
        super().__init__(("127.0.0.1", 0), Relayed)


class Relayed(socketserver.BaseRequestHandler):
    """
    One connection through it.
    """

    def handle(self):
        """
        Pass on in both directions; who comes while it is silent is sent away.
        """
        if not self.server.goes_on.is_set():
            return
        with socket.create_connection(self.server.target) as other:
            ways = {self.request: other, other: self.request}
            while True:
                for one in select.select(list(ways), [], [])[0]:
                    if not (said := one.recv(65536)):
                        return
                    if not self.server.goes_on.is_set():
                        self.server.silent.set()
                        self.server.goes_on.wait()
                    ways[one].sendall(said)


@pytest.fixture
def relay(url):
    """
    A relay before the server, and the address of the database through it.
    """
    address = make_url(url)
    with Relay(address.host, address.port or 5432) as found:
        threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True).start()
        through = address.set(host="127.0.0.1", port=found.server_address[1])
        found.url = through.render_as_string(hide_password=False)
        yield found
        found.goes_on.set()
        found.shutdown()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_server_that_falls_silent_is_given_up(relay, opened, monkeypatch):
    """
    Nobody is let in meanwhile, and afterwards the thread does not wait for ever (T4, T61).
    """
    replays = opened(relay.url)
    assert claim(replays, "one")
    relay.goes_on.clear()
    monkeypatch.setattr("cds.service.replay._SECONDS", 0.1)
    with pytest.raises(StoreFailed):
        claim(replays, "two")
    relay.goes_on.set()
    monkeypatch.setattr("cds.service.replay._SECONDS", 10)

    assert [True, False] == [claim(replays, "three"), claim(replays, "one")]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_silent_server_does_not_keep_the_process(relay, opened, monkeypatch):
    """
    An end is an end (T4, T61).
    """
    monkeypatch.setattr("cds.service.replay.BUSY_SECONDS", 0.1)
    replays = opened(relay.url)
    claim(replays, "one")
    relay.goes_on.clear()
    refused = []

    def wait():
        try:
            claim(replays, "two")
        except StoreFailed as error:
            refused.append(error)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert relay.silent.wait(10)
    replays.close()
    waiting.join(10)

    assert 1 == len(refused)


@pytest.mark.parametrize("content", [b"this is no database, but as long as the head of one" * 40])
def test_a_file_that_is_no_database_lets_nothing_through(tmp_path, opened, content):
    """
    It is neither repaired nor overwritten (T61).
    """
    path = tmp_path / "state.sqlite3"
    path.write_bytes(content)

    with pytest.raises(StoreFailed):
        claim(opened(f"sqlite:///{path}"))
    assert content == path.read_bytes()


def test_a_damaged_file_lets_nothing_through(tmp_path, opened):
    """
    Found when it is opened: a token that was lost in it could be used again (T61, T4).
    """
    path = tmp_path / "state.sqlite3"
    before = opened(f"sqlite:///{path}")
    for number in range(30):
        claim(before, f"{number}{'x' * 100}", issuer="a" * 900)
    before.close()
    with path.open("r+b") as file:
        file.seek(4096 * 4)
        file.write(b"\xff" * 4096)

    with pytest.raises(StoreFailed) as caught:
        claim(opened(f"sqlite:///{path}"))
    assert "damaged" in str(caught.value) or "DatabaseError" in str(caught.value)


def test_a_full_disk_lets_nothing_through(tmp_path, opened):
    """
    Until there is room again; what was remembered before is remembered (T61, T4).
    """
    replays = opened(f"sqlite:///{tmp_path}/state.sqlite3")
    assert claim(replays)
    engine, _ = replays._store

    def limit(pages):
        with engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    limit(1)
    with pytest.raises(StoreFailed):
        [claim(replays, str(number), issuer="a" * 2000) for number in range(100)]
    with pytest.raises(StoreFailed):
        claim(replays, "another", issuer="a" * 2000)
    assert not claim(replays)
    limit(10_000)

    assert claim(replays, "another", issuer="a" * 2000)


def test_a_lock_that_is_not_given_back_lets_nothing_through(tmp_path, opened, monkeypatch):
    """
    Whoever waits for it is told to come again; afterwards all is well (T61, T4).
    """
    monkeypatch.setattr("cds.service.database.BUSY_SECONDS", 0.05)
    path = tmp_path / "state.sqlite3"
    replays = opened(f"sqlite:///{path}")
    assert claim(replays)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreFailed):
            claim(replays, "two")
        other.execute("ROLLBACK")

    assert claim(replays, "two")


def test_the_file_is_for_its_owner_alone(tmp_path, opened):
    """
    With a write-ahead log, so that readers wait for nobody (T61).
    """
    path = tmp_path / "state.sqlite3"
    claim(opened(f"sqlite:///{path}"))

    assert 0o600 == path.stat().st_mode & 0o777
    with contextlib.closing(sqlite3.connect(path)) as other:
        assert "wal" == other.execute("PRAGMA journal_mode").fetchone()[0]


WORKER = """
import asyncio, sys
from cds.errors import NotAuthenticated
from cds.service.replay import Replays
from tests.tokens import NOW, SERVICE, tokens_for, client_of
from cds.service.clients import Client

async def main(url, registered, token):
    replays = Replays(url, now=lambda: NOW)
    tokens = tokens_for(Client.model_validate_json(registered), replays=replays)
    async def call():
        try:
            await tokens.identify([f"Bearer {token}"], routes=[f"/cds-services/{SERVICE}"])
        except NotAuthenticated:
            return 0
        return 1
    sys.stdin.readline()
    print(sum(await asyncio.gather(*(call() for _ in range(25)))))
    replays.close()

asyncio.run(main(*sys.argv[1:]))
"""


def test_fifty_calls_at_two_workers_are_one(url):
    """
    The same token, at the same time, in two processes: exactly one is let in (T4, SEC-16).
    """
    from tests.tokens import Signer, client_of  # noqa: PLC0415 - only here

    signer = Signer()
    arguments = (url, client_of(signer).model_dump_json(), signer.token())
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": python_path(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for one in workers:
        one.stdin.write("go\n")
        one.stdin.flush()

    assert 1 == sum(int(one.communicate(timeout=60)[0]) for one in workers)
    assert [0, 0] == [one.returncode for one in workers]


@pytest.mark.nightly
def test_fifty_calls_of_two_real_workers_are_one(tmp_path):
    """
    The service as it is started, with two workers and one token: 50 calls at once (T4).
    """
    import http.client  # noqa: PLC0415 - only here
    import json  # noqa: PLC0415 - only here
    import time  # noqa: PLC0415 - only here
    from collections import Counter  # noqa: PLC0415 - only here
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only here

    from tests.calling import SERVICE  # noqa: PLC0415 - only here
    from tests.service.test_workers import BODIES, Running  # noqa: PLC0415 - only here
    from tests.tokens import Signer, client_of  # noqa: PLC0415 - only here

    signer = Signer()
    registered = client_of(signer, burst=1000).model_dump(mode="json", exclude_defaults=True)
    (tmp_path / "clients").mkdir()
    (tmp_path / "clients" / "ehr.json").write_text(json.dumps(registered), "utf-8")
    service = Running(
        tmp_path,
        CDS_AUTH="required",
        CDS_CLIENTS=str(tmp_path / "clients"),
        CDS_PUBLIC_URL="https://cds.example.org/metabolic",
        CDS_IN_FLIGHT="200",
    )
    try:
        service.wait(lambda: len(service.lines("serving")) == 2)
        service.wait(lambda: service.get("/readyz") == 200)
        token = signer.token(now=int(time.time()))

        def call(_number):
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            connection.request("POST", SERVICE, BODIES["age_and_sex_only"], headers)
            status = connection.getresponse().status
            connection.close()
            return status

        with ThreadPoolExecutor(50) as callers:
            statuses = Counter(callers.map(call, range(50)))
    finally:
        service.stops.set()
        service.process.terminate()
        service.process.wait(60)

    assert {200: 1, 401: 49} == statuses
    assert {"used before"} == {one["reason"] for one in service.lines("refused_caller")}
