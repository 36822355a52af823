"""
A real process on a real socket outlives the hostile requests, and writes nothing of them.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import time

import pytest

from tests.attacks.good import FOREIGN, MARK, OWN, call, raw
from tests.attacks.groups import ROWS
from tests.contract.traffic import python_path
from tests.pages import ROOT

EVERY = 29
"""One row in so many is sent."""


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    """
    The service as it is started, with its port and what it writes.
    """
    folder = tmp_path_factory.mktemp("process")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = folder / "log"
    with log.open("w") as written:
        started = subprocess.Popen(
            [sys.executable, str(ROOT / "hooks_service.py")],
            env={
                **{key: one for key, one in os.environ.items() if not key.startswith("CDS_")},
                "CDS_ENV": "development",
                "CDS_CLOCK": "2026-06-01",
                "CDS_PORT": str(port),
                "CDS_DATABASE": f"sqlite:///{folder / 'state.sqlite3'}",
                "PYTHONPATH": python_path(ROOT),
            },
            stdout=written,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    try:
        ends = time.monotonic() + 60
        while not said(port, "/readyz"):
            assert started.poll() is None, log.read_text("utf-8")[-2000:]
            assert time.monotonic() < ends, log.read_text("utf-8")[-2000:]
            time.sleep(0.1)
        yield started, port, log
    finally:
        started.kill()
        started.wait()


def said(port, path):
    """
    Say which probe answers; nothing where there is nobody yet.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return path.strip("/") if connection.getresponse().status == 200 else ""
    except OSError:
        return ""
    finally:
        connection.close()


def answered(port, row, hook):
    """
    Send one row on a connection of its own: the status.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    path = row.path or f"/cds-services/metabolic-{hook}"
    quoted = path.encode("utf-8", "replace").decode("latin-1")
    try:
        connection.putrequest(
            row.method, "".join(one if "!" <= one <= "~" else "%FF" for one in quoted)
        )
        body = row.body(hook)
        for name, value in {"Content-Type": "application/json", **row.headers}.items():
            connection.putheader(name, value.encode("utf-8"))
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def test_a_process_outlives_them(process):
    """
    It answers each, then a good one, ends with zero, and its log is lines without a mark (T59).
    """
    started, port, log = process
    every = [row for rows in ROWS.values() for row in rows]
    statuses = {}
    for row in every[::EVERY]:
        found = answered(port, row, row.services[0])
        statuses[row.name] = found
        assert started.poll() is None, row.name

    good = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    good.request(
        "POST",
        "/cds-services/metabolic-patient-view",
        raw(call("patient-view")),
        {"Content-Type": "application/json"},
    )
    response = good.getresponse()
    body = json.loads(response.read())
    good.close()
    started.terminate()

    wrong = {
        name: one
        for name, one in statuses.items()
        if not (isinstance(one, int) and 200 <= one < 500)
    }
    assert {} == wrong
    assert 50 <= len(statuses)
    assert (200, True) == (response.status, bool(body["cards"]))
    assert 0 == started.wait(30)
    written = log.read_text("utf-8")
    assert [] == [one for one in (MARK, OWN, FOREIGN) if one in written.lower()]
    lines = [json.loads(one) for one in written.splitlines() if one[:1] == "{"]
    assert [] == [one for one in lines if one["level"] == "error"]
    assert "Traceback" not in written
