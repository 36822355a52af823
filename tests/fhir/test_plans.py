from __future__ import annotations

import pytest

from tests.fhir import world as w


def found(*sent):
    return w.active(w.snapshot(*sent, plans=w.bundle(*sent)), "keto_plan")


def request(code, **more):
    return w.care_plan("x") | {"resourceType": "ServiceRequest", "title": None, "code": code} | more


@pytest.mark.parametrize(
    "text",
    [
        "ketogenic diet, no bread",
        "low-carb, avoid juice",
        "Low carbohydrate",
        "16:8 window",
        "keto",
    ],
)
def test_a_plan_is_known_by_its_words(text):
    """
    Wherever a care plan says them.
    """
    assert [True] == found(w.care_plan(text))
    assert [True] == found(w.care_plan(None, description=text))
    assert [True] == found(w.care_plan(None, category=[{"text": text}]))
    assert [True] == found(w.care_plan(None, activity=[{"detail": {"code": {"text": text}}}]))


@pytest.mark.parametrize(
    "text",
    [
        "avoid ketogenic diet",
        "check ketones",
        "serum ketones",
        "ketoacidosis sick-day plan",
        "ketoconazole 2 %",
        "ketogenic diet not advised",
        "do not start a keto diet",
        "ketogenic diet is contraindicated",
    ],
)
def test_what_is_denied_or_only_sounds_alike_is_no_plan(text):
    """
    The test strings of the knowledge base, and some more.
    """
    assert [] == found(w.care_plan(text))


def test_a_denial_ends_with_its_sentence():
    """
    A full stop separates.
    """
    assert [True] == found(w.care_plan("Stop smoking now. Ketogenic diet"))


def test_a_coded_plan_is_not_denied_by_words():
    """
    A code is a decision.
    """
    sent = w.care_plan("avoid ketogenic diet", category=[w.coded(w.SNOMED, "160674003")])

    assert [True] == found(sent)


def test_orders_for_a_laboratory_are_never_plans():
    """
    Whatever their names hold.
    """
    text = {"text": "ketogenic steroids"}

    assert [True] == found(request(text))
    assert [] == found(request(text, category=[{"text": "Laboratory procedure"}]))
    assert [] == found(request(text, category=[{"coding": [{"code": "laboratory"}]}]))
    assert [] == found(request(text | w.coded(w.LOINC, "1-1")))


@pytest.mark.parametrize(
    ("status", "expected"),
    [("active", [True]), ("draft", [True]), ("completed", [False]), ("revoked", []), (None, [])],
)
def test_only_a_current_plan_is_active(status, expected):
    """
    A completed one is history.
    """
    assert expected == found(w.care_plan("keto", status=status))


def test_goals_have_a_status_of_their_own():
    """
    It is called lifecycleStatus.
    """
    goal = w.care_plan(None) | {"resourceType": "Goal", "description": {"text": "keto diet"}}

    assert [True] == found(goal | {"lifecycleStatus": "proposed"})
    assert [] == found(goal | {"lifecycleStatus": "cancelled"})
