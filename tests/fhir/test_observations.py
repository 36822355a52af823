from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from cds.core.facts import Bound, Gap
from tests.fhir import world as w

GLUCOSE = "fasting_glucose"
FPG = "1558-6"


def component(code, value, unit="mmHg", **more):
    made = {"code": w.coded(w.LOINC, code)}
    return made | {"valueQuantity": {"value": Decimal(value), "unit": unit}} | more


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_a_finished_result_counts(status):
    """
    With its source, age, and what was sent (T33).
    """
    sent = w.observation("14771-0", "5.5", "mmol/L", days=10, status=status, id="a")
    found = w.snapshot(sent)
    (one,) = found.results[GLUCOSE]

    assert ("99.0880", "5.5", "mmol/L", 10) == (str(one.value), str(one.sent), one.unit, one.days)
    assert ("Observation/a", "glycaemia", "14771-0", status) == (
        one.source.resource,
        one.source.key,
        one.source.code,
        one.source.status,
    )
    assert "$.prefetch.glycaemia.entry[0].resource" == one.source.path
    assert sent is one.source.raw


@pytest.mark.parametrize(
    "status", ["preliminary", "registered", "cancelled", "unknown", "Final", None, 1]
)
def test_an_unfinished_result_does_not_count(status):
    """
    The allow-list is checked here: validation would not (T33).
    """
    found = w.snapshot(w.observation(FPG, "95", status=status))

    assert ["status"] == w.reasons(found, GLUCOSE)
    assert {(GLUCOSE, "status"): 1} == w.counted(found)


def test_what_was_entered_in_error_does_not_exist():
    """
    It is counted and never shown (T33).
    """
    found = w.snapshot(w.observation(FPG, "95", status="entered-in-error"))

    assert GLUCOSE not in found.unusable
    assert {(GLUCOSE, "status"): 1} == w.counted(found)


@pytest.mark.parametrize(
    "shape",
    [
        {"category": {"coding": [{"code": "laboratory"}]}},
        {"comment": "hm"},
        {"comments": "hm"},
        {"context": {"reference": "Encounter/1"}},
    ],
)
def test_another_release_of_fhir_is_not_read(shape):
    """
    And the search that held it is not whole (REQ-12).
    """
    found = w.snapshot(w.observation(FPG, "95", **shape))

    assert ["FHIR version"] == w.reasons(found, GLUCOSE)
    assert found.state_of("glycaemia").reason is Gap.VERSION
    assert found.state_of("body").complete


@pytest.mark.parametrize(
    ("times", "written"),
    [
        ({"effectiveDateTime": "2026-05-01", "issued": "2026-05-09T00:00:00Z"}, "2026-05-01"),
        ({"effectivePeriod": {"start": "2026-04-01", "end": "2026-05-02"}}, "2026-05-02"),
        ({"effectivePeriod": {"start": "2026-04-01"}}, "2026-04-01"),
        ({"effectivePeriod": {"start": "2026-04-01"}, "issued": "2026-05-09"}, "2026-05-09"),
        ({"effectiveInstant": "2026-05-03T08:00:00Z"}, "2026-05-03T08:00:00Z"),
        ({"effectiveTiming": {"event": ["2026-05-04", "2026-05-01"]}}, "2026-05-04"),
        ({"issued": "2026-05-05T08:00:00Z"}, "2026-05-05T08:00:00Z"),
    ],
)
def test_the_clinical_time_decides(times, written):
    """
    When it was filed only where nothing else is said.
    """
    found = w.snapshot(w.observation(FPG, "95", **{"effectiveDateTime": None} | times))

    assert written == found.results[GLUCOSE][0].when.written


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2026-02-30", "undated"),
        ("9999-12-31", "undated"),
        ("2026-05-01T08:00:60Z", "undated"),
        (None, "undated"),
        ("2031-01-01", "future"),
        ("2026-06-01T12:06:00Z", "future"),
    ],
)
def test_a_result_without_a_possible_time_does_not_count(written, reason):
    """
    An unreadable date is not replaced by the time of filing (T34).
    """
    more = {} if written is None else {"issued": "2026-05-01T00:00:00Z"}
    found = w.snapshot(w.observation(FPG, "95", effectiveDateTime=written, **more))

    assert [reason] == w.reasons(found, GLUCOSE)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"dataAbsentReason": {"text": "unknown"}, "valueQuantity": {"value": 95, "unit": "mg/dL"}},
        {"valueString": "95 mg/dL"},
        {"valueRange": {"low": {"value": 90}}},
        {"valueRatio": {}},
        {"valueSampledData": {}},
        {"valueBoolean": True},
        {"valueQuantity": {"value": "95", "unit": "mg/dL"}},
    ],
)
def test_only_a_quantity_is_a_number(value):
    """
    Nothing is parsed out of a text (T36).
    """
    assert ["no value"] == w.reasons(w.snapshot(w.observation(FPG, **value)), GLUCOSE)


def test_a_component_is_read_like_a_result():
    """
    It takes status, time and subject from its panel, whatever the panel's code.
    """
    panel = w.observation("85354-9", component=[component("8480-6", "131"), component("1-1", "1")])

    assert ["131"] == w.values(w.snapshot(panel), "systolic")
    assert ["status"] == w.reasons(w.snapshot(panel | {"status": "preliminary"}), "systolic")


def test_a_panel_of_someone_else_has_no_components():
    """
    They would otherwise be read without asking whose they are.
    """
    panel = w.observation("85354-9", component=[component("8480-6", "131")])
    found = w.snapshot(panel | {"subject": {"reference": "Patient/p2"}})

    assert {} == dict(found.results)
    assert {("observation", "other patient"): 1} == w.counted(found)


def test_one_reading_sent_twice_counts_once():
    """
    As a component, and as an Observation of its own.
    """
    panel = w.observation("85354-9", component=[component("8480-6", "131")])
    alone = w.observation("8480-6", "131", "mm[Hg]")

    assert ["131"] == w.values(w.snapshot(panel, alone), "systolic")


def test_the_laboratorys_own_limits_are_converted():
    """
    Where they are in the unit of the result; another unit is left alone.
    """
    low, high = (
        {"value": Decimal("3.9"), "unit": "mmol/L"},
        {"value": Decimal(100), "unit": "mg/dL"},
    )
    found = w.snapshot(
        w.observation("14771-0", "5.5", "mmol/L", referenceRange=[{"low": low, "high": high}])
    )
    (one,) = found.results[GLUCOSE]

    assert (Decimal("70.2624"), None) == (one.own_low, one.own_high)


def test_two_reference_ranges_say_nothing():
    """
    Which one holds depends on conditions that are texts.
    """
    limits = [{"low": {"value": 70, "unit": "mg/dL"}}, {"low": {"value": 60, "unit": "mg/dL"}}]

    assert (
        w.snapshot(w.observation(FPG, "95", referenceRange=limits)).results[GLUCOSE][0].own_low
        is None
    )


def test_specimen_and_category_are_kept():
    """
    A contained specimen is no one's but its own.
    """
    sent = w.observation(
        FPG, "95", specimen={"reference": "Specimen/s"}, category=[w.coded("x", "laboratory")]
    )
    (one,) = w.snapshot(sent).results[GLUCOSE]

    assert ("Specimen/s", "laboratory") == (one.specimen, one.category)
    assert "" == w.snapshot(sent | {"specimen": {"reference": "#s"}}).results[GLUCOSE][0].specimen


@pytest.mark.parametrize(
    ("value", "yes", "no", "reason"),
    [
        ({"valueCodeableConcept": w.coded(w.SNOMED, "77386006")}, [True], [], []),
        ({"valueCodeableConcept": w.coded(w.SNOMED, "60001007")}, [], [True], []),
        ({"valueCodeableConcept": w.coded(w.LOINC, "LA4489-6")}, [], [], ["no value"]),
        ({"valueCodeableConcept": w.coded("x", "77386006", "60001007")}, [], [], ["no value"]),
        ({"valueCodeableConcept": {"text": "pregnant"}}, [], [], ["no value"]),
        ({"valueBoolean": True}, [], [], ["no value"]),
    ],
)
def test_an_answer_is_yes_no_or_nothing(value, yes, no, reason):
    """
    No is an entry of its own, so that it can be asked for.
    """
    found = w.snapshot(w.observation("82810-3", **value))

    assert (yes, no, reason) == (
        w.active(found, "pregnancy_status"),
        w.active(found, "pregnancy_status:no"),
        w.reasons(found, "pregnancy_status"),
    )


def test_a_boolean_answers_where_the_concept_says_so():
    """
    `true` is one of its answers.
    """
    found = w.snapshot(w.observation("49541-6", valueBoolean=True))

    assert [True] == w.active(found, "fasting_status")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ({"valueCodeableConcept": w.coded(w.LOINC, "LA6569-3")}, ["1"]),
        ({"valueCodeableConcept": {"text": "Several days"}}, ["1"]),
        ({"valueString": "several DAYS"}, ["1"]),
        ({"valueInteger": 3}, ["3"]),
        ({"valueInteger": 4}, []),
    ],
)
def test_an_item_is_answered_in_words_or_numbers(value, number):
    """
    The concept says which words.
    """
    assert number == w.values(w.snapshot(w.observation("44260-8", **value)), "mood_item")


def test_a_date_is_entered_by_what_it_says():
    """
    A due date lies ahead and is no mistake.
    """
    found = w.snapshot(w.observation("11778-8", valueDateTime="2026-09-01"))

    assert ["2026-09-01"] == [one.when.written for one in found.entries["due_date"]]


def test_a_comparator_reaches_the_result():
    """
    It is a bound on the true value (T36).
    """
    sent = w.observation("27873-9", "2", "mU/L")
    sent["valueQuantity"]["comparator"] = "<"

    assert w.snapshot(sent).results["insulin"][0].bound is Bound.BELOW


def test_one_code_may_mean_several_concepts():
    """
    Each is read in its own way.
    """
    found = w.snapshot(w.observation("2345-7", "120"))

    assert ["120"] == w.values(found, "random_glucose")
    assert ["not known to be fasting"] == w.reasons(found, GLUCOSE)


@pytest.mark.parametrize(
    "code", [None, {}, {"text": "Glucose"}, {"coding": []}, {"coding": [{"code": FPG}]}]
)
def test_an_observation_without_a_code_is_counted(code):
    """
    Its display text is never read (T40).
    """
    found = w.snapshot(w.observation(FPG, "95") | {"code": code})

    assert {("observation", "unreadable code"): 1} == w.counted(found)


def test_an_unwanted_code_leaves_no_trace():
    """
    It is simply another observation.
    """
    assert {} == w.counted(w.snapshot(w.observation("76629-5", "95"), w.observation("1-1", "1")))


def test_the_site_zone_places_dates():
    """
    A day in Auckland begins before it does in Greenwich.
    """
    sent = w.observation(FPG, "95", effectiveDateTime="2026-05-22")

    assert 10 == w.snapshot(sent).results[GLUCOSE][0].days
    assert 11 == w.snapshot(sent, zone=ZoneInfo("Pacific/Auckland")).results[GLUCOSE][0].days
