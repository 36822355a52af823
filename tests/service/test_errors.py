"""
Refusals, all of them: an OperationOutcome of R4 that can be read, traced, and repeats nothing.
"""

import io
import json
import re
from uuid import UUID

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from starlette.testclient import TestClient

from cds.errors import (
    BadRequest,
    CannotProceed,
    EngineFailed,
    EvaluatorsDisagree,
    UnknownService,
)
from cds.service.app import create_app
from cds.service.clients import Clients
from cds.service.logs import configure
from cds.service.settings import Settings
from tests.service.fakes import Fake
from tests.tokens import BASE, Signer, client_of, tokens_for

ROUTE = "/cds-services/metabolic-patient-view"
FEEDBACK = f"{ROUTE}/feedback"
PAGE = "https://ehr.example"
MARK = "Zebedee"
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
}


class World:
    """
    A service as it is exposed: production, signed calls, one registered page.
    """

    def __init__(self, told=None, *, settings=None, **members):
        self.signer = Signer()
        self.log = io.StringIO()
        configure(self.log, strict=True)
        client = client_of(self.signer, **{"origins": (PAGE,), "burst": 1000, **members})
        self.app = create_app(
            Settings(
                **{"env": "production", "public_url": BASE, "max_body": 4096, **(settings or {})}
            ),
            Fake() if told is None else Fake(told),
            clients=Clients([client]),
            callers=tokens_for(client),
        )
        self.http = TestClient(self.app, raise_server_exceptions=False)

    def send(self, method="POST", path=ROUTE, *, content=b"{}", **headers):
        """
        Send a signed call of the page, with *headers* besides or instead.
        """
        named = headers
        given = {
            "Origin": PAGE,
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.signer.token(aud=BASE + path)}",
            **named,
        }
        return self.http.request(
            method,
            path,
            content=content,
            headers={name: value for name, value in given.items() if value is not None},
            follow_redirects=False,
        )


def assert_refusal(response, status, *, body=True):
    """
    What holds for every refusal.
    """
    headers = response.headers
    request = str(UUID(headers["x-request-id"]))
    assert status == response.status_code
    assert HEADERS == {name: headers.get(name) for name in HEADERS}
    assert headers["access-control-allow-origin"] == PAGE
    assert "Origin" in headers["vary"]
    assert MARK not in response.text + json.dumps(dict(headers))
    assert (status == 405) == ("allow" in headers)
    assert (status in {429, 503}) == ("retry-after" in headers)
    assert (status == 401) == ("www-authenticate" in headers)
    assert re.search(r"(?i)traceback|\.py\b|line \d+", response.text) is None
    if body:
        assert headers["content-type"] == "application/fhir+json"
        found = response.json()
        assert [("error", True)] == [
            (one["severity"], bool(one["diagnostics"])) for one in found["issue"]
        ]
        assert OperationOutcome.model_validate(found)
        # A 401 says the same to everybody (T9); its id is in the header.
        assert found.get("id", request) == request
        assert ("id" in found) == (status != 401)


CASES = {
    "ERR-01 required data": (
        CannotProceed("must hold the Patient", path="$.prefetch"),
        412,
        "required",
    ),
    "ERR-02 not valid": (BadRequest("must be a UUID", path="$.hookInstance"), 400, "invalid"),
    "ERR-05 unknown id": (
        UnknownService("no service", path="/cds-services/{id}"),
        404,
        "not-found",
    ),
    "ERR-08 our bug": (KeyError(MARK), 500, "exception"),
    "ERR-08 too deep": (RecursionError(MARK), 500, "exception"),
    "ERR-08 memory": (MemoryError(MARK), 500, "exception"),
    "ERR-08 a timeout inside": (TimeoutError(MARK), 500, "exception"),
    "ERR-08 the engine": (EngineFailed(MARK), 500, "exception"),
    "ERR-08 two answers": (EvaluatorsDisagree(["card.x"]), 500, "exception"),
}


@pytest.mark.parametrize(("error", "status", "code"), CASES.values(), ids=CASES)
def test_what_is_raised_is_answered(error, status, code):
    """
    By its kind, never as an empty list of cards (ERR-01, ERR-02, ERR-05, ERR-08, ERR-10, T45).
    """
    response = World(error).send()

    assert_refusal(response, status)
    assert code == response.json()["issue"][0]["code"]
    assert "cards" not in response.json()


SENT = {
    "ERR-03 no token": (401, {"Authorization": None}),
    "ERR-03 no bearer": (401, {"Authorization": f"Basic {MARK}"}),
    "ERR-03 no JWT": (401, {"Authorization": f"Bearer {MARK}"}),
    "ERR-05 no such service": (404, {"path": f"/cds-services/{MARK}"}),
    "ERR-05 no such address": (404, {"path": f"/{MARK}", "method": "GET"}),
    "ERR-05 two slashes": (404, {"path": f"//cds-services/{MARK}"}),
    "ERR-05 three slashes": (404, {"path": f"/cds-services///{MARK}"}),
    "ERR-05 dots": (404, {"path": "/cds-services/%2e%2e/status", "method": "GET"}),
    "ERR-05 an encoded slash": (404, {"path": f"/cds-services/a%2F{MARK}"}),
    "ERR-03 a long address, for which no token can be": (
        401,
        {"path": f"/cds-services/{MARK * 1000}"},
    ),
    "ERR-03 no ASCII, for which no token can be": (
        401,
        {"path": f"/cds-services/%F0%9F%92%89{MARK}"},
    ),
    "ERR-03 NUL, for which no token can be": (401, {"path": f"/cds-services/%00{MARK}"}),
    "ERR-05 documents": (404, {"path": "/openapi.json", "method": "GET"}),
    "ERR-05 more documents": (404, {"path": "/docs", "method": "GET"}),
    "ERR-05 metrics": (404, {"path": "/metrics", "method": "GET"}),
    "ERR-06 GET": (405, {"method": "GET"}),
    "ERR-06 PUT": (405, {"method": "PUT"}),
    "ERR-06 PATCH": (405, {"method": "PATCH"}),
    "ERR-06 DELETE": (405, {"method": "DELETE"}),
    "ERR-06 TRACE": (405, {"method": "TRACE"}),
    "ERR-06 OPTIONS that is no preflight": (405, {"method": "OPTIONS"}),
    "ERR-06 a word": (405, {"method": "BREW"}),
    "ERR-06 POST to discovery": (405, {"path": "/cds-services"}),
    "ERR-06 POST to health": (405, {"path": "/livez"}),
    "ERR-06 GET of feedback": (405, {"path": FEEDBACK, "method": "GET"}),
    "ERR-07 XML": (415, {"Content-Type": "application/fhir+xml"}),
    "ERR-07 a form": (415, {"Content-Type": "application/x-www-form-urlencoded"}),
    "ERR-07 words": (415, {"Content-Type": MARK}),
    "T25 another charset": (415, {"Content-Type": "application/json; charset=utf-16"}),
    "T25 an older charset": (415, {"Content-Type": f'application/json;charset="{MARK}"'}),
    "T25 two charsets": (415, {"Content-Type": "application/json;charset=utf-8;charset=utf-16"}),
    "T17 gzip": (415, {"Content-Encoding": "gzip"}),
    "T17 brotli": (415, {"Content-Encoding": "br"}),
    "T17 twice": (415, {"Content-Encoding": "identity, gzip"}),
    "ERR-07 too large": (413, {"content": b" " * 4097}),
    "ERR-02 nothing": (400, {"content": b""}),
    "ERR-02 feedback that is none": (400, {"path": FEEDBACK, "content": MARK.encode()}),
    "ERR-07 feedback in XML": (415, {"path": FEEDBACK, "Content-Type": "text/xml"}),
}


@pytest.mark.parametrize(("status", "call"), SENT.values(), ids=SENT)
def test_what_is_refused_says_so(status, call):
    """
    By the framework, the limits, or the routes (ERR-03, ERR-05, ERR-06,
    ERR-07, ERR-10, ERR-11, ERR-12, HTTP-06, T17, T25, T62).
    """
    assert_refusal(World().send(**call), status)


@pytest.mark.parametrize("path", [ROUTE, "/nowhere", "/cds-services"])
def test_a_head_has_headers_and_no_more(path):
    """
    HEAD is no method of ours (ERR-06).
    """
    response = World().send("HEAD", path)

    assert_refusal(response, 404 if path == "/nowhere" else 405, body=False)


def test_who_may_not_call_this_service_is_told():
    """
    A client that is known and registered for others (ERR-04).
    """
    assert_refusal(World(services=("metabolic-order-sign",)).send(), 403)


def test_who_calls_too_often_is_told_when_to_come_again():
    """
    429 with Retry-After, and nothing of the call is looked at (ERR-09, T54, T65).
    """
    world = World(burst=2, rate=1)
    first = [world.send().status_code for _ in range(2)]

    assert [200, 200] == first
    assert_refusal(world.send(), 429)


def test_a_crowd_is_sent_away():
    """
    503 with Retry-After (ERR-09).
    """
    world = World()
    world.app._in_flight = 0

    assert_refusal(world.send(), 503)


def test_a_service_that_is_not_ready_says_so():
    """
    Before its start and at its end (ERR-09).
    """
    world = World()
    assert_refusal(world.send("GET", "/readyz"), 503)
    with world.http:
        ready = world.send("GET", "/readyz").status_code
        world.app.drain()
        at_the_end = world.send("GET", "/readyz")
        call = world.send()

    assert 200 == ready
    assert_refusal(at_the_end, 503)
    assert (200, "close") == (call.status_code, call.headers["connection"])


@pytest.mark.parametrize("name", ["Content-Type", "Content-Encoding", "Host", "Origin"])
def test_a_header_that_comes_twice_is_refused(name):
    """
    A proxy may have read the other one (T29).
    """
    world = World()
    headers = [(name, "identity"), (name, "identity"), ("X-Mark", MARK)]

    response = world.http.post(ROUTE, content=b"{}", headers=headers)

    assert 400 == response.status_code
    assert "OperationOutcome" == response.json()["resourceType"]


def test_another_host_changes_nothing():
    """
    What a caller or a proxy says of addresses is not believed, and not repeated (T5).
    """
    forged = {"Host": f"{MARK}.example", "X-Forwarded-Host": MARK, "X-Forwarded-Proto": "http"}
    world = World()
    found = world.send("GET", "/cds-services", **forged)
    refused = world.send("POST", "/cds-services/x", **forged)

    assert (200, 404) == (found.status_code, refused.status_code)
    assert MARK not in found.text + refused.text + json.dumps(dict(refused.headers))


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("application/json", None),
        ("application/json;charset=UTF-8", "identity"),
        ('application/json; charset="utf-8"', None),
        ("APPLICATION/FHIR+JSON; fhirVersion=4.0; charset=utf8", "Identity"),
        (None, None),
    ],
)
def test_json_by_its_usual_names_is_taken(kind, encoding):
    """
    With parameters, in any case, or without a word (HTTP-05).
    """
    response = World().send(**{"Content-Type": kind, "Content-Encoding": encoding})

    assert 200 == response.status_code


def test_plain_http_gets_no_promise_of_https():
    """
    Browsers are told to come back by https only where there is https (4.3).
    """
    app = create_app(Settings(env="development", public_url="http://cds.example"), Fake())

    assert "strict-transport-security" not in TestClient(app).get("/livez").headers
