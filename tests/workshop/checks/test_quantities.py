"""
Cut-offs without a name.
"""

import pytest

COND = "conditions/dysglycaemia.yaml"
LAST = "    - glucose >= raised_glucose\n"


@pytest.mark.parametrize(
    ("clause", "label"),
    [
        ("insulin >= 12 u[IU]/mL", "12 u[IU]/mL is neither cited nor can it be chosen by a site"),
        ("homa_ir >= 3", "3 is neither cited nor can it be chosen by a site"),
        ("age >= 60 years", None),
        ("metformin is present within 90 days", None),
    ],
)
def test_a_measured_value_is_compared_with_a_name(sample, clause, label):
    """
    Ages and windows may stand as they are.
    """
    found = sample.meant({COND: (LAST, LAST + f"    - {clause}\n")})

    assert ([] if label is None else [("CDS306", label)]) == [
        (one.code, one.label) for one in found if one.code == "CDS306"
    ]


def test_both_ends_of_a_range_are_looked_at(sample):
    """
    And the clause is said once.
    """
    clause = "insulin from 5 below 12 u[IU]/mL"
    found = sample.found({COND: (LAST, LAST + f"    - {clause}\n")})

    assert [f"CDS306 `{clause}` compares with a number that has no name"] == found
