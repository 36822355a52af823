from __future__ import annotations

import pytest

from tests.fhir import world as w

CLINICAL = "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse"
BIRTH = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"


def clinical(code):
    value = {"url": "value", "valueCodeableConcept": w.coded("x", code)}
    return {"url": CLINICAL, "extension": [value]}


def birth(code):
    return {"url": BIRTH, "valueCode": code}


def person(*sent, **more):
    return w.snapshot(*sent, person=w.patient() | more).person


@pytest.mark.parametrize(
    ("gender", "extensions", "expected"),
    [
        ("female", [], "female"),
        ("male", [], "male"),
        ("other", [], "unknown"),
        ("unknown", [], "unknown"),
        (None, [], "unknown"),
        ("F", [], "unknown"),
        (["male"], [], "unknown"),
        ("female", [birth("F")], "female"),
        ("female", [birth("M")], "unknown"),
        ("female", [birth("UNK")], "female"),
        (None, [birth("F")], "unknown"),
        ("female", [clinical("female-typical")], "female"),
        ("female", [clinical("male-typical")], "unknown"),
        ("female", [clinical("specified")], "unknown"),
        (None, [clinical("male-typical")], "male"),
        ("other", [clinical("female-typical")], "female"),
        (None, [clinical("male-typical"), birth("F")], "unknown"),
        (None, [clinical("male-typical"), clinical("female-typical")], "unknown"),
    ],
)
def test_sex_is_what_every_source_agrees_on(gender, extensions, expected):
    """
    A disagreement is never settled here.
    """
    assert expected == person(gender=gender, extension=extensions).sex


@pytest.mark.parametrize("status", ["active", "resolved"])
def test_gender_care_makes_sex_unknown(status):
    """
    Now or ever.
    """
    assert "unknown" == person(w.condition("F64.0", status=status)).sex


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("1970-03-04", "1970-03-04"),
        ("1970", "1970"),
        ("2031-01-01", None),
        ("1870-01-01", None),
        ("1974-1-1", None),
        (None, None),
        (1970, None),
    ],
)
def test_a_birth_date_must_be_possible(sent, written):
    """
    Partial is an interval; the future and 150 years are none (T34).
    """
    born = person(birthDate=sent).born

    assert written == (None if born is None else born.written)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, False),
        ({"deceasedBoolean": False}, False),
        ({"deceasedBoolean": True}, True),
        ({"deceasedDateTime": "2020"}, True),
    ],
)
def test_the_dead_are_known(more, expected):
    """
    Either element says it.
    """
    assert expected is person(**more).deceased


def test_a_group_is_read_where_the_rules_name_it():
    """
    And only then.
    """

    def of(code):
        category = {"url": "ombCategory", "valueCoding": {"system": "x", "code": code}}
        return person(extension=[{"url": RACE, "extension": [category]}]).group

    assert ("asian", "") == (of("2028-9"), of("2106-3"))
