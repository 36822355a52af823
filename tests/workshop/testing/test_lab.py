"""The lab: test patients in, conclusions about one rule out."""

from dataclasses import replace

import pytest

from cds.workshop.testing.cases import cases_of
from cds.workshop.testing.lab import Lab, concluded
from cds.workshop.testing.patients import CannotRead


def test_a_patient_is_read_once(lab):
    """The same words give the same snapshot."""
    given = {"age": "50 years", "hba1c": "6.1 %"}

    assert lab.snapshot(given) is lab.snapshot(dict(given))


def test_what_cannot_be_read_is_refused(lab):
    """As it is in a case."""
    with pytest.raises(CannotRead, match="is not a concept"):
        lab.snapshot({"hbaic": "6 %"})


def test_only_what_a_rule_leans_on_is_worked_out(lab, rules):
    """Nothing of the stage for a waist."""
    rule = rules.conditions["waist_invalid"]
    run = lab.start(rule, lab.snapshot(rule.tests[0].given))

    assert {"waist_invalid.holds_if"} == set(run.answers)


def test_less_work_gives_the_same_conclusions(rules):
    """The lab's answers are those of the whole release."""
    small = Lab(rules)
    try:
        for rule, case in list(cases_of(rules))[::25]:
            snapshot = small.snapshot(case.given)
            found = small.conclude(rule, snapshot)
            alone = concluded(rule, rules, small.start(rule, snapshot))

            assert found.cards.get(rule.id) == alone.cards.get(rule.id)
            assert found.numbers.get(rule.id) == alone.numbers.get(rule.id)
            assert found.grades.get(rule.id) == alone.grades.get(rule.id)
            assert found.stage == alone.stage
    finally:
        small.close()


def test_another_text_of_a_rule_is_evaluated_alone(lab, rules):
    """What it leans on stays worked out."""
    rule = rules.conditions["pregnant"]
    case = next(one for one in rule.tests if one.name == "woman of 56")
    run = lab.start(rule, lab.snapshot(case.given))
    other = replace(rule, ruled_out_if=None)
    changed = replace(rules, conditions={**rules.conditions, rule.id: other})
    again = run.instead(changed, "condition", rule.id)

    assert "yes" == run.ask("pregnant.ruled_out_if").word
    assert {"pregnant.holds_if"} == set(again.answers)
