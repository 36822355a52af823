"""
Thresholds that leave somebody without a cut-off, or give somebody two.
"""

import pytest

CONDITION = "conditions/pregnant.yaml"


def found(rules, text):
    """
    What is found where a condition declares a threshold.
    """
    declared = f"holds_if: pregnancy is present\nthresholds: {{x: {{{text}, cite: ada_2025}}}}"
    return rules.found({CONDITION: ("holds_if: pregnancy is present", declared)})


@pytest.mark.parametrize(
    "text",
    [
        "value: 1",
        "pair: [1 mg/dL, 2 mmol/L]",
        "male: 1, female: 2",
        "below 40 years: 1, from 40 years: 2",
        "below 40 years: 1, from 40 below 65 years: 2, from 65 years: 3",
        "male: {below 40 years: 1, from 40 years: 2}, female: 3",
        "below 40 years: {male: 1, female: 2}, from 40 years: 3",
        "value: 1, asian: {male: 2, female: {below 50 years: 3, from 50 years: 4}}",
    ],
)
def test_everybody_has_one_cut_off(rules, text):
    """
    By sex, by age, by group, and one inside the other.
    """
    assert [] == found(rules, text)


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("male: 1", "women"),
        ("from 40 years: 1", "people below 40 years"),
        ("below 40 years: 1", "people from 40 years"),
        ("below 40 years: 1, from 50 years: 2", "people from 40 below 50 years"),
        ("asian: 1", "people of no named group"),
        ("value: 1, asian: {male: 2}", "women of the group `asian`"),
        ("male: {from 40 years: 1}, female: 2", "men below 40 years"),
        ("female: {below 40 years: 1, from 50 years: 2}, male: 2", "women from 40 below 50 years"),
    ],
)
def test_a_gap(rules, text, who):
    """
    The first people of a group of whom nothing is said.
    """
    assert [f"CDS415 the threshold `x` says nothing of {who}"] == found(rules, text)


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("value: 1, male: 2", "men"),
        ("below 50 years: 1, from 40 years: 2", "people from 40 below 50 years"),
        ("value: 1, pair: [1 mg/dL, 2 mmol/L]", "people"),
        ("value: 1, asian: {male: 1, female: 2, below 50 years: 3}",
         "men below 50 years of the group `asian`"),
    ],
)  # fmt: skip
def test_an_overlap(rules, text, who):
    """
    The first people of whom two things are said.
    """
    assert [f"CDS414 the threshold `x` says two things of {who}"] == found(rules, text)


def test_constants_of_an_index_cover_everybody_too(rules):
    """
    By the same rule.
    """
    changes = {
        "indices/homa.yaml": ("same_draw:", "constants: {k: {male: 1}}\nsame_draw:"),
    }

    assert ["CDS415 the threshold `k` says nothing of women"] == rules.found(changes)


def test_a_group_is_declared_among_the_concepts(rules):
    """
    Any name will do; one that is not declared says nothing.
    """
    changes = {"concepts/searches.yaml": ("{asian: [", "{southern: [], asian: [")}
    declared = (
        "holds_if: pregnancy is present\nthresholds: {x: {value: 1, southern: 2, cite: ada_2025}}"
    )
    changes[CONDITION] = ("holds_if: pregnancy is present", declared)

    assert [] == rules.found(changes)
    assert ["CDS102 `northern` is not a key of a threshold"] == found(
        rules, "value: 1, northern: 2"
    )
