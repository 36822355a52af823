"""How numbers and gaps are said to a clinician."""

from decimal import Decimal

import pytest

from cds.hooks.words import Words
from tests.calling import NOW
from tests.serving import searchset, shipped

PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1974-04-18"}


def result(code, value, unit, **members):
    """Make one laboratory result of three weeks ago."""
    return {
        "resourceType": "Observation",
        "id": f"o{code}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-05-11",
        "valueQuantity": {
            "value": Decimal(value),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
        **members,
    }


@pytest.fixture
def words():
    """Say things about one patient, whose searches were answered so."""

    def said(**answers):
        opened = shipped()
        snapshot = opened.snapshot({"patient": PATIENT, **answers}, "p", NOW)
        return Words(opened.rules, snapshot, opened.reasoner.conclude(snapshot))

    return said


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("6.5", "6.5 %"),
        ("6", "6 %"),
        ("6.375", "6.375 %"),
        ("6.3750000001", "6.375 %"),
        ("6.4999999999", "6.499 %"),
        ("6.5000000001", "6.500 %"),
        ("11.0102167723507556", "11.01 %"),
    ],
)
def test_the_decimals_of_a_machine_are_cut(words, sent, expected):
    """Nothing is rounded over a cut-off; what a laboratory writes stays as it was sent."""
    answer = searchset([result("4548-4", sent, "%")])

    assert expected == words(glycaemia=answer).value("hba1c")


def test_what_was_not_used_is_counted_where_it_is_the_same(words):
    """Its values are not shown where their unit is not understood."""
    first = result("33914-3", "40.8868263276", "mL/min", id="a")
    second = result("33914-3", "41.2", "mL/min", id="b", effectiveDateTime="2026-05-12")
    said = words(kidney=searchset([first, second]))

    assert "2 \u00d7 eGFR (laboratory)" == said.hole(
        "unusable.list", shipped().rules.cards["data_not_used"], most=3
    )


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, "not received"),
        ({"glycaemia": {"resourceType": "OperationOutcome"}}, "not received: the search failed"),
        (
            {"glycaemia": {**searchset([]), "total": 3}},
            "not all was received",
        ),
        ({"glycaemia": searchset([])}, "never measured"),
    ],
)
def test_a_gap_is_said_in_the_words_of_a_reader(words, answers, expected):
    """Never in those of a search."""
    assert expected == words(**answers).gap("hba1c")


def test_an_index_says_why_its_inputs_are_missing(words):
    """In the same words."""
    assert "Height not received" in words().gap("bmi")
