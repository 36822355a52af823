"""A shipped card put on trial: its cases, the pipeline, and `cds run --trial`."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from cds.cli.__main__ import app
from cds.fhir.retrieve import whole_record
from cds.rulefiles.loader import load_ruleset
from cds.service.pipeline import Pipeline
from cds.workshop.testing.running import results_of
from tests.serving import RULES

PATIENT = RULES.parent / "fixtures" / "patients" / "sleep_stress_and_low_mood.json"
CASES = """
tests:
  - name: seen by nobody
    use: typical
    expect: {shown: true, trial: true, cut: false, quiet: false, for_review: false}
  - name: not by somebody who sleeps well
    use: typical
    but: {sleep_duration: 8 h}
    expect: {shown: false, trial: false}
  - name: shown last month, and overridden too often
    use: typical
    given: {history: {last_shown: 30 days ago, shown: 60 times, overridden: 55 times}}
    expect: {shown: false, because: quiet, quiet: true, for_review: true, trial: false}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give the shipped rules with one card on trial."""
    own = tmp_path_factory.mktemp("trial") / "rules"
    for one in RULES.rglob("*.yaml"):
        target = own / one.relative_to(RULES)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(one)
    card = own / "cards" / "short_sleep.yaml"
    text = card.read_text("utf-8")
    card.unlink()
    text = text.replace("status: active", "status: trial")
    text = text.replace(
        "quiet: none",
        "quiet: {repeat_after: 90 days, review_when: {overridden_over: 80 %, after_shown: 50}}",
    )
    card.write_text(text[: text.index("\ntests:")] + CASES, "utf-8")
    return own


def test_its_cases_pass(folder):
    """Every word about what becomes of a card."""
    found = list(results_of(load_ruleset(folder), ["short_sleep"]))

    assert [[]] * 3 == [[str(one) for one in case.differences] for case in found]


def test_a_wrong_expectation_is_seen(folder):
    """Or the cases above would prove nothing."""
    card = folder / "cards" / "short_sleep.yaml"
    before = card.read_text("utf-8")
    card.write_text(before.replace("trial: true, cut: false", "trial: false, cut: true"), "utf-8")
    try:
        (first, *_) = results_of(load_ruleset(folder), ["short_sleep"])
    finally:
        card.write_text(before, "utf-8")

    assert {"trial", "cut"} == {one.word for one in first.differences}


def test_the_response_has_nothing_of_it(folder):
    """It is written beside the response where somebody asks."""
    rules = load_ruleset(folder)
    now = datetime(2026, 6, 1, tzinfo=UTC)
    pipeline = Pipeline(rules, engine="both", now=lambda: now, check=True, trial=True)
    record = json.loads(PATIENT.read_text("utf-8"), parse_float=Decimal)
    answer = pipeline.conclude(whole_record(record, searches=rules.searches), as_of=now)
    pipeline.close()

    assert "IR-SLP-01" not in json.dumps(answer.response, default=str)
    assert ["Sleep 5.4 h/night; at least 7 h is recommended"] == [
        one["summary"] for one in answer.trial
    ]


def test_run_prints_it_apart(folder):
    """After everything that a clinician would see."""
    what = ["run", str(PATIENT), "--as-of", "2026-06-01", "--rules", str(folder), "--no-color"]
    plain = CliRunner().invoke(app, what).output
    found = CliRunner().invoke(app, [*what, "--trial"]).output

    assert "Sleep 5.4 h/night" not in plain
    assert "On trial: 1 card would have been shown" in found
    assert found.index("On trial") < found.index("Sleep 5.4 h/night")
