"""Offers that take a draft back or change it, in what authors read: reasons, pages, cases."""

import pytest

from cds.workshop.book.rulebook import pages_of
from cds.workshop.testing.expectations import Expectations
from cds.workshop.testing.lab import Lab
from cds.workshop.testing.observing import everything_expected
from cds.workshop.why.explaining import Explainer
from cds.workshop.why.reasons import written
from tests.serving import RULES

CARD = "plan_or_metformin_drafted"
PATIENT = {"age": "66 years", "sex": "male", "egfr_reported": "28 mL/min/{1.73_m2}"}


@pytest.fixture(scope="module")
def lab(extended):
    """Try the rules with the examples."""
    opened = Lab(extended.ruleset, engine="reference")
    yield opened
    opened.close()


def told(lab, given):
    """Explain the card, and give what a case could expect of it."""
    card = lab.rules.cards[CARD]
    snapshot = lab.snapshot(PATIENT | given, card.hooks)
    explained = written(Explainer(lab.rules, lab.start(card, snapshot)).card(card), width=100)
    return "\n".join(explained), everything_expected(
        lab.rules, card, snapshot, lab.conclude(card, snapshot)
    )


def test_why_a_draft_is_not_taken_back(lab):
    """Because there is none in this call, or none that may be."""
    explained, expected = told(lab, {"keto_plan": "present"})

    assert 3 == explained.count("no draft of this call can be offered")
    assert {"cancels", "changes"}.isdisjoint(expected)


def test_what_a_case_could_expect(lab):
    """The concepts of the drafts that are reached."""
    explained, expected = told(lab, {"metformin": "ordered", "low_carb_plan": "ordered"})

    assert (["low_carb_plan", "metformin"], ["metformin"]) == (
        expected["cancels"],
        expected["changes"],
    )
    assert 0 == explained.count("no draft of this call")


@pytest.mark.parametrize(
    ("word", "expected", "sentence"),
    [
        ("cancels", ["keto_plan"], "[metformin]"),
        ("changes", [], "[metformin]"),
    ],
)
def test_a_case_that_expects_other_drafts_fails(lab, word, expected, sentence):
    """It says which are reached."""

    card = lab.rules.cards[CARD]
    snapshot = lab.snapshot(PATIENT | {"metformin": "ordered"}, card.hooks)
    found = Expectations(lab.rules, snapshot, lab.conclude(card, snapshot))

    (difference,) = found.differences(card, {word: expected})
    assert sentence == difference.got


def test_the_page_of_a_rule_says_which_drafts(extended):
    """Beside the label of the library."""
    page = pages_of(extended, RULES)[f"cards/{CARD}.md"]

    assert (
        "| Remove the restricting plan from the orders "
        "(takes back drafts of Ketogenic plan, Low-carbohydrate plan) |" in page
    )
    assert "(changes drafts of Metformin) |" in page
