"""
`fhirAuthorization`: a token of somebody else, or about somebody else, is refused.
"""

import asyncio
import json

import pytest
from starlette.testclient import TestClient

from cds.errors import BadRequest, WrongGrant
from cds.service.app import create_app
from cds.service.clients import Caller, Client
from cds.service.grants import check_grant
from cds.service.pipeline import Call, Pipeline
from cds.service.settings import Settings
from tests.calling import NOW, SERVICE, hook_call
from tests.service.fakes import Fake
from tests.serving import shipped

CANARY = "canary-token"
EHR = Client(name="ehr", subject="metabolic-cds", fhir_bases=("https://fhir.example.org/r4",))
GRANT = {
    "access_token": CANARY,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.read",
    "subject": "metabolic-cds",
    "patient": "1",
}


class Fetching:
    """
    Asks nobody, and says what it would have been allowed to use.
    """

    def __init__(self):
        self.asked = []

    async def complete(self, request, templates, client, **_more):
        self.asked.append(request.authorization)
        return request.prefetch


@pytest.fixture
def fetching():
    """
    What would ask the FHIR server.
    """
    return Fetching()


@pytest.fixture(scope="module")
def pipeline():
    """
    The shipped release, ready to answer.
    """
    opened = Pipeline(shipped().rules, engine="reference", now=lambda: NOW, fetching=Fetching())
    yield opened
    opened.close()


@pytest.fixture
def answer(pipeline, fetching, monkeypatch):
    """
    Answer a call with an authorization.
    """
    monkeypatch.setattr(pipeline, "_fetching", fetching)

    def call(grant, *, client=EHR, server="https://fhir.example.org/r4"):
        patient = {"resourceType": "Patient", "id": "1", "birthDate": "1970-01-01"}
        body = hook_call({"patient": patient}, "1") | {"fhirAuthorization": grant}
        if server:
            body["fhirServer"] = server
        raw = json.dumps(body).encode()
        return asyncio.run(pipeline.answer(raw, Call("patient-view", Caller(client))))

    return call


def test_a_grant_as_agreed_is_used(answer, fetching):
    """
    It was given to us, for the patient of the call (T11).
    """
    assert answer(GRANT)
    assert [CANARY] == [one.access_token.reveal() for one in fetching.asked]


@pytest.mark.parametrize(
    ("member", "value", "place"),
    [
        ("subject", "somebody-else", "$.fhirAuthorization.subject"),
        ("subject", "Metabolic-CDS", "$.fhirAuthorization.subject"),
        ("patient", "2", "$.fhirAuthorization.patient"),
        ("patient", "Patient/2", "$.fhirAuthorization.patient"),
    ],
)
def test_a_grant_of_somebody_else_is_refused(answer, fetching, member, value, place):
    """
    Or about somebody else: 400, and no server is asked (T11).
    """
    with pytest.raises(WrongGrant) as caught:
        answer({**GRANT, member: value})

    assert place == caught.value.path
    assert value not in str(caught.value)
    assert [] == fetching.asked


def test_a_grant_without_a_server_is_refused(answer, fetching):
    """
    The specification wants both or none (T11).
    """
    with pytest.raises(BadRequest) as caught:
        answer(GRANT, server="")

    assert "$.fhirServer" == caught.value.path
    assert [] == fetching.asked


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"token_type": "MAC"}, "token type"),
        ({"token_type": 7}, "token type"),
        ({"expires_in": 0}, "expired"),
        ({"expires_in": -1}, "expired"),
        ({"expires_in": "300"}, "malformed"),
        ({"scope": ""}, "malformed"),
        ({"subject": ""}, "malformed"),
        ({"access_token": "two words"}, "malformed"),
    ],
)
def test_a_grant_that_is_good_for_nothing_is_not_used(answer, fetching, change, fault):
    """
    What was sent is answered, and the fault goes along so that no server is asked (T11).
    """
    assert answer({**GRANT, **change})
    assert [fault] == [one.fault for one in fetching.asked]


def test_a_client_that_has_not_said_who_we_are_is_taken_at_its_word(answer):
    """
    There is nothing to compare the subject with (SEC-22).
    """
    assert answer({**GRANT, "subject": "whatever"}, client=Client(name="ehr"))


def test_no_grant_is_no_fault():
    """
    Most calls have none.
    """
    assert check_grant(None, EHR) is None


def test_a_wrong_grant_is_an_event(written, lines):
    """
    With its place, and nothing of the token (T11, T10).
    """
    fake = Fake(WrongGrant("must be ours", path="$.fhirAuthorization.subject"))
    with TestClient(create_app(Settings(env="development"), fake)) as http:
        response = http.post(SERVICE, json={"fhirAuthorization": GRANT})

    (event,) = [one for one in lines() if one["event"] == "wrong_grant"]
    assert (400, "warning") == (response.status_code, event["level"])
    assert CANARY not in response.text + written.getvalue()
