from __future__ import annotations

import pytest

from cds.core.facts import Gap
from cds.fhir.references import Attribution, Scope, bare_id

OWN = {"resourceType": "Patient", "id": "p1"}
OTHER = {"resourceType": "Patient", "id": "p2"}
THING = {"resourceType": "Organization", "id": "o1"}
SCOPE = Scope(
    [
        ("urn:uuid:a", OWN),
        ("urn:uuid:b", OTHER),
        ("urn:uuid:c", THING),
        ("http://x/f/Patient/p1", OWN),
    ]
)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Patient/p1", None),
        ("Patient/p1/_history/2", None),
        ("https://ehr.example/fhir/Patient/p1", None),
        ("https://ehr.example/fhir/Patient/p1/_history/1", None),
        ("http://EHR.example/fhir/Patient/p1", None),
        ("urn:uuid:a", None),
        ("urn:uuid:p1", None),
        ("Patient/p2", Gap.OTHER_PATIENT),
        ("Patient/P1", Gap.OTHER_PATIENT),
        ("https://elsewhere.example/fhir/Patient/p1", Gap.OTHER_PATIENT),
        ("urn:uuid:b", Gap.OTHER_PATIENT),
        ("urn:uuid:unknown", Gap.NO_SUBJECT),
        ("urn:uuid:c", Gap.NO_SUBJECT),
        ("#p1", Gap.NO_SUBJECT),
        ("Group/p1", Gap.NO_SUBJECT),
        ("p1", Gap.NO_SUBJECT),
        ("", Gap.NO_SUBJECT),
    ],
)
def test_only_the_patient_is_the_patient(reference, expected):
    """
    Every form of reference is followed; none is guessed (T31).
    """
    who = Attribution("p1", ["https://ehr.example/fhir/Patient/p1"])

    assert expected is who.judge({"subject": {"reference": reference}}, SCOPE)


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"subject": None},
        {"subject": "Patient/p1"},
        {"subject": {"display": "Jane"}},
        {"subject": {"identifier": {"value": "p1"}}},
        {"subject": {"reference": None}},
        {"subject": {"reference": ["Patient/p1"]}},
    ],
)
def test_a_resource_without_a_reference_belongs_to_nobody(resource):
    """
    A name or an identifier attributes nothing (T32).
    """
    assert Attribution("p1", []).judge(resource, SCOPE) is Gap.NO_SUBJECT


def test_the_element_is_called_patient_in_some_types():
    """
    NutritionOrder and AllergyIntolerance say `patient`.
    """
    assert Attribution("p1", []).judge({"patient": {"reference": "Patient/p1"}}, SCOPE) is None


def test_a_urn_is_resolved_in_its_own_bundle_only():
    """
    The same urn elsewhere is somebody else's (T31).
    """
    other = Scope([("urn:uuid:a", OTHER)])
    who = Attribution("p1", ["urn:uuid:z"])

    assert who.judge_reference("urn:uuid:a", SCOPE) is None
    assert who.judge_reference("urn:uuid:a", other) is Gap.OTHER_PATIENT


@pytest.mark.parametrize("text", ["x", "Patient/x", "http://h/Patient/x/_history/9", "urn:uuid:x"])
def test_an_id_is_cut_out_of_any_reference(text):
    """
    What is left names one resource of its type.
    """
    assert "x" == bare_id(text)
