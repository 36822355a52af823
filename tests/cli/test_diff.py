"""
`cds diff`: what it prints, and its exit codes.
"""

import json
import shutil

import pytest
from typer.testing import CliRunner

from cds.cli.__main__ import app
from tests.check_pages import SAMPLE
from tests.sites import ROOT, hospital


@pytest.fixture
def changed(tmp_path):
    """
    A small folder of rules with another cut-off for HbA1c.
    """
    rules = tmp_path / "rules"
    shutil.copytree(SAMPLE, rules)
    path = rules / "conditions" / "dysglycaemia.yaml"
    path.write_text(path.read_text("utf-8").replace("5.7 %, cite", "5.9 %, cite"), "utf-8")
    return rules


def call(*words):
    """
    Exit code, output and complaints.
    """
    result = CliRunner().invoke(app, ["diff", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def test_a_change_is_said_in_patients(changed):
    """
    Cut-off, answers, version, finding; and on how many it was tried.
    """
    code, out, _ = call(SAMPLE, changed)

    assert 1 == code
    assert "dysglycaemia.raised_a1c  5.7 % -> 5.9 %\n" in out
    assert "patients at cut-offs: yes -> " in out
    assert "version  dysglycaemia: 1.0.0 needs a minor bump, 1.1.0 (answers change)\n" in out
    assert "error[CDS607] stale-version" in out
    assert "tried on 34 patients" in out


def test_patients_are_named_where_that_is_asked(changed):
    """
    Those of the population and of the cases.
    """
    _, out, _ = call(SAMPLE, changed, "--patients")

    assert "    dysglycaemia: raised" in out


def test_a_version_that_moved_is_no_finding(changed):
    """
    Then the exit code is 0.
    """
    path = changed / "conditions" / "dysglycaemia.yaml"
    path.write_text(path.read_text("utf-8").replace("1.0.0", "1.1.0"), "utf-8")
    code, out, _ = call(SAMPLE, changed)

    assert 0 == code
    assert "version  dysglycaemia: 1.0.0 -> 1.1.0 (answers change)\n" in out


def test_nothing_changed():
    """
    Is said in one line.
    """
    assert (0, "nothing changed that decides an answer\n", "") == call(SAMPLE, SAMPLE)


def test_json(changed):
    """
    The same as values.
    """
    code, out, _ = call(SAMPLE, changed, "--json")
    found = json.loads(out)
    states = {one["id"]: (one["state"], one["through"]) for one in found["rules"]}

    assert 1 == code
    assert ("changed", []) == states["dysglycaemia"]
    assert ("through others", ["dysglycaemia"]) == states["prediabetes"]
    assert ["1.1.0"] == [one["proposed"] for one in found["versions"]]
    assert ["CDS607"] == [one["code"] for one in found["findings"]]


def test_a_population_of_ones_own(changed, tmp_path):
    """
    Records and requests, one or many to a file; other files are passed over.
    """
    folder = tmp_path / "people"
    folder.mkdir()
    first = next(iter(sorted((ROOT / "fixtures" / "patients").glob("*.json"))))
    shutil.copy(first, folder / "one.json")
    (folder / "notes.txt").write_text("no patients", "utf-8")
    request = next(iter(sorted((ROOT / "fixtures" / "requests").glob("*.json"))))
    shutil.copy(request, folder / "two.json")
    (folder / "three.ndjson").write_text(
        '{"resourceType":"Patient","id":"1"}\n{"resourceType":"Patient","id":"2"}\n', "utf-8"
    )
    _, out, _ = call(SAMPLE, changed, "--population", folder, "--as-of", "2026-06-01")

    assert "tried on 4 patients" in out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "say what to compare with"),
        (("nowhere",), "neither a folder nor a revision"),
        ((ROOT / "rules", "--as-of", "soon"), "must be a date"),
        ((ROOT / "docs",), "these rules cannot be used"),
    ],
)
def test_what_cannot_be_compared(words, complaint, tmp_path):
    """
    Exit code 2 and a sentence.
    """
    if ROOT / "docs" in words:
        (tmp_path / "cards").mkdir()
        (tmp_path / "cards" / "x.yaml").write_text("kind: card\nid: x\n", "utf-8")
        words = (tmp_path,)
    code, _, err = call(*words)

    assert 2 == code
    assert complaint in err


def test_records_that_cannot_be_read(changed, tmp_path):
    """
    Stop it.
    """
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "x.json").write_text("[1]", "utf-8")
    code, _, err = call(SAMPLE, changed, "--population", tmp_path / "people")

    assert (2, "cds: must be a JSON object\n") == (code, err)


def test_a_profile_as_a_table_and_as_values(tmp_path):
    """
    With whom it concerns.
    """
    rules = hospital(tmp_path)
    code, out, _ = call("--profile", "example_hospital", "--rules", rules, "--patients")
    _, values, _ = call("--profile", "example_hospital", "--rules", rules, "--json")
    found = json.loads(values)

    assert 0 == code
    assert "| `cards.short_sleep.disabled` | shown | switched off |" in out
    assert "cards.short_sleep.disabled: " in out
    assert 34 == found["of"]
    assert "Metabolic lead" in {one["approvedBy"] for one in found["changes"]}
