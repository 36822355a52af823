"""
Cases: those of rules under the default profile, those of a profile under its own.
"""

import pytest

from cds.errors import RuleError
from cds.workshop.running import run_cases
from tests.sites import hospital

IDS = ["homa_ir", "compensated_insulin_resistance"]


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """
    The shipped rules, with the profile of the example beside them.
    """
    return hospital(tmp_path_factory.mktemp("site"))


def paths_of(results):
    """
    In which files the cases stand.
    """
    return {one.place.path for one in results}


def test_every_profile_brings_its_cases(rules):
    """
    A cut-off that a site moved does not make the rule's own cases fail.
    """
    results = list(run_cases(rules, IDS, engine="reference"))

    assert [] == [one.name for one in results if not one.passed]
    assert {
        "rules/indices/homa_ir.yaml",
        "rules/cards/compensated_insulin_resistance.yaml",
        "rules/profiles/example_hospital.yaml",
    } == paths_of(results)


def test_the_cases_of_one_profile(rules):
    """
    Alone.
    """
    results = list(run_cases(rules, engine="reference", profiles=["example_hospital"]))

    assert {"rules/profiles/example_hospital.yaml"} == paths_of(results)
    assert 2 == len(results)


def test_a_case_of_a_profile_can_fail(tmp_path):
    """
    Under the default profile this one would pass.
    """
    rules = hospital(tmp_path, {"band: expected}": "band: raised}"})
    results = list(run_cases(rules, engine="reference", profiles=["example_hospital"]))

    assert ["2.9 is raised elsewhere and expected here"] == [
        one.name for one in results if not one.passed
    ]


def test_a_profile_that_is_wrong_has_no_cases(tmp_path):
    """
    Nor has one that is not there.
    """
    rules = hospital(tmp_path, {"value: 3.0": "value: 4.0"})
    with pytest.raises(RuleError):
        list(run_cases(rules, ["nothing"], engine="reference"))
    with pytest.raises(RuleError):
        list(run_cases(rules, engine="reference", profiles=["nowhere"]))

    assert [] == list(run_cases(rules, ["nothing"], engine="reference", profiles=["default"]))
