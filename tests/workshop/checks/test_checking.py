"""
One pass over a folder.
"""

import pytest

from cds.rulefiles import load

FILE = "conditions/dysglycaemia.yaml"


def test_what_the_loader_finds_is_found(sample):
    """
    And what other checks find beside it, in one pass.
    """
    found = sample.found(
        {
            FILE: ("hba1c >= raised_a1c", "hba1 >= raised_a1c"),
            "stages/staging.yaml": ("limits: [It is a sample.]", "limits: []"),
        }
    )

    assert any(one.startswith("CDS201") for one in found)
    assert "CDS606 no limits are noted" in found


def test_of_a_draft_upkeep_and_tests_are_held_back(sample):
    """
    Nobody has to finish a rule before it can be tried; other findings stay.
    """
    checked = sample.check(
        {
            FILE: (
                "status: active", "status: draft",
                "limits: [It is a sample.]", "limits: []",
                "clinical_review: by a second person", "clinical_review: pending",
                "raised_a1c: {value: 5.7 %, cite: standards}", "raised_a1c: {value: 5.7 %}",
            )
        }
    )  # fmt: skip
    held = checked.held_back["rules/" + FILE]

    assert "CDS601" in {one.code for one in checked.findings}
    assert not {"CDS606", "CDS611"} & {one.code for one in checked.findings}
    assert {"CDS606", "CDS611"} <= {one.code for one in held}


def test_what_stops_the_loader_never_waits(sample):
    """
    Or a draft would look sound and keep the service from starting.
    """
    checked = sample.check(
        {FILE: ("status: active", "status: draft", "name: normal", "name: raised")}
    )

    assert "CDS705" in {one.code for one in checked.findings}
    assert checked.loaded.ruleset is None


@pytest.mark.parametrize("path", [FILE, "concepts/metabolic.yaml", "actions/library.yaml"])
def test_a_file_that_cannot_be_read_stops_no_check(sample, path):
    """
    Everything else is checked all the same.
    """
    sample.put({path: "kind: [\n"})

    assert sample.found()
    assert load(sample.folder).readable.release == "2026.11"
