"""
What record systems send beside the specification: read where it means something, else ignored.
"""

import copy
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cds.service.clients import Caller, Client
from cds.service.pipeline import Call, Pipeline
from tests.serving import finished, shipped

REQUESTS = Path(__file__).resolve().parents[2] / "fixtures" / "requests"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
STORIES = ("new_prediabetes_likely_fatty_liver", "compensated_insulin_resistance")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EPIC = Call(caller=Caller(Client(name="hospital", ehr="epic"), ""), trace_id="t")


@pytest.fixture(scope="module")
def pipeline():
    """
    The shipped release, by the reference evaluator.
    """
    opened = Pipeline(shipped().rules, engine="reference", now=lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture(params=STORIES)
def story(request):
    """
    A request whose answer has cards.
    """
    return json.loads((REQUESTS / f"{request.param}.json").read_text("utf-8"))


def cards(pipeline, sent, call=EPIC):
    """
    The cards of an answer, without what is new in each.
    """
    found = finished(pipeline.answer(json.dumps(sent).encode(), call)).response
    assert found["cards"]
    return json.loads(UUID.sub("", json.dumps(found["cards"], default=str)))


def resources(sent, kind):
    """
    The resources of one type in a request.
    """
    for answer in sent["prefetch"].values():
        for entry in (answer or {}).get("entry", ()):
            if entry["resource"]["resourceType"] == kind:
                yield entry["resource"]


def test_extensions_of_epic_are_ignored(pipeline, story):
    """
    The trigger of another workflow changes nothing, at any level (EXT-03, HTTP-05).
    """
    expected = cards(pipeline, story)
    extension = {
        "com.epic.cdshooks.request.bpa-trigger-action": "23",
        "com.epic.cdshooks.request.cds-hooks-specification-version": ["1.1"],
        "internal": None,
    }
    story["extension"] = extension
    story["context"] |= {"extension": extension, "com.epic.encounter": 1}
    story["prefetch"]["patient"]["extension"] = [{"url": "urn:epic", "valueString": "x"}]

    assert expected == cards(pipeline, story)


@pytest.mark.parametrize("extension", [None, [], "x", 5, {"org.metabolic-cds.configuration": []}])
def test_an_extension_of_another_type_is_ignored(pipeline, story, extension):
    """
    It is ours to survive, not to correct (CRD-02, EXT-03).
    """
    expected = cards(pipeline, story)
    story["extension"] = extension

    assert expected == cards(pipeline, story)


def test_codes_may_come_under_their_oid(pipeline, story):
    """
    `urn:oid:` in place of the address of a code system, wherever one stands.
    """
    expected = cards(pipeline, story)
    text = json.dumps(story)
    for address, *others in shipped().rules.systems.values():
        for oid in others:
            text = text.replace(f'"{address}"', f'"{oid}"')

    assert "urn:oid:" in text
    assert expected == cards(pipeline, json.loads(text))


def test_an_outcome_in_an_empty_bundle_is_no_result(pipeline, story):
    """
    A search without a match that says so in an entry of mode `outcome` is an empty list (PF-22).
    """
    empty = copy.deepcopy(story)
    entry = {
        "search": {"mode": "outcome"},
        "resource": {
            "resourceType": "OperationOutcome",
            "issue": [{"severity": "warning", "code": "processing"}],
        },
    }
    searched = [key for key, one in story["prefetch"].items() if "entry" not in (one or {})]
    searched = [key for key in searched if key != "patient"]
    for key in searched:
        story["prefetch"][key] = {"resourceType": "Bundle", "type": "searchset", "total": 0}
        empty["prefetch"][key] = {**story["prefetch"][key], "entry": [entry]}

    assert searched
    assert cards(pipeline, story) == cards(pipeline, empty)


def test_a_medicine_may_be_a_reference(pipeline):
    """
    To a Medication in the same Bundle, or contained, in place of a code (HOOK-09).
    """
    sent = json.loads((REQUESTS / f"{STORIES[1]}.json").read_text("utf-8"))
    rxnorm = next(
        one for one in shipped().rules.concepts["insulin"].codes if one.system == "rxnorm"
    )
    code = {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.88", "code": rxnorm.code}]}
    patient = sent["context"]["patientId"]
    order = {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": "2026-05-01",
    }
    medication = {"resourceType": "Medication", "id": "x1", "code": code}

    def taking(*entries):
        answer = {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": one} for one in entries],
        }
        changed = {**sent, "prefetch": {**sent["prefetch"], "medicines": answer}}
        found = finished(pipeline.answer(json.dumps(changed).encode(), Call(trace_id="t")))
        return UUID.sub("", json.dumps(found.response, default=str))

    coded = taking({**order, "medicationCodeableConcept": code})
    reference = {**order, "medicationReference": {"reference": "Medication/x1"}}
    contained = {
        **order,
        "contained": [medication],
        "medicationReference": {"reference": "#x1"},
    }

    assert taking() != coded
    assert coded == taking(reference, medication)
    assert coded == taking(contained)
