from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fhir import world as w

FASTING = {"valueBoolean": True}


def glucose(value, when, **more):
    return w.observation("1558-6", value, effectiveDateTime=when, **more)


def test_results_stand_newest_first():
    """
    By the end of what their dates allow.
    """
    sent = [glucose(str(one), f"2026-05-{one}") for one in (10, 12, 11)]
    sent = [one | {"valueQuantity": one["valueQuantity"] | {"value": Decimal(90)}} for one in sent]
    found = w.snapshot(*sent)

    assert ["2026-05-12", "2026-05-11", "2026-05-10"] == [
        one.when.written for one in found.results["fasting_glucose"]
    ]


@pytest.mark.parametrize(
    ("code", "name", "unit", "expected"),
    [
        ("8480-6", "systolic", "mm[Hg]", ["150", "120"]),
        ("98979-8", "egfr", "mL/min/{1.73_m2}", ["120", "150"]),
    ],
)
def test_at_one_instant_the_more_dangerous_is_first(code, name, unit, expected):
    """
    High for most, low for some.
    """
    sent = [w.observation(code, value, unit) for value in ("120", "150")]

    assert expected == w.values(w.snapshot(*sent), name)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(
            ("100", "2026-05-01T08:00:00Z"), ("120", "2026-05-01T17:00:00Z"), [], id="fifth"
        ),
        pytest.param(
            ("100", "2026-05-01T08:00:00Z"),
            ("126", "2026-05-01T17:00:00Z"),
            ["conflict"] * 2,
            id="more",
        ),
        pytest.param(
            ("100", "2026-05-01T08:00:00Z"),
            ("101", "2026-05-01T08:00:00Z"),
            ["conflict"] * 2,
            id="instant",
        ),
        pytest.param(
            ("100", "2026-05-01T08:00:00Z"), ("126", "2026-05-02T08:00:00Z"), [], id="two days"
        ),
        pytest.param(("100", "2026-05-01"), ("110", "2026-05-01"), [], id="date only"),
        pytest.param(
            ("100", "2026-05-01"), ("150", "2026-05-01T08:00:00Z"), ["conflict"] * 2, id="mixed"
        ),
        pytest.param(
            ("100", "2026-05-01T23:00:00-05:00"),
            ("150", "2026-05-02T01:00:00-05:00"),
            [],
            id="local days",
        ),
    ],
)
def test_two_results_of_one_day_can_contradict(one, other, expected):
    """
    By more than a fifth of the larger; at one instant at all (T38).
    """
    found = w.snapshot(glucose(*one), glucose(*other))

    assert expected == w.reasons(found, "fasting_glucose")
    assert 2 - len(expected) == len(found.results.get("fasting_glucose", ()))


def test_a_conflict_keeps_what_was_sent():
    """
    Both may still lie beyond one threshold.
    """
    found = w.snapshot(glucose("130", "2026-05-01"), glucose("200", "2026-05-01"))

    assert [("130", "mg/dL", 31), ("200", "mg/dL", 31)] == sorted(
        (str(one.sent), one.unit, one.days) for one in found.unusable["fasting_glucose"]
    )


def test_a_comparator_agrees_with_what_it_allows():
    """
    `<2` and `1.2` are no conflict; `<2` and `5` are.
    """
    below = w.observation("27873-9", "2", "mU/L")
    below["valueQuantity"]["comparator"] = "<"

    assert [] == w.reasons(w.snapshot(below, w.observation("27873-9", "1.2", "mU/L")), "insulin")
    assert ["conflict"] * 2 == w.reasons(
        w.snapshot(below, w.observation("27873-9", "5", "mU/L")), "insulin"
    )


def test_one_value_reported_in_two_units_is_one_result():
    """
    Laboratories print HbA1c both ways; rounding is no contradiction.
    """
    both = [w.observation("4548-4", "6.5", "%"), w.observation("59261-8", "48", "mmol/mol")]

    assert ["6.5"] == w.values(w.snapshot(*both), "hba1c")
    far = [w.observation("4548-4", "6.5", "%"), w.observation("59261-8", "55", "mmol/mol")]
    assert ["conflict"] * 2 == w.reasons(w.snapshot(*far), "hba1c")


def test_concepts_without_conflicts_keep_everything():
    """
    Blood pressure varies.
    """
    found = w.snapshot(
        w.observation("8480-6", "100", "mm[Hg]"), w.observation("8480-6", "190", "mm[Hg]")
    )

    assert 2 == len(found.results["systolic"])


def test_a_fasting_statement_of_the_same_collection_proves_fasting():
    """
    By one instant or by one specimen; another day proves nothing.
    """
    sugar = w.observation("2345-7", "95", days=10)
    same = w.observation("49541-6", days=10, **FASTING)
    other = w.observation("49541-6", days=9, **FASTING)

    assert ["95"] == w.values(w.snapshot(sugar, same), "fasting_glucose")
    assert [] == w.values(w.snapshot(sugar, other), "fasting_glucose")
    drawn = {"specimen": {"reference": "Specimen/s"}}
    assert ["95"] == w.values(w.snapshot(sugar | drawn, other | drawn), "fasting_glucose")


def test_a_fasting_coded_glucose_proves_fasting_of_its_company():
    """
    But not one that itself only became fasting by company.
    """
    insulin = w.observation("20448-7", "12", "mU/L")

    assert ["12"] == w.values(w.snapshot(insulin, w.observation("1558-6", "95")), "insulin")
    assert ["not known to be fasting"] == w.reasons(
        w.snapshot(insulin, w.observation("2345-7", "95")), "insulin"
    )


def test_dates_that_are_written_alike_are_one_collection():
    """
    A month is all that some data say.
    """
    sent = [
        w.observation("20448-7", "12", "mU/L", effectiveDateTime="2026-02"),
        w.observation("1558-6", "95", effectiveDateTime="2026-02"),
    ]

    assert ["12"] == w.values(w.snapshot(*sent), "insulin")


def test_not_fasting_is_normal_and_not_counted():
    """
    Decision 25 lists what is.
    """
    assert {} == w.counted(w.snapshot(w.observation("2345-7", "95")))


def sleep(value, days, **more):
    return w.observation("93832-4", value, "h", days=days, **more)


def test_one_statement_about_a_habit_is_enough():
    """
    A questionnaire, or a mean over enough days.
    """
    survey = sleep("6", 100, category=[w.coded("x", "survey")])
    period = {"start": "2026-05-01", "end": "2026-05-03"}
    mean = sleep("5", 1, effectiveDateTime=None, effectivePeriod=period)

    assert ["6"] == w.values(w.snapshot(survey), "sleep")
    assert ["5"] == w.values(w.snapshot(mean), "sleep")


def test_single_nights_count_only_together():
    """
    Enough different days inside the window give one mean; fewer give none.
    """
    nights = [sleep(str(hours), day) for day, hours in ((1, 5), (2, 6), (3, 7), (40, 12))]

    assert ["6"] == w.values(w.snapshot(*nights), "sleep")
    assert [] == w.values(w.snapshot(*nights[1:]), "sleep")
    assert ["too few days"] * 3 == w.reasons(w.snapshot(*nights[1:]), "sleep")
    assert {("sleep", "too few days"): 3} == w.counted(w.snapshot(*nights[1:]))


def test_a_short_period_is_a_single_night():
    """
    From evening to morning.
    """
    night = {"start": "2026-05-30T22:00:00Z", "end": "2026-05-31T06:00:00Z"}

    assert [] == w.values(
        w.snapshot(sleep("6", 1, effectiveDateTime=None, effectivePeriod=night)), "sleep"
    )
