"""
Test patients: what the words of `given:` become.
"""

import pytest

from cds.workshop.testing.patients import CannotRead, prefetch_of
from tests.serving import shipped


def first(search, **given):
    """
    Make a patient, and give the first resource of a search.
    """
    bundle = prefetch_of(shipped().rules, given)[search]
    return bundle["entry"][0]["resource"]


def test_a_medicine_that_was_stopped():
    """
    From the day it was ordered to the day it ended.
    """
    found = first("medicines", metformin="history from 900 to 100 days ago")

    assert ("stopped", "2023-12-14") == (found["status"], found["authoredOn"])
    assert {"validityPeriod": {"end": "2026-02-21"}} == found["dispenseRequest"]


def test_a_problem_that_is_over():
    """
    From its onset to its end.
    """
    found = first("problems", anaemia="history from 900 to 100 days ago")

    assert ("2023-12-14", "2026-02-21") == (found["onsetDateTime"], found["abatementDateTime"])


def test_a_plan_that_is_over():
    """
    It was carried out; what is on record is active.
    """

    assert "completed" == first("care_plans", keto_plan="history")["status"]
    assert "active" == first("care_plans", keto_plan="present")["status"]


def test_a_route():
    """
    As the words of the order.
    """
    found = first("medicines", systemic_glucocorticoid="present, by route topical")

    assert [{"route": {"text": "topical"}}] == found["dosageInstruction"]


def test_words_without_a_code():
    """
    As somebody typed them.
    """
    found = first("care_plans", low_carb_plan="present, called avoid low-carb diets 9 days ago")

    assert [{"text": "avoid low-carb diets"}] == found["category"]


@pytest.mark.parametrize("code", ["E11.65", "icd10cm|E11.65"])
def test_another_code(code):
    """
    Of the concept's first system, or of a named one.
    """
    given = {"type_2_diabetes": f"present, coded {code}"}
    bundle = prefetch_of(shipped().rules, given)["problems"]

    assert "E11.65" == bundle["entry"][0]["resource"]["code"]["coding"][0]["code"]


@pytest.mark.parametrize("text", ["present, somehow", "present, coded nowhere|E11"])
def test_what_cannot_be_read(text):
    """
    Is said with the concept.
    """
    with pytest.raises(CannotRead, match="type_2_diabetes"):
        prefetch_of(shipped().rules, {"type_2_diabetes": text})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"sex": "woman"}, "`woman` is not a sex: male, female, other, unknown"),
        (
            {"pregnancy_episode": "present"},
            "`pregnancy_episode` is made of other data and cannot be given",
        ),
    ],
)
def test_what_no_record_says_is_refused(given, why):
    """
    Instead of being passed over.
    """
    with pytest.raises(CannotRead, match=why):
        prefetch_of(shipped().rules, given)
