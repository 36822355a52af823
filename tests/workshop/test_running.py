"""Inline cases of a folder of rules, run by both evaluators."""

import time

import pytest

from cds.errors import EvaluatorsDisagree, RuleError
from cds.workshop import running
from cds.workshop.running import run_case, run_cases
from tests.workshop.conftest import RULES

SLEEP = "cards/short_sleep.yaml"


def test_every_shipped_case_passes():
    """By both evaluators; a thousand of them take less than five seconds of this machine."""
    began = time.process_time()
    results = list(run_cases(RULES))
    seconds = time.process_time() - began

    assert [] == [str(one.place) for one in results if not one.passed]
    assert [] == [str(one.place) for one in results if one.no_longer_to_do]
    assert seconds < 5 * len(results) / 1000 + 1


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
