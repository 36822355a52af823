"""Mutants: small faults put into a rule, one at a time."""

import pytest

from cds.workshop.thoroughness.mutants import mutants_of


def names_of(rules, rule):
    """Name the mutants of a rule."""
    return [one.name for one in mutants_of(rules, rule)]


@pytest.mark.parametrize(
    ("table", "name", "expected"),
    [
        ("cards", "short_sleep", "show_if sleep_duration < enough: `<` read as `<=`"),
        ("cards", "short_sleep", "threshold enough: 7 read as 8"),
        ("cards", "short_sleep", "show_if: `ir_spectrum holds` left out"),
        ("cards", "short_sleep", "show_if: `all` of ir_spectrum holds, ... read as `any`"),
        ("cards", "fatty_liver_likely", "unless pregnancy: if_unknown: note read as hide"),
        ("cards", "fatty_liver_likely", "fatty_liver_likely: `alcohol` left out"),
        ("cards", "fatty_liver_likely", "threshold positive_audit_c: men and women exchanged"),
        ("conditions", "pregnant", "ruled_out_if age >= 56 years: 56 read as 55"),
        ("conditions", "pregnant", "ruled_out_if sex is male: read as its opposite"),
        ("indices", "homa_ir", "homa_ir: formula_in `mmol/L` left out"),
        ("indices", "fib4", "same_draw: days 90 days read as 89"),
        ("indices", "fib4", "inputs ast: within 365 days read as 366"),
        ("indices", "fib4", "not_valid_if acute_hepatitis: if_unknown: compute read as withhold"),
        ("factors", "ectopic_lipids", "evidence_for recorded: points 4 read as 5"),
        ("factors", "ectopic_lipids", "evidence_for recorded: `at_least` left out"),
        ("factors", "ectopic_lipids", "grades probable: points 4 read as 3"),
        ("factors", "ectopic_lipids", "evidence_for index_likely: points 3 read as 2"),
    ],
)  # fmt: skip
def test_a_fault_of_each_sort_is_made(rules, table, name, expected):
    """In the author's words."""
    assert expected in names_of(rules, getattr(rules, table)[name])


def test_every_mutant_has_a_name_of_its_own(rules):
    """An excuse in the file means one of them; and each is another text."""
    for table in (rules.cards, rules.factors, rules.indices, rules.conditions):
        for rule in table.values():
            names = names_of(rules, rule)

            assert len(set(names)) == len(names)
            assert all(one.rule != rule for one in mutants_of(rules, rule))


def test_lines_of_the_staging_table_are_left_out(rules):
    """All but the last."""
    lines = [one for one in names_of(rules, rules.stages) if one.startswith("staging: line")]

    assert len(rules.stages.lines) - 1 == len(lines)


def test_where_only_yes_counts_unknown_is_not_told_from_no(rules):
    """A sentence is said, or it is not."""
    names = names_of(rules, rules.cards["short_sleep"])

    assert not any("sleep_apnoea" in one and "on record" in one for one in names)
