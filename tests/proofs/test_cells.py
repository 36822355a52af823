"""
The states of a variable, in words and as tests write them.
"""

from decimal import Decimal

from cds.core.clauses import Case, Limit, Threshold
from cds.core.quantity import Conversion
from cds.proofs.cells import Ages, Choice, Entries, Grades, Numbers, Sent, Windows
from cds.proofs.line import Line


def line(*numbers, **more):
    """
    A line with these cut-offs.
    """
    return Line(frozenset((Decimal(str(one)), False) for one in numbers), **more)


def states(cells, found=None):
    """
    What a variable can be, or a set of it, in words.
    """
    every = range(cells.size)
    return [cells.says(at) for at in every if found is None or found >> at & 1]


def limit(number, **more):
    """
    One end of a range, the number included.
    """
    return Limit(Threshold("", (Case(Decimal(str(number)), **more),), ""), inclusive=True)


def test_a_number_is_missing_exact_or_known_within_bounds():
    """
    A comparator reaches to an end of the line.
    """
    cells = Numbers("hba1c", (Sent("%", Conversion(), line(5.7, 6.5)),))

    assert [
        "not known",
        "below 5.7",
        "from 5.7 below 6.5",
        "6.5 or more",
        "below 6.5 (known within bounds only)",
        "any (known within bounds only)",
        "5.7 or more (known within bounds only)",
    ] == states(cells)
    assert [{"hba1c": "none"}, {"hba1c": "5.6 %"}] == [cells.given(at) for at in (0, 1)]
    assert {} == cells.given(4)


def test_results_that_contradict_each_other_are_no_value_and_yet_a_range():
    """
    Only of concepts that say so.
    """
    cells = Numbers("hba1c", (Sent("%", Conversion(), line(6)),), conflicts=True)

    assert "below 6 (two results contradict each other)" in states(cells)
    assert not cells.known & ~cells.there
    assert states(cells, cells.there & ~cells.known)


def test_ages_of_a_number():
    """
    By the windows that are asked about.
    """
    cells = Numbers("hba1c", (Sent("%", Conversion(), line()),), (30, 90), bounds="any")

    assert [
        "any within 30 days",
        "any within 90 days",
    ] == states(cells, cells.within(90))
    assert ["1 % 10 days ago", "1 % 31 days ago", "1 % 91 days ago"] == [
        cells.given(at)["hba1c"] for at in (1, 2, 3)
    ]


def test_a_pair_is_compared_in_the_unit_that_was_sent():
    """
    100 mg/dL, and 5.6 mmol/L, which is more than 100 mg/dL.
    """
    way = Conversion(Decimal(18))
    pair = limit(100, alternate=Decimal("5.6"), alternate_unit="mmol/L")
    sents = (Sent("mg/dL", Conversion(), line(100)), Sent("mmol/L", way, line("100.8")))
    cells = Numbers("glucose", sents, bounds="any")
    yes, no = cells.reach(pair, pair.threshold.cases[0], upper=False)

    assert ["100 or more", "100.8 or more (sent in mmol/L)"] == states(cells, yes)
    assert ["below 100", "below 100.8 (sent in mmol/L)"] == states(cells, no)
    assert [{"glucose": "99.9 mg/dL"}, {"glucose": "5.6 mmol/L"}] == [
        cells.given(at) for at in (1, 5)
    ]


def test_the_laboratorys_own_limit_goes_first():
    """
    Where it was sent.
    """
    own = Threshold("", (Case(Decimal(10)),), "", or_own="lower")
    end = Limit(own, inclusive=False)
    cells = Numbers("t", (Sent("1", Conversion(), line(10)),), owns=frozenset({"lower"}))
    yes, no = cells.reach(end, own.cases[0], upper=True)

    assert "below 10 above the laboratory's own lower limit" in states(cells, yes)
    assert "10 or more at the laboratory's own lower limit" in states(cells, yes)
    assert "10 or more below the laboratory's own lower limit" in states(cells, no)
    assert {} == cells.given(cells.size - 1)


def test_counts():
    """
    From surely so many to possibly so many.
    """
    whole = line(1, 2, whole=True)
    cells = Numbers("days", (Sent("1", Conversion(), whole),), bounds="any", missing=False)

    assert (1, 2) == cells.counts
    assert ["2 or more"] == states(cells, cells.from_low(2))
    assert "not known" not in states(cells)
    assert ["below 1", "from 1 below 2", "below 2 (known within bounds only)"] == states(
        cells, cells.there & ~cells.from_high(2)
    )


def test_ages_of_people():
    """
    A birth date that is not exact leaves two ages, none all.
    """
    cells = Ages(line(18, 65, whole=True))
    yes, no = cells.reach(limit(18), Case(Decimal(18)), upper=False)

    assert ["from 18 below 65", "65 or more", "18 or more"] == states(cells, yes)
    assert ["below 18"] == states(cells, no)
    assert "unknown" == states(cells)[-1]
    assert [{"age": "17 years"}, {"age": "18 years"}, {}] == [cells.given(at) for at in (0, 1, 3)]


def test_entries():
    """
    Of dated ones the youngest, and beside it one without a date.
    """
    cells = Entries("gout", "past", (30, 90))

    assert ["past entry within 30 days", "past entry within 90 days"] == states(
        cells, cells.within(90)
    )[:2]
    assert "past entry without a date" in states(cells, cells.undated)
    assert "past entry within 30 days and one without a date" in states(cells, cells.any)
    assert {"gout": "history 91 days ago"} == cells.given(3)
    assert {} == cells.given(4)
    assert {"gout": "present"} == Entries("gout", "active", ()).given(1)


def test_windows():
    """
    A shorter window is inside a longer one.
    """
    cells = Windows("it", (7, 30))

    assert ["yes, within 7 days", "yes, within 30 days"] == states(cells, cells.within(30))
    assert ["no", "yes"] == states(Windows("it", ()))
    assert {} == cells.given(1)


def test_grades():
    """
    What it is, and what it could still become.
    """
    cells = Grades("f", ("probable", "possible"))
    yes, no = cells.is_grade("possible", or_more=True)

    assert ["possible", "probable", "possible, could become probable"] == states(cells, yes)
    assert ["undetermined"] == states(cells, no)
    assert "not graded" == states(cells)[-1]
    assert {} == cells.given(0)


def test_words():
    """
    With what a test writes for them.
    """
    cells = Choice("sex", ("male", "unknown"), ({"sex": "male"}, {}))

    assert 0b01 == cells.of(["male", "other"])
    assert [{"sex": "male"}, {}] == [cells.given(at) for at in (0, 1)]
    assert {} == Choice("stage", ("S1",)).given(0)
