"""Cut-offs beside the ones that were written."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cds.core.clauses import Case, Compare, Threshold, clauses_of
from cds.workshop.thoroughness.nudges import is_irrational, moved_cases, moved_literal, step_of


@pytest.mark.parametrize(("number", "step"), [("5.7", "0.1"), ("140", "1"), ("1.80", "0.01")])
def test_one_unit_in_the_last_place(number, step):
    """As it was written."""
    assert Decimal(step) == step_of(Decimal(number))


def test_a_number_in_a_clause_moves_both_ways():
    """In the unit in which it was written."""
    literal = Threshold("", (Case(Decimal("140.54")),), "mg/dL")
    found = list(moved_literal("glucose >= 7.8 mmol/L within 90 days", literal))

    assert ["7.8 read as 7.7", "7.8 read as 7.9"] == [what for what, _ in found]
    assert Decimal("138.738") == round(found[0][1].cases[0].value, 3)


def test_a_named_cut_off_is_not_moved_in_one_clause():
    """It moves wherever it is used."""
    assert [] == list(moved_literal("x >= a", Threshold("a", (Case(Decimal(7)),), "h")))


def test_every_number_of_a_cut_off_moves(rules):
    """Of a pair both, each by its own last place; the bounds of age, and the sexes."""
    written = Threshold(
        "a",
        (
            Case(Decimal(126), sex="male", age_below=65, alternate=Decimal("7.0")),
            Case(Decimal(100), sex="female", age_from=65),
            Case(Decimal(90), group="asian"),
        ),
        "mg/dL",
    )
    alone = replace(rules, groups_of_people={})
    found = {what: move(written) for what, move in moved_cases(alone, written)}

    assert Decimal(127) == found["male below 65 years 126 read as 127"].cases[0].value
    assert Decimal("6.9") == found["male below 65 years 7.0 read as 6.9"].cases[0].alternate
    assert (64, 64) == (
        found["65 years read as 64"].cases[0].age_below,
        found["65 years read as 64"].cases[1].age_from,
    )
    assert "female" == found["men and women exchanged"].cases[0].sex
    assert not any("asian" in what for what in found)


def test_a_cut_off_in_another_unit_moves_by_what_was_written(rules):
    """The file says mmol/L, the clause compares mg/dL."""
    written = Threshold("a", (Case(Decimal("7.8")),), "mmol/L")
    fitted = Threshold("a", (Case(Decimal("140.54")),), "mg/dL")
    (_, move), *_ = moved_cases(rules, written)

    assert Decimal("138.738") == round(move(fitted).cases[0].value, 3)


@pytest.mark.parametrize(("name", "expected"), [("tyg", True), ("bmi", False), ("tyg_bmi", True)])
def test_no_record_stands_on_the_cut_off_of_a_logarithm(rules, name, expected):
    """Nor on that of an index made of one."""
    clause = next(
        one
        for card in rules.cards.values()
        for one in clauses_of(card.show_if)
        if isinstance(one, Compare)
    )

    assert expected is is_irrational(rules, replace(clause, name=name))
