"""
Clauses about two numbers or two dates: what each sentence becomes, and what is refused.
"""

from decimal import Decimal

import pytest

from cds.core.clauses import Beside, Changed

ANOTHER = "`nothing` is not a concept, an index, a reading, a condition or a factor"


def ends(clause):
    """Give both limits as value and whether included."""
    return [
        None if one is None else (one.threshold.cases[0].value, one.inclusive)
        for one in (clause.low, clause.high)
    ]


@pytest.mark.parametrize(
    ("clause", "direction", "share", "limits"),
    [
        ("glucose rose by 20 %", "rose", True, [(Decimal(20), True), None]),
        ("glucose fell by 20 percent or more", "fell", True, [(Decimal(20), True), None]),
        ("glucose changed by more than 20 %", "changed", True, [(Decimal(20), False), None]),
        ("glucose rose by less than 20 %", "rose", True, [None, (Decimal(20), False)]),
        ("glucose rose by at most 30 mg/dL", "rose", False, [None, (Decimal(30), True)]),
        ("glucose rose by 1 mmol/L", "rose", False, [(Decimal("18.016"), True), None]),
        ("hba1c rose by 0.5 points or more", "rose", False, [(Decimal("0.5"), True), None]),
        ("hba1c rose by 10 mmol/mol", "rose", False, [(Decimal("0.9148"), True), None]),
        ("phq2 rose by 2 or more", "rose", False, [(Decimal(2), True), None]),
        ("glucose rose by pair", "rose", False, [(Decimal(126), True), None]),
    ],
)
def test_a_change_over_time(rules, clause, direction, share, limits):
    """
    A share of the earlier value, or a difference in one of the quantity's units.
    """
    found = rules.ask(f"{clause} within 90 days")

    assert isinstance(found, Changed)
    assert (direction, share, 90) == (found.direction, found.share, found.within)
    assert limits == ends(found)


def test_a_change_has_the_window_of_its_concept(rules):
    """
    Where none is written.
    """
    assert 365 == rules.ask("hba1c rose by 10 percent").within


@pytest.mark.parametrize(
    ("clause", "whats", "side", "share", "limits"),
    [
        ("glucose at least 5 % below peak", ["concept", "reading"], "below", True, (5, True)),
        (
            "glucose more than 9 mg/dL above peak",
            ["concept", "reading"],
            "above",
            False,
            (9, False),
        ),
        ("peak at least 9 % below glucose", ["reading", "concept"], "below", True, (9, True)),
        ("hba1c at least 90 days after due_date", ["concept"] * 2, "after", False, (90, True)),
        ("homa at least 1 day before hba1c", ["index", "concept"], "before", False, (1, True)),
    ],
)
def test_one_beside_another(rules, clause, whats, side, share, limits):
    """
    Two numbers, or two dates in days.
    """
    found = rules.ask(clause)

    assert isinstance(found, Beside)
    assert whats == [found.what, found.than_what]
    assert (side, share) == (found.side, found.share)
    assert [limits, None] == ends(found)


def test_windows_of_both(rules):
    """
    That of the sentence is of the first; the other keeps its own.
    """
    found = rules.ask("hba1c at least 0.5 points above hba1c within 30 days")

    assert (30, 365) == (found.within, found.than_within)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("glucose rose by 5 %", "glucose rose by 9 percent within 365 days", True),
        ("glucose rose by 5 %", "glucose fell by 5 %", False),
        ("glucose rose by 5 %", "glucose rose by 5 mg/dL", False),
        ("glucose at least 5 % below peak", "glucose less than 7 % below peak", True),
        ("glucose at least 5 % below peak", "glucose at least 5 % above peak", False),
    ],
)
def test_equal_numbers_are_worked_out_once(rules, one, other, alike):
    """
    Whatever they are compared with.
    """
    assert alike == (rules.ask(one).number == rules.ask(other).number)


@pytest.mark.parametrize(
    ("clause", "marked", "headline"),
    [
        ("hba1c rose 5 percent", "5", "`5` does not fit here"),
        ("hba1c rose by", "y", "the clause ends too early"),
        ("hba1c rose by within 9 days", "within", "`within` does not fit here"),
        ("hba1c rose by 5% within 9 days", "5%", "`5%` does not fit here"),
        ("hba1c rose by at 5 percent", "5", "`5` does not fit here"),
        ("hba1c at least 5 percent", "t", "the clause ends too early"),
        ("hba1c at least 5 percent under peak", "under", "`under` does not fit here"),
        ("hba1c at least 5 percent below", "w", "the clause ends too early"),
        (
            "hba1c rose by no_such within 9 days",
            "no_such",
            "`no_such` is not a threshold of this file",
        ),
        ("hba1c rose by 5 %", "5", "`%` can mean two things here: `hba1c` is itself in %"),
        (
            "hba1c rose by 5 mg/dL",
            "5",
            "`difference of hba1c` cannot be compared with a value in mg/dL",
        ),
        (
            "type_2_diabetes rose by 5 %",
            "type_2_diabetes",
            "`type_2_diabetes` has no results that could change",
        ),
        (
            "hba1c at least 5 percent below metformin",
            "metformin",
            "`metformin` has no number to compare",
        ),
        (
            "metformin at least 5 days after hba1c",
            "metformin",
            "`metformin` has no date to compare",
        ),
        ("hba1c at least 5 percent below nothing", "nothing", ANOTHER),
        (
            "hba1c at least 5 percent below glucose",
            "glucose",
            "`hba1c` and `glucose` are kept in different units",
        ),
    ],
)
def test_what_does_not_fit_is_marked(rules, clause, marked, headline):
    """
    At the word that does not fit.
    """
    found = rules.misread(clause)

    assert (marked, headline) in [one[1:] for one in found]


# --- dates of what is listed ----------------------------------------------------------


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("metformin began more than 1461 days ago", (1461, False, False)),
        ("metformin began at least 90 days ago, ever", (90, True, True)),
    ],
)
def test_since_when(rules, clause, expected):
    """
    The earliest start, of what is listed now or ever.
    """
    found = rules.ask(clause)

    assert expected == (found.days, found.at_least, found.ever)


def test_a_date_may_lie_ahead(rules):
    """
    A date that begins an episode.
    """
    assert "due_date" == rules.ask("due_date is in the future").name


def test_a_date_that_is_not_read_ahead(rules):
    """
    Whether it may lie in the future belongs to the concept.
    """
    changes = {
        "concepts/sample.yaml": ("begins: [due_date]", "begins: [fasting]"),
        "conditions/pregnant.yaml": ("pregnancy is present", "due_date is in the future"),
    }
    lies_ahead = ("type: date,", "type: date, may_lie_ahead: true,")

    assert ["CDS205 `due_date` is not read where it lies ahead"] == rules.found(changes)
    assert [] == rules.found({**changes, "concepts/sample.yaml": lies_ahead})


@pytest.mark.parametrize(
    ("clause", "headline"),
    [
        ("hba1c began more than 9 days ago", "`hba1c` has no entries that could have begun"),
        ("hba1c is in the future", "`hba1c` is not a date that is recorded"),
        ("metformin is in the future", "`metformin` is not a date that is recorded"),
        ("metformin began 9 days ago", "`9` does not fit here"),
    ],
)
def test_only_dates_are_dated(rules, clause, headline):
    """
    Results have the date of their collection, and no beginning.
    """
    assert headline in [one[2] for one in rules.misread(clause)]


def test_a_window_alone_asks_for_presence(rules):
    """
    `NAME within N days` is short for `NAME is present within N days`.
    """
    short = rules.ask("type_2_diabetes within 42 days, undated counts")
    long = rules.ask("type_2_diabetes is present within 42 days, undated counts")

    assert long.key == short.key
