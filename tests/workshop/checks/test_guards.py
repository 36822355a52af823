"""
Exclusions and guards.
"""

import pytest

CARD = "cards/prediabetes.yaml"
GUARD = "block_if: metformin is present"
EXCLUSION = "when: type_2_diabetes is present"


def logic(sample, *changes):
    """
    What is found by proof in the sample's card.
    """
    return [
        f"{one.code} {one.headline}"
        for one in sample.meant({CARD: changes})
        if one.code in {"CDS404", "CDS407", "CDS409", "CDS422", "CDS423"}
    ]


def guards(*several, offer=""):
    """
    Guards in the place of the sample's own, which stays the last.
    """
    lines = "".join(
        f"        - {{id: g{number}, block_if: {when}, because: B, if_unknown: {unknown}}}\n"
        for number, (when, unknown) in enumerate(several)
    )
    head = f"      offer_if: {offer}\n      guards:\n" if offer else "      guards:\n"
    return "      guards:\n        - id: treated", f"{head}{lines}        - id: treated"


@pytest.mark.parametrize(
    ("several", "expected"),
    [
        (
            [("glucose >= 126 mg/dL", "show"), ("glucose >= 100 mg/dL", "show")],
            ["CDS404 guard `g0` stops only those whom guard `g1` stops too"],
        ),
        (
            [("metformin is present", "show")],
            ["CDS404 guard `treated` stops only those whom guard `g0` stops too"],
        ),
        ([("glucose >= 126 mg/dL", "show"), ("glucose from 100 below 126 mg/dL", "show")], []),
        (
            [("glucose >= 126 mg/dL", "block"), ("glucose < 126 mg/dL", "block")],
            ["CDS409 `plan` can never be offered"],
        ),
        (
            [("glucose >= 126 mg/dL", "show"), ("glucose < 126 mg/dL", "show")],
            ["CDS409 `plan` can never be offered"],
        ),
        ([("glucose >= 126 mg/dL", "block"), ("glucose < 100 mg/dL", "block")], []),
        ([("age >= 18 years", "block")], ["CDS409 `plan` can never be offered"]),
        ([("age < 18 years", "block")], ["CDS407 guard `g0` can never stop anybody"]),
        (
            [("pregnancy is present", "show")],
            ["CDS422 guard `g0` lets pass whoever it is not known of"],
        ),
        ([("pregnancy is present", "block")], []),
        ([("pregnancy is present", "{warn: W}")], []),
        ([("pregnancy is present", "{warn: W}"), ("type_2_diabetes is present, ever", "show")], []),
    ],
)
def test_guards(sample, several, expected):
    """
    Alike, side by side, together, for nobody, and not known.
    """
    several = [(f'"{when}"', unknown) for when, unknown in several]

    assert expected == logic(sample, *guards(*several))


def test_what_is_offered_to_nobody_has_no_guards_to_judge(sample):
    """
    One finding is enough.
    """
    found = logic(sample, *guards(("glucose >= 126 mg/dL", "block"), offer="age < 18 years"))

    assert ["CDS407 `plan` is never offered"] == found


def test_a_guard_that_is_never_unknown(sample):
    """
    What comes before it needs the same list.
    """
    changes = guards(("pregnancy is present", "block"), offer="type_2_diabetes is absent")

    assert ["CDS423 guard `g0` is never unknown where it is asked"] == logic(sample, *changes)


def test_a_guard_whose_unknown_another_catches_otherwise(sample):
    """
    `block` never matters where `warn` of the same list was passed, and `instead` before it does.
    """
    before, after = guards(
        ("pregnancy is present", "block"), ("type_2_diabetes is present, ever", "{warn: W}")
    )
    found = logic(
        sample,
        before,
        after.replace("block_if: type_2", 'block_if: "type_2').replace("ever,", 'ever",'),
    )

    assert ["CDS423 guard `g1` is never unknown where it is asked"] == found


def test_a_guard_asked_only_where_it_is_relevant(sample):
    """
    Stops only there.
    """
    before, after = guards(("age >= 18 years", "show"))
    relevant = after.replace("because: B", "because: B, when_relevant: sex is female")

    assert [] == logic(sample, before, relevant)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("age >= 18 years", ["CDS407 `prediabetes` can never come about"]),
        ("age < 18 years", ["CDS407 exclusion `recorded` can never stop anybody"]),
        ("hba1c < 5.7 %", []),
        ("dysglycaemia holds", ["CDS407 `prediabetes` can never come about"]),
        ("pregnancy is present", []),
    ],
)
def test_exclusions(sample, when, expected):
    """
    Of everybody, of nobody, of some.
    """
    assert expected == logic(sample, EXCLUSION, f"when: {when}")


def test_gates_of_an_index(sample):
    """
    A number that nobody can have.
    """
    found = sample.found(
        {
            "indices/homa_ir.yaml": (
                "if_unknown: compute}",
                (
                    "if_unknown: withhold}\n"
                    "  - {id: none, when: pregnancy is absent, because: B, if_unknown: compute}"
                ),
            )
        }
    )

    assert "CDS407 `homa_ir` can never have a value" in found


def test_exclusions_of_a_factor(sample):
    """
    One that is taken by another.
    """
    found = sample.found(
        {
            "factors/resistance.yaml": (
                "if_unknown: assess}",
                (
                    "if_unknown: assess}\n"
                    "  - {id: recently, when: pregnancy is present within 90 days, because: B,"
                    " if_unknown: assess}"
                ),
            )
        }
    )

    assert (
        "CDS404 exclusion `recently` stops only those whom exclusion `pregnant` stops too" in found
    )
