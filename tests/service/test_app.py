"""
HTTP: the right status, an OperationOutcome for every failure, nothing repeated.
"""

import asyncio
import json

import pytest
from starlette.testclient import TestClient

from cds.core.hooks import HOOKS
from cds.errors import BadRequest, CannotProceed, EngineFailed, EvaluatorsDisagree
from cds.hooks.discovery import service_of
from cds.service.app import create_app
from cds.service.settings import Settings
from tests.service.fakes import Fake, Told

SERVICE = "/cds-services/metabolic-patient-view"
JSON = {"Content-Type": "application/json"}
MARK = "Zebedee"


@pytest.fixture
def serve(lines):
    """
    Start the application around a fake.
    """
    clients = []

    def start(fake=None, **settings):
        settings = {"env": "development", **settings}
        app = create_app(Settings(**settings), fake or Fake(), about=lambda: {"pendingReviews": 0})
        client = TestClient(app, raise_server_exceptions=False)
        client.__enter__()
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)


def outcome(response):
    """
    The first issue of an OperationOutcome, after a look at what carries it.
    """
    assert "application/fhir+json" == response.headers["content-type"].partition(";")[0]
    body = response.json()
    assert "OperationOutcome" == body["resourceType"]
    return body["issue"][0]


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/", "/cds-services//"])
def test_discovery_is_answered_without_a_redirect(serve, path):
    """
    With and without the slash that the sandbox adds (DISC-17, Q-02).
    """
    response = serve().get(path, follow_redirects=False)

    assert 200 == response.status_code
    assert "application/json" == response.headers["content-type"]
    assert [service_of(one) for one in HOOKS] == [one["id"] for one in response.json()["services"]]


@pytest.mark.parametrize(
    "path",
    [SERVICE, SERVICE.replace("services/", "services//"), f"{SERVICE}/", f"{SERVICE}//"],
)
def test_a_call_is_passed_on_as_it_came(serve, path):
    """
    The bytes go to the pipeline, with the id that the answer carries too (Q-02).
    """
    fake = Fake(Told({"cards": [], "extension": {"a.b": {"c": 1}}}))

    response = serve(fake).post(path, content=b'{"x": 1.50}', headers=JSON)

    assert 200 == response.status_code
    assert {"cards": [], "extension": {"a.b": {"c": 1}}} == response.json()
    assert [(b'{"x": 1.50}', response.headers["x-request-id"])] == fake.seen


@pytest.mark.parametrize(
    "media", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/fhir+json"]
)
def test_json_may_be_called_by_its_names(serve, media):
    """
    Parameters and case make no difference (HTTP-05).
    """
    response = serve().post(SERVICE, content=b"{}", headers={"Content-Type": media})

    assert 200 == response.status_code


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", 404),
        ("GET", "/cds-services/metabolic-patient-view/x", 404),
        ("POST", "/cds-services/unknown", 404),
        ("POST", "/cds-services", 405),
        ("GET", SERVICE, 405),
        ("DELETE", "/status", 405),
    ],
)
def test_what_is_not_there_is_an_outcome(serve, method, path, expected):
    """
    Also where the framework itself refuses (ERR-05, ERR-06, ERR-10).
    """
    response = serve().request(method, path, content=b"{}", headers=JSON)

    assert expected == response.status_code
    assert outcome(response)["diagnostics"]
    assert expected != 405 or response.headers["allow"]


def test_another_media_type_is_refused(serve):
    """
    Forms and XML are no hook calls (ERR-07).
    """
    response = serve().post(SERVICE, content=b"<a/>", headers={"Content-Type": "text/xml"})

    assert 415 == response.status_code
    assert "not-supported" == outcome(response)["code"]


@pytest.mark.parametrize(("size", "expected"), [(2048, 200), (2049, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_the_body_has_a_limit(serve, size, expected, chunked):
    """
    At the limit and one byte beyond, promised or streamed (HTTP-06, ERR-07, T21).
    """
    body = b" " * size
    content = iter([body[:1000], body[1000:]]) if chunked else body

    response = serve(max_body=2048).post(SERVICE, content=content, headers=JSON)

    assert expected == response.status_code
    assert expected == 200 or "too-long" == outcome(response)["code"]


def test_an_empty_body_is_refused(serve):
    """
    Nothing is not a request.
    """
    response = serve().post(SERVICE, headers=JSON)

    assert 400 == response.status_code


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BadRequest("must be a UUID", path="$.hookInstance"), 400, "invalid"),
        (CannotProceed("must hold the Patient", path="$.prefetch"), 412, "required"),
    ],
)
def test_a_refusal_names_the_place(serve, error, status, code):
    """
    And says what would have been right.
    """
    response = serve(Fake(error)).post(SERVICE, content=b"{}", headers=JSON)

    issue = outcome(response)
    assert (status, code) == (response.status_code, issue["code"])
    assert [error.path] == issue["expression"]
    assert f"{error.path} {error.message}." == issue["diagnostics"]


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (EvaluatorsDisagree(["card.a.show_if", "stage"]), "engine_divergence"),
        (EngineFailed(MARK), "engine_failed"),
        (KeyError(MARK), "failed"),
        (RecursionError(MARK), "failed"),
    ],
)
def test_a_fault_of_ours_is_no_empty_list(serve, lines, error, event):
    """
    500 with an id, an alarm with the same id, and the message of the error in neither
    (ERR-08, T45).
    """
    response = serve(Fake(error)).post(SERVICE, content=b"{}", headers=JSON)

    issue = outcome(response)
    (alarm,) = [one for one in lines() if one["event"] == event]
    assert 500 == response.status_code
    assert "exception" == issue["code"]
    assert response.headers["x-request-id"] in issue["diagnostics"]
    assert response.headers["x-request-id"] == alarm["request"]
    assert MARK not in response.text + json.dumps(lines())
    assert event != "engine_divergence" or ["card.a.show_if", "stage"] == alarm["nodes"]


def test_data_of_another_patient_is_a_security_event(serve, lines):
    """
    Counted, without a word about whose (PF-27, T31).
    """
    response = serve(Fake(Told({"cards": []}, foreign=3))).post(
        SERVICE, content=b"{}", headers=JSON
    )

    (event,) = [one for one in lines() if one["event"] == "foreign_data"]
    assert 200 == response.status_code
    assert 3 == event["count"]


def test_a_draft_that_was_left_out_is_an_alarm(serve, lines):
    """
    Named by the action of the library, and the answer goes out.
    """
    response = serve(Fake(Told({"cards": []}, undrafted=("order_hba1c",)))).post(
        SERVICE, content=b"{}", headers=JSON
    )

    (event,) = [one for one in lines() if one["event"] == "undrafted"]
    assert 200 == response.status_code
    assert ("order_hba1c", "error") == (event["template"], event["level"])


def test_every_answer_has_the_headers(serve):
    """
    Refusals too.
    """
    client = serve()
    for response in (client.get("/cds-services"), client.get("/nowhere")):
        assert "no-store" == response.headers["cache-control"]
        assert "nosniff" == response.headers["x-content-type-options"]
        assert 36 == len(response.headers["x-request-id"])


def test_one_line_is_logged_for_a_call(serve, lines):
    """
    With the pattern of the path, not the path: that is free text of the caller
    (SEC-20, SEC-21, T59).
    """
    client = serve()
    client.post(SERVICE, content=b"{}", headers=JSON)
    client.get(f"/{MARK}")
    client.get("/livez")

    calls = [one for one in lines() if one["event"] == "answered"]
    assert [("/cds-services/{service}", 200), ("", 404)] == [
        (one["path"], one["status"]) for one in calls
    ]
    assert MARK not in json.dumps(lines())


def test_health_says_what_is_served(serve):
    """
    Probes are short; `/status` explains the engine.
    """
    client = serve(Fake(why_not_durable="no compiler", engine="reference"), clock="2026-11-21")

    status = client.get("/status").json()

    assert [200, 200] == [client.get(path).status_code for path in ("/livez", "/readyz")]
    assert {"asked": "both", "used": "reference", "why": "no compiler"} == status["engine"]
    assert ("2026.11", "default", "frozen", 0) == (
        status["release"],
        status["profile"],
        status["clock"],
        status["pendingReviews"],
    )


def test_the_missing_engine_is_logged_at_start(serve, lines):
    """
    Not only where somebody asks.
    """
    serve(Fake(why_not_durable="no compiler", engine="reference"))

    (event,) = [one for one in lines() if one["event"] == "engine_unavailable"]
    assert "no compiler" == event["why"]


def test_not_ready_before_the_start(lines):
    """
    503 with Retry-After until the lifespan has begun (ERR-09).
    """
    client = TestClient(create_app(Settings(), Fake()))

    response = client.get("/readyz")

    assert 503 == response.status_code
    assert "1" == response.headers["retry-after"]


def test_the_end_gives_memory_back(lines):
    """
    The engine is closed with the application.
    """
    fake = Fake()
    with TestClient(create_app(Settings(), fake)):
        assert not fake.closed

    assert fake.closed


def test_the_sandbox_may_call_a_development_service(serve):
    """
    A preflight is answered, and failures can be read by the page as well.
    """
    client = serve()
    asked = {
        "Origin": "https://sandbox.cds-hooks.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }

    assert 204 == client.options(SERVICE, headers=asked).status_code
    assert "*" == client.get("/nowhere", headers=asked).headers["access-control-allow-origin"]


def test_production_shows_no_documents_and_answers_no_page(serve):
    """
    Neither CORS nor a description of the interface (T62, T60).
    """
    client = serve(env="production")

    assert 404 == client.get("/openapi.json").status_code
    assert (
        "access-control-allow-origin"
        not in client.get("/cds-services", headers={"Origin": "https://example.org"}).headers
    )


@pytest.mark.parametrize(
    ("host", "environment", "expected"),
    [
        ("10.0.0.9", "production", 404),
        ("2001:db8::9", "production", 404),
        ("127.0.0.1", "production", 200),
        ("::1", "production", 200),
        ("10.0.0.9", "development", 200),
    ],
)
def test_status_is_for_this_machine(serve, host, environment, expected):
    """
    In production; the probes that a proxy or an orchestrator needs say nothing (T62, 4.8).
    """
    app = serve(env=environment).app
    client = TestClient(app, client=(host, 5))
    pretending = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}

    assert expected == client.get("/status", headers=pretending).status_code
    assert 200 == client.get("/livez").status_code


def test_the_interface_is_described_in_development(serve):
    """
    With every refusal that may come.
    """
    paths = serve().get("/openapi.json").json()["paths"]

    responses = paths["/cds-services/{service}"]["post"]["responses"]
    assert {"400", "404", "408", "412", "413", "415", "500", "503"} <= set(responses)


def asgi(app, receive, path=SERVICE, method="POST"):
    """
    Call the application without a client, to be slow or to vanish.
    """
    sent = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }

    async def send(message):
        sent.append(message)

    return sent, app(scope, receive, send)


async def stalled():
    """
    Promise a body and never send it.
    """
    await asyncio.sleep(3600)


def test_a_body_that_does_not_come_is_given_up(lines):
    """
    408 after the deadline, however the connection is kept open (T27).
    """
    app = create_app(Settings(receive_seconds=0.01), Fake())
    sent, call = asgi(app, stalled)

    asyncio.run(call)

    assert 408 == sent[0]["status"]
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_body_that_falls_silent_is_given_up(lines, monkeypatch):
    """
    408 long before its time is over, where not a byte comes (T27).
    """
    monkeypatch.setattr("cds.service.bodies._QUIET", 0.02)
    parts = [b"{", b" "]

    async def falls_silent():
        if not parts:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": parts.pop(), "more_body": True}

    sent, call = asgi(create_app(Settings(receive_seconds=60), Fake()), falls_silent)

    asyncio.run(asyncio.wait_for(call, 5))

    assert 408 == sent[0]["status"]


def test_a_client_that_goes_away_is_no_fault(lines):
    """
    Nothing is raised, and nothing is an alarm.
    """

    async def gone():
        return {"type": "http.disconnect"}

    _, call = asgi(create_app(Settings(), Fake()), gone)

    asyncio.run(call)

    assert ["answered"] == [one["event"] for one in lines()]


class Slow(Fake):
    """
    Answers when told to.
    """

    async def answer(self, raw, call):
        """
        Wait.
        """
        await self.told.wait()
        return Told({"cards": []})


def whole(raw=b"{}"):
    """
    A body that is there at once.
    """

    async def receive():
        return {"type": "http.request", "body": raw, "more_body": False}

    return receive


def test_too_many_at_a_time_are_sent_away(lines):
    """
    503 with Retry-After for the next one, whose body came meanwhile or not; probes still
    pass, and who has not sent a body yet takes no place (ERR-09, T27).
    """

    async def crowd():
        done = asyncio.Event()
        app = create_app(Settings(in_flight=1, receive_seconds=0.2), Slow(done))
        late = asyncio.Event()

        async def comes_late():
            await late.wait()
            return await whole()()

        slow_sent, slow = asgi(app, stalled)
        late_sent, later = asgi(app, comes_late)
        first_sent, first = asgi(app, whole())
        next_sent, following = asgi(app, whole())
        probe_sent, probe = asgi(app, stalled, path="/livez", method="GET")
        tasks = [asyncio.create_task(one) for one in (slow, later, first)]
        for _ in range(20):
            await asyncio.sleep(0)
        await following
        await probe
        late.set()
        await tasks[1]
        done.set()
        await asyncio.gather(*tasks)
        return [one[0] for one in (slow_sent, late_sent, first_sent, next_sent, probe_sent)], app

    sent, app = asyncio.run(crowd())

    assert [408, 503, 200, 503, 200] == [one["status"] for one in sent]
    assert (b"retry-after", b"1") in sent[1]["headers"]
    assert (b"retry-after", b"1") in sent[3]["headers"]
    assert (0, 0) == (app._now, app._held)


def test_bodies_together_have_a_limit(lines):
    """
    Many half bodies do not fill the memory (T21, T27).
    """
    size = 2000

    async def crowd():
        app = create_app(Settings(in_flight=2, max_body=2048, receive_seconds=0.2), Fake())

        def half():
            parts = [b" " * size]

            async def receive():
                if not parts:
                    await asyncio.sleep(3600)
                return {"type": "http.request", "body": parts.pop(), "more_body": True}

            return receive

        calls = [asgi(app, half()) for _ in range(5)]
        await asyncio.gather(*(one for _, one in calls))
        return [sent[0]["status"] for sent, _ in calls], app._held

    statuses, held = asyncio.run(crowd())

    assert {408: 2, 503: 3} == {one: statuses.count(one) for one in set(statuses)}
    assert 0 == held


def test_cards_on_trial_leave_a_line(serve, lines):
    """
    By their ids; the caller sees nothing of them.
    """
    fake = Fake(Told({"cards": []}, would_have_shown=("sleep_apnoea_risk",)))
    response = serve(fake).post(SERVICE, content=b"{}", headers=JSON)
    (line,) = [one for one in lines() if one["event"] == "would_have_shown"]

    assert {"cards": []} == response.json()
    assert ["sleep_apnoea_risk"] == line["nodes"]
