"""
Browsers: which pages may call, what a preflight is told, and that failures can be read.
"""

import pytest
from starlette.testclient import TestClient

from cds.service.app import create_app
from cds.service.clients import Client, Clients
from cds.service.logs import configure
from cds.service.settings import Settings
from tests.service.fakes import Fake

HOST = "https://ehr.example"
SERVICE = "/cds-services/metabolic-patient-view"
PATHS = [
    ("/cds-services", "GET"),
    ("/cds-services/", "GET"),
    (SERVICE, "POST"),
    (SERVICE.replace("services/", "services//"), "POST"),
    (f"{SERVICE}/feedback", "POST"),
    (f"{SERVICE.replace('services/', 'services//')}/feedback", "POST"),
]
STRANGERS = [
    "null",
    "https://ehr.example.evil.org",
    "https://evil-ehr.example",
    "https://sub.ehr.example",
    "https://ehr.example:8443",
    "http://ehr.example",
    "https://EHR.example",
    "https://ehr.example/",
    "https://ehr.example@evil.org",
    "https://ehr.example\t",
    "*",
    "",
]


def client_of(*, origins=(HOST,), about=dict, **settings):
    """
    A service in production for whom the pages of *origins* may call.
    """
    configure(strict=True)
    clients = Clients([Client(name="page", origins=origins)])
    settings = {"env": "production", "allow_unreviewed": True, **settings}
    app = create_app(Settings(**settings), Fake(), about=about, clients=clients)
    return TestClient(app, raise_server_exceptions=False)


def preflight(method, headers="authorization,content-type", origin=HOST):
    """
    The headers with which a browser asks first.
    """
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


@pytest.mark.parametrize(("path", "method"), PATHS)
def test_a_preflight_is_answered_without_a_token(path, method):
    """
    On discovery, service and feedback, with every slash, as the sandbox asks (SEC-19, Q-01, Q-02).
    """
    asked = "authorization" if method == "GET" else "authorization,content-type"

    answer = client_of().options(path, headers=preflight(method, asked), follow_redirects=False)

    assert 204 == answer.status_code
    assert HOST == answer.headers["access-control-allow-origin"]
    assert {"GET", "POST", "OPTIONS"} == words(answer, "access-control-allow-methods")
    assert {"Authorization", "Content-Type"} <= words(answer, "access-control-allow-headers")
    assert "600" == answer.headers["access-control-max-age"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "no-store" == answer.headers["cache-control"]
    assert b"" == answer.content


def words(answer, name):
    """
    The members of a header that is a list.
    """
    return {one.strip() for one in answer.headers[name].split(",")}


@pytest.mark.parametrize("origin", STRANGERS)
def test_a_stranger_is_refused(origin):
    """
    Near misses of a registered origin too (SEC-19, T60).
    """
    client = client_of()

    first = client.options(SERVICE, headers=preflight("POST", origin=origin))
    call = client.post(SERVICE, json={}, headers={"Origin": origin})

    assert 403 == first.status_code
    assert "forbidden" == first.json()["issue"][0]["code"]
    assert "nosniff" == first.headers["x-content-type-options"]
    assert "x-request-id" in first.headers
    for answer in (first, call):
        assert "access-control-allow-origin" not in answer.headers
        assert "Origin" in words(answer, "vary")
        assert not origin.startswith("http") or origin not in answer.text


@pytest.mark.parametrize("asked", ["x-debug", "authorization,x-forwarded-host"])
def test_a_header_nobody_needs_is_refused(asked):
    """
    The list is closed (SEC-19).
    """
    answer = client_of().options(SERVICE, headers=preflight("POST", asked))

    assert 403 == answer.status_code


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_a_method_nobody_needs_is_refused(method):
    """
    GET, POST and OPTIONS are all there is (SEC-19).
    """
    answer = client_of().options(SERVICE, headers=preflight(method))

    assert 403 == answer.status_code


@pytest.mark.parametrize(
    ("method", "path", "kind", "expected"),
    [
        ("GET", "/cds-services", "application/json", 200),
        ("POST", SERVICE, "application/json", 200),
        ("POST", SERVICE, "text/xml", 415),
        ("POST", "/cds-services/unknown", "application/json", 404),
        ("GET", SERVICE, "application/json", 405),
    ],
)
def test_every_answer_can_be_read_by_the_page(method, path, kind, expected):
    """
    Refusals too, or the browser hides them (ERR-12).
    """
    answer = client_of().request(
        method, path, content=b"{}", headers={"Origin": HOST, "Content-Type": kind}
    )

    assert expected == answer.status_code
    assert HOST == answer.headers["access-control-allow-origin"]
    assert {"X-Request-Id", "Retry-After"} == words(answer, "access-control-expose-headers")
    assert "Origin" in words(answer, "vary")


def test_a_crash_and_a_crowd_can_be_read_by_the_page():
    """
    500 and 503 of the frame itself carry the headers as well (ERR-12, ERR-08, ERR-09).
    """

    def breaks():
        raise KeyError

    client = client_of(about=breaks)
    crash = client.get("/status", headers={"Origin": HOST})
    client.app._in_flight = 0
    crowd = client.post(SERVICE, json={}, headers={"Origin": HOST})

    assert [500, 503] == [crash.status_code, crowd.status_code]
    assert "1" == crowd.headers["retry-after"]
    for answer in (crash, crowd):
        assert HOST == answer.headers["access-control-allow-origin"]
        assert "OperationOutcome" == answer.json()["resourceType"]
        assert answer.headers["x-request-id"] == answer.json()["id"]


def test_without_registered_pages_there_is_no_cors():
    """
    Off by default (T60).
    """
    answer = client_of(origins=()).options(SERVICE, headers=preflight("POST"))

    assert 403 == answer.status_code
    assert "access-control-allow-origin" not in answer.headers


def test_any_page_may_call_a_development_service():
    """
    It listens on this machine only, also for pages of a public network.
    """
    asked = {**preflight("POST"), "Access-Control-Request-Private-Network": "true"}

    answer = client_of(origins=(), env="development").options(SERVICE, headers=asked)

    assert 204 == answer.status_code
    assert "*" == answer.headers["access-control-allow-origin"]
    assert "true" == answer.headers["access-control-allow-private-network"]


@pytest.mark.parametrize(
    ("origin", "status", "told"), [(HOST, 204, "true"), ("https://evil.example", 403, None)]
)
def test_a_registered_page_may_call_into_a_private_network(origin, status, told):
    """
    A hospital's service stands in its own network; a stranger is refused there too (SEC-19, T60).
    """
    asked = {
        **preflight("POST", origin=origin),
        "Access-Control-Request-Private-Network": "true",
    }

    answer = client_of().options(SERVICE, headers=asked)

    assert status == answer.status_code
    assert (HOST if told else None) == answer.headers.get("access-control-allow-origin")
    assert not told or told == answer.headers["access-control-allow-private-network"]


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
def test_discovery_with_a_slash_is_no_redirect(path):
    """
    Neither the call nor its preflight (DISC-17, Q-02).
    """
    client = client_of()
    found = client.get(path, headers={"Origin": HOST}, follow_redirects=False)
    asked = client.options(path, headers=preflight("GET"), follow_redirects=False)

    assert [200, 204] == [found.status_code, asked.status_code]
