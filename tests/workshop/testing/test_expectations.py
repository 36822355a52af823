"""What a case can expect, compared with what was concluded."""

import pytest

from cds.core.headers import EXPECTED
from cds.workshop.testing.expectations import Expectations, kind_of
from cds.workshop.testing.lab import concluded


def differences(lab, rule, given, expect):
    """Say what of *expect* is not so."""
    snapshot = lab.snapshot(given)
    found = concluded(rule, lab.rules, lab.start(rule, snapshot))
    return [str(one) for one in Expectations(lab.rules, snapshot, found).differences(rule, expect)]


def rule_of(rules, name):
    """Find a rule."""
    tables = (rules.indices, rules.conditions, rules.factors, rules.cards)
    found = {"staging": rules.stages}
    for table in tables:
        found.update(table)
    return found[name]


HEAVY = {"age": "50 years", "sex": "male", "body_weight": "100 kg", "body_height": "175 cm"}
TIRED = {"age": "48 years", "sex": "male", "hba1c": "6.1 %", "sleep_duration": "6.2 h"}


def test_every_word_has_its_comparison():
    """And every comparison its word."""
    methods = {name for name in vars(Expectations) if name.count("_") > 1}
    words = {f"_{kind}_{word}" for kind, words in EXPECTED.items() for word in words}

    assert words == {name for name in methods if name.split("_")[1] in EXPECTED}


@pytest.mark.parametrize(
    ("name", "given", "agrees", "differs"),
    [
        ("bmi", HEAVY, {"value": "32.65"}, {"value": "32.6", "band": "normal"}),
        ("bmi", HEAVY, {"shown": "32.7"}, {"value": "heavy", "shown": "33"}),
        ("bmi", {"age": "50 years"}, {"unknown": ["weight"]}, {"unknown": {"weight": "stale"}}),
        ("bmi", HEAVY, {"band": "high"}, {"unknown": "weight", "not_valid": "pregnancy"}),
        ("bmi", {}, {"unknown": "height"}, {"value": "1", "band": "x", "shown": "1", "below": "3"}),
        ("pregnant", {"age": "31 years", "sex": "male"}, {"holds": "no"}, {"holds": "unknown"}),
        ("staging", {"age": "50 years"}, {"could_be": ["S2"]}, {"stage": "S2", "could_be": ["X"]}),
        (
            "short_sleep",
            TIRED,
            {"shown": True, "indicator": "info", "priority": "40", "offers": ["goal"],
             "actions": ["goal_sleep"], "withheld": {}, "says": "Consider shift work",
             "does_not_say": ["Sleep apnoea is recorded."]},
            {"shown": False, "indicator": "warning", "priority": "1", "offers": [],
             "actions": [], "withheld": {"goal": "x"}, "says": ["Nothing"],
             "does_not_say": "Consider shift work", "summary": "No", "because": "x", "warns": "x"},
        ),
        (
            "short_sleep",
            {**TIRED, "sleep_duration": "8 h"},
            {"shown": False, "because": "sleep_duration"},
            {"shown": True, "indicator": "info", "priority": "40", "offers": ["goal"],
             "actions": ["goal_sleep"], "says": "x", "does_not_say": "x", "summary": "x",
             "warns": "x"},
        ),
        (
            "low_testosterone_unconfirmed",
            {"age": "52 years", "sex": "male", "total_testosterone": "238 ng/dL"},
            {"warns": []},
            {"warns": ["testosterone"]},
        ),
        (
            "low_testosterone_unconfirmed",
            {"age": "52 years", "sex": "male", "total_testosterone": "238 ng/dL",
             "not_sent": ["medicines"]},
            {"warns": ["testosterone", "opioid"]},
            {"warns": []},
        ),
        (
            "sleep_deprivation",
            {"age": "15 years"},
            {"not_assessed": "age"},
            {"grade": "possible", "points": "1 of 1", "could_become": "probable",
             "because": ["x"], "disagrees": ["x"], "excluded": "x"},
        ),
    ],
)  # fmt: skip
def test_what_agrees_and_what_differs(lab, rules, name, given, agrees, differs):
    """Every word is compared: each expectation that is not so is one difference."""
    rule = rule_of(rules, name)

    assert [] == differences(lab, rule, given, agrees)
    assert list(differs) == [
        one.partition(":")[0] for one in differences(lab, rule, given, differs)
    ]


def test_a_case_without_expectations_differs(lab, rules):
    """With the words there are."""
    (found,) = differences(lab, rules.conditions["pregnant"], {}, {})

    assert "expect: expected one of holds, got nothing" == found


def test_a_word_of_another_kind_differs(lab, rules):
    """With the words there are."""
    (found,) = differences(lab, rules.conditions["pregnant"], {}, {"shown": True})

    assert "shown: expected one of holds, got `shown`" == found


def test_every_rule_has_its_kind(rules):
    """As its file says it."""
    assert ["index", "condition", "stages", "factor", "card"] == [
        kind_of(rule_of(rules, name))
        for name in ("bmi", "pregnant", "staging", "sleep_deprivation", "short_sleep")
    ]
