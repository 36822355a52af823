"""Results of cases as people and machines read them."""

import json
import xml.etree.ElementTree as ET

from cds.core.clauses import Place
from cds.workshop.testing.cases import CaseResult
from cds.workshop.testing.expectations import Difference
from cds.workshop.testing.reports import as_json, as_junit, in_full, one_case, summary

PLACE = Place("rules/cards/x.yaml", 203, 7)
OFFERS = Difference("offers", "[refer, metformin]", "[refer]")
PASSED = CaseResult("x", "it is fine", PLACE, ())
FAILED = CaseResult(
    "x",
    "only for <some> & \x1bothers",
    PLACE,
    (Difference("shown", "true", "no"), OFFERS),
    given="typical, but bmi: 35 kg/m2",
    why=("metformin.offer_if is no", "no  bmi > very_high_bmi"),
)
TO_DO = CaseResult("x", "later", PLACE, (OFFERS,), todo=True)
DONE = CaseResult("x", "at last", PLACE, (), todo=True)


def test_a_difference_stands_in_one_column():
    """The patient as the author wrote it, expected above got, then the reasons."""
    assert [
        "FAIL  only for <some> & \x1bothers",
        "      rules/cards/x.yaml:203",
        "      given   typical, but bmi: 35 kg/m2",
        "      shown   expected true",
        "              got      no",
        "      offers  expected [refer, metformin]",
        "              got      [refer]",
        "      why     metformin.offer_if is no",
        "              no  bmi > very_high_bmi",
    ] == one_case(FAILED).splitlines()


def test_what_passed_is_counted_by_file():
    """Unless something failed: then only that is shown."""
    assert f"{PLACE.path:<56} 1 passed" == in_full([PASSED])
    assert one_case(FAILED) == in_full([PASSED, FAILED])


def test_a_case_that_is_done_is_reported():
    """So that its mark is taken out."""
    assert "no longer to do: at last\n      rules/cards/x.yaml:203" in in_full([TO_DO, DONE])


def test_every_state_is_counted():
    """What may still fail is neither passed nor failed."""
    assert "2 passed, 1 failed, 1 still to be done" == summary([PASSED, FAILED, TO_DO, DONE])
    assert "1 passed" == summary([PASSED])


def test_json_holds_everything():
    """In the order of the run."""
    found = json.loads(as_json([PASSED, FAILED, TO_DO, DONE]))

    assert ["passed", "failed", "to do", "no longer to do"] == [one["state"] for one in found]
    assert {"word": "offers", "expected": "[refer, metformin]", "got": "[refer]"} == (
        found[1]["differences"][1]
    )


def test_junit_is_sound_xml():
    """Whatever stands in a name; a case still to be done is skipped."""
    (suite,) = ET.fromstring(as_junit([PASSED, FAILED, TO_DO, DONE]))  # noqa: S314 - our own

    assert ("4", "1", "1") == tuple(suite.get(one) for one in ("tests", "failures", "skipped"))
    assert "only for <some> &  others" == suite[1].get("name").replace("\x1b", " ")
    assert "shown: expected true, got no" == suite[1][0].get("message")
    assert "skipped" == suite[2][0].tag
    assert 0 == len(suite[3])
