"""
Another patient's data: wherever it stands, the cards are those without it, or there are none.
"""

import asyncio
import copy
import json
import re
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.attacks.good import HOOKS, call, on_every_hook, raw
from tests.calling import EVALUATION, FIXTURES, open_service, read_fixture

PATIENTS = sorted(path.stem for path in (FIXTURES / "requests").glob("*.json"))
OTHER = "frgn-vx9"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FEW = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """
    The application with every card on every hook.
    """
    rules = on_every_hook(tmp_path_factory.mktemp("another"))
    with open_service(rules=rules) as client:
        yield client


def answer(client, request):
    """
    Send a request to the service of its hook.
    """
    return client.post(
        f"/cds-services/metabolic-{request['hook']}",
        content=raw(request),
        headers={"Content-Type": "application/json"},
    )


def said(response):
    """
    The cards and the evaluation, without ids that are new with each answer and counts of what
    was not used.
    """
    body = response.json()
    evaluation = body["extension"][EVALUATION]
    evaluation.pop("traceId")
    evaluation.pop("notUsed", None)
    return UUID.sub("uuid", json.dumps(body, sort_keys=True))


# --- the other patient --------------------------------------------------------------


def moved(text):
    """
    Every date 41 days earlier, so that none is one of the patient's own.
    """
    return re.sub(
        r"\b20\d\d-\d\d-\d\d",
        lambda found: (date.fromisoformat(found[0]) - timedelta(days=41)).isoformat(),
        text,
    )


def resources_of(name):
    """
    What one of the patients has, as somebody else's: other ids, other dates, other values.
    """
    request = read_fixture(f"requests/{name}.json")
    own = request["context"]["patientId"]
    text = moved(json.dumps(request["prefetch"])).replace(own, OTHER)
    found = []
    for key, value in json.loads(text).items():
        for entry in value.get("entry", []):
            one = entry["resource"]
            quantity = one.get("valueQuantity")
            if quantity:
                quantity["value"] = round(quantity["value"] * 1.37, 2)
            found.append((key, one))
    return found


OTHERS = {name: resources_of(name) for name in PATIENTS}
# How a resource may say whose it is, when it is not the patient's (T32).
SUBJECTS = {
    "relative": {"reference": f"Patient/{OTHER}"},
    "absolute": {"reference": f"https://other.example/fhir/Patient/{OTHER}"},
    "versioned": {"reference": f"Patient/{OTHER}/_history/2"},
    "urn": {"reference": "urn:uuid:7d1b2d9c-0000-4000-8000-0a5b6c7d8e9f"},
    "contained": {"reference": "#p"},
    "identifier": {"identifier": {"system": "urn:mrn", "value": OTHER}},
    "words": {"display": OTHER},
    "group": {"reference": "Group/{own}"},
    "another type": {"reference": "Practitioner/{own}"},
    "in small letters": {"reference": "patient/{own}"},
    "a longer id": {"reference": "Patient/{own}1"},
    "a blank behind": {"reference": "Patient/{own} "},
    "none": None,
    "a list": [{"reference": "Patient/{own}"}],
    "a text": "Patient/{own}",
    "empty": {},
}
NOBODYS = {"none", "empty"}  # a draft like that is this patient's
ANOTHERS = {"relative", "absolute", "versioned", "a longer id", "a blank behind"}


def with_subject(resource, kind, own):
    """
    A resource that says in one of the ways whose it is.
    """
    one = copy.deepcopy(resource)
    one.pop("patient", None)
    one["subject"] = json.loads(json.dumps(SUBJECTS[kind]).replace("{own}", own))
    if kind == "contained":
        one["contained"] = [{"resourceType": "Patient", "id": "p"}]
    return one


def insert(request, key, resource, position):
    """
    Put a resource into the answer to a search, as one of those that were found.
    """
    bundle = request["prefetch"].setdefault(
        key, {"resourceType": "Bundle", "type": "searchset", "total": 0}
    )
    entries = bundle.setdefault("entry", [])
    entries.insert(position % (len(entries) + 1), {"resource": resource})
    bundle["total"] = len(entries)


foreign = st.sampled_from([name for name, some in OTHERS.items() if some]).flatmap(
    lambda name: st.lists(
        st.tuples(
            st.sampled_from(OTHERS[name]), st.sampled_from(sorted(SUBJECTS)), st.integers(0, 9)
        ),
        min_size=1,
        max_size=8,
    )
)


def fired(response):
    """
    The rules that fired.
    """
    return set(response.json()["extension"][EVALUATION]["rules"]["fired"])


def leaks(response):
    """
    What of the other patient stands in an answer.
    """
    return [one for one in (OTHER, "mrn") if one in response.text]


@FEW
@given(name=st.sampled_from(PATIENTS), some=foreign)
def test_any_of_anothers_results(client, name, some):
    """
    cards(P + any of Q) = cards(P) or an error; nothing of Q anywhere: case A48 (T31, T32).
    """
    request = read_fixture(f"requests/{name}.json")
    own = request["context"]["patientId"]
    expected = said(answer(client, request))
    for (key, resource), kind, position in some:
        insert(request, key, with_subject(resource, kind, own), position)

    response = answer(client, request)

    assert response.status_code in {200, 400}
    assert [] == leaks(response)
    assert response.status_code != 200 or expected == said(response)


# --- in what the hook brings --------------------------------------------------------

MEMBERS = {
    "order-select": "draftOrders",
    "order-sign": "draftOrders",
    "problem-list-item-create": "conditions",
    "medication-refill": "medications",
}
METFORMIN = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "861004"}
DIABETES = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}
DRAFTS = {
    "a medicine": {
        "resourceType": "MedicationRequest",
        "id": f"{OTHER}-m",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [METFORMIN], "text": OTHER},
        "note": [{"text": OTHER}],
    },
    "a problem": {
        "resourceType": "Condition",
        "id": f"{OTHER}-c",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [DIABETES], "text": OTHER},
    },
    "a result": resources_of("single_diabetes_range_hba1c")[0][1],
}


@FEW
@given(
    hook=st.sampled_from(sorted(MEMBERS)),
    some=st.lists(
        st.tuples(
            st.sampled_from(sorted(DRAFTS)), st.sampled_from(sorted(SUBJECTS.keys() - NOBODYS))
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_any_of_anothers_drafts(client, hook, some):
    """
    What is drafted for somebody else is no draft for this patient; where nobody can tell for
    whom, much may be left unknown, but nothing fires that it would cause (T31, T44).
    """
    request = call(hook)
    own = request["context"]["patientId"]

    def answered(drafts):
        tried = copy.deepcopy(request)
        tried["context"][MEMBERS[hook]]["entry"] += [{"resource": one} for one in drafts]
        return answer(client, tried)

    alone = answered([])
    response = answered([with_subject(DRAFTS[name], kind, own) for name, kind in some])

    assert response.status_code in {200, 400}
    assert [] == leaks(response)
    if response.status_code == 200 and {kind for _, kind in some} <= ANOTHERS:
        assert said(alone) == said(response)
    elif response.status_code == 200:
        mine = {"reference": f"Patient/{own}"}
        caused = fired(answered([DRAFTS[name] | {"subject": mine} for name, _ in some]))
        assert set() == fired(response) & (caused - fired(alone))


@FEW
@given(
    name=st.sampled_from(PATIENTS),
    of=st.sampled_from(PATIENTS),
    member=st.sampled_from(["contained", "hasMember", "derivedFrom", "performer", "basedOn"]),
)
def test_what_the_patients_own_data_hold_or_name(client, name, of, member):
    """
    Resources of another inside one's own, or referred to by them, change nothing (T31).
    """
    request = read_fixture(f"requests/{name}.json")
    expected = said(answer(client, request))
    others = [one for _, one in OTHERS[of]]
    references = [
        {"reference": f"{one['resourceType']}/{one['id']}", "display": OTHER} for one in others
    ]
    for value in request["prefetch"].values():
        for entry in value.get("entry", [{"resource": value}]):
            entry["resource"][member] = others if member == "contained" else references

    response = answer(client, request)

    assert 200 == response.status_code
    assert [] == leaks(response)
    assert expected == said(response)


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("place", ["read", "search", "both"])
def test_another_patient_altogether(client, hook, place):
    """
    The Patient of another is a refusal, wherever it stands in place of the patient (T31).
    """
    request = call(hook)
    other = {**request["prefetch"]["patient"], "id": OTHER}
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": other}]}
    if place in {"read", "both"}:
        request["prefetch"]["patient"] = other
    if place in {"search", "both"}:
        request["prefetch"]["people"] = bundle
    if place == "search":
        del request["prefetch"]["patient"]

    response = answer(client, request)

    assert 400 == response.status_code
    assert "cards" not in response.json()
    assert [] == leaks(response)


def test_many_patients_at_the_same_time(client):
    """
    Each with numbers of its own: at once as one by one (T46).
    """
    requests = [numbered(position) for position in range(24)]
    alone = [said(answer(client, one)) for one in requests]

    async def crowd():
        return await asyncio.gather(*(streamed(client.app, one) for one in requests))

    together = asyncio.run(crowd())

    assert len(requests) == len(set(alone))
    assert alone == [said(one) for one in together]


def numbered(position):
    """
    A request of a patient whose every value differs from everybody else's.
    """
    hook = HOOKS[position % len(HOOKS)]
    text = json.dumps(call(hook)).replace("own-kp3", f"own-{position}")
    request = json.loads(text)
    for bundle in request["prefetch"].values():
        for entry in bundle.get("entry", []):
            quantity = entry["resource"].get("valueQuantity")
            if quantity:
                quantity["value"] = round(quantity["value"] * (1 + position / 500), 3)
    return request


class Streamed:
    """
    An answer of the bare application.
    """

    def __init__(self, body):
        self.body = body

    def json(self):
        return json.loads(self.body)


async def streamed(app, request):
    """
    Call the application in pieces, giving way to others between them.
    """
    body = raw(request)
    pieces = [body[at : at + 4000] for at in range(0, len(body), 4000)]
    path = f"/cds-services/metabolic-{request['hook']}"
    sent = []

    async def receive():
        await asyncio.sleep(0)
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message):
        await asyncio.sleep(0)
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    await app(scope, receive, send)
    assert 200 == sent[0]["status"]
    return Streamed(b"".join(one.get("body", b"") for one in sent))
