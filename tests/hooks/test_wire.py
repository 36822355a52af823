"""
The wire: which requests are taken, and the shape of what goes out.
"""

import copy
import json
from contextlib import nullcontext

import pytest
from pydantic import ValidationError

from cds.errors import BadRequest, TooLarge
from cds.hooks.wire import Response, Services, read_request
from tests.changing import changed

UUID = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
MARK = "Zebedee"
KEY = "glycaemia"


def body(**changes):
    """
    The smallest request, with members put in, or taken out by `None`-free deletion.
    """
    return {
        "hook": "patient-view",
        "hookInstance": UUID,
        "context": {"userId": "Practitioner/1", "patientId": "1288992"},
        **changes,
    }


def read(request):
    """
    Read a request for patient-view.
    """
    return read_request(json.dumps(request).encode(), hook="patient-view", keys=[KEY])


def refusal(request):
    """
    The place that a refusal names.
    """
    with pytest.raises(BadRequest) as error:
        read(request)
    assert MARK not in str(error.value)
    return error.value.path


def test_the_smallest_request_is_enough():
    """
    No prefetch, no server, no encounter (REQ-10, HOOK-02).
    """
    request = read(body())

    assert ("1288992", "Practitioner/1", {}, "") == (
        request.patient_id,
        request.user_id,
        request.prefetch,
        request.fhir_server,
    )


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("Patient/1", "1"), ("1", "1"), ("a.b-C", "a.b-C"), ("x" * 64, "x" * 64)],
)
def test_a_patient_id_becomes_bare(sent, expected):
    """
    Clients send references where ids belong (HOOK-03).
    """
    context = {"userId": "Practitioner/1", "patientId": sent}

    assert expected == read(body(context=context)).patient_id


@pytest.mark.parametrize(
    "user", ["Practitioner/1", "PractitionerRole/a-1", "Patient/1", "RelatedPerson/1", "Person/1"]
)
def test_a_user_is_a_type_and_an_id(user):
    """
    Whoever has the chart open (HOOK-04).
    """
    assert user == read(body(context={"userId": user, "patientId": "1"})).user_id


@pytest.mark.parametrize(
    "instance",
    [
        UUID.upper(),
        "00000000-0000-1000-8000-00805f9b34fb",
        "018f0c3e-7a3b-7000-8000-000000000000",
    ],
)
def test_any_uuid_will_do(instance):
    """
    Any version, any case (REQ-03).
    """
    assert instance == read(body(hookInstance=instance)).hook_instance


def test_what_nobody_knows_is_ignored():
    """
    At every level, as later versions add members (HTTP-05, EXT-03).
    """
    plain = body(prefetch={"patient": None})
    extended = copy.deepcopy(plain)
    extended["extension"] = [MARK]
    extended["foo"] = {"bar": 1}
    extended["prefetch"] |= {MARK: MARK, "a": [{}], "b": 7}
    extended["context"]["encounterId"] = 7
    extended["context"]["foo"] = None

    assert read(plain).patient_id == read(extended).patient_id
    assert {"patient": None} == read(extended).prefetch


@pytest.mark.parametrize("name", ["prefetch", "fhirServer", "fhirAuthorization", "extension"])
def test_null_is_as_good_as_nothing(name):
    """
    Some clients write every member they know of; what is optional may be null (REQ-05, REQ-10).
    """
    assert read(body()) == read(body(**{name: None}))


def without(name, *, of=None):
    """
    A request that lacks one required member.
    """
    request = body()
    del (request if of is None else request[of])[name]
    return request


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ([MARK], "$"),
        (MARK, "$"),
        (None, "$"),
        (without("hook"), "$.hook"),
        (without("hookInstance"), "$.hookInstance"),
        (without("context"), "$.context"),
        (without("userId", of="context"), "$.context.userId"),
        (without("patientId", of="context"), "$.context.patientId"),
        (body(hook="order-sign"), "$.hook"),
        (body(hook=7), "$.hook"),
        (body(hook=""), "$.hook"),
        (body(hookInstance=MARK), "$.hookInstance"),
        (body(hookInstance=f"urn:uuid:{UUID}"), "$.hookInstance"),
        (body(hookInstance=[UUID]), "$.hookInstance"),
        (body(context=MARK), "$.context"),
        (body(context={"userId": MARK, "patientId": "1"}), "$.context.userId"),
        (body(context={"userId": "Practitioner/", "patientId": "1"}), "$.context.userId"),
        (body(context={"userId": "Practitioner/1\n", "patientId": "1"}), "$.context.userId"),
        (
            body(context={"userId": "Practitioner/1", "patientId": f"{MARK} x"}),
            "$.context.patientId",
        ),
        (body(context={"userId": "Practitioner/1", "patientId": ""}), "$.context.patientId"),
        (body(context={"userId": "Practitioner/1", "patientId": [7]}), "$.context.patientId"),
        (body(context={"userId": "Practitioner/1", "patientId": "x" * 65}), "$.context.patientId"),
        (body(context={"userId": "Practitioner/1", "patientId": "a_b"}), "$.context.patientId"),
        (body(prefetch=[]), "$.prefetch"),
        (body(prefetch="x"), "$.prefetch"),
        (body(prefetch={KEY: MARK}), f"$.prefetch.{KEY}"),
        (body(prefetch={KEY: [{}]}), f"$.prefetch.{KEY}"),
        (body(prefetch={KEY: False}), f"$.prefetch.{KEY}"),
        (body(fhirServer=7), "$.fhirServer"),
        (body(fhirAuthorization=MARK, fhirServer="https://a.b"), "$.fhirAuthorization"),
        (body(fhirAuthorization={"access_token": MARK}), "$.fhirServer"),
        (
            body(fhirServer="https://a.b", fhirAuthorization={"patient": "2"}),
            "$.fhirAuthorization.patient",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_place(request_, path):
    """
    Never by its value (REQ-02, REQ-03, REQ-05, REQ-09, ERR-02, ERR-11, T19).
    """
    assert path == refusal(request_)


@pytest.mark.parametrize("more", [0, 1])
def test_entries_are_counted(more):
    """
    Those of all Bundles together, Bundles in Bundles and those of the context too (T28).
    """
    entries = [{"resource": {"resourceType": "Basic"}}] * 1_000
    bundle = {"resourceType": "Bundle", "entry": entries}
    packed = {"resourceType": "Bundle", "entry": [{"resource": bundle}, *entries[1:]]}
    request = body(prefetch={"a": bundle, "b": packed, "c": None})
    request["context"]["orders"] = bundle
    request["context"]["more"] = {"entry": (entries * 2)[: 1_000 + more]}

    if more:
        with pytest.raises(TooLarge) as error:
            read(request)
        assert "5000" in str(error.value)
    else:
        assert {"a", "b", "c"} == set(read(request).prefetch)


@pytest.mark.parametrize(("most", "expected"), [(5_000, None), (5_001, TooLarge)])
@pytest.mark.parametrize("shape", ["selections", "Bundles in a list"])
def test_what_a_list_of_the_context_holds_is_counted(shape, most, expected):
    """
    Each reference is looked for, and a list may hold Bundles (T28).
    """
    entries = [{"resource": {"resourceType": "Basic"}}] * (most - 1)
    held = {
        "selections": [f"Basic/{number}" for number in range(most)],
        "Bundles in a list": [{"resourceType": "Bundle", "entry": entries}],
    }
    request = body()
    request["context"]["more"] = held[shape]

    with pytest.raises(expected) if expected else nullcontext():
        read(request)


@pytest.mark.parametrize(("most", "expected"), [(1_000, None), (1_001, TooLarge)])
def test_the_keys_of_a_prefetch_are_counted(most, expected):
    """
    Also those with nothing behind them: half a million took longer than a worker may (T22).
    """
    request = body(prefetch=dict.fromkeys(map(str, range(most))))

    with pytest.raises(expected) if expected else nullcontext():
        read(request)


@pytest.mark.parametrize(
    "members",
    [
        {"fhirServer": "http://localhost:8080/fhir"},
        {"fhirServer": "https://a.b", "fhirAuthorization": {"access_token": "x"}},
        {"fhirServer": "https://a.b", "fhirAuthorization": {"patient": "Patient/1288992"}},
        {"fhirAuthorization": {}},
    ],
)
def test_a_server_may_be_named(members):
    """
    It is not called; a token needs it, and may be bound to this patient only (REQ-05).
    """
    assert members.get("fhirServer", "") == read(body(**members)).fhir_server


# --- responses ------------------------------------------------------------------


def uuid(number):
    """
    A uuid that is easy to tell from others.
    """
    return f"00000000-0000-4000-8000-{number:012d}"


def response():
    """
    A response with everything that a card may have.
    """
    return {
        "cards": [
            {
                "uuid": uuid(1),
                "summary": "x" * 139,
                "indicator": "warning",
                "detail": "| a |\n| - |\n| 1 |",
                "source": {
                    "label": "Metabolic CDS",
                    "url": "https://example.org/guideline",
                    "topic": {"code": "IR-STG-04", "system": "urn:x", "display": "Stage"},
                },
                "suggestions": [
                    {
                        "label": "Order HbA1c",
                        "uuid": uuid(2),
                        "isRecommended": True,
                        "actions": [
                            {
                                "type": "create",
                                "description": "Draft an order",
                                "resource": {"resourceType": "ServiceRequest", "id": "a"},
                            }
                        ],
                    }
                ],
                "selectionBehavior": "at-most-one",
                "overrideReasons": [{"code": "a", "system": "urn:x", "display": "A"}],
                "links": [{"label": "More", "url": "https://example.org", "type": "absolute"}],
                "extension": {"org.metabolic-cds.rule": {"code": "IR-STG-04"}},
            },
            {
                "uuid": uuid(3),
                "summary": "Short",
                "indicator": "info",
                "source": {"label": "Metabolic CDS"},
            },
        ],
        "extension": {"org.metabolic-cds.evaluation": {"stage": "S1"}},
    }


def test_a_whole_response_is_valid():
    """
    And so is one without cards.
    """
    assert 2 == len(Response.model_validate(response()).cards)
    assert [] == Response.model_validate({"cards": []}).cards


CARD = ("cards", 0)
SUGGESTION = (*CARD, "suggestions", 0)
ACTION = (*SUGGESTION, "actions", 0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("cards",), KeyError),
        (("cards",), None),
        (("systemActions",), []),
        (("extension",), []),
        (("extension",), {}),
        (("extension",), {"evaluation": {"a": 1}}),
        (("extension", "org.metabolic-cds.evaluation"), {"a": None}),
        (("extension", "org.metabolic-cds.evaluation"), {"a": {"b": []}}),
        (("extension", "org.metabolic-cds.evaluation"), {"a": [""]}),
        (("cards", 1, "indicator"), "critical"),
        (("cards", 1, "uuid"), uuid(2)),
        ((*CARD, "uuid"), KeyError),
        ((*CARD, "uuid"), UUID.upper()),
        ((*CARD, "summary"), "x" * 140),
        ((*CARD, "summary"), "two\nlines"),
        ((*CARD, "summary"), ""),
        ((*CARD, "indicator"), "success"),
        ((*CARD, "indicator"), KeyError),
        ((*CARD, "source"), KeyError),
        ((*CARD, "source", "label"), " "),
        ((*CARD, "source", "url"), "/relative"),
        ((*CARD, "source", "topic", "system"), KeyError),
        ((*CARD, "detail"), ""),
        ((*CARD, "detail"), None),
        ((*CARD, "priority"), 1),
        ((*CARD, "selectionBehavior"), KeyError),
        ((*CARD, "selectionBehavior"), "all"),
        ((*CARD, "suggestions"), KeyError),
        ((*CARD, "suggestions"), []),
        ((*CARD, "overrideReasons"), []),
        ((*CARD, "overrideReasons", 0, "display"), KeyError),
        ((*CARD, "links", 0, "type"), "relative"),
        ((*CARD, "links", 0, "url"), "javascript:alert(1)"),
        ((*CARD, "links", 0, "appContext"), "x"),
        ((*SUGGESTION, "label"), KeyError),
        ((*SUGGESTION, "uuid"), KeyError),
        ((*SUGGESTION, "actions"), []),
        ((*ACTION, "type"), "change"),
        ((*ACTION, "description"), KeyError),
        ((*ACTION, "resource"), KeyError),
        ((*ACTION, "resource", "id"), KeyError),
        ((*ACTION, "resource", "resourceType"), KeyError),
        ((*ACTION, "resource", "note"), []),
        ((*ACTION, "resourceId"), "ServiceRequest/a"),
        ((*ACTION, "type"), "delete"),
    ],
)
def test_a_response_that_breaks_a_rule_is_found(path, value):
    """
    One change each (T43).
    """
    with pytest.raises(ValidationError):
        Response.model_validate(changed(response(), path, value))


def test_a_delete_names_what_it_deletes():
    """
    By reference, without a resource.
    """
    action = {"type": "delete", "description": "d", "resourceId": "ServiceRequest/a"}

    found = Response.model_validate(changed(response(), ACTION, action))

    assert "ServiceRequest/a" == found.cards[0].suggestions[0].actions[0].resource_id


def test_recommended_suggestions_fit_the_choice():
    """
    Several only where any may be taken; resource ids once in a suggestion.
    """
    found = response()
    other = copy.deepcopy(found["cards"][0]["suggestions"][0]) | {"uuid": uuid(4)}
    found["cards"][0]["suggestions"].append(other)
    with pytest.raises(ValidationError, match="at most one suggestion"):
        Response.model_validate(found)
    found["cards"][0]["selectionBehavior"] = "any"
    assert 2 == len(Response.model_validate(found).cards[0].suggestions)
    other["actions"].append(copy.deepcopy(other["actions"][0]))
    with pytest.raises(ValidationError, match="named twice in a suggestion"):
        Response.model_validate(found)


def test_an_app_may_be_given_its_context():
    """
    A smart link only.
    """
    link = {"label": "App", "url": "https://a.b/launch", "type": "smart", "appContext": "x"}

    found = Response.model_validate(changed(response(), (*CARD, "links", 0), link))

    assert "x" == found.cards[0].links[0].app_context


def test_discovery_has_a_shape_too():
    """
    An empty prefetch is left out.
    """
    service = {"hook": "patient-view", "id": "a", "title": "t", "description": "d"}

    assert 1 == len(Services.model_validate({"services": [service]}).services)
    with pytest.raises(ValidationError):
        Services.model_validate({"services": [service | {"prefetch": {}}]})
