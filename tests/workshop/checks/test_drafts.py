"""
Templates of the action library, filled and validated.
"""

import pytest

PATH = "actions/library.yaml"
PLAN = "resourceType: CarePlan\n        status: draft\n        intent: proposal\n"


@pytest.mark.parametrize(
    ("more", "code", "headline"),
    [
        ("        title: A plan\n", None, None),
        ("        titel: A plan\n", "CDS504", "`titel` is not an element of CarePlan"),
        ('        period: {begin: "2026"}\n', "CDS504",
         "`begin` is not an element of CarePlan.period"),
        ("        created: yesterday\n", "CDS504", "CarePlan.created is not valid in R4"),
        ("        activity:\n          - detail: {description: x}\n", "CDS504",
         "CarePlan.activity[0].detail.status is missing"),
        ("        activity:\n          - detail: {description: x, status: begun}\n", "CDS505",
         "`begun` is not a code of CarePlan.activity[0].detail.status"),
        ('        period: {start: "{{as_of.date}}", end: "{{as_of.plus_90_days}}"}\n', None, None),
    ],
)  # fmt: skip
def test_a_template_is_validated_field_by_field(sample, more, code, headline):
    """
    Elements, values and codes, each where it stands.
    """
    found = sample.found({PATH: (PLAN, PLAN + more)})

    assert ([] if code is None else [f"{code} {headline}"]) == found


def test_a_type_that_r4_does_not_have(sample):
    """
    Nothing else is looked at.
    """
    found = sample.found({PATH: ("resourceType: CarePlan", "resourceType: CarePlans")})

    assert ["CDS504 `CarePlans` is not a resource type of FHIR R4"] == found


def test_a_number_is_filled_in_as_a_number(sample):
    """
    And refused where a text belongs.
    """
    goal = (
        "resourceType: Goal\n        lifecycleStatus: proposed\n"
        "        description: {text: Less}\n        target:\n"
        "          - measure: {text: HbA1c}\n"
        '            detailQuantity: {value: "{{=hba1c.number}}", unit: "%"}\n'
    )

    assert [] == sample.found({PATH: (PLAN, goal)})
    assert ["CDS504 Goal.description.text is not valid in R4"] == sample.found(
        {PATH: ("{text: Less}", '{text: "{{=hba1c.number}}"}')}
    )


def test_a_file_with_an_error_is_not_filled(sample):
    """
    What the loader says comes first.
    """
    found = sample.found({PATH: ("intent: proposal\n        code", "intent: order\n        code")})

    assert ["CDS506 `intent` of a drafted ServiceRequest is `order`"] == found
