from __future__ import annotations

from decimal import Decimal

import pytest

from cds.fhir.drafts import checked, codeable, fill, warm_up
from tests.fhir import world as w

TEMPLATE = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "intent": "proposal",
    "subject": {"reference": "Patient/{{patient.id}}"},
    "occurrenceDateTime": "{{as_of.date}}",
    "code": {"$concept": "hba1c"},
}
HOLES = {"patient.id": "p1", "as_of.date": "2026-06-01", "goal.value": Decimal("80.10")}
CODES = {"hba1c": codeable(w.CONCEPTS["hba1c"], w.SYSTEMS)}
GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "proposed",
    "description": {"text": "Weight {{goal.value}} kg"},
    "subject": {"reference": "Patient/p1"},
    "target": [{"detailQuantity": {"value": "{{=goal.value}}", "unit": "kg"}}],
}


def draft():
    return fill(TEMPLATE, HOLES, concepts=CODES)


def test_holes_are_filled():
    """
    With the patient, a date, and the codes of a concept.
    """
    assert {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "subject": {"reference": "Patient/p1"},
        "occurrenceDateTime": "2026-06-01",
        "code": {"coding": [{"system": w.LOINC, "code": "4548-4"}], "text": "hba1c"},
    } == checked(draft())


def test_a_number_stays_a_number_with_its_digits():
    """
    80.10 is not 80.1.
    """
    made = checked(fill(GOAL, HOLES))

    assert "80.10" == str(made["target"][0]["detailQuantity"]["value"])
    assert "Weight 80.10 kg" == made["description"]["text"]


def test_what_is_filled_in_is_not_read_again():
    """
    A name of a patient cannot open a hole.
    """
    made = fill({"resourceType": "Goal", "a": "{{x}}"}, {"x": "{{patient.id}}", "patient.id": "p1"})

    assert "{{patient.id}}" == made["a"]


@pytest.mark.parametrize(
    ("template", "place"),
    [
        ({"resourceType": "Goal", "note": [{"text": "{{missing}}"}]}, "Goal.note[0].text"),
        ({"resourceType": "Goal", "rank": "{{=patient.id}}"}, "Goal.rank"),
        ({"resourceType": "Goal", "code": {"$concept": "missing"}}, "Goal.code"),
    ],
)
def test_an_open_hole_is_an_error_with_its_place(template, place):
    """
    And with nothing of the patient.
    """
    with pytest.raises(ValueError, match=r"fill|codes") as caught:
        fill(template, HOLES)

    assert str(caught.value).startswith(f"{place}:")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"status": "active"}, "ServiceRequest.status"),
        ({"intent": "order"}, "ServiceRequest.intent"),
        ({"subject": None}, "ServiceRequest.subject"),
        ({"subject": {"reference": "Patient/{{patient.id}}"}}, "ServiceRequest.subject"),
        ({"subject": {"reference": "Group/p1"}}, "ServiceRequest.subject"),
        ({"priority": "soon"}, "ServiceRequest.priority"),
        ({"code": {"text": ""}}, "ServiceRequest.code.text"),
        ({"oddity": 1}, "ServiceRequest"),
        ({"resourceType": "MedicationRequest"}, "resourceType"),
        ({"resourceType": "Nothing"}, "resourceType"),
        ({"resourceType": "Goal"}, "Goal.lifecycleStatus"),
        ({"resourceType": "Condition"}, "Condition.verificationStatus"),
    ],
)
def test_what_is_more_than_a_draft_does_not_go_out(change, place):
    """
    Or what is no valid R4.
    """
    with pytest.raises(ValueError, match=":") as caught:
        checked(draft() | change)

    assert place == str(caught.value).partition(":")[0]


def test_a_condition_is_drafted_as_unconfirmed():
    """
    It has no status that says draft.
    """
    sent = {
        "resourceType": "Condition",
        "verificationStatus": w.coded("http://x", "unconfirmed"),
        "code": {"text": "x"},
        "subject": {"reference": "Patient/p1"},
    }

    assert sent == checked(sent)


def test_codes_of_a_family_are_not_sent():
    """
    `E11*` names no diagnosis.
    """
    assert {
        "coding": [{"system": w.SNOMED, "code": "44054006"}],
        "text": "diabetes",
    } == codeable(w.CONCEPTS["diabetes"], w.SYSTEMS)


def test_warming_up_finds_its_samples_valid():
    """
    It runs at start and may not fail.
    """
    assert warm_up() is None
