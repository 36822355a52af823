"""
Codes that two concepts share, said or unsaid.
"""

import pytest

from cds.workshop.editing.mending import mend
from tests.check_pages import AS_OF

PATH = "concepts/metabolic.yaml"
PREGNANCY = "codes: {snomed: [77386006]}"
BOTH = "codes: {snomed: [77386006, 44054006]}"


@pytest.mark.parametrize(
    "codes",
    [
        BOTH,
        "codes: {snomed: [77386006]}\n    codes_ever: {snomed: [44054006]}",
        "codes: {snomed: [77386006]}\n    codes_if: [{snomed: [44054006], age: above 50 years}]",
    ],
)
def test_a_code_of_two_concepts(sample, codes):
    """
    However it counts.
    """
    assert [
        "CDS207 the snomed code `44054006` means both `pregnancy` and `type_2_diabetes`"
    ] == sample.found({PATH: (PREGNANCY, codes)})


@pytest.mark.parametrize("where", ["pregnancy", "type_2_diabetes"])
def test_sharing_may_be_said_by_either(sample, where):
    """
    Once is enough.
    """
    other = {"pregnancy": "type_2_diabetes", "type_2_diabetes": "pregnancy"}[where]
    said = f"  {where}:\n    shares_with: [{other}]\n"

    assert [] == sample.found({PATH: (PREGNANCY, BOTH, f"  {where}:\n", said)})


def test_a_code_may_stand_twice_in_one_concept(sample):
    """
    Fasting by code and by company, now and ever.
    """
    codes = PREGNANCY + "\n    codes_ever: {snomed: [77386006]}"

    assert [] == sample.found({PATH: (PREGNANCY, codes)})


@pytest.mark.parametrize(
    ("shares", "left"),
    [("[metformin]", ""), ("[type_2_diabetes, metformin]", "shares_with: [type_2_diabetes]")],
)
def test_sharing_that_is_not_so_is_taken_out(sample, shares, left):
    """
    The name, and with the last one the key.
    """
    codes = BOTH if left else PREGNANCY
    found = sample.found({PATH: (PREGNANCY, f"{codes}\n    shares_with: {shares}")})
    mended = mend(sample.folder, lambda one: one.code != "CDS108", as_of=AS_OF, unsafe=False)
    text = mended.after[f"rules/{PATH}"]

    assert ["CDS207 `pregnancy` shares no code with `metformin`"] == found
    assert ("shares_with" in text, left in text) == (bool(left), True)


def test_sharing_with_nobody(sample):
    """
    The nearest name is proposed.
    """
    (found,) = sample.meant({PATH: (PREGNANCY, PREGNANCY + "\n    shares_with: [metformn]")})

    assert ("CDS201", "did you mean `metformin`?") == (found.code, found.help)


def test_somebody_has_to_be_asked_for(sample):
    """
    Without the Patient there is no age and no sex.
    """
    path = "concepts/searches.yaml"

    assert ["CDS104 no search brings the Patient"] == sample.found(
        {path: ("  patient:\n    resource: Patient\n    title: Person\n", "")}
    )
