"""
What is surely known where a condition is proved, or ruled out.
"""

import pytest

from cds.rulefiles import load
from cds.workshop.checks.certainty import Certainty

COND = "conditions/dysglycaemia.yaml"


@pytest.mark.parametrize(
    ("clause", "yes", "no"),
    [
        ("hba1c >= raised_a1c", "hba1c", "hba1c"),
        ("hba1c >= raised_a1c within 730 days", "", ""),
        ("hba1c is known", "hba1c", ""),
        ("hba1c is unknown", "", "hba1c"),
        ("any of [hba1c, glucose] is known", "", ""),
        ("all of [hba1c, glucose] are known", "glucose hba1c", ""),
        ("homa_ir is raised", "glucose homa_ir insulin", "glucose homa_ir insulin"),
        ("homa_ir > 2", "glucose homa_ir insulin", "glucose homa_ir insulin"),
        ("metformin is present", "metformin", ""),
        ("any of [metformin, pregnancy] is present", "", ""),
        ("age >= 18 years", "age", "age"),
        ("sex is male", "", ""),
        ("{all: [hba1c is known, glucose is known]}", "glucose hba1c", ""),
        ("{any: [hba1c is known, glucose is known]}", "", ""),
        ("{any: [hba1c >= 5 %, hba1c < 3 %]}", "hba1c", "hba1c"),
        ("{not: hba1c is unknown}", "hba1c", ""),
        ("{not: {any: [hba1c >= 5 %, glucose >= 100 mg/dL]}}", "glucose hba1c", ""),
        ("{at_least: {n: 2, of: [hba1c is known, glucose is known]}}", "glucose hba1c", ""),
        ("{at_least: {n: 1, of: [hba1c is known, glucose is known]}}", "", ""),
        ("{at_least: {n: 2, of: [hba1c >= 5 %, glucose > 99 mg/dL, insulin is known]}}", "", ""),
        ("{at_least: {n: 2, of: [hba1c > 5 %, hba1c < 9 %, insulin is known]}}", "hba1c", "hba1c"),
    ],
)
def test_what_an_answer_proves_known(sample, clause, yes, no):
    """
    A yes and a no prove different things.
    """
    loaded = load(
        sample.put({COND: ("  any:\n    - hba1c >= raised_a1c\n    - glucose >= raised_glucose\n",
                           f"  all:\n    - {clause}\n")}).folder
    )  # fmt: skip
    certainty = Certainty(loaded.readable)
    expr = loaded.readable.conditions["dysglycaemia"].holds_if

    assert set(yes.split()) == certainty.when(expr, answer=True)
    assert set(no.split()) == certainty.when(expr, answer=False)


def test_named_conditions_and_stages_are_opened(sample):
    """
    As far down as they lead.
    """
    rules = load(
        sample.put(
            {
                COND: ("    - glucose >= raised_glucose\n", "    - hba1c is known\n"),
                "cards/prediabetes.yaml": ("dysglycaemia holds", "stage is S2"),
            }
        ).folder
    ).readable
    certainty = Certainty(rules)
    show_if = rules.cards["prediabetes"].show_if

    assert {"hba1c"} == certainty.when(show_if, answer=True)
    assert set() == certainty.when(show_if, answer=False)
    assert set() == certainty.when(None, answer=True)


def test_what_rules_a_condition_out_counts_for_its_no(sample):
    """
    Where it is written.
    """
    rules = load(
        sample.put(
            {COND: ("thresholds:\n", "ruled_out_if: insulin is known\nthresholds:\n")}
        ).folder
    ).readable
    stage = rules.stages.lines[0].condition

    assert {"insulin"} == Certainty(rules).when(stage, answer=False)
