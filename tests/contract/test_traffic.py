"""
The watch itself: a broken answer does not get past it.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cds.service.app import create_app
from cds.service.frame import Frame
from cds.service.settings import Settings
from tests.contract.traffic import FILE, Exchange, Watch, faults_of
from tests.service.fakes import Fake, Told

HEADERS = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": "2f1e2a40-3b8e-4c8e-9d2a-0a5b6c7d8e9f",
}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "invalid", "diagnostics": "Not valid."}],
}
GOOD = Exchange(
    "POST", "/cds-services/metabolic-patient-view", {}, b"{}", 200, HEADERS, b'{"cards":[]}'
)
REFUSED = replace(
    GOOD,
    status=400,
    headers=HEADERS | {"content-type": "application/fhir+json"},
    body=json.dumps(OUTCOME).encode(),
)


def clauses(one):
    """
    The ids of what is wrong with an answer.
    """
    return [line.partition(":")[0] for line in faults_of(one)]


@pytest.mark.parametrize("one", [GOOD, REFUSED])
def test_a_good_answer_passes(one):
    """
    Or the rest would prove nothing.
    """
    assert [] == faults_of(one)


@pytest.mark.parametrize(
    ("broken", "clause"),
    [
        (replace(GOOD, body=b"{}"), "RESP-01"),
        (replace(GOOD, body=b""), "RESP-01"),
        (replace(GOOD, body=b'{"cards":[],}'), "HTTP-01"),
        (replace(GOOD, body=b'{"cards":[],"cards":[]}'), "HTTP-01"),
        (replace(GOOD, body=b'{"cards":NaN}'), "HTTP-01"),
        (replace(GOOD, status=422), "ERR-02"),
        (replace(GOOD, status=307), "ERR-02"),
        (replace(GOOD, headers={**HEADERS, "cache-control": "public"}), "SEC-21"),
        (replace(GOOD, headers={**HEADERS, "x-request-id": "1"}), "ERR-08"),
        (replace(GOOD, headers={**HEADERS, "content-type": "text/html"}), "HTTP-01"),
        (replace(GOOD, headers={**HEADERS, "set-cookie": "a=b"}), "SEC-19"),
        (replace(GOOD, repeated=("content-type",)), "HTTP-01"),
        (replace(GOOD, method="GET", path="/cds-services"), "DISC-02"),
        (replace(GOOD, path="/cds-services/x/feedback", body=b"[1]"), "FB-10"),
        (replace(REFUSED, body=b'{"detail":"x"}'), "ERR-10"),
        (replace(REFUSED, headers=HEADERS), "ERR-10"),
        (replace(REFUSED, sent=b'{"a":"Not valid."}'), "ERR-11"),
        (replace(REFUSED, status=401), "ERR-03"),
        (replace(REFUSED, status=405), "ERR-06"),
        (replace(REFUSED, status=503), "ERR-09"),
    ],
)
def test_a_broken_answer_is_named(broken, clause):
    """
    By the clause that it breaks.
    """
    assert clause in clauses(broken)


PREFLIGHT = Exchange(
    "OPTIONS",
    "/cds-services",
    {"origin": "https://a.b", "access-control-request-method": "GET"},
    b"",
    204,
    HEADERS
    | {
        "access-control-allow-origin": "https://a.b",
        "access-control-allow-headers": "Authorization, Content-Type",
        "access-control-allow-methods": "GET, POST, OPTIONS",
    },
    b"",
)


@pytest.mark.parametrize(
    ("headers", "faults"),
    [
        ({}, 0),
        ({"access-control-allow-headers": "*"}, 1),
        ({"access-control-allow-methods": "GET, POST"}, 1),
        ({"access-control-allow-origin": "https://c.d"}, 1),
        ({"access-control-allow-credentials": "true"}, 1),
    ],
)
def test_a_preflight_names_what_it_allows(headers, faults):
    """
    An asterisk does not cover Authorization.
    """
    one = replace(PREFLIGHT, headers=PREFLIGHT.headers | headers)

    assert ["SEC-19"] * faults == clauses(one)


def test_answers_are_compared_with_those_before():
    """
    Uuids of two calls, two refusals of a token, two answers to one page.
    """
    watch = Watch()
    app = object.__new__(Frame)
    card = b'{"uuid":"2f1e2a40-3b8e-4c8e-9d2a-0a5b6c7d8e9f"}'
    headers = REFUSED.headers | {"www-authenticate": "Bearer"}
    other = json.dumps(OUTCOME | {"id": "a"}).encode()
    page = {"origin": "https://a.b"}

    for one in (
        replace(GOOD, body=card),
        replace(GOOD, body=card),
        replace(REFUSED, status=401, headers=headers),
        replace(REFUSED, status=401, headers=headers, body=other),
        replace(GOOD, asked=page),
        replace(GOOD, asked=page, headers={**HEADERS, "access-control-allow-origin": "*"}),
    ):
        watch.look_at(app, one)

    text = "\n".join(watch.drain())
    assert "CARD-09: a uuid of another answer" in text
    assert "SEC-18: a 401 unlike the one before" in text
    assert "ERR-12: a page may read one answer and not another" in text
    assert [] == watch.drain()


def test_no_test_can_go_round_the_watch(watch):
    """
    A broken answer of any application in this process is found (T43).
    """
    before = watch.seen
    broken = {"cards": [{"summary": "x" * 140}]}
    client = TestClient(create_app(Settings(env="development"), Fake(Told(broken))))

    client.post("/cds-services/metabolic-patient-view", content=b"{}")

    found = watch.drain()
    assert before + 1 == watch.seen
    assert any("CARD-01: a summary of 140 characters" in line for line in found)


def test_an_application_of_another_process_is_watched_too(tmp_path):
    """
    What a test starts inherits the watch, as long as it gets the environment.
    """
    program = """
from starlette.testclient import TestClient
from cds.service.app import create_app
from cds.service.settings import Settings
from tests.service.fakes import Fake, Told
client = TestClient(create_app(Settings(env="development"), Fake(Told({"cards": None}))))
client.post("/cds-services/metabolic-patient-view", content=b"{}")
"""
    file = tmp_path / "faults.txt"
    environment = os.environ | Watch.environment(file)
    environment["PYTHONPATH"] += os.pathsep + str(Path.cwd())

    subprocess.run([sys.executable, "-c", program], env=environment, check=True)

    assert "RESP-01" in file.read_text("utf-8")
    assert os.environ[FILE] != str(file)


def test_no_process_of_a_test_loses_the_watch():
    """
    Who sets the path of Python anew takes it from `python_path`.
    """
    lines = [
        f"{path.name}: {line.strip()}"
        for path in sorted(Path(__file__).parents[1].rglob("*.py"))
        for line in path.read_text("utf-8").splitlines()
        if '"PYTHONPATH":' in line and "python_path(" not in line and path.name != "test_traffic.py"
    ]

    assert [] == lines
