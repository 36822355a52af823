"""
Why not: every change that is told brings the answer, and none of its parts does.
"""

from decimal import Decimal
from functools import cache
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.reasoning.evaluator import Reasoner
from cds.workshop.testing.cases import cases_of
from cds.workshop.testing.patients import CannotRead
from cds.workshop.why.explaining import rule_called
from cds.workshop.why.flipping import (
    Flip,
    Flips,
    NoSuchAnswer,
    answers_of,
    flips,
    state_of,
    told,
)
from cds.workshop.why.reasons import written
from cds.workshop.why.solving import usual_values
from cds.workshop.why.wishes import Wish, fulfilled, nearest
from tests.workshop.explained import reasoner, shipped, snapshot_of, subjects

MAN = "age: 52 years, sex: male, "


@cache
def usual():
    """
    What is measured in the cases of the shipped rules.
    """
    return usual_values(shipped(), list(patients().values()))


@cache
def patients():
    """
    The patients of all cases, by the names of the cases.
    """
    found = {}
    for rule, case in cases_of(shipped()):
        try:
            found[f"{rule.id}: {case.name}"] = subjects().of_case(case.given)
        except CannotRead:
            continue
    return found


def flips_of(what, words, wanted, *, filled=None, **more):
    """
    What would bring an answer of a shipped rule; *filled* are the usual values.
    """
    rule = rule_called(shipped(), what)
    of = rule if words.isidentifier() else None
    return flips(shipped(), rule, snapshot_of(words, of=of, **more), wanted, filled or usual())


def said_of(found):
    """
    The changes in words.
    """
    return [tuple(text for _, text in one.said) for one in found.found]


def state_in(rule, snapshot):
    """
    The answer of a rule in a snapshot, by the whole release.
    """
    return state_of(shipped(), rule, reasoner().start(snapshot))


def is_there(rule, state, wanted):
    """
    Tell whether an answer is the wanted one.
    """
    return state not in {"unknown", "not valid"} if wanted == "known" else state == wanted


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_is_told_is_true_and_nothing_less_would_do(data):
    """
    For any rule, any patient of any case, and any answer.
    """
    rules = shipped()
    tables = (rules.cards, rules.conditions, rules.factors, rules.indices)
    every = [one for table in tables for one in table.values()] + [rules.stages]
    rule = data.draw(st.sampled_from(every), label="rule")
    snapshot = patients()[data.draw(st.sampled_from(sorted(patients())), label="patient")]
    wanted = data.draw(st.sampled_from(answers_of(rule)), label="wanted")
    found = flips(rules, rule, snapshot, wanted, usual())

    assert found.state == state_in(rule, snapshot)
    for one in found.found:
        assert is_there(rule, state_in(rule, one.snapshot), wanted)
        numbers = {
            wish: nearest(rules, snapshot, wish, usual())
            for wish in one.way
            if wish.kind in {"measure", "age"}
        }
        for many in range(len(one.way)):
            for part in combinations(one.way, many):
                changed = fulfilled(rules, snapshot, part, numbers)
                assert not is_there(rule, state_in(rule, changed), wanted)


@pytest.mark.parametrize(
    ("what", "words", "wanted", "expected"),
    [
        (
            "IR-MAL-02",
            f"{MAN} body_weight: 80 kg",
            "shown",
            "measure total_testosterone, and find less than 264 ng/dL",
        ),
        (
            "homa_ir",
            f"{MAN} fasting_plasma_glucose: 100 mg/dL",
            "raised",
            "measure fasting_insulin, and find 10.125 u[IU]/mL or more",
        ),
        (
            "homa_ir",
            f"{MAN} fasting_plasma_glucose: 100 mg/dL, fasting_insulin: 8 mU/L",
            "raised",
            "find fasting_insulin at 10.125 u[IU]/mL or more",
        ),
        ("waist_raised", f"{MAN}", "yes", "measure waist_circumference, and find 102 cm or more"),
        (
            "waist_raised",
            "age: 52 years, waist_circumference: 95 cm",
            "yes",
            "record the sex, female",
        ),
        (
            "staging",
            f"{MAN} hba1c: 5.9 %",
            "S3L",
            "find hba1c at 6.5 % or more on 2 days",
        ),
        ("staging", "sex: male, hba1c: 5.9 %", "S2", "record a birth date, age 18 years or more"),
        (
            "insulin_resistance",
            f"{MAN} type_1_diabetes: present",
            "possible",
            "without type_1_diabetes",
        ),
    ],
)
def test_one_change_that_is_enough(what, words, wanted, expected):
    """
    In words that say what to do, exact at the cut-off.
    """
    assert expected in {text for one in said_of(flips_of(what, words, wanted)) for text in one}


def test_a_list_that_was_not_sent_can_be_completed():
    """
    Then the number is valid.
    """
    words = f"{MAN} fasting_plasma_glucose: 90 mg/dL, fasting_insulin: 5 mU/L"
    found = flips_of("homa_ir", words, "known", but="not_sent: [medicines]")

    assert ("send the whole medicines list",) in said_of(found)


def test_what_stops_a_card_can_be_taken_away():
    """
    And what would stop it be added.
    """
    held = flips_of("IR-MAL-02", "typical", "shown", but="opioid: present")
    shown = flips_of("IR-MAL-02", "typical", "not shown")

    assert [("without opioid",)] == said_of(held)
    assert ("find total_testosterone at 264 ng/dL or more",) in said_of(shown)
    assert any("with any of testosterone, opioid" in one[0] for one in said_of(shown))


def test_a_sex_that_care_sets_aside_cannot_be_recorded():
    """
    It would be set aside again.
    """
    found = flips_of("IR-MAL-02", "typical", "shown", but="gender_care: present")

    assert () == found.found


def test_evidence_that_is_not_enough_alone_is_named():
    """
    Each of two measurements that are needed.
    """
    filled = {"fasting_plasma_glucose": Decimal(100), "fasting_insulin": Decimal(18)}
    found = flips_of("homa_ir", f"{MAN}", "raised", filled=filled)

    assert "measure fasting_insulin, and find 10.125 u[IU]/mL or more" in found.not_enough
    assert 2 == len(found.found[0].way)


def test_the_change_says_what_becomes_of_the_numbers_between():
    """
    With the formula.
    """
    words = f"{MAN} hba1c: 5.2 %, fasting_plasma_glucose: 94 mg/dL"
    found = flips_of("insulin_resistance", words, "probable")
    thens = {then for one in found.found for then in one.then}

    assert any(then.startswith("homa_ir_any becomes raised (2.5") for then in thens)


def test_an_answer_that_is_there_needs_no_change():
    """
    And nothing is tried.
    """
    found = flips_of("waist_raised", f"{MAN} waist_circumference: 110 cm", "yes")

    assert ("yes", (), 0) == (found.state, found.found, found.tried)
    assert ["It is yes already."] == [one.text for one in told(found)]


def test_an_answer_that_no_rule_has_is_refused():
    """
    With those it has.
    """
    with pytest.raises(NoSuchAnswer, match="expected, raised, known"):
        flips_of("homa_ir", MAN, "huge")


def test_what_is_told_fits_on_a_page():
    """
    Changes, what is not enough, how far it looked, what it knows no change for.
    """
    way = (Wish("measure", "a"), Wish("measure", "b"))
    snapshot = snapshot_of(MAN)
    flip = Flip(way, snapshot, ((way[0], "measure a"), (way[1], "measure b")), ("c becomes high",))
    found = Flips("no", "yes", (flip,), ("measure a",), 7, more=2, cut=True, limits=("a odd b",))

    assert [
        "Smallest changes that would make it yes:",
        "  measure a; and measure b  c becomes high",
        "Not enough alone:",
        "  measure a",
        "Tried 7 combinations of up to 3 changes; 2 more were found, none smaller; there",
        "are others, which were not tried.",
        "No change is known for:",
        "  a odd b",
    ] == [line for one in told(found) for line in written(one, width=80, lines=False)]


def test_no_change_at_all_is_said():
    """
    Not passed over.
    """
    found = Flips("no", "shown", (), (), 0)

    assert "No change was found that would show it." == next(iter(told(found))).text


def test_the_engine_agrees_with_what_is_told():
    """
    The change is one for both evaluators.
    """
    found = flips_of("IR-STG-03", MAN, "shown")
    both = Reasoner(shipped(), engine="both")
    shown = [both.conclude(one.snapshot).cards["prediabetes_not_recorded"] for one in found.found]
    both.close()

    assert {"fires"} == {one.state for one in shown}
