"""Inline cases of a folder of rules, run by both evaluators."""

import pytest

from cds.errors import EvaluatorsDisagree, RuleError
from cds.workshop.testing import running
from cds.workshop.testing.cases import NothingSelected
from cds.workshop.testing.running import run_case, run_cases
from tests.sites import hospital
from tests.workshop.conftest import RULES

SLEEP = "cards/short_sleep.yaml"


def test_every_shipped_case_passes():
    """By both evaluators; none is marked as still to be done that agrees."""
    results = list(run_cases(RULES))

    assert [] == [str(one.place) for one in results if not one.passed]
    assert [] == [str(one.place) for one in results if one.no_longer_to_do]


def test_a_changed_cut_off_is_noticed(folder):
    """With the patient in the author's words, what was expected and what came out."""
    found = list(run_cases(folder((SLEEP, "value: 7 h", "value: 6 h")), ["short_sleep"]))
    failed = {one.name: one for one in found if not one.passed}

    assert "typical, but sleep_duration: 6.99 h" == failed["edges [1]"].given
    assert ["shown: expected true, got no"] == [str(one) for one in failed["edges [1]"].differences]


def test_a_case_marked_to_do_may_fail(folder):
    """It is counted, and does not fail the run."""
    changed = folder(
        (SLEEP, "value: 7 h", "value: 6 h"),
        (SLEEP, "  - name: edges\n", "  - name: edges\n    todo: true\n"),
    )
    found = list(run_cases(changed, ["short_sleep"], named="edges"))

    assert all(one.passed for one in found)
    assert any(one.differences for one in found)
    assert any(one.no_longer_to_do for one in found)


def test_what_no_patient_can_have_fails_the_case(folder):
    """With a sentence that names it."""
    changed = folder((SLEEP, "{sleep_duration: none}", "{sleep_durtion: 7 h}"))
    (found,) = run_cases(changed, ["short_sleep"], named="sleep not known")

    assert "`sleep_durtion` is not a concept" in found.differences[0].got


def test_rules_that_cannot_be_used_are_refused(folder):
    """With the errors and nothing else."""
    with pytest.raises(RuleError) as problem:
        list(run_cases(folder((SLEEP, "sleep_duration < enough", "sleep_durtion < enough"))))

    assert {"CDS201"} <= {one.code for one in problem.value.diagnostics}


def test_evaluators_that_differ_fail_the_case(lab, rules, monkeypatch):
    """Whatever the case expects."""

    def differ(*_):
        raise EvaluatorsDisagree(("stage",))

    monkeypatch.setattr(lab, "conclude", differ)
    rule = rules.cards["short_sleep"]
    result = run_case(lab, rule, rule.tests[0])

    assert ["evaluators: expected one conclusion, got stage"] == [
        str(one) for one in result.differences
    ]
    assert running.Lab is type(lab)


# --- sites ----------------------------------------------------------------------------


SITE = "example_hospital"
BOTH = ["homa_ir", "compensated_insulin_resistance"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The shipped rules, with the profile of the example beside them."""
    return hospital(tmp_path_factory.mktemp("site"))


def paths_of(results):
    """In which files the cases stand."""
    return {one.place.path for one in results}


def test_every_profile_brings_its_cases(site):
    """A cut-off that a site moved does not make the rule's own cases fail."""
    results = list(run_cases(site, BOTH, engine="reference"))

    assert [] == [one.name for one in results if not one.passed]
    assert {
        "rules/indices/homa_ir.yaml",
        "rules/cards/compensated_insulin_resistance.yaml",
        "rules/profiles/example_hospital.yaml",
    } == paths_of(results)


def test_the_cases_of_one_profile(site):
    """Alone; by its name or by its file."""
    results = list(run_cases(site, engine="reference", profiles=[SITE]))
    by_file = list(run_cases(site, [f"profiles/{SITE}.yaml"], engine="reference"))

    assert {f"rules/profiles/{SITE}.yaml"} == paths_of(results)
    assert [one.name for one in results] == [one.name for one in by_file]
    assert 2 == len(results)


def test_a_rule_of_which_a_profile_says_nothing(site):
    """Its cases run all the same, once."""
    results = list(run_cases(site, ["short_sleep"], engine="reference"))

    assert {"rules/cards/short_sleep.yaml"} == paths_of(results)


def test_what_nobody_has_is_not_selected(site):
    """Neither a rule nor a profile."""
    with pytest.raises(NothingSelected, match="`long_sleep` is no rule"):
        list(run_cases(site, ["long_sleep"], engine="reference"))


def test_a_case_of_a_profile_can_fail(tmp_path):
    """Under the default profile this one would pass."""
    rules = hospital(tmp_path, {"band: expected}": "band: raised}"})
    results = list(run_cases(rules, engine="reference", profiles=[SITE]))

    assert ["2.9 is raised elsewhere and expected here"] == [
        one.name for one in results if not one.passed
    ]


def test_a_profile_that_is_wrong_has_no_cases(tmp_path):
    """Nor has one that is not there; those of the default profile run."""
    rules = hospital(tmp_path, {"value: 3.0": "value: 4.0"})
    with pytest.raises(RuleError):
        list(run_cases(rules, ["short_sleep"], engine="reference"))
    with pytest.raises(RuleError):
        list(run_cases(rules, engine="reference", profiles=["nowhere"]))

    assert list(run_cases(rules, ["short_sleep"], engine="reference", profiles=["default"]))
