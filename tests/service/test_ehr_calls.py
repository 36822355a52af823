"""
Two record systems call one service, each signed by its own key: each gets what it can show.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cds.service.app import create_app
from cds.service.clients import Clients
from cds.service.feedbacks import LatestFeedback
from cds.service.handover import sheet_of
from cds.service.pipeline import Pipeline
from cds.service.settings import Settings
from tests.contract.traffic import BALLOT
from tests.hooks.test_feedback import CARD, accepted, overridden
from tests.serving import shipped
from tests.tokens import BASE, SERVICE, Signer, client_of, private_key, tokens_for

REQUESTS = Path(__file__).resolve().parents[2] / "fixtures" / "requests"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PATH = f"/cds-services/{SERVICE}"
PLAIN = Signer(issuer="https://plain.example")
NEXT = Signer(issuer="https://next.example")
EPIC = Signer("RS384", issuer="https://epic.example", key=private_key("RS384"))
SETTINGS = Settings(env="development", public_url=BASE)
HBA1C = {"system": "urn:site", "code": "LAB17", "display": "Hemoglobin A1c"}


@pytest.fixture(scope="module")
def kept():
    """
    Where feedback goes.
    """
    return LatestFeedback()


@pytest.fixture(scope="module")
def clients():
    """
    Three registered clients.
    """
    liver = {
        f"order_liver_tests.{at}": {"system": "urn:site", "code": code}
        for at, code in enumerate(("ALT", "AST", "PLT"), 1)
    }
    return [
        client_of(PLAIN, name="plain", issuer=PLAIN.issuer),
        client_of(
            EPIC,
            name="epic",
            issuer=EPIC.issuer,
            ehr="epic",
            order_codes={"order_hba1c": HBA1C, **liver},
            options={"max-cards": 2},
            override_codes="hl7",
        ),
        client_of(NEXT, name=BALLOT, issuer=NEXT.issuer, ehr="generic-3.0"),
    ]


@pytest.fixture(scope="module")
def service(kept, clients):
    """
    The shipped release, served to them.
    """
    pipeline = Pipeline(shipped().rules, engine="reference", now=lambda: NOW, check=True)
    app = create_app(
        SETTINGS,
        pipeline,
        clients=Clients(clients),
        callers=tokens_for(*clients),
        feedbacks=kept,
        now=lambda: NOW,
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def call(service, signer, story):
    """
    A signed call; what it is answered.
    """
    sent = (REQUESTS / f"{story}.json").read_bytes()
    headers = {"Content-Type": "application/json", **signer.authorization()}
    response = service.post(PATH, content=sent, headers=headers)
    assert 200 == response.status_code
    return response.json()


def test_each_gets_what_it_can_show(service):
    """
    By who signed the call, and by nothing in it.
    """
    story = "new_prediabetes_likely_fatty_liver"
    plain, epic = call(service, PLAIN, story), call(service, EPIC, story)

    assert len(plain["cards"]) > len(epic["cards"]) == 2
    assert "extension" in plain
    assert '"extension"' not in json.dumps(epic)
    assert [one["summary"] for one in plain["cards"][:2]] == [
        one["summary"] for one in epic["cards"]
    ]
    assert all("-" in one["source"]["topic"]["code"] for one in plain["cards"])
    assert all(one["source"]["topic"]["code"].isalnum() for one in epic["cards"])
    assert {"http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"} == {
        reason["system"] for one in epic["cards"] for reason in one["overrideReasons"]
    }


def test_only_who_reads_the_ballot_is_told_how_to_choose_actions(service):
    """
    That all actions belong together, where there are several (SUG-05).
    """
    story = "new_prediabetes_likely_fatty_liver"
    told = [
        one for card in call(service, NEXT, story)["cards"] for one in card.get("suggestions", ())
    ]
    plain = json.dumps(call(service, PLAIN, story))
    several = [one for one in told if len(one["actions"]) > 1]

    assert several
    assert {"all"} == {one["actionSelectionBehavior"] for one in several}
    assert [] == [one for one in told if one not in several and "actionSelectionBehavior" in one]
    assert "actionSelectionBehavior" not in plain


def test_an_order_goes_out_under_the_code_of_the_site(service):
    """
    Where it is mapped; the others are words.
    """
    cards = call(service, EPIC, "age_and_sex_only")["cards"]
    [card] = [one for one in cards if one["source"]["topic"]["code"] == "MCMISSING"]
    [offered] = card["suggestions"]
    [action] = offered["actions"]

    assert HBA1C == action["resource"]["code"]["coding"][0]
    assert "any" == card["selectionBehavior"]


def test_feedback_says_who_sent_it(service, kept):
    """
    Signed like a call, under the name of its client (FB-09).
    """
    items = {"feedback": [accepted(), overridden()]}
    signed = EPIC.authorization(aud=f"{BASE}{PATH}/feedback")
    taken = service.post(f"{PATH}/feedback", json=items, headers=signed)
    again = service.post(f"{PATH}/feedback", json=items, headers=signed)
    bare = service.post(f"{PATH}/feedback", json=items)

    assert [200, 401, 401] == [one.status_code for one in (taken, again, bare)]
    assert ["epic", "epic"] == [one.client for one in kept.latest if one.feedback.card == CARD]


def test_an_accepted_part_finds_its_card(service, kept):
    """
    A suggestion that was split has ids of its own; each comes back with the card (FB-04).
    """
    cards = call(service, EPIC, "new_prediabetes_likely_fatty_liver")["cards"]
    [card] = [one for one in cards if "belong together" in one["detail"]]
    parts = [one["uuid"] for one in card["suggestions"] if one["label"].startswith("Order ALT")]
    items = {"feedback": [accepted(card["uuid"], *parts)]}
    signed = EPIC.authorization(aud=f"{BASE}{PATH}/feedback")
    taken = service.post(f"{PATH}/feedback", json=items, headers=signed)

    assert (3, 3) == (len(parts), len(set(parts)))
    assert {"received": 1} == taken.json()
    assert (card["uuid"], tuple(parts)) == (
        kept.latest[-1].feedback.card,
        kept.latest[-1].feedback.suggestions,
    )


def test_every_address_of_the_sheet_answers_who_signs_for_it(service, clients):
    """
    A call of it is let in, and refused for its empty body alone (DISC-18, SEC-13).
    """
    sheet = sheet_of(shipped().rules, clients[1], SETTINGS)
    found = re.findall(r"`(GET|POST) ([^`]+)`", sheet)
    statuses = {
        address.removeprefix(BASE): service.request(
            method,
            address.removeprefix(BASE),
            content=b"{}" if method == "POST" else None,
            headers={"Content-Type": "application/json", **EPIC.authorization(aud=address)},
        ).status_code
        for method, address in found
    }

    assert 200 == statuses.pop("/cds-services")
    assert {400} == set(statuses.values())
    assert 6 == len(statuses)
