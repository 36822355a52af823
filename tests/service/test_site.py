"""
A site: what its profile changes in what is served, and when it is not served at all.
"""

import json
from datetime import UTC, datetime

import pytest

from cds.errors import RuleError
from cds.hooks.strict import encode
from cds.hooks.wire import EVALUATION
from cds.service.pipeline import Pipeline
from cds.service.release import open_release
from cds.service.settings import Settings, chosen_profile
from cds.workshop.gate import refusals
from cds.workshop.testing.patients import prefetch_of
from tests.check_pages import AS_OF
from tests.contract.wire import response
from tests.serving import finished
from tests.sites import hospital

SITE = "example_hospital"
PATIENT = {
    "age": "29 years",
    "sex": "female",
    "pregnancy_status": "no",
    "hba1c": "5.5 %",
    "fasting_plasma_glucose": "94 mg/dL",
    "fasting_insulin": "18 mU/L",
    "sleep_duration": "5.5 h",
}


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """
    The shipped rules, with the profile of the example beside them.
    """
    return hospital(tmp_path_factory.mktemp("site"))


def answer_of(rules, profile, given=None):
    """
    The response to one patient under one profile.
    """
    release = open_release(rules, unreviewed=True, profile=profile)
    pipeline = Pipeline(
        release.ruleset,
        engine="both",
        now=lambda: datetime(2026, 6, 1, 12, tzinfo=UTC),
        check=True,
    )
    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "case"},
        "prefetch": prefetch_of(release.ruleset, {**PATIENT, **(given or {})}),
    }
    try:
        return finished(pipeline.answer(encode(body))).response
    finally:
        pipeline.close()


def shown(response):
    """
    The codes of the cards that are shown, with their texts.
    """
    found = {}
    for card in response["cards"]:
        rule = card["extension"]["org.metabolic-cds.rule"]
        found.update(dict.fromkeys(rule.get("codes", [rule["code"]]), card["detail"]))
    return found


def test_the_profile_is_named(rules):
    """
    On every response, so that an old one can be understood.
    """
    response = answer_of(rules, SITE)

    assert SITE == response["extension"][EVALUATION]["profile"]


def test_values_are_shown_in_the_units_of_the_site(rules):
    """
    With what was received behind them; how it is compared does not change.
    """
    text = shown(answer_of(rules, SITE))["IR-STG-04"]

    assert "5.22 mmol/L (received: 94 mg/dL)" in text
    assert "108 pmol/L (received: 18 mU/L)" in text


def test_a_value_in_the_unit_of_the_site_is_printed_as_it_came(rules):
    """
    No digit is added.
    """
    text = shown(answer_of(rules, SITE, {"fasting_plasma_glucose": "5.2 mmol/L"}))["IR-STG-04"]

    assert "| 5.2 mmol/L |" in text


def test_a_bound_is_converted_as_one(rules):
    """
    Beyond what the assay can tell, in the other unit too.
    """
    text = shown(answer_of(rules, SITE, {"fasting_insulin": ">18 mU/L"}))["IR-STG-04"]

    assert ">108 pmol/L (received: >18 mU/L)" in text


def test_a_value_too_old_is_shown_so_too(rules):
    """
    Where the card says what it did not consider.
    """
    given = {"fasting_insulin": "18 mU/L 400 days ago", "homa_ir_reported": "4.2"}
    text = shown(answer_of(rules, SITE, given))["IR-STG-04"]

    assert "last 108 pmol/L (received: 18 mU/L) on" in text


def test_a_card_says_which_cut_offs_are_the_sites_own(rules):
    """
    Whoever knows the rule from elsewhere must not be misled.
    """
    ours, default = (shown(answer_of(rules, one))["IR-STG-04"] for one in (SITE, "default"))

    assert (
        "**Changed for this site:** HOMA-IR, computed or reported, raised: 3.0 in place of 2.5"
        in ours
    )
    assert "Changed for this site" not in default


def test_a_card_that_is_off_or_on_trial_is_not_shown(rules):
    """
    Elsewhere it is.
    """
    given = {"hba1c": "6.1 %"}

    assert "IR-SLP-01" in shown(answer_of(rules, "default", given))
    assert "IR-SLP-01" not in shown(answer_of(rules, SITE, given))
    assert "IR-SLP-01" not in json.dumps(answer_of(rules, SITE, given))


def test_a_link_of_the_site_stands_on_its_card(rules):
    """
    With label, address and type, as it was written (CARD-15, LINK-01, LINK-02, LINK-06, Q-16).
    """
    answer = answer_of(
        rules,
        SITE,
        {"bmi_reported": "27 kg/m2", "waist_circumference": "101 cm", "triglycerides": "190 mg/dL"},
    )
    links = [one for card in answer["cards"] for one in card.get("links", [])]

    expected = {
        "label": "Our weight clinic",
        "url": "https://hospital.example/weight",
        "type": "absolute",
    }
    assert [expected] == links
    assert [] == response(json.loads(encode(answer)), patient="case")


def test_a_profile_of_other_releases_is_not_served(tmp_path):
    """
    It says what must be approved again; the default profile is served all the same.
    """
    rules = hospital(tmp_path, {">=2026.11 <2027": ">=2026.12 <2027"})
    with pytest.raises(RuleError) as error:
        open_release(rules, unreviewed=True, profile=SITE)
    (found,) = error.value.diagnostics

    assert "CDS804" == found.code
    assert "`thresholds.homa_ir.raised`" in found.notes[0]
    assert "default" == open_release(rules, unreviewed=True).ruleset.profile.id


def test_changed_rules_are_judged_under_the_profile_that_is_served(tmp_path):
    """
    Its cases as well: here one that the rules no longer keep.
    """
    rules = hospital(tmp_path, {"band: expected}": "band: raised}"})
    why = list(refusals(rules, SITE, as_of=AS_OF, mixed=0))

    assert [True] == ["2.9 is raised elsewhere" in one for one in why]


def test_the_profile_is_a_setting(monkeypatch):
    """
    Read by the service and by the tools.
    """
    monkeypatch.setenv("CDS_PROFILE", SITE)

    assert (SITE, SITE) == (Settings().profile, chosen_profile())


def test_without_the_setting_the_default_one_counts(monkeypatch):
    """
    An empty value is none.
    """
    monkeypatch.setenv("CDS_PROFILE", "")

    assert ("default", "default") == (Settings().profile, chosen_profile())
