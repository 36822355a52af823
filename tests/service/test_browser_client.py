"""
A public browser client for CDS Hooks, as it behaves on the wire (Q-01 to Q-19).

`Page` does what that client was seen to do, oddities included; what it calls is the real
application with the shipped rules, in production, with a registration for it.
"""

import json
import re
import uuid
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from cds.service.app import create_app
from cds.service.clients import Clients
from cds.service.keys import Keys
from cds.service.pipeline import Pipeline
from cds.service.settings import Settings
from tests.calling import FIXTURES, codes_of, read_fixture
from tests.serving import searchset, shipped
from tests.tokens import BASE, NOW, Signer, client_of, tokens_for

ORIGIN = "https://sandbox.example.org"
ISSUER = "https://sandbox.example.org"
JKU = "https://sandbox.example.org/.well-known/jwks.json"
KID = "9c8f2b6e-6d0f-4c6e-9a53-0f3a1f6e2b11"
INSTANT = datetime(2026, 6, 1, 12, tzinfo=UTC)
STORY = "new_prediabetes_likely_fatty_liver"
PATIENT = "new-prediabetes-likely-fatty-liver"
OPENED = {"resourceType": "MedicationRequest", "id": "request-123", "status": "draft"}
USERS = ("userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId")


async def keys_of_the_page(_client):
    """
    Answer the one address of its keys.
    """
    return json.dumps({"keys": [SIGNER.jwk]}).encode()


SIGNER = Signer("ES384", kid=KID, issuer=ISSUER)


@pytest.fixture(scope="module")
def pipeline():
    """
    The shipped release.
    """
    opened = Pipeline(shipped().rules, engine="reference", now=lambda: INSTANT)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(pipeline):
    """
    The service in production, with the page as a registered client.
    """
    page = client_of(name="sandbox", issuer=ISSUER, jwks_url=JKU, origins=(ORIGIN,))
    keys = Keys([page], fetch=keys_of_the_page, now=lambda: 0.0)
    app = create_app(
        Settings(env="production", allow_unreviewed=True, public_url=BASE, in_flight=32),
        pipeline,
        clients=Clients([page.model_copy(update={"rate": 1000.0, "burst": 10_000})]),
        callers=tokens_for(page, keys=keys),
    )
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)


class Page:
    """
    What the public client does; *typed* is the discovery address as its user typed it.
    """

    def __init__(self, client, typed=f"{BASE}/cds-services"):
        self.client = client
        self.typed = typed
        self.services = {}

    def authorization(self, url):
        """
        Sign for the address that is called, whatever it looks like; no subject, no tenant.
        """
        token = SIGNER.token({"jku": JKU}, aud=url, now=NOW)
        return {"Authorization": f"Bearer {token}"}

    def request(self, method, url, body=None):
        """
        Ask first, as the browser does for it; then call, with the origin and a token.
        """
        path = url.removeprefix(BASE)
        wanted = "authorization" if method == "GET" else "authorization,content-type"
        asked = self.client.options(
            path,
            headers={
                "Origin": ORIGIN,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": wanted,
            },
        )
        assert asked.is_success, "does not have HTTP ok status"
        allowed = asked.headers["access-control-allow-headers"].lower()
        assert all(one in allowed for one in wanted.split(","))
        assert method in asked.headers["access-control-allow-methods"]
        headers = {"Origin": ORIGIN, **self.authorization(url)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = self.client.request(
            method, path, headers=headers, content=None if body is None else json.dumps(body)
        )
        assert ORIGIN == answer.headers["access-control-allow-origin"], "the page sees nothing"
        return answer

    def discover(self):
        """
        Keep the services by their address: a later one replaces an earlier one.
        """
        for one in self.request("GET", self.typed).json()["services"]:
            self.services[f"{self.typed}/{one['id']}"] = one
        return self.services

    def url_of(self, hook):
        """
        The address of the service of a hook.
        """
        return next(url for url, one in self.discover().items() if one["hook"] == hook)

    def call(self, hook, context, record=()):
        """
        Call a service; what could not be prefetched is left out, nothing is ever null.
        """
        url = self.url_of(hook)
        prefetch = self.prefetched(self.services[url].get("prefetch", {}), list(record))
        body = {
            "hookInstance": str(uuid.uuid4()),
            "hook": hook,
            "fhirServer": "https://launch.example.org/dstu2/open",
            "context": {
                "patientId": PATIENT,
                "userId": "Practitioner/COREPRACTITIONER1",
                **context,
            },
        }
        if prefetch:
            body["prefetch"] = prefetch
        return self.request("POST", url, body)

    def prefetched(self, templates, record):
        """
        Fill in templates as it does: repeats merged, parameters re-ordered, users literal.
        """
        found = {}
        for key, template in templates.items():
            text = template.replace("{{context.patientId}}", PATIENT)
            text = text.replace("{{context.userId}}", "Practitioner/COREPRACTITIONER1")
            kind, _, query = text.partition("?")
            if not query:
                kind, _, name = text.partition("/")
                one = next((one for one in record if one["resourceType"] == kind), None)
                if one is not None and "{{" not in name:
                    found[key] = one
                continue
            found[key] = searchset(search(merged(query), kind, record))
        return found


def merged(query):
    """
    The parameters of a search after a merge: one of each name, in the order of names.
    """
    parameters = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        parameters.setdefault(name, []).append(value)
    return {name: ",".join(parameters[name]) for name in sorted(parameters)}


def search(parameters, kind, record):
    """
    Answer a search by patient, codes and count.
    """
    if "{{" in "".join(parameters.values()):
        return []
    found = [one for one in record if one["resourceType"] == kind]
    if "code" in parameters:
        wanted = set(parameters["code"].split(","))
        found = [
            one
            for one in found
            if wanted
            & {
                f"{each.get('system')}|{each.get('code')}"
                for each in one.get("code", {}).get("coding", [])
            }
        ]
    return found[: int(parameters["_count"])]


@pytest.fixture(scope="module")
def record():
    """
    The record of the patient who is open in the page.
    """
    sent = read_fixture(f"requests/{STORY}.json")["prefetch"].values()
    return [
        one
        for each in sent
        if each
        for one in (
            [entry["resource"] for entry in each.get("entry", [])]
            if each["resourceType"] == "Bundle"
            else [each]
        )
    ]


@pytest.fixture(params=["", "/"], ids=["", "slash"])
def page(client, request):
    """
    The page of somebody who typed the address with a slash at its end, or without.
    """
    return Page(client, f"{BASE}/cds-services{request.param}")


def test_everything_is_asked_for_first_and_found(page, record):
    """
    Preflights without a token, odd slashes, tokens for odd addresses (Q-01, Q-02, SEC-19).
    """
    answer = page.call("patient-view", {}, record)

    assert 200 == answer.status_code
    assert answer.json()["cards"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_preflight_is_never_told_to_go_elsewhere(client, method, slash):
    """
    Neither 401 nor 3xx: both end everything in a browser (Q-01, Q-02, DISC-17).
    """
    path = f"/cds-services{slash}" + ("/metabolic-patient-view" if method == "POST" else "")
    answer = client.options(
        path, headers={"Origin": ORIGIN, "Access-Control-Request-Method": method}
    )

    assert answer.is_success


def test_every_service_has_an_address_of_its_own(page):
    """
    It keeps one for each address, and loses those that share one (Q-03, DISC-12, AMB-07).
    """
    listed = page.request("GET", page.typed).json()["services"]

    assert len(listed) == len(page.discover())
    assert len(listed) == len({one["hook"] for one in listed})


def test_discovery_is_never_empty(page):
    """
    It counts that as a failure (Q-04).
    """
    assert page.discover()


def test_its_signature_is_taken(client):
    """
    ES384, a key whose name is a UUID, `jku`, 300 seconds, neither subject nor tenant (Q-05).
    """
    page = Page(client)

    claims = SIGNER.claims(now=NOW)
    assert 300 == claims["exp"] - claims["iat"]
    assert not {"sub", "tenant"} & set(claims)
    assert 200 == page.request("GET", page.typed).status_code
    assert 412 == page.call("patient-view", {}).status_code


def test_its_signature_is_not_taken_from_strangers(client):
    """
    Its key is public: who has not registered it hears 401 (Q-05, SEC-10).
    """
    stranger = Signer("ES384", kid=KID, issuer="https://sandbox.cds-hooks.org")
    url = f"{BASE}/cds-services/metabolic-patient-view"
    token = stranger.token({"jku": "https://sandbox.cds-hooks.org/jwks.json"}, aud=url, now=NOW)

    answer = client.post(
        url.removeprefix(BASE), content="{}", headers={"Authorization": f"Bearer {token}"}
    )

    assert 401 == answer.status_code


def test_its_members_are_enough(page, record):
    """
    No encounter, no authorization, a user of its own invention (Q-06, HOOK-02, REQ-10).
    """
    assert 200 == page.call("patient-view", {}, record).status_code
    assert 412 == page.call("patient-view", {}).status_code


@pytest.mark.parametrize(
    "draft",
    [
        OPENED,
        OPENED | {"category": {"coding": [{"code": "outpatient"}]}},
        OPENED | {"medicationCodeableConcept": {"text": "", "coding": [{"code": ""}]}},
        OPENED
        | {
            "medicationCodeableConcept": {
                "text": "Metformin 500 MG Oral Tablet",
                "coding": [
                    {
                        "code": "861007",
                        "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                        "display": "Metformin 500 MG Oral Tablet",
                    }
                ],
            },
            "reasonCode": [{"text": ""}],
        },
    ],
)
def test_what_its_order_screen_sends_is_read(page, record, draft):
    """
    On opening already, with a request that holds nothing, in a Bundle without a type
    (Q-07, HOOK-06).
    """
    context = {
        "selections": ["MedicationRequest/request-123"],
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft}]},
    }

    answer = page.call("order-select", context, record)

    assert 200 == answer.status_code


def test_its_default_server_is_of_another_release(page, record):
    """
    DSTU2: the answer names what was not read, and draws no conclusion from it (Q-08, REQ-12).
    """
    old = [
        {
            "resourceType": "MedicationOrder",
            "id": "1",
            "status": "active",
            "patient": {"reference": f"Patient/{PATIENT}"},
            "medicationCodeableConcept": {"text": "Metformin 500 MG"},
        },
        {
            "resourceType": "Observation",
            "id": "2",
            "status": "final",
            "category": {"coding": [{"code": "laboratory"}]},
            "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
            "subject": {"reference": f"Patient/{PATIENT}"},
            "effectiveDateTime": "2026-05-01",
            "valueQuantity": {"value": 12.5, "unit": "%", "code": "%"},
            "comments": "a member of DSTU2",
        },
    ]
    patient = next(one for one in record if one["resourceType"] == "Patient")

    answer = page.call("patient-view", {}, [patient, *old])

    assert 200 == answer.status_code
    assert "12.5" not in answer.text


def test_keys_that_it_leaves_out_are_unknown(page, record, client):
    """
    It never says null, so that silence is no absence (Q-09, T37).
    """
    patient = next(one for one in record if one["resourceType"] == "Patient")
    url = page.url_of("patient-view")
    body = {
        "hookInstance": str(uuid.uuid4()),
        "hook": "patient-view",
        "fhirServer": "https://launch.example.org/open",
        "context": {"patientId": PATIENT, "userId": "Practitioner/1"},
        "prefetch": {"patient": patient},
    }

    answer = page.request("POST", url, body)

    text = "\n".join(one["detail"] for one in answer.json()["cards"])
    assert 200 == answer.status_code
    assert "not received" in text
    assert "never measured" not in text


def test_templates_survive_what_it_does_to_them(page):
    """
    Nothing is lost where repeats are merged and parameters sorted (Q-10, PF-08).
    """
    for one in page.discover().values():
        for template in one.get("prefetch", {}).values():
            query = template.partition("?")[2]
            if query:
                pairs = [part.partition("=")[::2] for part in query.split("&")]
                assert sorted(pairs) == sorted(merged(query).items())


def test_no_template_asks_for_the_user_in_a_search(page):
    """
    The braces would be searched for, and an empty Bundle would look real (Q-11, PF-03).
    """
    for one in page.discover().values():
        for template in one.get("prefetch", {}).values():
            tokens = set(re.findall(r"\{\{(.*?)\}\}", template.partition("?")[2]))
            assert not tokens & {*USERS, "context.userId", "context.encounterId"}


def test_no_template_asks_for_what_it_does_not_understand(page):
    """
    No paths, no earlier keys, no dates that are computed (Q-12, PF-05).
    """
    for one in page.discover().values():
        for template in one.get("prefetch", {}).values():
            tokens = re.findall(r"\{\{(.*?)\}\}", template)
            assert all(re.fullmatch(r"(context\.)?[A-Za-z]+", one) for one in tokens)
            assert "%" not in template


def test_what_it_renders_is_complete_and_harmless(page, record):
    """
    It shows raw HTML; a card without uuid cannot be dismissed, one without reasons not be
    overridden (Q-13, CARD-07, CARD-08, CARD-09, CARD-12).
    """
    hostile = json.loads(json.dumps(record).replace('"display": "', '"display": "<img src=x> '))

    for card in page.call("patient-view", {}, hostile).json()["cards"]:
        assert card["uuid"]
        assert card["overrideReasons"]
        assert card["source"]["label"]
        assert not re.search(r"<[a-zA-Z/!]", card["detail"])


def test_its_order_is_ours(page):
    """
    It sorts by urgency; ours is sorted already (Q-14, RESP-05).
    """
    rank = {"critical": 0, "warning": 1, "info": 2}
    for path in sorted((FIXTURES / "requests").glob("*.json")):
        body = json.loads(path.read_bytes())
        answer = page.request("POST", page.url_of("patient-view"), body)
        cards = answer.json()["cards"]

        assert codes(cards) == codes(sorted(cards, key=lambda one: rank[one["indicator"]]))


def codes(cards):
    """
    The codes of cards, in their order.
    """
    return [codes_of(one) for one in cards]


def test_the_first_action_stands_for_a_suggestion(page, record):
    """
    It applies that one only, and shows texts: one action each, with a text (Q-15, SUG-04).
    """
    suggestions = [
        one
        for card in page.call("patient-view", {}, record).json()["cards"]
        for one in card.get("suggestions", [])
    ]

    assert suggestions
    for one in suggestions:
        kinds = [action["type"] for action in one["actions"]]
        assert not {"create", "delete"} <= set(kinds)
        for action in one["actions"]:
            code = action.get("resource", {}).get("code")
            assert code is None or code["text"] or code["coding"]


@pytest.mark.parametrize("outcome", ["accepted", "overridden"])
def test_its_feedback_is_taken(page, record, outcome):
    """
    One item, signed for its own address; a reason without display and comment (Q-17, FB-02,
    FB-05, FB-09, AMB-09).
    """
    card = page.call("patient-view", {}, record).json()["cards"][0]
    item = {
        "card": card["uuid"],
        "outcome": outcome,
        "outcomeTimestamp": "2026-06-01T12:00:00.000Z",
    }
    if outcome == "accepted":
        item["acceptedSuggestions"] = [{"id": card["suggestions"][0]["uuid"]}]
    else:
        item["overrideReason"] = {"reason": {"code": card["overrideReasons"][0]["code"]}}

    answer = page.request("POST", f"{page.url_of('patient-view')}/feedback", {"feedback": [item]})

    assert 200 == answer.status_code


def test_both_outcomes_of_one_card_are_taken(page, record):
    """
    It sends an acceptance and an override of the same card (Q-17, FB-06).
    """
    card = page.call("patient-view", {}, record).json()["cards"][0]
    when = {"card": card["uuid"], "outcomeTimestamp": "2026-06-01T12:00:00Z"}
    taken = {"outcome": "accepted", "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}]}

    for item in (when | taken, when | {"outcome": "overridden"}):
        url = f"{page.url_of('patient-view')}/feedback"
        assert 200 == page.request("POST", url, {"feedback": [item]}).status_code


def test_little_is_required_because_a_412_looks_like_all_clear(page, record):
    """
    The Patient alone is enough, and the card says what is missing (Q-18, PF-31, T45, AMB-02).
    """
    patient = next(one for one in record if one["resourceType"] == "Patient")

    answer = page.call("patient-view", {}, [patient])

    assert 200 == answer.status_code
    assert answer.json()["cards"]
    assert 412 == page.call("patient-view", {}).status_code


def test_it_may_be_offline(page):
    """
    Its default services are no part of ours: every address is below our own (Q-19).
    """
    assert all(url.startswith(BASE) for url in page.discover())
    assert not re.search(r"https?://[^/]*cds-hooks\.org", json.dumps(page.services))
