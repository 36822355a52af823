"""
Family history, codes by company, concepts that give way, and words that deny.
"""

from __future__ import annotations

import pytest

from cds.core.clauses import Place
from cds.core.concepts import CodeRule, Concept, Search, TextPattern
from cds.fhir.extract import Extractor
from cds.fhir.retrieve import retrieve
from tests.fhir import world as w

PLACE = Place("concepts/x.yaml", 1, 1)


def concept(name, kind="problem", search="problems", *codes, **more):
    """
    Make a concept with codes of ICD-10-CM.
    """
    rules = tuple(one if isinstance(one, CodeRule) else CodeRule("icd10cm", one) for one in codes)
    more.setdefault("absent_means", "false_if_list_complete")
    return Concept(
        id=name, signal=name, title=name, type=kind, search=search, place=PLACE, codes=rules, **more
    )


CONCEPTS = {
    one.id: one
    for one in (
        concept("family_diabetes", "family", "family", "E11.9", relatives=("Mother", "FTH")),
        concept("any_family", "family", "family", "E11.9"),
        concept("virus", "problem", "problems", "B20"),
        concept(
            "lipodystrophy",
            "problem",
            "problems",
            CodeRule("icd10cm", "E88.1", with_problem="virus"),
            CodeRule("icd10cm", "E88.2", with_problem="virus"),
            "E88.2",
        ),
        concept("first", "problem", "problems", "E10.9"),
        concept("second", "problem", "problems", "E11.9", gives_way_to=("first",)),
        concept(
            "keto",
            "plan",
            "care_plans",
            text=TextPattern(words=("keto",)),
            negated_by=("never",),
        ),
    )
}
SEARCHES = {
    "patient": Search("patient", "Patient", "Patient"),
    "problems": Search("problems", "Condition", "Problems", lists="problems"),
    "family": Search("family", "FamilyMemberHistory", "Family", lists="family"),
    "care_plans": Search("care_plans", "CarePlan", "Plans", lists="care_plans"),
}
EXTRACTOR = Extractor(concepts=CONCEPTS, searches=SEARCHES, systems=w.SYSTEMS)


def entries(name, *resources):
    """
    Say of each entry of a concept whether it is active.
    """
    prefetch = {
        "patient": w.patient(),
        **{
            key: w.bundle(*(one for one in resources if one["resourceType"] == search.resource))
            for key, search in SEARCHES.items()
            if key != "patient"
        },
    }
    received = retrieve(prefetch, patient_id=w.PATIENT, searches=SEARCHES)
    found = EXTRACTOR.extract(received, as_of=w.NOW)
    return [one.active for one in found.entries.get(name, ())]


def relative(relationship, status="completed", **more):
    """
    Make the history of a relative with diabetes.
    """
    return {
        "resourceType": "FamilyMemberHistory",
        "id": "f1",
        "status": status,
        "patient": {"reference": f"Patient/{w.PATIENT}"},
        "relationship": relationship,
        "condition": [{"code": w.coded(w.ICD, "E11.9")}],
        **more,
    }


@pytest.mark.parametrize(
    ("counts", "relationship"),
    [
        (True, {"text": "Mother"}),
        (True, {"text": "natural mother, dead"}),
        (True, w.coded("urn:x", "FTH")),
        (False, {"text": "grandmother"}),
        (False, w.coded("urn:x", "AUNT")),
        (False, None),
    ],
)
def test_relatives_are_named_by_code_or_word(counts, relationship):
    """
    Whole words; where a concept names none, all count.
    """
    one = relative(relationship)

    assert [True] * counts == entries("family_diabetes", one)
    assert [True] == entries("any_family", one)


@pytest.mark.parametrize(
    ("expected", "more"),
    [
        ([True], {"status": "partial", "date": "2020-01-01"}),
        ([], {"status": "entered-in-error"}),
        ([], {"status": "health-unknown"}),
        ([], {"status": None}),
        ([], {"condition": "E11.9"}),
        ([], {"condition": ["E11.9", {"code": None}]}),
    ],
)
def test_what_is_not_said_of_a_relative(expected, more):
    """
    A history that is wrong, or not known, proves nothing.
    """
    assert expected == entries("any_family", relative({"text": "Mother"}, **more))


@pytest.mark.parametrize(
    ("expected", "codes"),
    [
        ([], ["E88.1"]),
        ([True], ["E88.1", "B20"]),
        ([True], ["B20", "E88.1"]),
        ([True], ["E88.2"]),
    ],
)
def test_a_code_by_the_company_it_is_in(expected, codes):
    """
    In whatever order they come; a code that needs none counts by itself.
    """
    assert expected == entries("lipodystrophy", *(w.condition(one) for one in codes))


def test_company_must_be_there_now():
    """
    A problem that is over is no company.
    """
    over = w.condition("B20", status="resolved")

    assert [] == entries("lipodystrophy", w.condition("E88.1"), over)


@pytest.mark.parametrize(
    ("expected", "first", "second"),
    [
        ([True], None, "active"),
        ([], "active", "active"),
        ([True], "resolved", "active"),
        ([False], "active", "resolved"),
    ],
)
def test_one_concept_gives_way_to_another(expected, first, second):
    """
    Where both are there now; what is over stays on record.
    """
    sent = [w.condition("E11.9", status=second)]
    sent += [w.condition("E10.9", status=first)] if first else []

    assert expected == entries("second", *sent)


def test_words_that_deny_are_those_of_the_concept():
    """
    And no others, where it names its own.
    """
    assert [] == entries("keto", w.care_plan("never keto"))
    assert [True] == entries("keto", w.care_plan("avoid keto"))
