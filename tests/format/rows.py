"""
What the clinical rules need of the format, row by row, and where each has its example.

An example is a file of the rule base, or one below `tests/format/`, with words that stand
in it. Folders below `tests/format/` are rule files that are added to the shipped ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["ROWS", "UNSHOWN"]

ROWS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "stage label(s) as operand": (
        ("rules/conditions/ir_spectrum.yaml", "stage is one of ["),
        ("rules/cards/surrogates_suggest_resistance.yaml", "stage is "),
    ),
    "named shared condition": (
        ("rules/cards/short_sleep.yaml", "ir_spectrum holds"),
        ("rules/conditions/ir_spectrum.yaml", "holds_if:"),
    ),
    "sets of concepts, nested any of": (
        ("rules/conditions/hba1c_unreliable.yaml", "any of ["),
        ("rules/conditions/pregnant.yaml", "none of ["),
    ),
    "ever / history": (("rules/conditions/pregnant.yaml", "is present, ever"),),
    "not recorded (two-valued) beside proved absent": (
        ("rules/conditions/diabetes_recorded.yaml", "on record"),
        ("rules/cards/fatty_liver_likely.yaml", "is present"),
    ),
    "received in any state": (
        ("tests/format/received/conditions/prediabetes_test_due.yaml", "was received within"),
    ),
    "list completeness as condition": (
        (
            "tests/format/remission/conditions/remission_shown.yaml",
            "the medicines list is complete",
        ),
    ),
    "exclusion with unknown: show with a line": (
        ("rules/cards/fatty_liver_likely.yaml", "if_unknown: note"),
    ),
    "counts of dated results, on different days, apart": (
        ("rules/conditions/diabetes_by_results.yaml", "count days of: hba1c"),
        ("rules/factors/adipose_dysfunction.yaml", "apart: 14 days"),
    ),
    "average of the last two on different days": (
        ("tests/format/pressure/conditions/average_pressure_raised.yaml", "average of last: 2"),
    ),
    "highest in a period, change against it, recency of the latest only": (
        ("tests/format/weight/conditions/weight_lost.yaml", "at least lost below peak_weight"),
        ("tests/format/weight/conditions/hba1c_rising.yaml", "rose by"),
    ),
    "order between two dates, first/last of a medicine, age of onset": (
        ("tests/format/remission/conditions/remission_shown.yaml", "days after last_metformin"),
        ("tests/format/duration/conditions/b12_check_due.yaml", "began more than 1461 days ago"),
        ("tests/format/duration/conditions/late_after_menopause.yaml", "menopause began"),
        ("tests/format/duration/conditions/due_date_ahead.yaml", "is in the future"),
    ),
    "unknown date counts as recent": (
        ("tests/format/duration/conditions/recent_infarction.yaml", "undated counts"),
    ),
    "ordered / active or ordered / not already on it / ordered-only clause": (
        (
            "rules/cards/random_cortisol_ordered.yaml",
            "random_cortisol_test is ordered",
        ),
        (
            "rules/cards/restriction_with_sglt2_inhibitor.yaml",
            "sglt2_inhibitor is present or ordered",
        ),
        (
            "tests/format/orders/cards/reasons_against_testosterone.yaml",
            "- testosterone is newly ordered",
        ),
        ("rules/cards/metformin_and_low_egfr.yaml", "metformin is being refilled"),
        ("tests/format/orders/cards/reasons_against_testosterone.yaml", "needs_draft: true"),
    ),
    "plan as a concept over five resource types with text": (
        ("rules/concepts/plans.yaml", "type: plan"),
        (
            "rules/cards/restriction_with_sglt2_inhibitor.yaml",
            "called avoid ketogenic diet",
        ),
        ("tests/format/codes/conditions/low_carb_planned.yaml", "called "),
        ("tests/fhir/test_plans.py", "Goal"),
    ),
    "route, dosage form; time of day": (
        ("tests/format/orders/cards/oral_oestrogen_and_triglycerides.yaml", "by route oral"),
        ("tests/format/codes/conditions/systemic_steroid_taken.yaml", "by route"),
        ("rules/conditions/low_testosterone_confirmed.yaml", "drawn: before 11:00"),
    ),
    "threshold from the result's own reference range": (
        ("rules/conditions/low_testosterone_confirmed.yaml", "or_own: lower limit"),
    ),
    "thresholds by age and ethnicity; paired units": (
        ("rules/indices/fib4.yaml", "below 65 years"),
        ("rules/indices/bmi.yaml", "asian: "),
        ("rules/conditions/c_peptide_deficient.yaml", "pair: "),
        ("tests/format/groups/indices/waist_by_group.yaml", "south_asian"),
    ),
    "rule suppressed by another rule; rule that cuts others": (
        (
            "tests/format/several/cards/lower_carbohydrate_option.yaml",
            "card thoughts_of_self_harm fires",
        ),
        ("tests/format/several/cards/thoughts_of_self_harm.yaml", "cuts: [{indicator: info}]"),
    ),
    "dynamic indicator; alternative summaries": (
        ("rules/cards/metformin_and_low_egfr.yaml", "- critical:"),
        ("rules/cards/metformin_and_low_egfr.yaml", "- say: "),
    ),
    "lists in holes (name all)": (
        ("tests/format/orders/cards/reasons_against_testosterone.yaml", "{{met(reasons)}}"),
    ),
    "suggestion chosen by what is missing": (
        ("tests/format/offers/cards/diabetes_range_once.yaml", "whose result is not raised"),
        ("tests/format/offers/cards/diabetes_range_once.yaml", "whose result is not known"),
    ),
    "unusable data as a trigger": (
        ("rules/cards/data_not_used.yaml", "some result was not used because of"),
    ),
    "fallback of values (own, else reported)": (
        ("rules/indices/homa_ir_any.yaml", "first_of"),
        ("rules/indices/fib4.yaml", "first_of"),
    ),
    "several pair windows; formula by unit; let, log10, sqrt, constants by sex, 1 if": (
        ("rules/indices/visceral_adiposity_index.yaml", "constants"),
        ("rules/indices/homa_ir.yaml", "formula_in"),
        ("rules/indices/quicki.yaml", "log10"),
        ("rules/indices/free_testosterone.yaml", "sqrt"),
        ("rules/indices/hepatic_steatosis_index.yaml", "one_if("),
        ("rules/indices/egfr.yaml", "let"),
        ("rules/indices/activity_minutes.yaml", "same_draw"),
    ),
    "counted criteria with unknown; highest known of several": (
        ("rules/indices/metabolic_syndrome.yaml", "count_of"),
        ("tests/format/glycaemia/indices/highest_category.yaml", "highest_known_of"),
    ),
    "bounds carried through formulas": (
        ("tests/format/glycaemia/conditions/insulin_below_detection.yaml", '"< 0.5 u[IU]/mL"'),
    ),
    "code prefixes, exceptions, ranges, codes by age, by another problem, time-limited counting, precedence": (  # noqa: E501
        ("rules/concepts/problems.yaml", "codes_if:"),
        ("tests/format/codes/concepts/format_codes.yaml", "not_codes"),
        ("tests/format/codes/concepts/format_codes.yaml", "with: hiv"),
        ("tests/format/codes/concepts/format_codes.yaml", "counts_for"),
        ("tests/format/codes/concepts/format_codes.yaml", "gives_way_to"),
    ),
    "answer codes, dates, family history as concept types": (
        ("rules/concepts/lifestyle.yaml", "answers: {LA6568-5: "),
        ("rules/concepts/status.yaml", "type: date"),
        ("tests/format/codes/concepts/format_codes.yaml", "type: family"),
    ),
    "fasting by company": (("rules/concepts/glycaemia.yaml", "fasting_with"),),
    "population gates with exempt rules": (("rules/population/adults.yaml", "except:"),),
}
"""Each row of the table, and its examples: path and words that stand there."""

UNSHOWN: Final[frozenset[str]] = frozenset()
"""Rows that have no example."""
