"""
The feedback endpoint: received, validated, bounded, acknowledged; and nothing else is told.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from cds.hooks.feedback import MOST_FEEDBACK, read_feedback
from cds.service.app import create_app
from cds.service.clients import ANYBODY, Caller, Client, Clients
from cds.service.feedbacks import LatestFeedback
from cds.service.settings import Settings
from tests.hooks.test_feedback import CARD, MARK, OTHER, accepted, overridden
from tests.service.fakes import Fake

SERVICE = "/cds-services/metabolic-patient-view"
PATH = f"{SERVICE}/feedback"
JSON = {"Content-Type": "application/json"}
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def kept():
    """
    Where feedback goes.
    """
    return LatestFeedback()


@pytest.fixture
def serve(lines, kept):
    """
    Start the application around a fake.
    """
    clients = []

    def start(**parts):
        settings = Settings(env="development", receive_seconds=0.5)
        app = create_app(settings, Fake(), feedbacks=kept, now=lambda: NOW, **parts)
        client = TestClient(app, raise_server_exceptions=False)
        client.__enter__()
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)


def send(client, *items, path=PATH, **more):
    """
    Post a body with these items.
    """
    return client.post(path, content=json.dumps({"feedback": items}), headers=JSON, **more)


def issues(response):
    """
    The issues of an OperationOutcome.
    """
    assert "application/fhir+json" == response.headers["content-type"].partition(";")[0]
    return response.json()["issue"]


@pytest.mark.parametrize(
    "path",
    [
        PATH,
        f"{PATH}/",
        PATH.replace("services/", "services//"),
        PATH.replace("/feedback", "//feedback"),
        f"{SERVICE}/feedback/",
    ],
)
def test_feedback_is_acknowledged(serve, kept, path):
    """
    With a small JSON object, with and without the slashes that clients add (FB-01, FB-10).
    """
    response = send(serve(), accepted(), overridden(), path=path, follow_redirects=False)

    assert 200 == response.status_code
    assert "application/json" == response.headers["content-type"]
    assert {"received": 2} == response.json()
    assert ["accepted", "overridden"] == [one.feedback.outcome for one in kept.latest]
    assert {NOW} == {one.received for one in kept.latest}
    assert {"metabolic-patient-view"} == {one.service for one in kept.latest}


def test_what_cannot_be_read_is_named_and_the_rest_counts(serve, kept):
    """
    The place and what would be right, nothing of what was sent (FB-04).
    """
    response = send(serve(), accepted(), overridden(outcome=MARK), accepted(acceptedSuggestions=[]))

    assert 200 == response.status_code
    assert {
        "received": 1,
        "refused": [
            {"path": "$.feedback[1].outcome", "because": "must be accepted or overridden"},
            {
                "path": "$.feedback[2].acceptedSuggestions",
                "because": "must name the suggestions that were accepted",
            },
        ],
    } == response.json()
    assert 1 == len(kept.latest)


def test_a_call_of_which_nothing_can_be_read_is_refused(serve, kept):
    """
    With an OperationOutcome that names every place (ERR-02).
    """
    response = send(serve(), overridden(card=MARK), overridden(at=MARK))

    assert 400 == response.status_code
    assert [["$.feedback[0].card"], ["$.feedback[1].outcomeTimestamp"]] == [
        one["expression"] for one in issues(response)
    ]
    assert MARK not in response.text
    assert () == kept.latest


def test_an_unknown_card_is_no_news(serve):
    """
    The same answer, whether we ever sent the card or not: no oracle (FB-07, T55).
    """
    client = serve()
    answers = [send(client, accepted(card)) for card in (CARD, OTHER)]

    assert {(200, '{"received":1}')} == {(one.status_code, one.text) for one in answers}


def test_the_log_has_counts_and_nothing_else(serve, lines):
    """
    No card, no code, no comment (FB-08, T56).
    """
    client = serve()
    reason = {"reason": {"code": MARK, "system": MARK}, "userComment": MARK}
    send(client, accepted(), overridden(reason), overridden(reason), overridden(card=MARK))
    send(client, overridden(outcome=MARK))
    told = [one for one in lines() if one["event"] == "feedback"]

    assert [(1, 2, 1), (0, 0, 1)] == [
        (one["accepted"], one["overridden"], one["refused"]) for one in told
    ]
    assert MARK not in json.dumps(lines())
    assert CARD not in json.dumps(lines())


@pytest.mark.parametrize(
    ("content", "headers", "expected"),
    [
        (b"{", JSON, 400),
        (b"", JSON, 400),
        (b'{"feedback": [], "feedback": []}', JSON, 400),
        (b"<a/>", {"Content-Type": "text/xml"}, 415),
        (b" " * (MOST_FEEDBACK + 1), JSON, 413),
    ],
    ids=["no JSON", "empty", "a member twice", "XML", "too large"],
)
def test_a_bad_body_is_refused(serve, content, headers, expected):
    """
    As that of a service call, and smaller (HTTP-06).
    """
    response = serve().post(PATH, content=content, headers=headers)

    assert expected == response.status_code
    assert issues(response)[0]["diagnostics"]


def test_a_body_as_large_as_it_may_be_is_taken(serve):
    """
    256 KiB, the limit itself inside.
    """
    body = json.dumps({"feedback": [accepted()]})
    response = serve().post(PATH, content=body.ljust(MOST_FEEDBACK), headers=JSON)

    assert 200 == response.status_code


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/cds-services/unknown/feedback", 404),
        ("GET", PATH, 405),
        ("POST", f"{PATH}/x", 404),
    ],
)
def test_feedback_has_one_address_and_one_method(serve, method, path, expected):
    """
    Of each service that there is (ERR-05, ERR-06).
    """
    response = serve().request(method, path, content=b"{}", headers=JSON)

    assert expected == response.status_code
    assert issues(response)


@pytest.mark.parametrize("path", [PATH, PATH.replace("services/", "services//")])
def test_a_page_may_send_feedback(serve, path):
    """
    The preflight of the sandbox, and the headers of the answer and of a refusal (SEC-19).
    """
    client = serve()
    page = {"Origin": "https://sandbox.example"}
    asks = {
        **page,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = client.options(path, headers=asks)
    taken = client.post(path, json={"feedback": [accepted()]}, headers=page)
    refused = client.post(path, json={}, headers=page)

    assert 200 <= preflight.status_code < 300
    assert [200, 400] == [taken.status_code, refused.status_code]
    for one in (preflight, taken, refused):
        assert one.headers["access-control-allow-origin"] in {"*", page["Origin"]}


class Signed:
    """
    Lets in who says the word, and remembers for which addresses it was asked.
    """

    need_tokens = True
    registered = 1

    def __init__(self, client):
        self.client = client
        self.asked = []

    async def identify(self, authorizations, *, routes, service=""):
        """
        Tell who is calling.
        """
        self.asked.append((tuple(authorizations), tuple(routes), service))
        return Caller(self.client, "north")

    async def open(self):
        """
        Nothing to open.
        """

    def close(self):
        """
        Nothing to give back.
        """


def test_feedback_is_signed_like_a_call(serve, kept):
    """
    For its own address, or for that of the service (FB-09, AMB-03).
    """
    signed = Signed(Client(name="hospital"))
    response = serve(callers=signed).post(
        PATH, json={"feedback": [accepted()]}, headers={"Authorization": "Bearer x"}
    )

    assert 200 == response.status_code
    assert [(("Bearer x",), (SERVICE, PATH), "metabolic-patient-view")] == signed.asked
    assert [("hospital", "north")] == [(one.client, one.tenant) for one in kept.latest]


def test_a_flood_of_feedback_is_stopped(serve):
    """
    120 at once and two in a second; calls of the service have a count of their own (T54).
    """
    hospital = Client(name="hospital")
    client = serve(callers=Signed(hospital), clients=Clients([hospital]))
    statuses = [send(client, overridden()).status_code for _ in range(125)]
    flooded = send(client, overridden())
    call = client.post(SERVICE, content=b"{}", headers=JSON)

    assert [200] * 120 == statuses[:120]
    assert 429 == flooded.status_code
    assert flooded.headers["retry-after"]
    assert 200 == call.status_code


def taken(memory, items, caller=ANYBODY, at=NOW):
    """
    Let a memory take the items of one call.
    """
    found = read_feedback(json.dumps({"feedback": items}).encode(), now=NOW).items
    asyncio.run(memory.take(caller, "metabolic-patient-view", found, at))


def test_the_same_again_is_kept_once():
    """
    Three times, shuffled: the same rows, received when they came first (T57).
    """
    items = [accepted(), overridden(), accepted(OTHER), overridden(at="2026-06-01T11:59:00Z")]
    memory, once = LatestFeedback(), LatestFeedback()
    taken(once, items)
    for minutes, order in enumerate((items, items[::-1], items[2:] + items[:2])):
        taken(memory, order, at=NOW + timedelta(minutes=minutes))

    assert 4 == len(memory.latest)
    assert once.latest == memory.latest


def test_tenants_do_not_share_rows():
    """
    The same card and time from another tenant is another row (T6).
    """
    memory = LatestFeedback()
    hospital = Client(name="hospital")
    for tenant in ("north", "south"):
        taken(memory, [accepted()], Caller(hospital, tenant))

    assert ["north", "south"] == [one.tenant for one in memory.latest]


def test_a_comment_is_not_kept():
    """
    It may be about the patient (FB-08, T56).
    """
    memory = LatestFeedback()
    taken(memory, [overridden({"userComment": MARK})])

    assert [""] == [one.feedback.comment for one in memory.latest]


def test_memory_is_bounded():
    """
    The oldest go first.
    """
    memory = LatestFeedback(most=2)
    times = [f"2026-06-01T11:5{minute}:00Z" for minute in range(5)]
    taken(memory, [overridden(at=one) for one in times])

    assert times[-2:] == [one.feedback.at.strftime("%Y-%m-%dT%H:%M:%SZ") for one in memory.latest]
