"""
How numbers came about.
"""

import pytest

from tests.workshop.explained import shipped, tracer_of

MAN = "age: 52 years, sex: male, "


def said(name, words):
    """
    What is said of an index or a reading.
    """
    tracer = tracer_of(f"{MAN} {words}")
    return tracer.workings.say(tracer.found.numbers[name])


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        (
            "homa_ir",
            "fasting_plasma_glucose: 94 mg/dL, fasting_insulin: 18 mU/L",
            "4.18 = 94 * 18 / 405",
        ),
        (
            "homa_ir",
            "fasting_plasma_glucose: 5.4 mmol/L, fasting_insulin: 114 pmol/L",
            "4.56 = 5.4 * 19 / 22.5",
        ),
        (
            "homa_ir",
            "fasting_plasma_glucose: 94 mg/dL, fasting_insulin: <0.5 mU/L",
            "<0.116049 = 94 * <0.5 / 405",
        ),
        ("homa_ir", "fasting_plasma_glucose: 94 mg/dL", ""),
        (
            "homa_ir",
            "fasting_plasma_glucose: 94 mg/dL, fasting_insulin: 18 mU/L, insulin: present",
            "not valid: on insulin",
        ),
        (
            "homa_ir_any",
            "homa_ir_reported: 3.6",
            "3.60 = homa_ir_reported, 3.6 on 2026-05-22",
        ),
        (
            "homa_ir_any",
            "fasting_plasma_glucose: 94 mg/dL, fasting_insulin: 18 mU/L",
            "4.18 = 94 * 18 / 405",
        ),
        (
            "bmi",
            "body_weight: 90 kg, body_height: 180 cm",
            "27.8 kg/m2 = 90 / (180 / 100) ^ 2",
        ),
        ("usable_waist", "waist_circumference: 98 cm", "98 cm"),
        ("metabolic_syndrome", "hdl_cholesterol: 36 mg/dL", "1 to 5 of 5 criteria"),
        (
            "low_testosterone_unconfirmed.low_days",
            "total_testosterone: 238 ng/dL",
            "1 (238 ng/dL on 2026-05-22)",
        ),
        ("low_testosterone_unconfirmed.low_days", "alt: 20 U/L", "0"),
    ],
)
def test_a_number_is_told_with_its_formula(name, words, expected):
    """
    Or with what was taken in its place.
    """
    assert expected == said(name, words)


def test_steps_and_constants_are_told():
    """
    By name, with their numbers.
    """
    tracer = tracer_of(f"{MAN} creatinine: 1.1 mg/dL")
    index = shipped().indices["egfr"]

    assert [
        ("k", "constant", "0.9"),
        ("a", "constant", "0.302"),
        ("factor", "constant", "1"),
        ("ratio", "creatinine[mg/dL] / k", "1.22222"),
    ] == list(tracer.workings.steps(index, tracer.found.numbers["egfr"]))


def test_constants_of_both_sexes_are_told_where_neither_is_known():
    """
    And the step that needs one is worked out with the first.
    """
    tracer = tracer_of("age: 52 years, creatinine: 1.1 mg/dL")
    index = shipped().indices["egfr"]
    steps = {
        name: number
        for name, _, number in tracer.workings.steps(index, tracer.found.numbers["egfr"])
    }

    assert {"0.9", "0.7"} == set(steps["k"].split(" or "))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("creatinine: 1.1 mg/dL", ("1.1 mg/dL on 2026-05-22", "")),
        ("alt: 20 U/L", ("", "never measured")),
        (
            "creatinine: 1.1 mg/dL 800 days ago",
            ("1.1 mg/dL on 2024-03-23", "stale (1.1 mg/dL on 2024-03-23)"),
        ),
    ],
)
def test_an_input_says_what_was_found_or_why_not(words, expected):
    """
    The newest in any case.
    """
    tracer = tracer_of(f"{MAN} {words}")
    index = shipped().indices["egfr"]
    one = next(one for one in index.inputs if one.name == "creatinine")

    assert expected == tracer.workings.input(index, one, tracer.found.numbers["egfr"])


def test_an_age_that_is_not_known_is_an_input_that_is_missing():
    """
    A known one is given in years.
    """
    index = shipped().indices["egfr"]
    one = next(one for one in index.inputs if one.what == "age")
    found = [
        tracer.workings.input(index, one, tracer.found.numbers["egfr"])
        for tracer in (tracer_of("sex: male"), tracer_of(MAN.rstrip(", ")))
    ]

    assert [("", "not recorded"), ("52", "")] == found


def test_an_index_in_an_index_is_told_with_its_own_formula():
    """
    BMI inside the fatty liver index.
    """
    words = f"{MAN} body_weight: 90 kg, body_height: 180 cm"
    tracer = tracer_of(words)
    index = shipped().indices["fatty_liver_index"]
    one = next(one for one in index.inputs if one.what == "index")

    assert ("27.8 kg/m2 = 90 / (180 / 100) ^ 2", "") == tracer.workings.input(
        index, one, tracer.found.numbers["fatty_liver_index"]
    )
