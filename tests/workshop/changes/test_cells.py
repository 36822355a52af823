"""
Patients on both sides of a cut-off.
"""

from dataclasses import replace
from decimal import Decimal

from cds.workshop.changes.cells import cells_of, conditions_of, cut_offs_of


def test_cut_offs_are_collected_by_what_is_compared(rules):
    """Of concepts, of the age, and of the number that an index is."""
    assert {("concept", "sleep_duration"): {Decimal(7)}} == cut_offs_of(rules.cards["short_sleep"])
    assert {Decimal("2.5")} == cut_offs_of(rules.indices["homa_ir"])["index", "homa_ir"]
    assert {Decimal(56)} <= cut_offs_of(rules.conditions["pregnant"])["age", "age"]


def test_every_kind_of_rule_has_conditions(rules):
    """Cards, conditions, stages, factors, and gates of indices."""
    every = [
        rules.cards["central_adiposity"],
        rules.conditions["pregnant"],
        rules.stages,
        rules.factors["adipose_dysfunction"],
        rules.indices["homa_ir"],
        rules.indices["metabolic_syndrome"],
    ]

    assert [] == [one.id for one in every if not list(conditions_of(one))]


def test_a_value_below_on_and_above_a_cut_off(lab, rules):
    """By one unit in its last place, and between two cut-offs."""
    rule = rules.cards["short_sleep"]
    cells = list(cells_of(lab, rule, {("concept", "sleep_duration"): {Decimal(7), Decimal("6.5")}}))

    assert {"6 h", "6.4 h", "6.5 h", "6.6 h", "6.75 h", "7 h", "8 h"} == {
        given["sleep_duration"] for _, given in cells
    }


def test_ages_are_whole_years(lab, rules):
    """As cut-offs on the age are."""
    rule = rules.conditions["pregnant"]
    cells = [given["age"] for _, given in cells_of(lab, rule, {("age", "age"): {Decimal(56)}})]

    assert {"55 years", "56 years", "57 years"} == set(cells)


def test_the_number_of_an_index_is_reached_from_both_sides(lab, rules):
    """Through one of its inputs, or of what those are made of."""
    for name in ("homa_ir", "homa_ir_any"):
        rule = rules.indices[name]
        numbers = [
            lab.start(rule, lab.snapshot(given)).conclude().numbers[name].number.value
            for _, given in cells_of(lab, rule, {("index", name): {Decimal("2.5")}})
        ]

        assert any(Decimal("2.49") < one < Decimal("2.5") for one in numbers)
        assert any(Decimal("2.5") <= one < Decimal("2.51") for one in numbers)


def test_a_number_that_no_input_can_reach(lab, rules):
    """Gives no patient, nor does a rule without cases."""
    rule = rules.indices["homa_ir"]

    assert [] == list(cells_of(lab, rule, {("index", "homa_ir"): {Decimal(10_000)}}))
    assert [] == list(cells_of(lab, replace(rule, tests=()), cut_offs_of(rule)))
