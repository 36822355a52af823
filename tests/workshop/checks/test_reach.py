"""
What nothing can bring about.
"""

import pytest

CARD = "cards/prediabetes.yaml"
FACTOR = "factors/resistance.yaml"
STAGES = "stages/staging.yaml"
INDICATOR = "  indicator: [{{{} years}}, {{{} years}}, {{info: otherwise}}]"


def logic(sample, path, *changes):
    """
    What is found by proof where one file is changed.
    """
    return [
        f"{one.code} {one.headline}"
        for one in sample.meant({path: changes})
        if one.code in {"CDS407", "CDS408", "CDS423"}
    ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["hba1c >= 5.7 %", "hba1c >= 6.5 %"], ["CDS407 line `L1` is never reached"]),
        (["hba1c >= 6.5 %", "hba1c >= 5.7 %"], []),
        (["hba1c >= 5.7 %", "dysglycaemia holds", "glucose >= 126 mg/dL"],
         ["CDS407 line `L2` is never reached"]),
        (["hba1c >= 5.7 %", "hba1c < 5.7 %", "hba1c from 5 below 6 %"],
         ["CDS407 line `L2` is never reached"]),
        (["hba1c >= 5.7 %", "hba1c < 5.7 %", "hba1c is known"], []),
        (["hba1c is known", "hba1c >= 5.7 %", "hba1c is unknown", "age is known"],
         ["CDS407 line `L1` is never reached", "CDS407 line `L3` is never reached"]),
    ],
)  # fmt: skip
def test_lines_of_the_stages(sample, lines, expected):
    """
    Behind others that take all their patients, one of them or together.
    """
    text = "".join(f"  - {{label: L{at}, meaning: M, if: {one}}}\n" for at, one in enumerate(lines))
    before = (
        "  - {label: S2, meaning: Dysglycaemia, if: dysglycaemia holds}\n"
        "  - {label: S1, meaning: Insulin resistance alone, if: homa_ir is raised}\n"
    )

    assert expected == logic(sample, STAGES, before, text)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("    - dysglycaemia holds\n", "    - dysglycaemia holds\n    - age < 18 years\n",
         ["CDS407 `prediabetes` is for nobody whom the population lets through"]),
        ("  detail: Think of a plan.", "  detail: [{say: Plan, if: age < 18 years}]",
         ["CDS407 this sentence is never said"]),
        ("  detail: Think of a plan.", "  detail: [{say: Plan, if: type_2_diabetes is present}]",
         ["CDS407 this sentence is never said"]),
        ("  detail: Think of a plan.", "  detail: [{say: Plan, if: age >= 60 years}]", []),
        ("  indicator: info", INDICATOR.format("warning: age >= 60", "critical: age >= 70"),
         ["CDS407 this indicator is never chosen"]),
        ("  indicator: info", INDICATOR.format("critical: age >= 70", "warning: age >= 60"), []),
        ("priority: 30", "priority: [{10: age < 18 years}, {30: otherwise}]",
         ["CDS407 this priority is never chosen"]),
        ("      action: plan\n", "      action: plan\n      only_instead: true\n",
         ["CDS407 `plan` is never offered: no guard names it"]),
    ],
)  # fmt: skip
def test_parts_of_a_card(sample, before, after, expected):
    """
    Where the card is shown.
    """
    assert expected == logic(sample, CARD, before, after)


def test_a_sentence_that_another_takes_is_shown_with_it(sample):
    """
    Both places.
    """
    drawn = sample.drawn(
        {
            CARD: (
                "  indicator: info",
                INDICATOR.format("warning: age >= 60", "critical: age >= 70"),
            )
        }
    )

    assert "takes them all" in drawn


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("points: 3, domains: 2}", "points: 4}", ["CDS408 grade `probable` can never be reached"]),
        ("points: 3, domains: 2}", "points: 3, domains: 3}",
         ["CDS408 grade `probable` can never be reached"]),
        ("points: 3, domains: 2}", "points: never}", []),
        ("points_cannot_reach: 1", "points_cannot_reach: 0",
         ["CDS408 grade `unlikely` can never be reached"]),
        ("dysglycaemia holds", "homa_ir is expected",
         ["CDS408 grade `probable` can never be reached"]),
        ("dysglycaemia holds", "age < 18 years",
         ["CDS407 evidence `sugar` never counts", "CDS408 grade `probable` can never be reached"]),
        ("points: 2, if_missing", "points: 2, at_least: probable, if_missing", []),
    ],
)  # fmt: skip
def test_grades(sample, before, after, expected):
    """
    By points that can come together, by domains, by floors.
    """
    assert expected == logic(sample, FACTOR, before, after)


def test_evidence_that_is_never_unknown(sample):
    """
    Where the factor is assessed, the list is whole.
    """
    found = logic(
        sample,
        FACTOR,
        "age >= 18 years",
        "{all: [age >= 18 years, type_2_diabetes is absent]}",
        "dysglycaemia holds, domain: sugar, points: 1, if_missing: ignore",
        "pregnancy is present, domain: sugar, points: 1, if_missing: could_be_true",
        "pregnancy is present, because",
        "pregnancy is present within 9 days, because",
    )

    assert "CDS423 evidence `sugar` is never unknown where it is asked" in found


def test_what_never_rules_out(sample):
    """
    True only where the condition holds.
    """
    found = logic(
        sample, "conditions/dysglycaemia.yaml", "tests:", "ruled_out_if: hba1c >= 6.5 %\ntests:"
    )

    assert ["CDS407 this never rules anything out"] == found
