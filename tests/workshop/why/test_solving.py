"""
Which measurement brings a number where it is wanted.
"""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.reasoning.reference import Run
from cds.workshop.why.solving import Solver, usual_values
from cds.workshop.why.wishes import Range, fulfilled
from tests.workshop.explained import reasoner, shipped, snapshot_of

D = Decimal
MAN = "age: 52 years, sex: male, "
USUAL = {"fasting_plasma_glucose": D(90), "fasting_insulin": D(8), "body_height": D(175)}


def ways(index, words, wanted, usual=USUAL):
    """
    The ways to a number of an index.
    """
    return list(Solver(shipped(), snapshot_of(f"{MAN} {words}"), usual).ways(index, wanted))


def test_the_missing_input_is_solved_for():
    """
    Exact where the turn is a round number.
    """
    ((wish,),) = ways("homa_ir", "fasting_plasma_glucose: 90 mg/dL", Range(low=D("2.5")))

    assert ("fasting_insulin", D("11.25"), None) == (wish.name, wish.range.low, wish.range.high)
    assert "fasting_plasma_glucose" == wish.with_


def test_a_turn_that_is_not_round_is_rounded_to_the_right_side():
    """
    To three figures.
    """
    ((up,),) = ways("homa_ir", "fasting_plasma_glucose: 94 mg/dL", Range(low=D("2.5")))
    ((down,),) = ways("homa_ir", "fasting_plasma_glucose: 94 mg/dL", Range(high=D("2.5")))

    assert (D("10.8"), D("10.7")) == (up.range.low, down.range.high)


def test_each_input_that_is_known_may_be_moved():
    """
    One at a time; a gate ends the range.
    """
    words = "fasting_plasma_glucose: 90 mg/dL, fasting_insulin: 8 mU/L"
    found = {way[0].name: way[0].range for way in ways("homa_ir", words, Range(low=D("2.5")))}

    assert {"fasting_plasma_glucose", "fasting_insulin"} == set(found)
    assert D("126.5625") <= found["fasting_plasma_glucose"].low <= D(127)
    assert found["fasting_plasma_glucose"].high < 180


def test_of_several_missing_inputs_all_but_one_are_usual():
    """
    Examples; without a usual value there is no way.
    """
    found = ways("homa_ir", "", Range(low=D("2.5")))

    assert [1, 1] == [sum(wish.example for wish in way) for way in found]
    assert [] == ways("homa_ir", "", Range(low=D("2.5")), usual={})


def test_an_index_in_an_index_is_solved_through():
    """
    Weight brings the fatty liver index up by way of BMI.
    """
    words = "triglycerides: 120 mg/dL, ggt: 20 U/L, body_height: 180 cm, waist_circumference: 90 cm"
    found = {
        wish.name for way in ways("fatty_liver_index", words, Range(low=D(60))) for wish in way
    }

    assert {"body_weight", "bmi_reported"} == found


def test_what_no_measurement_brings_has_no_way():
    """
    Not within what is plausible.
    """
    assert [] == ways("homa_ir", "fasting_plasma_glucose: 90 mg/dL", Range(low=D(100000)))


def test_too_many_missing_inputs_are_not_guessed():
    """
    Four at once say nothing.
    """
    usual = dict.fromkeys(shipped().concepts, D(100))

    assert all(len(way) < 4 for way in ways("fatty_liver_index", "", Range(low=D(60)), usual=usual))


def test_usual_values_are_those_of_the_cases():
    """
    The middle one, of those the rules know.
    """
    snapshots = [snapshot_of(f"{MAN} hba1c: {one} %") for one in ("5.0", "5.2", "9.0")]

    assert {"hba1c": D("5.2")} == usual_values(shipped(), snapshots)


@settings(max_examples=25, deadline=None)
@given(
    glucose=st.integers(60, 170).map(Decimal),
    cut=st.integers(10, 60).map(lambda one: D(one) / 10),
    above=st.booleans(),
)
def test_the_solution_is_one(glucose, cut, above):
    """
    The index lies where it is wanted, and does not one step before.
    """
    wanted = Range(low=cut) if above else Range(high=cut)
    snapshot = snapshot_of(f"{MAN} fasting_plasma_glucose: {glucose} mg/dL")
    for (wish,) in Solver(shipped(), snapshot, USUAL).ways("homa_ir", wanted):
        end = wish.range.low if above else wish.range.high
        step = end / 100 * (1 if above else -1)
        inside, outside = (
            number_of(fulfilled(shipped(), snapshot, (wish,), {wish: one}))
            for one in (end, end - step)
        )

        assert wanted.holds(inside)
        assert not wanted.holds(outside)


def number_of(snapshot):
    """
    HOMA-IR in a snapshot.
    """
    run: Run = reasoner().start(snapshot)
    return run.conclude().numbers["homa_ir"].number.value


@pytest.mark.parametrize(("concept", "low"), [("fasting_insulin", D("0.2")), ("metformin", None)])
def test_the_plausible_range_is_the_concepts(concept, low):
    """
    None where a concept has no unit.
    """
    assert low == Solver(shipped(), snapshot_of(MAN), {}).plausible(concept).low
