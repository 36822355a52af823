"""
Values and cut-offs in words: as sent, for this patient.
"""

from decimal import Decimal

import pytest

from cds.core.clauses import Case, Limit, Threshold
from cds.core.facts import Gap
from cds.core.findings import Interval
from cds.core.truth import Need
from cds.workshop.why.values import Values, span
from tests.workshop.explained import shipped, snapshot_of

D = Decimal
MAN = "age: 52 years, sex: male"


def values_of(words=MAN):
    """
    What can be said of a patient.
    """
    return Values(shipped(), snapshot_of(words))


def limit(*cases, inclusive=True, unit="cm"):
    """
    A cut-off.
    """
    return Limit(Threshold("x", cases, unit), inclusive)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (Interval.exactly(D("5.70")), "5.70"),
        (Interval.exactly(D("2.499728395061")), "2.49973"),
        (Interval(D(0), D(2), high_open=True), "<2"),
        (Interval(D(1), D(2)), "1 to 2"),
        (Interval(D(1), None, low_open=True), ">1"),
        (Interval(D(1), None), ">=1"),
        (Interval(None, D(3)), "<=3"),
        (Interval(None, None), "any number"),
    ],
)
def test_a_number_or_what_is_known_of_it(number, expected):
    """
    No more figures than one reads.
    """
    assert expected == span(number)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (limit(Case(D(94))), None, "from 94 cm"),
        (limit(Case(D(94)), inclusive=False), None, "more than 94 cm"),
        (None, limit(Case(D(94)), inclusive=False), "below 94 cm"),
        (None, limit(Case(D(94))), "at most 94 cm"),
        (limit(Case(D(80))), limit(Case(D(94)), inclusive=False), "from 80 cm below 94 cm"),
        (limit(Case(D(94), sex="male"), Case(D(80), sex="female")), None, "male from 94 cm"),
        (limit(Case(D(94)), Case(D(90), group="asian")), None, "from 94 cm"),
        (
            limit(Case(D(2), age_from=65), Case(D(1), age_below=65)),
            None,
            "younger than 65 years from 1 cm",
        ),
        (limit(Case(D(94), sex="female")), None, "from a limit that is not given for this patient"),
        (None, None, ""),
    ],
)
def test_the_cut_off_that_applied(low, high, expected):
    """
    To a man of fifty-two.
    """
    assert expected == values_of().needed(low, high)


def test_a_pair_is_compared_in_the_unit_that_was_sent():
    """
    And in no other.
    """
    pair = limit(Case(D(126), alternate=D("7.0"), alternate_unit="mmol/L"), unit="mg/dL")

    assert "from 7.0 mmol/L" == values_of().needed(pair, None, unit="mmol/L")
    assert "from 126 mg/dL" == values_of().needed(pair, None, unit="mg/dL")


def test_two_ends_for_two_sexes_are_told_one_by_one():
    """
    Where the sex is not known.
    """
    both = Case(D(94), sex="male"), Case(D(80), sex="female")
    found = values_of("age: 52 years").needed(limit(*both), limit(Case(D(120)), inclusive=False))

    assert "male from 94 cm, female from 80 cm, below 120 cm" == found


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (MAN, ()),
        ("age: 52 years", ("sex not recorded",)),
        ("sex: male", ("age not recorded",)),
    ],
)
def test_what_leaves_several_cut_offs_open(words, expected):
    """
    Of the person, not of the data.
    """
    cases = [
        Case(D(one), sex=sex, age_from=at, age_below=below)
        for one, sex, at, below in (
            (3, "male", 65, None),
            (2, "male", None, 65),
            (5, "female", 65, None),
            (4, "female", None, 65),
        )
    ]

    found = values_of(words).why_open([limit(*cases), None])

    assert set(expected) <= set(found)
    assert bool(expected) == bool(found)


@pytest.mark.parametrize(
    ("words", "expected"),
    [("age: 52 years", "52"), ("sex: male", "")],
)
def test_an_age_in_years(words, expected):
    """
    Nothing without a birth date.
    """
    assert expected == values_of(words).age()


def test_a_datum_as_sent_and_as_kept():
    """
    With its date; the other unit only where the number is another.
    """
    values = values_of(f"{MAN}, fasting_insulin: 114 pmol/L, hba1c: 5.9 %")

    assert "114 pmol/L (19 u[IU]/mL) on 2026-05-22" == values.latest("fasting_insulin")
    assert "5.9 % on 2026-05-22" == values.latest("hba1c")
    assert "" == values.latest("alt")


def test_results_that_contradict_have_no_one_date():
    """
    The range between them.
    """
    values = values_of(f"{MAN}, total_testosterone: [238 ng/dL, 400 ng/dL]")

    assert "238 to 400 ng/dL, 10 days ago" == values.latest("total_testosterone")


def test_many_results_are_cut():
    """
    After the newest four.
    """
    listed = ", ".join(f"{220 + day} ng/dL {day} days ago" for day in (10, 20, 30, 40, 50, 60))
    snapshot = snapshot_of(f"{MAN}, total_testosterone: [{listed}]")
    text = Values(shipped(), snapshot).results(snapshot.results["total_testosterone"])

    assert text.startswith("230 ng/dL on 2026-05-22; ")
    assert text.endswith("; 2 more")


def test_reasons_are_told_together():
    """
    By reason; the name is left out where the clause has said it.
    """
    needs = [Need("alt", Gap.NEVER_MEASURED), Need("ast", Gap.NEVER_MEASURED), Need("x", "unit")]
    values = values_of(f"{MAN}, hba1c: 5.9 % 800 days ago")

    assert "alt, ast never measured; x unit" == values.reasons(needs)
    assert "never measured" == values.reasons(needs[:1], "alt")
    assert "stale (5.9 % on 2024-03-23)" == values.reasons([Need("hba1c", Gap.STALE)], "hba1c")
    assert "homa_ir stale" == values.reason(Need("homa_ir", Gap.STALE))


@pytest.mark.parametrize(
    ("words", "name", "expected"),
    [
        (MAN, "masld", "problems list complete"),
        (f"{MAN}, not_sent: [problems]", "masld", "problems list: not sent"),
        (MAN, "pregnancy_status:no", "status list complete"),
    ],
)
def test_a_list_is_named_with_its_state(words, name, expected):
    """
    As cases name it.
    """
    assert expected == values_of(words).list_of(name)
