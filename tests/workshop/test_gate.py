"""
The gate before the service: everything that speaks against a folder of rules.
"""

import json
import subprocess
import sys
from datetime import date

import pytest

from cds.errors import EvaluatorsDisagree
from cds.reasoning.evaluator import Reasoner
from cds.workshop.gate import refusals
from tests.check_pages import AS_OF

CARD = "cards/prediabetes.yaml"


def against(sample, **more):
    """
    What the gate says of the sample rules.
    """
    return list(refusals(sample.folder, as_of=AS_OF, mixed=20, **more))


def test_sound_rules_pass(sample):
    """
    Nothing is said.
    """
    assert [] == against(sample)


def test_what_cannot_be_read_does_not_pass(sample):
    """
    Each error with its place.
    """
    sample.put({CARD: ("show_if:", "shows_if:")})

    assert all(one.startswith(f"rules/{CARD}:") for one in against(sample))
    assert any("CDS102" in one for one in against(sample))


def test_warnings_pass(sample):
    """
    A review that is due stops nobody.
    """
    assert [] == list(refusals(sample.folder, as_of=date(2036, 1, 1), mixed=0))


def test_a_failing_case_does_not_pass(sample):
    """
    With what it expected and what it got.
    """
    text = (sample.folder / CARD).read_text("utf-8")
    assert "shown: true" in text
    sample.put({CARD: text.replace("shown: true", "shown: false", 1)})
    (why,) = against(sample)

    assert "fails: shown: expected false" in why


def test_evaluators_that_differ_do_not_pass(sample, monkeypatch):
    """
    On patients mixed from the cases, too.
    """

    def differ(self, snapshot):
        raise EvaluatorsDisagree(["prediabetes.show_if"])

    monkeypatch.setattr(Reasoner, "conclude", differ)

    assert "the evaluators differ on prediabetes.show_if" == against(sample)[-1]


@pytest.mark.parametrize(("breaks", "code"), [(False, 0), (True, 1)])
def test_the_verdict_is_a_line_of_json(sample, breaks, code):
    """
    With the number of reasons, and the first of them.
    """
    if breaks:
        sample.put({CARD: ("show_if:", "shows_if:")})
    done = subprocess.run(
        [sys.executable, "-m", "cds.workshop.gate", str(sample.folder)],
        capture_output=True,
        check=False,
        text=True,
    )
    verdict = json.loads(done.stdout)

    assert code == done.returncode
    assert breaks == bool(verdict["why"])
    assert verdict["count"] >= len(verdict["why"])
