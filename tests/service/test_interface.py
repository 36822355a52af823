"""
The interface as an EHR meets it: the real rules behind the real routes, clause by clause.
"""

import asyncio
import copy
import json
import re
import time
import uuid

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from cds.hooks.wire import Services
from cds.service.app import create_app
from cds.service.settings import Settings
from tests.calling import (
    FIXTURES,
    SERVICE,
    Calling,
    codes_of,
    evaluation_of,
    hook_call,
    open_service,
    read_fixture,
)
from tests.contract.looking import parsed
from tests.contract.wire import HOOKS, discovery, outcome, response
from tests.service.fakes import Fake, ruleset

STORY = "new_prediabetes_likely_fatty_liver"
PATIENT = "new-prediabetes-likely-fatty-liver"
DISCOVERY = "/cds-services"
UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MARK = "Zebedee"


@pytest.fixture
def story():
    """
    A call that is answered with cards.
    """
    return read_fixture(f"requests/{STORY}.json")


@pytest.fixture
def send(service):
    """
    Post a body, as JSON.
    """
    return lambda body, path=SERVICE: service.post(json.dumps(body).encode(), path)


@pytest.fixture(scope="module")
def other():
    """
    Another process, as far as anything could be shared.
    """
    with open_service() as client:
        yield client


def told(answer):
    """
    What an answer says, apart from the ids that are new with every call.
    """
    return UUIDS.sub("UUID", answer.text)


def without(body, *path):
    """
    A copy that lacks one member.
    """
    found = copy.deepcopy(body)
    inside = found
    for step in path[:-1]:
        inside = inside[step]
    del inside[path[-1]]
    return found


# --- discovery ----------------------------------------------------------------------


def listed(service):
    """
    What discovery lists.
    """
    return service.client.get(DISCOVERY).json()["services"]


def test_discovery_is_what_the_contract_says(service):
    """
    An object with an array; hook, id, title and description of each, and nothing unknown
    (DISC-02, DISC-04 to DISC-09, DISC-12, DISC-16, HOOK-10, EXT-01).
    """
    answer = service.client.get(DISCOVERY)

    assert [] == discovery(answer.json())
    assert "application/json" == answer.headers["content-type"]
    wanted = {"hook", "id", "title", "description", "usageRequirements", "prefetch"}
    assert all(wanted <= set(one) for one in answer.json()["services"])
    assert {one["hook"] for one in answer.json()["services"]} <= set(HOOKS)


def test_discovery_is_the_same_from_any_process(service, other):
    """
    Byte for byte, of two applications that were built apart (DISC-13, REQ-13).
    """
    assert service.client.get(DISCOVERY).content == other.get(DISCOVERY).content


def test_nothing_to_serve_is_an_empty_list():
    """
    200, not 404 (DISC-03).
    """
    client = TestClient(create_app(Settings(env="development"), Fake(ruleset=ruleset(cards={}))))

    answer = client.get(DISCOVERY)

    assert (200, {"services": []}) == (answer.status_code, answer.json())


@pytest.mark.parametrize("prefix", ["", "/metabolic", "/a/b"])
def test_the_service_may_stand_below_a_prefix(service, prefix, story):
    """
    Discovery and calls (DISC-01, REQ-01).
    """
    inner = service.client.app
    client = TestClient(Starlette(routes=[Mount(prefix, inner)]) if prefix else inner)

    found = client.get(f"{prefix}{DISCOVERY}").json()["services"]
    answer = client.post(f"{prefix}{DISCOVERY}/{found[0]['id']}", json=story)

    assert 200 == answer.status_code
    assert answer.json()["cards"]


def test_every_listed_service_can_be_called(service, send, story):
    """
    At the id that is listed (DISC-06, REQ-01, RESP-01).
    """
    bundle = {"resourceType": "Bundle", "type": "collection"}
    for one in listed(service):
        context = story["context"] | {
            "encounterId": "1",
            "selections": [],
            "draftOrders": bundle,
            "medications": bundle,
            "conditions": bundle,
            "appointments": bundle,
            "dispatchedOrders": [],
            "performer": "Organization/1",
        }
        answer = send(story | {"hook": one["hook"], "context": context}, f"{DISCOVERY}/{one['id']}")

        assert 200 == answer.status_code, one["id"]
        assert [] == response(answer.json(), patient=PATIENT)


def test_versions_are_named_where_they_are_wanted():
    """
    Of CDS Hooks and of the hook, behind the switch only (DISC-10, DISC-11, AMB-06, AMB-08).
    """
    new, old = (
        TestClient(create_app(Settings(env="development", spec=spec), Fake()))
        for spec in ("3.0", "2.0")
    )
    found = new.get(DISCOVERY).json()["services"]
    before = old.get(DISCOVERY).json()["services"]

    assert all(one["version"] and one["hookVersion"] == HOOKS[one["hook"]] for one in found)
    assert [] == discovery({"services": found})
    assert len(found) == len(Services.model_validate({"services": found}).services)
    assert not any({"version", "hookVersion"} & set(one) for one in before)


def test_discovery_takes_no_other_method(service):
    """
    Also a refusal of discovery is an OperationOutcome (DISC-14, ERR-06).
    """
    answer = service.client.put(DISCOVERY)

    assert 405 == answer.status_code
    assert [] == outcome(answer.json())


# --- the call -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", sorted(path.name for path in (FIXTURES / "requests").glob("*.json"))
)
def test_answers_are_what_the_contract_says(service, path):
    """
    JSON that any parser reads, with cards of the closed schema (HTTP-01, HTTP-04, RESP-01,
    RESP-03, RESP-04, CARD-16, EXT-02, LINK-05, SUG-05, T43, T44).
    """
    body = read_fixture(f"requests/{path}")
    answer = service.post((FIXTURES / "requests" / path).read_bytes())

    found = parsed(answer.content)
    assert [] == response(found, patient=body["context"]["patientId"])
    assert "systemActions" not in found
    assert b"actionSelectionBehavior" not in answer.content
    assert b"autolaunchable" not in answer.content


def test_nobody_has_to_say_more_than_is_needed(service):
    """
    A healthy patient gets no card, and no "all is well" (RESP-02).
    """
    answer = service.post((FIXTURES / "requests" / "healthy_control.json").read_bytes())

    assert 200 == answer.status_code
    assert [] == answer.json()["cards"]


def test_members_that_nobody_knows_change_nothing(send, story):
    """
    At the top, in the context, in the prefetch, in a resource, in extensions at any depth
    (HTTP-05, HOOK-07, EXT-03, EXT-05).
    """
    more = copy.deepcopy(story)
    more["added"] = {MARK: [MARK]}
    more["extension"] = {"org.example": {"deep": [{"extension": {"a": MARK}}]}}
    more["context"]["added"] = MARK
    more["prefetch"]["added"] = None
    more["prefetch"]["patient"]["extension"] = [{"url": "https://example.org", "valueString": MARK}]
    more["prefetch"]["patient"]["added"] = MARK

    assert told(send(story)) == told(send(more))


def test_a_service_answers_its_own_hook_only(send, story):
    """
    The rules of another moment would be the wrong rules (REQ-02, ERR-02).
    """
    answer = send(story | {"hook": "order-sign"})

    assert 400 == answer.status_code
    assert ["$.hook"] == answer.json()["issue"][0]["expression"]


@pytest.mark.parametrize("name", ["hook", "hookInstance", "context"])
def test_what_is_required_is_named(send, story, name):
    """
    400 with the place, never 404 or 500 (REQ-02, REQ-03, REQ-09, ERR-02).
    """
    answer = send(without(story, name))

    assert 400 == answer.status_code
    assert [f"$.{name}"] == answer.json()["issue"][0]["expression"]


@pytest.mark.parametrize("name", ["userId", "patientId"])
def test_what_is_required_of_the_context_is_named(send, story, name):
    """
    By its path (REQ-09, HOOK-01).
    """
    answer = send(without(story, "context", name))

    assert 400 == answer.status_code
    assert [f"$.context.{name}"] == answer.json()["issue"][0]["expression"]


BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": []}
WHO = {"userId": "Practitioner/1", "patientId": PATIENT}
# What the definition of each hook requires, written down from the published tables.
LEAST = {
    "patient-view": WHO,
    "order-select": WHO | {"selections": [], "draftOrders": BUNDLE},
    "order-sign": WHO | {"draftOrders": BUNDLE},
    "order-dispatch": {
        "patientId": PATIENT,
        "dispatchedOrders": ["ServiceRequest/1"],
        "performer": "Organization/1",
    },
    "encounter-start": WHO | {"encounterId": "1"},
    "encounter-discharge": WHO | {"encounterId": "1"},
    "appointment-book": WHO | {"appointments": BUNDLE},
    "problem-list-item-create": WHO | {"conditions": BUNDLE},
    "medication-refill": {"patientId": PATIENT, "medications": BUNDLE},
}


@pytest.mark.parametrize("hook", LEAST)
def test_the_least_context_of_every_hook_is_enough(send, story, hook):
    """
    And without any member of it the call is refused by name (HOOK-01, HOOK-02, REQ-09).
    """
    path = f"{DISCOVERY}/metabolic-{hook}"
    answer = send(story | {"hook": hook, "context": LEAST[hook]}, path)

    assert 200 == answer.status_code
    for name in LEAST[hook]:
        refused = send(story | {"hook": hook, "context": without(LEAST[hook], name)}, path)
        assert 400 == refused.status_code
        assert [f"$.context.{name}"] == refused.json()["issue"][0]["expression"]


@pytest.mark.parametrize(
    "instance",
    [
        "D1577C69-DFBE-44AD-BA6D-3E05E953B2EA",
        "c232ab00-9414-11ec-b3c8-9f68deced846",
        "018f0c3e-7a3b-7000-8000-000000000000",
    ],
)
def test_an_instance_is_any_uuid(send, story, instance):
    """
    Of version 1, 4 or 7, in either case (REQ-03).
    """
    assert 200 == send(story | {"hookInstance": instance}).status_code


def test_a_repeated_instance_gets_the_same_answer(send, story):
    """
    Whether a client repeats a call or merely its id (REQ-04, AMB-05).
    """
    first, second = send(story), send(story)

    assert told(first) == told(second)
    assert not set(UUIDS.findall(first.text)) & set(UUIDS.findall(second.text)) - {
        story["hookInstance"]
    }


SERVER = {"fhirServer": "https://ehr.example.org/fhir"}
GRANT = {
    "fhirAuthorization": {
        "access_token": MARK,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "metabolic-cds",
    }
}


@pytest.mark.parametrize(
    ("members", "status"), [({}, 200), (SERVER, 200), (SERVER | GRANT, 200), (GRANT, 400)]
)
def test_a_token_needs_a_server(send, story, members, status):
    """
    The four combinations (REQ-05, T11, cds-r-1).
    """
    answer = send(story | members)

    assert status == answer.status_code
    assert MARK not in answer.text


def test_a_token_of_another_patient_is_refused(send, story):
    """
    Nothing is asked with it (REQ-08, T11).
    """
    grant = {"fhirAuthorization": GRANT["fhirAuthorization"] | {"patient": "somebody-else"}}

    answer = send(story | SERVER | grant)

    assert 400 == answer.status_code
    assert "somebody-else" not in answer.text


def test_without_prefetch_and_server_nothing_can_be_concluded(send, story):
    """
    412, not 400 and not an empty list (REQ-10, PF-30, ERR-01, T45).
    """
    answer = send(without(story, "prefetch"))

    assert 412 == answer.status_code
    assert "required" == answer.json()["issue"][0]["code"]


@pytest.mark.parametrize("empty", [None, {"resourceType": "Bundle", "type": "searchset"}])
def test_a_record_that_holds_nothing_is_answered(service, send, empty):
    """
    With 200: that is a clinical "no data" (PF-31, PF-21, PF-22).
    """
    prefetch = dict.fromkeys(service.templates, empty)
    prefetch["patient"] = read_fixture(f"requests/{STORY}.json")["prefetch"]["patient"]

    answer = send(hook_call(prefetch, PATIENT))

    assert 200 == answer.status_code


@pytest.mark.parametrize("name", ["dstu2_medication_order", "stu3_condition", "r5_medication"])
def test_another_release_of_fhir_leads_to_no_conclusion(service, name):
    """
    Recognised by its shapes: the list it stands in proves nothing absent (REQ-12, SUG-13).
    """
    answer = service.post((FIXTURES / "broken" / f"{name}.json").read_bytes())

    assert 200 == answer.status_code
    assert "FHIR version" in {one["reason"] for one in evaluation_of(answer)["notUsed"]}


def test_any_process_gives_the_same_answer(service, other, story):
    """
    Two applications, alternating (REQ-13).
    """
    answers = [client.post(SERVICE, json=story) for client in (service.client, other) * 2]

    assert 1 == len({told(one) for one in answers})


@pytest.mark.parametrize(
    ("patient", "encounter"), [(PATIENT, "1"), (f"Patient/{PATIENT}", "Encounter/1")]
)
def test_references_stand_where_ids_belong(send, story, patient, encounter):
    """
    With the same answer (HOOK-03).
    """
    context = story["context"] | {"patientId": patient, "encounterId": encounter}

    assert told(send(story)) == told(send(story | {"context": context}))


@pytest.mark.parametrize(
    "patient",
    [
        "1&_include=*",
        "../../admin",
        "a\n",
        "a b",
        "a%2fb",
        "a_b",
        "x" * 65,
        "Patient/",
        "é",
        "1?x=1",
    ],
)
def test_an_id_is_an_id(send, story, patient):
    """
    By the grammar of FHIR, before it could stand in an address (T19).
    """
    answer = send(story | {"context": story["context"] | {"patientId": patient}})

    assert 400 == answer.status_code
    assert ["$.context.patientId"] == answer.json()["issue"][0]["expression"]


# --- output -------------------------------------------------------------------------

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "[press](javascript:alert(1))",
    "![x](https://evil.example/beacon.png)",
    "<https://evil.example>",
    "https://evil.example/x",
    "`code` ```fence```",
    "**CRITICAL** stop\n\n# Loud\n\n---",
    "| a | b |\n| - | - |",
    "\u202egnp.exe\u2066 \u200b\u0007",
    "&lt;b&gt; {{7919*7919}} {0.__class__} ${x} %n",
]


def poisoned(value, payload, name=""):
    """
    A record in which every text that a person wrote holds a payload.
    """
    if isinstance(value, dict):
        return {key: poisoned(one, payload, key) for key, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, payload, name) for one in value]
    if isinstance(value, str) and name in {"text", "display", "family", "comment", "title"}:
        return f"{value} {payload}"
    return [*value, payload] if name == "given" else value


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize(
    "name", [STORY, "pcos_on_metformin", "conflicting_and_implausible_results"]
)
def test_text_of_the_record_restyles_no_card(send, name, payload):
    """
    Neither markup nor a link nor an image comes of it (CARD-08, CARD-07, T41, T48).
    """
    body = read_fixture(f"requests/{name}.json")
    body["prefetch"] = poisoned(body["prefetch"], payload)

    answer = send(body)

    assert 200 == answer.status_code
    assert [] == response(answer.json(), patient=body["context"]["patientId"])
    assert "62710561" not in answer.text


def test_the_most_urgent_card_comes_first(service):
    """
    And the order is the same with every call (RESP-05).
    """
    for path in sorted((FIXTURES / "requests").glob("*.json")):
        first, second = service.post(path.read_bytes()), service.post(path.read_bytes())
        order = [
            ("critical", "warning", "info").index(one["indicator"]) for one in first.json()["cards"]
        ]

        assert order == sorted(order)
        assert [codes_of(one) for one in first.json()["cards"]] == [
            codes_of(one) for one in second.json()["cards"]
        ]


def test_there_are_few_cards(service):
    """
    As many as the profile allows, and what concerns one decision in one of them (RESP-06).
    """
    most, merged = 0, False
    for path in sorted((FIXTURES / "patients").glob("*.json")):
        cards = service.call_for(read_fixture(f"patients/{path.name}")).json()["cards"]
        most = max(most, len(cards))
        merged = merged or any(len(codes_of(one)) > 1 for one in cards)

    assert 0 < most <= 5
    assert merged


# --- between calls ------------------------------------------------------------------


def test_calls_at_one_time_share_nothing(service):
    """
    Every number on a card belongs to the patient of its own call (T46, T20).
    """
    app = service.client.app
    record = read_fixture(f"requests/{STORY}.json")

    async def call(number):
        body = json.dumps(record).replace(PATIENT, f"patient-{number}")
        body = body.replace("112", str(101 + number % 24))
        sent, received = [], []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": SERVICE,
            "raw_path": SERVICE.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"content-type", b"application/json")],
            "client": ("127.0.0.1", number),
            "server": ("127.0.0.1", 2),
        }

        async def receive():
            await asyncio.sleep(0)
            received.append(1)
            return {"type": "http.request", "body": body.encode()}

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)
        return number, b"".join(one.get("body", b"") for one in sent).decode()

    async def crowd():
        return await asyncio.gather(*(call(number) for number in range(30)))

    for number, text in asyncio.run(crowd()):
        assert f"Patient/patient-{number}" in text
        assert {f"Patient/patient-{number}"} == set(re.findall(r"Patient/patient-\d+", text))
        assert f"{101 + number % 24} mg/dL" in text


def test_the_work_grows_with_what_is_sent(send, story):
    """
    Ten times as many results take about ten times as long, not a hundred times (T28).
    """

    def seconds(number):
        body = copy.deepcopy(story)
        key = next(
            key
            for key, one in body["prefetch"].items()
            if one
            and one.get("entry")
            and one["entry"][0]["resource"]["resourceType"] == "Observation"
        )
        sample = body["prefetch"][key]["entry"][0]["resource"]
        body["prefetch"][key]["entry"] = [
            {
                "resource": sample
                | {"id": str(uuid.uuid4()), "effectiveDateTime": f"20{n % 20 + 5:02}-01-01"}
            }
            for n in range(number)
        ]
        began = time.process_time()
        assert 200 == send(body).status_code
        return time.process_time() - began

    seconds(20)

    assert seconds(1900) < 20 * max(seconds(190), 0.01)


@pytest.mark.nightly
def test_an_answer_comes_quickly(service):
    """
    The middle one of a hundred well within half a second, on any machine (PERF-01, PERF-03).
    """
    raw = (FIXTURES / "requests" / f"{STORY}.json").read_bytes()
    times = []
    for _ in range(100):
        began = time.perf_counter()
        service.post(raw)
        times.append(time.perf_counter() - began)

    assert sorted(times)[50] < 0.25


def test_the_calls_of_these_tests_are_real(service):
    """
    The application is the one that is served.
    """
    assert isinstance(service, Calling)
    assert "/livez" in {getattr(one, "path", "") for one in service.client.app._inner.routes}
