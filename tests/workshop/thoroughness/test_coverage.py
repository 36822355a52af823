"""Coverage: which answers of each clause the cases of a rule have seen."""

from dataclasses import replace

from cds.workshop.testing.cases import cases_of
from cds.workshop.thoroughness.coverage import (
    coverage_of,
    goals_seen,
    missing_goals,
    table,
    wanting,
)
from cds.workshop.thoroughness.mutation import trials_of


def test_the_shipped_rules_are_covered(lab, rules):
    """Every answer that can happen, every guard, every band, grade and label was seen."""
    missing = {}
    for rule in {rule.id: rule for rule, _ in cases_of(rules)}.values():
        found = list(missing_goals(coverage_of(lab, rule)))
        if found:
            missing[rule.id] = found

    assert {} == missing


def test_every_active_rule_is_seen_to_act(lab, rules):
    """And not to act; every guard is seen to block."""
    found = {
        rule.id: list(wanting(coverage_of(lab, rule)))
        for rule in {rule.id: rule for rule, _ in cases_of(rules)}.values()
        if rule.status == "active"
    }

    assert {} == {name: sentences for name, sentences in found.items() if sentences}


def test_answers_are_counted_clause_by_clause(lab, rules):
    """One case sees one answer of each."""
    rule = rules.cards["short_sleep"]
    found = coverage_of(lab, replace(rule, tests=rule.tests[:1]))
    rows = {row.text: row for row in found.rows}

    assert {"yes"} == rows["sleep_duration < enough"].seen
    assert ("no", "unknown") == rows["sleep_duration < enough"].missing
    assert (True, False) == (found.says_yes, found.says_no)
    assert "sleep_duration < enough line 32: no" in set(missing_goals(found))
    assert ["no case in which it does not"] == list(wanting(found))


def test_what_a_trial_sees_is_named_as_what_is_missing(lab, rules):
    """So that one can be taken from the other."""
    rule = rules.cards["short_sleep"]
    (trial,) = trials_of(lab, replace(rule, tests=rule.tests[:1]))

    assert "sleep_duration < enough line 32: yes" in goals_seen(lab, rule, trial)


def test_guards_bands_and_edges_are_looked_at(lab, rules):
    """Of a rule without cases nothing was seen."""
    card = replace(rules.cards["fatty_liver_likely"], tests=())
    index = replace(rules.indices["bmi"], tests=())
    factor = replace(rules.factors["ectopic_lipids"], tests=())

    assert {"pregnancy", "liver_disease", "alcohol", "medicine"} == set(
        coverage_of(lab, card).guards
    )
    assert not any(coverage_of(lab, card).guards.values())
    assert not any(coverage_of(lab, index).reached.values())
    assert not any(coverage_of(lab, factor).reached.values())
    assert not any(one.below or one.above for one in coverage_of(lab, card).edges)


def test_the_table_says_what_cannot_happen(lab, rules):
    """With the reason; what was seen has an x."""
    rule = rules.cards["fatty_liver_likely"]
    text = table(coverage_of(lab, rule))

    assert " x   x   c  fib4 is unknown" in text
    assert "`?` is always yes or no" in text
    assert "guards seen to block: 4 of 4" in text
    assert "edges on both sides:" in text
