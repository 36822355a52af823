"""Cases that are missing, found beside the ones there are, and written as an author would."""

from dataclasses import replace

import pytest

from cds.rulefiles.loader import load_ruleset
from cds.workshop.testing.lab import Lab
from cds.workshop.testing.subjects import patients_of
from cds.workshop.thoroughness.coverage import coverage_of, missing_goals
from cds.workshop.thoroughness.mutation import score_of
from cds.workshop.thoroughness.neighbours import Change, changed, changes_for
from cds.workshop.thoroughness.suggesting import suggest
from cds.workshop.thoroughness.writing_cases import appended, as_yaml
from tests.workshop.conftest import RULES


@pytest.fixture(scope="module")
def found(lab, rules):
    """Leave a rule its first case, and ask what is missing."""
    rule = rules.cards["short_sleep"]
    return suggest(lab, replace(rule, tests=rule.tests[:1]), pairs=200)


def test_both_sides_of_a_cut_off_are_suggested(found):
    """Each with the answer it brings about."""
    changes = {str(change) for one in found for change in one.changes}

    assert {"sleep_duration: 7 h"} <= changes


def test_each_says_what_it_is_good_for(found):
    """A fault that it notices, or an answer that it sees."""
    assert all(one.notices or one.sees for one in found)
    assert any("sleep_duration < enough line 32: no" in one.sees for one in found)


def test_suggested_cases_close_the_gap(lab, rules, found, tmp_path):
    """Written into the file, they pass, and nothing of a fault they notice is left alive."""
    rule = rules.cards["short_sleep"]
    text = (RULES / "cards" / "short_sleep.yaml").read_text("utf-8")
    start = text.index("  - name: edges")
    cases = as_yaml(rules, found, patients_of(RULES, rule.place), ["six hours in prediabetes"])
    folder = tmp_path / "rules"
    __import__("shutil").copytree(RULES, folder)
    (folder / "cards" / "short_sleep.yaml").write_text(appended(text[:start], cases), "utf-8")
    other = Lab(load_ruleset(folder), engine="reference")
    rule = other.rules.cards["short_sleep"]
    score = score_of(other, rule)

    assert [] == [one.name for one in score.alive if "details" not in one.name]
    assert "# expects what the rule answers now" in cases
    assert len(list(missing_goals(coverage_of(other, rule)))) <= 1


def test_nothing_is_suggested_where_nothing_is_missing(lab, rules):
    """A rule that is covered, all of whose faults are noticed."""
    assert [] == suggest(lab, rules.conditions["dysglycaemia"], pairs=10)


def test_a_patient_is_changed_in_one_thing():
    """`none` takes out; what was not sent is added up."""
    given = {"age": "50 years", "not_sent": ["problems"]}

    assert {"not_sent": ["problems", "medicines"]} == changed(
        given, [Change("age", None), Change("not_sent", ["medicines"])]
    )


def test_changes_are_what_the_rule_looks_at(rules):
    """Each once, and never what is so already."""
    rule = rules.cards["short_sleep"]
    given = rule.tests[0].given
    names = [str(one) for one in changes_for(rules, rule, given)]

    assert {"sleep_duration: 7 h", "sleep_duration: none", "sex: none"} <= set(names)
    assert len(names) == len(set(names))
    assert f"sex: {given['sex']}" not in names


@pytest.mark.parametrize(
    "text",
    [
        "id: x\ntests:\n  - name: a\n    given: {}\n",
        "id: x\ntests:\n  - name: a\n    given: {}\n\n# the end\npatients:\n  b: {}\n",
        "id: x\n",
    ],
)
def test_cases_go_to_the_end_of_the_tests(text):
    """Everything else stays as it is."""
    found = appended(text, "  - name: new\n")

    assert "  - name: new\n" in found
    assert found.index("tests:") < found.index("  - name: new")
    assert text.replace("\n", "") == found.replace("\n", "").replace("  - name: new", "").replace(
        "" if "tests:" in text else "tests:", ""
    )
