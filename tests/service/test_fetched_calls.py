"""
Signed calls that bring nothing: the whole service in front of a real FHIR server.
"""

import io
import json

import pytest
from starlette.testclient import TestClient

from cds.hooks.strict import encode
from cds.service.app import create_app
from cds.service.clients import Client, Clients
from cds.service.faults import BadSettingsError
from cds.service.fetching import Fetching
from cds.service.logs import configure
from cds.service.settings import Settings
from cds.service.start import _fetching_of, clients_of
from tests.fhir_server import FAULTS, FhirServer, served
from tests.service.fetching import (
    INSTANCE,
    SECONDS,
    TOKEN,
    patient_id_of,
    pipeline,
    record,
    sent,
    templates,
)
from tests.tokens import BASE, SERVICE, Signer, client_of, tokens_for

STORY = "new_prediabetes_likely_fatty_liver"
MARK = "Zebedee"
ROUTE = f"/cds-services/{SERVICE}"


@pytest.fixture(scope="module")
def behind():
    """
    A server with a token of its own, and a patient whose name must not get out.
    """
    resources = [dict(one) for one in record(STORY)]
    for one in resources:
        if one["resourceType"] == "Patient":
            one["name"] = [{"family": MARK}]
    with served(FhirServer(resources)) as one:
        yield one


class World:
    """
    The service with one registered client, and its log.
    """

    def __init__(self, server, *, seconds=SECONDS, **members):
        self.signer = Signer()
        self.log = io.StringIO()
        configure(self.log, strict=True)
        members = {
            "fhir_bases": (server.base,),
            "private_networks": ("127.0.0.0/8",),
            "burst": 1000,
            "rate": 1000,
            **members,
        }
        client = client_of(self.signer, **members)
        self.server = server
        self.http = TestClient(
            create_app(
                Settings(env="development", public_url=BASE),
                pipeline(seconds=seconds),
                clients=Clients([client]),
                callers=tokens_for(client),
            ),
            raise_server_exceptions=False,
        )

    def call(self, *, prefetch=None, **changes):
        """
        Call as the client, with a token for its server.
        """
        body = {
            "hook": "patient-view",
            "hookInstance": INSTANCE,
            "context": {"userId": "Practitioner/1", "patientId": patient_id_of(STORY)},
            "fhirServer": self.server.base,
            "fhirAuthorization": {
                "access_token": TOKEN,
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": "patient/*.read",
                "subject": "metabolic-cds",
                "patient": patient_id_of(STORY),
            },
            **({} if prefetch is None else {"prefetch": prefetch}),
            **changes,
        }
        headers = {"Content-Type": "application/json", **self.signer.authorization()}
        return self.http.post(ROUTE, content=encode(body), headers=headers)

    @property
    def lines(self):
        """
        The log.
        """
        return [json.loads(one) for one in self.log.getvalue().splitlines()]


@pytest.fixture
def world(behind):
    """
    Everything new but the server.
    """
    behind.reset()
    behind.token = TOKEN
    one = World(behind)
    with one.http:
        yield one


def test_a_call_without_prefetch_is_answered(world):
    """
    With cards, from the server of the client, with its token (REQ-10, FHIR-01, FHIR-02).
    """
    answer = world.call()

    assert 200 == answer.status_code
    assert answer.json()["cards"]
    assert len(templates()) == len(world.server.seen)
    assert {f"Bearer {TOKEN}"} == {one.headers["authorization"] for one in world.server.seen}
    fetched = [one for one in world.lines if one["event"] == "fetched"]
    assert [(len(templates()), 0, 0)] == [
        (one["asked"], one["failed"], one["skipped"]) for one in fetched
    ]
    assert answer.headers["x-request-id"] == fetched[0]["request"]


def test_a_call_without_prefetch_and_without_a_server_is_412(world):
    """
    And nothing is asked (REQ-10, PF-30, ERR-01).
    """
    for changes in (
        {"fhirServer": "https://evil.example/fhir"},
        {"fhirServer": "https://evil.example/fhir", "prefetch": {}},
    ):
        answer = world.call(**changes)

        assert 412 == answer.status_code
        assert "OperationOutcome" == answer.json()["resourceType"]
        assert "evil" not in answer.text
    assert [] == world.server.seen


def test_a_wrong_patient_in_the_authorization_is_refused(world):
    """
    Before anything is asked (REQ-08, T11, T31).
    """
    grant = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "metabolic-cds",
        "patient": "somebody-else",
    }
    answer = world.call(fhirAuthorization=grant)

    assert 400 == answer.status_code
    assert "somebody-else" not in answer.text
    assert [] == world.server.seen


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_gets_out_whatever_the_server_does(behind, fault):
    """
    No token and no name in answers, headers and logs; 200 or 412 (FHIR-03, FHIR-04, T10, T16).
    """
    behind.reset()
    behind.token = TOKEN
    behind.fail(fault)
    world = World(behind, seconds=0.35)
    with world.http:
        answer = world.call()
        half = world.call(prefetch={"patient": sent(STORY)["patient"]})
    out = "".join([answer.text, half.text, str(answer.headers), world.log.getvalue()])

    assert answer.status_code in {200, 412}
    assert 200 == half.status_code
    assert TOKEN not in out
    assert MARK not in out
    assert "diagnostics of the server" not in out
    assert not [one for one in world.lines if one["level"] == "error"]


def test_a_deadline_holds_for_the_whole_call(behind):
    """
    A server that never answers costs that time and no more (PERF-02, FHIR-08).
    """
    behind.reset()
    behind.fail("silent", "?")
    world = World(behind, seconds=1)
    with world.http:
        answer = world.call()
    ms = next(one["ms"] for one in world.lines if one["event"] == "fetched")

    assert 200 == answer.status_code
    assert 900 < ms < 4000


def test_null_is_asked_for_where_it_means_not_looked(behind):
    """
    A client that says so; elsewhere null is an answer (PF-21, AMB-01).
    """
    behind.reset()
    behind.token = TOKEN
    prefetch = {**sent(STORY), "problems": None}
    for unknown, expected in ((False, 0), (True, 1)):
        behind.seen.clear()
        world = World(behind, null_is_unknown=unknown)
        with world.http:
            assert 200 == world.call(prefetch=prefetch).status_code
        assert expected == len(behind.seen)


def test_nothing_is_fetched_where_no_server_is_registered():
    """
    Then there is nothing to fetch with.
    """
    settings = Settings(env="development")
    known = Client(name="ehr", fhir_bases=("https://ehr.example/fhir",))

    assert _fetching_of(settings, Clients([Client(name="ehr")])) is None
    assert isinstance(_fetching_of(settings, Clients([known])), Fetching)


def test_production_does_not_start_with_a_server_in_http(tmp_path):
    """
    A token would be readable on its way (REQ-06, HTTP-02).
    """
    member = {"name": "ehr", "fhir_bases": ["http://ehr.example/fhir"]}
    (tmp_path / "ehr.json").write_text(json.dumps(member))
    exposed = {"clients": tmp_path, "public_url": "https://cds.example"}

    with pytest.raises(BadSettingsError, match=r"client ehr: fhir_bases: must begin with https://"):
        clients_of(Settings(env="production", **exposed))
    assert ["ehr"] == list(clients_of(Settings(env="development", **exposed)).by_name)
