"""
The model of the wire: what is right passes, and each clause is broken by an example.
"""

import copy
import json

import pytest

from tests.changing import changed
from tests.contract.wire import discovery, feedback, outcome, request, response

A = "00000000-0000-4000-8000-00000000000a"
B = "00000000-0000-4000-8000-00000000000b"


def clauses(found):
    """
    The ids of what was found.
    """
    return {line.partition(":")[0] for line in found}


# --- discovery ----------------------------------------------------------------------

SERVICES = {
    "services": [
        {
            "hook": "patient-view",
            "id": "a",
            "title": "A",
            "description": "What it does.",
            "usageRequirements": "FHIR R4",
            "version": "2.0.1",
            "hookVersion": "1.0",
            "prefetch": {
                "patient": "Patient/{{context.patientId}}",
                "labs": "Observation?patient={{context.patientId}}&code=http://loinc.org|4548-4"
                "&_sort=-date&_count=60",
            },
        }
    ]
}
ONE = ("services", 0)


def template(text, key="x"):
    """
    A discovery with one template.
    """
    return changed(SERVICES, (*ONE, "prefetch"), {key: text})


SEARCH = "Condition?patient={{context.patientId}}&_count=9"


@pytest.mark.parametrize(
    "body", [SERVICES, {"services": []}, changed(SERVICES, (*ONE, "prefetch"), KeyError)]
)
def test_discovery_that_is_right(body):
    """
    With everything, with nothing, without prefetch (DISC-02, DISC-03, DISC-08).
    """
    assert [] == discovery(body)


@pytest.mark.parametrize(
    ("body", "clause"),
    [
        ([], "DISC-02"),
        ({}, "DISC-02"),
        ({"services": {}}, "DISC-02"),
        (changed(SERVICES, (*ONE, "hook"), KeyError), "DISC-04"),
        (changed(SERVICES, (*ONE, "hook"), ["patient-view"]), "DISC-04"),
        (changed(SERVICES, (*ONE, "hook"), "my-hook"), "HOOK-10"),
        (changed(SERVICES, (*ONE, "description"), " "), "DISC-05"),
        (changed(SERVICES, (*ONE, "id"), KeyError), "DISC-06"),
        (changed(SERVICES, (*ONE, "id"), " a"), "DISC-06"),
        (changed(SERVICES, (*ONE, "id"), "a/b"), "DISC-06"),
        (changed(SERVICES, (*ONE, "title"), KeyError), "DISC-07"),
        (changed(SERVICES, (*ONE, "prefetch"), {}), "HTTP-03"),
        (changed(SERVICES, (*ONE, "prefetch"), {"a": 1}), "DISC-08"),
        (changed(SERVICES, (*ONE, "usageRequirements"), None), "HTTP-03"),
        (changed(SERVICES, (*ONE, "usageRequirements"), 1), "DISC-09"),
        (changed(SERVICES, (*ONE, "version"), "2"), "DISC-10"),
        (changed(SERVICES, (*ONE, "hookVersion"), "7.0"), "DISC-11"),
        ({"services": SERVICES["services"] * 2}, "DISC-12"),
        (changed(SERVICES, (*ONE, "url"), "https://a.b"), "DISC-16"),
        (changed(SERVICES, (*ONE, "extension"), []), "EXT-01"),
        (changed(SERVICES, (*ONE, "extension"), {"plain": 1}), "EXT-02"),
        (template("https://a.b/Patient/{{context.patientId}}"), "PF-01"),
        (template("Patient/7"), "PF-01"),
        (template("Patient/{context.patientId}"), "PF-02"),
        (template("Patient/{{context.medications.id}}"), "PF-03"),
        (template("Patient/{{context.selections}}"), "PF-04"),
        (template(SEARCH + "&onset-date=ge{{today()}}"), "PF-05"),
        (template(SEARCH + "&_include=x"), "PF-06"),
        (template(SEARCH + "&code:not=x"), "PF-06"),
        (template(SEARCH + "&onset-date=ne2020"), "PF-06"),
        (template(SEARCH + "&sort:desc=date"), "PF-06"),
        (template(SEARCH + "&status=active"), "PF-07"),
        (template(SEARCH + "&code=a&code=b"), "PF-08"),
        (template(SEARCH, "a b"), "PF-09"),
        (changed(SERVICES, (*ONE, "prefetch"), {"a": SEARCH, "b": SEARCH}), "PF-09"),
        (template("Condition?patient={{context.patientId}}"), "PF-10"),
        (template("Observation?patient={{context.patientId}}&_count=9"), "PF-10"),
    ],
)
def test_discovery_that_is_wrong(body, clause):
    """
    One clause each (DISC-02, DISC-04, DISC-05, DISC-06, PF-01, PF-02, PF-03, PF-04).
    """
    assert clause in clauses(discovery(body))


# --- answers ------------------------------------------------------------------------

CARD = {
    "uuid": A,
    "summary": "x" * 139,
    "indicator": "warning",
    "detail": "**Based on**\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n- one\n- two",
    "source": {
        "label": "Metabolic CDS",
        "url": "https://example.org/guideline",
        "topic": {"code": "IR-STG-04", "system": "urn:x", "display": "Stage"},
    },
    "suggestions": [
        {
            "label": "Order HbA1c",
            "uuid": B,
            "isRecommended": True,
            "actions": [
                {
                    "type": "create",
                    "description": "Draft an order",
                    "resource": {
                        "resourceType": "ServiceRequest",
                        "id": "a",
                        "status": "draft",
                        "intent": "proposal",
                        "subject": {"reference": "Patient/7"},
                    },
                }
            ],
        }
    ],
    "selectionBehavior": "at-most-one",
    "overrideReasons": [{"code": "a", "system": "urn:x", "display": "A"}],
    "links": [{"label": "More", "url": "https://example.org", "type": "absolute"}],
    "extension": {"org.metabolic-cds.rule": {"code": "IR-STG-04"}},
}
ANSWER = {"cards": [CARD], "extension": {"org.metabolic-cds.evaluation": {"stage": "S1"}}}
DRAFT = {
    "resourceType": "MedicationRequest",
    "id": "d",
    "status": "draft",
    "intent": "order",
    "medicationCodeableConcept": {"text": "x"},
    "subject": {"reference": "Patient/7"},
    "extension": [{"url": "https://a.b/x", "valueString": "kept"}],
}
DRAFTS = {"MedicationRequest/d": DRAFT}
FIRST = ("cards", 0)
SUGGESTION = (*FIRST, "suggestions", 0)
ACTION = (*SUGGESTION, "actions", 0)
RESOURCE = (*ACTION, "resource")
LINK = (*FIRST, "links", 0)


def check(body):
    """
    The clauses that an answer to a call for patient 7 breaks.
    """
    return clauses(response(body, patient="7", drafts=DRAFTS))


def update(**members):
    """
    An answer that updates the draft.
    """
    action = {"type": "update", "description": "d", "resource": {**DRAFT, **members}}
    return changed(ANSWER, ACTION, action)


def delete(**members):
    """
    An answer that deletes the draft.
    """
    action = {"type": "delete", "description": "d", "resourceId": "MedicationRequest/d"}
    return changed(ANSWER, ACTION, action | members)


def said(text):
    """
    An answer with that in its detail.
    """
    return changed(ANSWER, (*FIRST, "detail"), text)


@pytest.mark.parametrize(
    "body",
    [
        ANSWER,
        {"cards": []},
        update(priority="routine"),
        delete(),
        said("See [more](https://example.org)."),
        changed(ANSWER, SUGGESTION, {"label": "x", "uuid": B}),
        changed(
            ANSWER, LINK, {"label": "App", "url": "https://a.b", "type": "smart", "appContext": "x"}
        ),
    ],
)
def test_an_answer_that_is_right(body):
    """
    With everything, with nothing, with each kind of action (RESP-01, RESP-02, SUG-04).
    """
    assert set() == check(body)


@pytest.mark.parametrize(
    ("body", "clause"),
    [
        ([], "RESP-01"),
        ({}, "RESP-01"),
        ({"cards": None}, "RESP-01"),
        (ANSWER | {"systemActions": []}, "RESP-04"),
        (ANSWER | {"more": 1}, "CARD-16"),
        (ANSWER | {"extension": []}, "EXT-01"),
        (ANSWER | {"extension": {"evaluation": 1}}, "EXT-02"),
        (ANSWER | {"extension": {"a.b": {"c": [""]}}}, "HTTP-03"),
        (changed(ANSWER, (*FIRST, "detail"), None), "HTTP-03"),
        (changed(ANSWER, (*FIRST, "links"), []), "HTTP-03"),
        ({"cards": [CARD | {"indicator": "info"}, CARD]}, "RESP-05"),
        ({"cards": [CARD, CARD]}, "CARD-09"),
        (changed(ANSWER, (*FIRST, "summary"), "x" * 140), "CARD-01"),
        (changed(ANSWER, (*FIRST, "summary"), "\U0001f600" * 70), "CARD-01"),
        (changed(ANSWER, (*FIRST, "summary"), "a\nb"), "CARD-01"),
        (changed(ANSWER, (*FIRST, "summary"), KeyError), "CARD-01"),
        (changed(ANSWER, (*FIRST, "summary"), "a <img src=x>"), "CARD-08"),
        (changed(ANSWER, (*FIRST, "indicator"), "hard-stop"), "CARD-02"),
        (changed(ANSWER, (*FIRST, "source"), KeyError), "CARD-03"),
        (changed(ANSWER, (*FIRST, "source", "label"), ""), "CARD-03"),
        (changed(ANSWER, (*FIRST, "source", "url"), "/a"), "CARD-04"),
        (changed(ANSWER, (*FIRST, "source", "url"), "https://a.b/Patient/7"), "CARD-04"),
        (changed(ANSWER, (*FIRST, "source", "icon"), "a.png"), "CARD-05"),
        (changed(ANSWER, (*FIRST, "source", "topic", "system"), KeyError), "CARD-06"),
        (said("<details>x</details>"), "CARD-07"),
        (said("a<br>b"), "CARD-07"),
        (said("![x](https://a.b/p.png)"), "CARD-08"),
        (said("# Loud"), "CARD-08"),
        (said("```\ncode\n```"), "CARD-08"),
        (said("a\n\n---\n\nb"), "CARD-08"),
        (said("[x](https://evil.example)"), "CARD-17"),
        (said("See https://evil.example/x"), "CARD-17"),
        (changed(ANSWER, (*FIRST, "uuid"), KeyError), "CARD-09"),
        (changed(ANSWER, (*FIRST, "uuid"), A.upper()), "CARD-09"),
        (changed(ANSWER, (*FIRST, "uuid"), f"urn:uuid:{A}"), "CARD-09"),
        (changed(ANSWER, (*FIRST, "suggestions"), {}), "CARD-10"),
        (changed(ANSWER, (*FIRST, "selectionBehavior"), KeyError), "CARD-11"),
        (changed(ANSWER, (*FIRST, "selectionBehavior"), "all"), "CARD-11"),
        (changed(ANSWER, (*FIRST, "suggestions"), KeyError), "CARD-11"),
        (changed(ANSWER, (*FIRST, "overrideReasons"), "no"), "CARD-12"),
        (changed(ANSWER, (*FIRST, "overrideReasons", 0, "display"), KeyError), "CARD-13"),
        (changed(ANSWER, (*FIRST, "overrideReasons", 0, "system"), KeyError), "CARD-13"),
        (changed(ANSWER, (*FIRST, "priority"), 1), "CARD-16"),
        (changed(ANSWER, (*SUGGESTION, "label"), KeyError), "SUG-01"),
        (changed(ANSWER, (*SUGGESTION, "uuid"), KeyError), "SUG-02"),
        (changed(ANSWER, (*SUGGESTION, "isRecommended"), "yes"), "SUG-03"),
        (changed(ANSWER, (*SUGGESTION, "actions"), []), "SUG-04"),
        (changed(ANSWER, (*SUGGESTION, "actionSelectionBehavior"), "any"), "SUG-05"),
        (changed(ANSWER, (*ACTION, "type"), "change"), "SUG-06"),
        (changed(ANSWER, (*ACTION, "description"), KeyError), "SUG-06"),
        (changed(ANSWER, RESOURCE, KeyError), "SUG-07"),
        (changed(ANSWER, (*RESOURCE, "occurrence"), "x"), "SUG-07"),
        (changed(ANSWER, (*RESOURCE, "subject"), "x"), "SUG-07"),
        (changed(ANSWER, (*RESOURCE, "resourceType"), "MedicationOrder"), "SUG-13"),
        (changed(ANSWER, (*RESOURCE, "id"), KeyError), "SUG-10"),
        (changed(ANSWER, (*RESOURCE, "status"), "active"), "SUG-12"),
        (changed(ANSWER, (*RESOURCE, "subject", "reference"), "Patient/8"), "SUG-12"),
        (changed(ANSWER, (*RESOURCE, "subject"), KeyError), "SUG-12"),
        (update(extension=[]), "HTTP-03"),
        (update(id="other"), "SUG-14"),
        (update(status="active"), "SUG-12"),
        (changed(update(), (*RESOURCE, "extension"), KeyError), "SUG-08"),
        (delete(resource=DRAFT), "SUG-09"),
        (delete(resourceId="d"), "SUG-09"),
        (delete(resourceId="MedicationRequest/other"), "SUG-14"),
        (changed(ANSWER, (*LINK, "label"), KeyError), "LINK-01"),
        (changed(ANSWER, (*LINK, "type"), KeyError), "LINK-01"),
        (changed(ANSWER, (*LINK, "type"), "relative"), "LINK-01"),
        (changed(ANSWER, (*LINK, "url"), "/a"), "LINK-02"),
        (changed(ANSWER, (*LINK, "url"), "http://a.b"), "LINK-02"),
        (changed(ANSWER, (*LINK, "url"), "javascript:alert(1)"), "LINK-02"),
        (
            changed(ANSWER, LINK, {"label": "A", "url": "https://a.b?iss=x", "type": "smart"}),
            "LINK-03",
        ),
        (changed(ANSWER, (*LINK, "appContext"), "x"), "LINK-04"),
        (
            changed(
                ANSWER,
                LINK,
                {"label": "A", "url": "https://a.b", "type": "smart", "appContext": {"a": 1}},
            ),
            "LINK-04",
        ),
        (changed(ANSWER, (*LINK, "autolaunchable"), True), "LINK-05"),
        (changed(ANSWER, (*LINK, "url"), "https://a.b?patient=7"), "LINK-07"),
    ],
)
def test_an_answer_that_is_wrong(body, clause):
    """
    Every clause of an answer is broken once, and found (cds-resp-2 to cds-resp-7).
    """
    assert clause in check(body)


@pytest.mark.parametrize("choice", ["all", "any", "at-most-one", "some", None])
def test_who_reads_the_ballot_may_be_told_how_to_choose_actions(choice):
    """
    By a value of the ballot, where there are actions (SUG-05).
    """
    body = changed(ANSWER, (*SUGGESTION, "actionSelectionBehavior"), choice)
    without = changed(body, (*SUGGESTION, "actions"), KeyError)
    known = choice in ("all", "any", "at-most-one")

    assert known == ("SUG-05" not in clauses(response(body, ballot=True)))
    assert "SUG-05" in clauses(response(body))
    assert "SUG-05" in clauses(response(without, ballot=True))


def test_one_resource_is_not_both_updated_and_deleted():
    """
    The client does deletes first (SUG-11), and a new id stands once (SUG-10).
    """
    both = [update(), delete()]
    actions = [one["cards"][0]["suggestions"][0]["actions"][0] for one in both]
    twice = [ANSWER["cards"][0]["suggestions"][0]["actions"][0]] * 2

    assert "SUG-11" in check(changed(ANSWER, (*SUGGESTION, "actions"), actions))
    assert "SUG-10" in check(changed(ANSWER, (*SUGGESTION, "actions"), twice))


@pytest.mark.parametrize("behaviour", ["at-most-one", "any"])
def test_several_are_recommended_only_where_any_may_be_taken(behaviour):
    """
    The first invariant of HL7's model of a response (cds-resp-1).
    """
    body = changed(ANSWER, (*FIRST, "selectionBehavior"), behaviour)
    other = copy.deepcopy(CARD["suggestions"][0]) | {"uuid": A.replace("a", "c")}
    body["cards"][0]["suggestions"].append(other)

    assert (behaviour == "any") == (set() == check(body))


# --- refusals -----------------------------------------------------------------------

OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "invalid", "diagnostics": "Not valid."}],
}


@pytest.mark.parametrize(
    ("body", "right"),
    [
        (OUTCOME, True),
        ({"detail": "x"}, False),
        ([], False),
        (OUTCOME | {"issue": []}, False),
        (changed(OUTCOME, ("issue", 0, "severity"), "bad"), False),
        (changed(OUTCOME, ("issue", 0, "code"), KeyError), False),
        (changed(OUTCOME, ("issue", 0, "diagnostics"), "Traceback (most recent call"), False),
        (OUTCOME | {"unknown": 1}, False),
    ],
)
def test_a_refusal_says_something(body, right):
    """
    In R4, and without a stack (ERR-08, ERR-10).
    """
    assert right == (not outcome(body))


# --- what clients send: HL7's models ------------------------------------------------

CALL = {
    "hook": "patient-view",
    "hookInstance": A,
    "fhirServer": "https://ehr.example/fhir",
    "fhirAuthorization": {
        "access_token": "t",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/Observation.read",
        "subject": "us",
        "patient": "7",
    },
    "context": {"userId": "Practitioner/1", "patientId": "7"},
    "prefetch": {"patient": {"resourceType": "Patient", "id": "7"}, "none": None},
}
ACCEPTED = {
    "card": A,
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": B}],
    "outcomeTimestamp": "2026-06-01T12:00:00Z",
}
OVERRIDDEN = {
    "card": A,
    "outcome": "overridden",
    "overrideReason": {"reason": {"code": "a"}, "userComment": "b"},
    "outcomeTimestamp": "2026-06-01T12:00:00.123+02:00",
}


@pytest.mark.parametrize(
    ("body", "clause"),
    [
        (CALL, ""),
        (changed(CALL, ("fhirServer",), KeyError), "cds-r-1"),
        (changed(CALL, ("fhirAuthorization",), KeyError), ""),
        (changed(CALL, ("prefetch", "patient"), "x"), "cds-r-2"),
        (changed(CALL, ("prefetch", "patient"), {"id": "7"}), "cds-r-2"),
        (changed(CALL, ("hookInstance",), "x"), "REQ-03"),
        (changed(CALL, ("context",), KeyError), "REQ-09"),
        (changed(CALL, ("context", "selections"), ["MedicationRequest/1"]), ""),
        (changed(CALL, ("context", "selections"), ["1"]), "ord-1"),
        (changed(CALL, ("context", "selections"), "MedicationRequest/1"), "ord-1"),
        (changed(CALL, ("fhirAuthorization", "token_type"), "bearer"), "REQ-07"),
        (changed(CALL, ("fhirAuthorization", "expires_in"), 0), "REQ-07"),
        (changed(CALL, ("fhirAuthorization", "patient"), KeyError), "REQ-08"),
    ],
)
def test_calls_as_the_model_of_a_request_sees_them(body, clause):
    """
    With its invariants (cds-r-1, cds-r-2, ord-1).
    """
    assert ({clause} if clause else set()) == clauses(request(body))


@pytest.mark.parametrize(
    ("item", "clause"),
    [
        (ACCEPTED, ""),
        (OVERRIDDEN, ""),
        (changed(OVERRIDDEN, ("overrideReason",), KeyError), ""),
        (OVERRIDDEN | {"outcome": "ignored"}, "cds-fb-1"),
        (ACCEPTED | {"overrideReason": OVERRIDDEN["overrideReason"]}, "cds-fb-1"),
        (changed(ACCEPTED, ("acceptedSuggestions",), KeyError), "cds-fb-2"),
        (ACCEPTED | {"acceptedSuggestions": []}, "cds-fb-2"),
        (OVERRIDDEN | {"acceptedSuggestions": [{"id": B}]}, "cds-fb-2"),
        (OVERRIDDEN | {"overrideReason": {}}, "cds-fb-3"),
        (ACCEPTED | {"card": "x"}, "FB-03"),
        (ACCEPTED | {"outcomeTimestamp": "yesterday"}, "FB-03"),
        (changed(ACCEPTED, ("acceptedSuggestions", 0, "id"), KeyError), "FB-04"),
    ],
)
def test_feedback_as_its_model_sees_it(item, clause):
    """
    With its invariants (cds-fb-1, cds-fb-2, cds-fb-3).
    """
    assert ({clause} if clause else set()) == clauses(feedback({"feedback": [item]}))


def test_the_examples_are_json():
    """
    Nothing in them could not be sent.
    """
    for one in (SERVICES, ANSWER, OUTCOME, CALL, ACCEPTED, OVERRIDDEN):
        assert one == json.loads(json.dumps(one))
