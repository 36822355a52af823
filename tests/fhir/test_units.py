from __future__ import annotations

from decimal import Decimal

import pytest

from cds.core.facts import Bound, Gap
from cds.fhir.units import Measure, number_of
from tests.fhir import world as w

GLUCOSE = Measure(w.CONCEPTS["fasting_glucose"])
HBA1C = Measure(w.CONCEPTS["hba1c"])
INSULIN = Measure(w.CONCEPTS["insulin"])
SCORE = Measure(w.CONCEPTS["mood_item"])


def quantity(value, unit=None, code=None, system=w.UCUM, **more):
    made = {"value": Decimal(value), "unit": unit, "code": code, "system": system if code else None}
    return {key: one for key, one in made.items() if one is not None} | more


@pytest.mark.parametrize(
    ("measure", "sent", "value", "unit"),
    [
        (GLUCOSE, quantity("95", "mg/dL", "mg/dL"), "95", "mg/dL"),
        (GLUCOSE, quantity("95", "mg/dL"), "95", "mg/dL"),
        (GLUCOSE, quantity("95", "MG/DL"), "95", "mg/dL"),
        (GLUCOSE, quantity("95", "mg/dl"), "95", "mg/dL"),
        (GLUCOSE, quantity("95", code="mg/dl"), "95", "mg/dL"),
        (GLUCOSE, quantity("5.5", "mmol/l", "mmol/L"), "99.088", "mmol/L"),
        (
            GLUCOSE,
            quantity("5.5", code="mmol/L", system="urn:oid:2.16.840.1.113883.6.8"),
            "99.088",
            "mmol/L",
        ),
        (GLUCOSE, quantity("5.5", "milligrams", "mmol/L"), "99.088", "mmol/L"),
        (GLUCOSE, quantity("5.5", code="mmol/L", system="urn:local"), "99.088", "mmol/L"),
        (INSULIN, quantity("12", "µIU/mL"), "12", "u[IU]/mL"),
        (INSULIN, quantity("12", "uIU/mL", "u[iU]/mL"), "12", "u[IU]/mL"),
        (INSULIN, quantity("12", "mIU/L", "u[IU]/mL"), "12", "u[IU]/mL"),
        (INSULIN, quantity("60", "pmol/L", "pmol/L"), "10.0000000000", "pmol/L"),
        (HBA1C, quantity("48", "mmol/mol", "mmol/mol"), "6.54304", "mmol/mol"),
        (SCORE, quantity("2", "{score}", "{score}"), "2", "1"),
        (SCORE, quantity("2", code="1"), "2", "1"),
        (SCORE, quantity("2"), "2", "1"),
    ],
)
def test_a_known_unit_is_converted(measure, sent, value, unit):
    """
    By its UCUM code, or by its text where there is no code (T35).
    """
    found = measure.quantity(sent)

    assert (None, Decimal(value), unit) == (found.gap, found.value, found.unit)


@pytest.mark.parametrize(
    ("measure", "sent", "gap"),
    [
        (GLUCOSE, quantity("95"), Gap.UNIT),
        (GLUCOSE, quantity("95", "mg"), Gap.UNIT),
        (GLUCOSE, quantity("95", code="MG/DL"), Gap.UNIT),
        (GLUCOSE, quantity("95", "mg/dL", "MG/DL"), Gap.UNIT),
        (GLUCOSE, quantity("95", "mg/dL", "mmol/L"), Gap.UNIT),
        (GLUCOSE, quantity("95", ""), Gap.UNIT),
        (GLUCOSE, quantity("95", "x" * 1000), Gap.UNIT),
        (GLUCOSE, quantity("95", ["mg/dL"]), Gap.UNIT),
        (GLUCOSE, quantity("900", "mg/dL"), Gap.IMPLAUSIBLE),
        (GLUCOSE, quantity("95", "mmol/L"), Gap.IMPLAUSIBLE),
        (GLUCOSE, quantity("-95", "mg/dL"), Gap.IMPLAUSIBLE),
        (HBA1C, quantity("6.5", "mmol/mol", "mmol/mol"), Gap.IMPLAUSIBLE),
        (HBA1C, quantity("48", "%", "%"), Gap.IMPLAUSIBLE),
        (GLUCOSE, quantity("95", "mg/dL", comparator="ad"), Gap.COMPARATOR),
        (GLUCOSE, quantity("95", "mg/dL", comparator=[]), Gap.COMPARATOR),
        (GLUCOSE, quantity("NaN", "mg/dL"), Gap.NO_VALUE),
        (GLUCOSE, quantity("1e400000", "mg/dL"), Gap.NO_VALUE),
        (GLUCOSE, {"value": True, "unit": "mg/dL"}, Gap.NO_VALUE),
        (GLUCOSE, {"value": "95", "unit": "mg/dL"}, Gap.NO_VALUE),
        (GLUCOSE, {"unit": "mg/dL"}, Gap.NO_VALUE),
        (GLUCOSE, ["95"], Gap.NO_VALUE),
    ],
)
def test_what_cannot_be_trusted_says_why(measure, sent, gap):
    """
    A unit is never guessed from a number (T35, T36).
    """
    assert gap is measure.quantity(sent).gap


@pytest.mark.parametrize(
    ("sign", "bound"),
    [("<", Bound.BELOW), ("<=", Bound.AT_MOST), (">", Bound.ABOVE), (">=", Bound.AT_LEAST)],
)
def test_a_comparator_is_kept_as_a_bound(sign, bound):
    """
    `<2` is a fact about less than two (T36).
    """
    assert bound is INSULIN.quantity(quantity("2", "mU/L", comparator=sign)).bound


def test_ends_of_the_plausible_range_are_inside():
    """
    Both are inclusive (T35).
    """
    assert GLUCOSE.quantity(quantity("20", "mg/dL")).gap is None
    assert GLUCOSE.quantity(quantity("800", "mg/dL")).gap is None


def test_an_integer_needs_a_concept_without_unit():
    """
    Nothing says what an integer counts.
    """
    assert SCORE.integer(2).gap is None
    assert GLUCOSE.integer(95).gap is Gap.UNIT
    assert SCORE.integer(True).gap is Gap.NO_VALUE


def test_an_answer_may_stand_for_a_number():
    """
    By code or by its own words, ignoring case; never by reading digits in a text.
    """
    assert Decimal(0) == SCORE.word(("LA6568-5",), ()).value
    assert Decimal(1) == SCORE.word((), ("Several Days",)).value
    assert SCORE.word((), ("2",)).gap is Gap.NO_VALUE


@pytest.mark.parametrize("value", [True, "6.1", 6.1, None, [], Decimal("Infinity"), 10**40])
def test_only_finite_json_numbers_are_numbers(value):
    """
    The decoder gives Decimal or int (T36).
    """
    assert number_of(value) is None
