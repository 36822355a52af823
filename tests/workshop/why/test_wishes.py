"""
Wishes: ranges that meet, snapshots in which a wish holds, and what is said of it.
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.core.latest import latest
from cds.workshop.why.wishes import Range, Wish, fulfilled, joined, nearest, said
from tests.workshop.explained import shipped, snapshot_of

D = Decimal
NUMBERS = st.integers(0, 8).map(Decimal)
ENDS = st.none() | NUMBERS
RANGES = st.builds(Range, ENDS, ENDS, st.booleans(), st.booleans())
MAN = "age: 52 years, sex: male"


@given(one=RANGES, other=RANGES, number=NUMBERS)
def test_two_ranges_meet_in_what_is_in_both(one, other, number):
    """
    And in nothing else.
    """
    both = one.meet(other)
    expected = one.holds(number) and other.holds(number)

    assert expected == (both is not None and both.holds(number))


def test_ranges_that_only_touch():
    """
    Meet where both hold the end.
    """
    upper = Range(low=D(5))

    assert Range(D(5), D(5)) == upper.meet(Range(high=D(5)))
    assert upper.meet(Range(high=D(5), high_open=True)) is None
    assert upper.meet(Range(high=D(4))) is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((Wish("measure", "a"),), (Wish("complete", "problems"),), 2),
        ((Wish("measure", "a", Range(low=D(3))),), (Wish("measure", "a", Range(high=D(5))),), 1),
        ((Wish("measure", "a", Range(low=D(6))),), (Wish("measure", "a", Range(high=D(5))),), None),
        ((Wish("record", "a"),), (Wish("remove", "a"),), None),
        ((Wish("sex", value="male"),), (Wish("sex", value="female"),), None),
        ((Wish("record", "a", act="ordered"),), (Wish("record", "a"),), None),
        ((Wish("measure", "a", times=2),), (Wish("measure", "a"),), 1),
    ],
)
def test_wishes_are_joined_by_what_they_are_about(one, other, expected):
    """
    Two about one thing become one; two that contradict none.
    """
    found = joined(one, other)

    assert expected == (None if found is None else len(found))


def test_a_wider_wish_covers_a_narrower():
    """
    Of the same thing, asked no harder.
    """
    wide = Wish("measure", "a", Range(low=D(5)))

    assert wide.covers(Wish("measure", "a", Range(low=D(6)), times=2))
    assert not wide.covers(Wish("measure", "a", Range(low=D(4))))
    assert not wide.covers(Wish("measure", "b", Range(low=D(6))))
    assert not Wish("measure", "a", times=2).covers(wide)


@pytest.mark.parametrize(
    ("words", "wanted", "expected"),
    [
        ("hba1c: 5.2 %", Range(low=D("5.7")), "5.7"),
        ("hba1c: 7.2 %", Range(D("5.7"), D("6.5"), high_open=True), "6.49"),
        ("hba1c: 5.2 %", Range(D("5.7"), D("6.5"), low_open=True), "5.71"),
        ("hba1c: 6.0 %", Range(low=D("5.7")), "6.0"),
        ("", Range(high=D("6.5"), high_open=True), "6.49"),
        ("", Range(high=D("6.5")), "6.5"),
        ("", Range(), "5.9"),
        ("", Range(low=D(6), high=D(6)), "6"),
        ("", Range(D(6), D("6.02"), low_open=True, high_open=True), "6.01"),
    ],
)
def test_the_nearest_number_is_taken(words, wanted, expected):
    """
    What is measured stays where it may; else the end of the range beside it.
    """
    snapshot = snapshot_of(f"{MAN}, {words}" if words else MAN)
    wish = Wish("measure", "hba1c", wanted)

    assert Decimal(expected) == nearest(shipped(), snapshot, wish, {"hba1c": D("5.9")})


def test_an_age_is_the_lowest_that_will_do():
    """
    Or a usual one.
    """
    snapshot = snapshot_of("sex: male")
    ages = [
        nearest(shipped(), snapshot, Wish("age", range=one), {"age": D(40)})
        for one in (Range(low=D(18)), Range(high=D(18)), Range(D(18), None, low_open=True), Range())
    ]

    assert [18, 17, 19, 40] == ages


def test_a_measurement_takes_the_place_of_what_was_there():
    """
    On so many days, or in the draw of what it belongs to.
    """
    snapshot = snapshot_of(f"{MAN}, fasting_plasma_glucose: 90 mg/dL, hba1c: 5 %")
    twice = Wish("measure", "hba1c", times=2, apart=3)
    drawn = Wish("measure", "fasting_insulin", with_="fasting_plasma_glucose")
    numbers = {twice: D("6.6"), drawn: D(12)}
    changed = fulfilled(shipped(), snapshot, (twice, drawn), numbers)
    (insulin,) = changed.results["fasting_insulin"]

    assert [("6.6", 0), ("6.6", 3)] == [
        (str(one.value), one.days) for one in changed.results["hba1c"]
    ]
    assert (10, changed.results["fasting_plasma_glucose"][0].when) == (insulin.days, insulin.when)
    assert latest(changed, "hba1c").number.value == D("6.6")


def test_entries_lists_and_the_person_change():
    """
    Recorded, removed, completed.
    """
    snapshot = snapshot_of("masld: present, not_sent: [medicines]")
    wishes = (
        Wish("record", "pcos", days=30),
        Wish("remove", "masld"),
        Wish("complete", "medicines"),
        Wish("sex", value="female"),
        age := Wish("age", range=Range(low=D(18))),
    )
    changed = fulfilled(shipped(), snapshot, wishes, {age: D(18)})

    assert [30] == [one.days for one in changed.entries["pcos"]]
    assert "masld" not in changed.entries
    assert changed.state_of("medicines").complete
    assert ("female", (18, 18)) == (changed.person.sex, changed.person.age(changed.as_of))
    assert not snapshot.state_of("medicines").complete


@pytest.mark.parametrize(
    ("wish", "number", "expected"),
    [
        (Wish("measure", "hba1c", Range(low=D("5.7"))), None, "find hba1c at 5.7 % or more"),
        (Wish("measure", "hba1c"), None, "find hba1c"),
        (
            Wish("measure", "alt", Range(D(30), D(40), high_open=True)),
            None,
            "measure alt, and find 30 U/L or more, but less than 40 U/L",
        ),
        (Wish("measure", "alt", Range(D(30), D(30))), None, "measure alt, and find 30 U/L"),
        (
            Wish("measure", "alt", Range(D(30), None, low_open=True), times=2),
            None,
            "measure alt on 2 days, and find more than 30 U/L",
        ),
        (
            Wish("measure", "alt", Range(low=D(30))),
            D(35),
            "measure alt, and find for example 35 U/L",
        ),
        (
            Wish("measure", "alt", Range(D(35), D(35)), example=True),
            None,
            "measure alt, and find for example 35 U/L",
        ),
        (Wish("measure", "alt"), None, "measure alt"),
        (
            Wish("measure", "stop_bang", Range(high=D(3))),
            None,
            "measure stop_bang, and find 3 or less",
        ),
        (Wish("record", "masld"), None, "record masld"),
        (Wish("record", "masld", days=30), None, "record masld, 30 days ago"),
        (Wish("record", "metformin"), None, "with metformin"),
        (Wish("record", "metformin", act="ordered"), None, "order metformin"),
        (Wish("record", "pregnancy_status:no"), None, "pregnancy_status answered no"),
        (Wish("remove", "masld"), None, "without masld"),
        (Wish("complete", "medicines"), None, "send the whole medicines list"),
        (Wish("sex", value="male"), None, "record the sex, male"),
        (Wish("age", range=Range(low=D(18))), None, "record a birth date, age 18 years or more"),
    ],
)
def test_a_wish_is_said_as_something_to_do(wish, number, expected):
    """
    For a man whose HbA1c is known.
    """
    snapshot = snapshot_of(f"{MAN}, hba1c: 5 %")

    assert expected == said(shipped(), snapshot, wish, number)
