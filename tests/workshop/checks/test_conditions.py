"""
Conditions that cannot be, that cannot fail, and clauses that change nothing.
"""

import pytest

FILE = "conditions/dysglycaemia.yaml"
HOLDS = """holds_if:
  any:
    - hba1c >= raised_a1c
    - glucose >= raised_glucose
"""


def logic(sample, holds, **more):
    """
    What is found by proof where the sample's condition is another.
    """
    changes = {FILE: (HOLDS, f"holds_if: {holds}\n"), **more}
    return [
        f"{one.code} {one.headline}"
        for one in sample.meant(changes)
        if one.code.startswith(("CDS4", "CDS9")) and one.place.path.endswith(FILE)
    ]


def test_two_clauses_that_clash(sample):
    """
    Both are shown.
    """
    drawn = sample.drawn(
        {
            FILE: (
                HOLDS,
                HOLDS.replace("any:", "all:").replace(
                    "glucose >=", "hba1c < 5 %\n    - glucose >="
                ),
            )
        }
    )

    assert (
        """\
error[CDS401] never-true: `hba1c >= raised_a1c` and `hba1c < 5 %` cannot both be true
  --> rules/conditions/dysglycaemia.yaml:22:7
   |
21 |     - hba1c >= raised_a1c
   |       ------------------- this one
22 |     - hba1c < 5 %
   |       ^^^^^^^^^^^ never true beside the other
   = help: take one out, or join them with `any:`
   = page: cds explain CDS401"""
        in drawn
    )


@pytest.mark.parametrize(
    "holds",
    [
        "{all: [hba1c >= 6.5 %, hba1c < 5.7 %]}",
        "{all: [hba1c >= 6.5 %, hba1c is unknown]}",
        "{all: [glucose from 100 below 126 mg/dL, glucose >= 126 mg/dL]}",
        "{all: [type_2_diabetes is present, type_2_diabetes is absent]}",
        "{all: [type_2_diabetes is present within 30 days, type_2_diabetes is absent]}",
        "{all: [age < 18 years, age >= 65 years]}",
        "{all: [sex is male, sex is female]}",
        "{all: [homa_ir is raised, homa_ir is expected]}",
        "{all: [homa_ir is raised, homa_ir < 2 ]}",
        "{all: [homa_ir is raised, pregnancy is present]}",
        "{all: [homa_ir is raised, homa_ir is unknown]}",
        "{all: [hba1c was not received within 90 days, hba1c >= 6.5 % within 30 days]}",
        "{all: [sex is male, {not: sex is male}]}",
        "{all: [age is unknown, age >= 18 years]}",
        "{at_least: {n: 2, of: [hba1c >= 6.5 %, hba1c < 5.7 %]}}",
    ],
)
def test_what_can_never_be_true(sample, holds):
    """
    In whatever words (T53).
    """
    assert ["CDS401"] == [one[:6] for one in logic(sample, holds)]


@pytest.mark.parametrize(
    "holds",
    [
        "{all: [hba1c >= 6.5 %, hba1c < 7 %]}",
        "{all: [hba1c >= 6.5 % within 30 days, glucose < 100 mg/dL]}",
        "{all: [type_2_diabetes is present, glucose >= 126 mg/dL within 30 days]}",
        "{all: [age >= 18 years, age < 65 years]}",
        '{all: [sex is male, "type_2_diabetes is present, ever", type_2_diabetes is absent]}',
        "{all: [homa_ir is raised, homa_ir < 3 ]}",
        "{all: [hba1c was not received within 30 days, hba1c >= 6.5 %]}",
        "{at_least: {n: 2, of: [hba1c >= 6.5 %, hba1c < 7 %]}}",
        "{any: [hba1c >= 6.5 %, hba1c < 5.7 %]}",
    ],
)
def test_what_can_be_true(sample, holds):
    """
    Next to it.
    """
    assert [] == logic(sample, holds)


@pytest.mark.parametrize(
    "holds",
    [
        "{any: [hba1c >= 6.5 %, hba1c < 6.5 %]}",
        "{any: [hba1c >= 5.7 %, hba1c < 6.5 %, glucose >= 126 mg/dL]}",
        "{any: [homa_ir is raised, homa_ir is expected]}",
        "homa_ir is one of [raised, expected]",
        "hba1c >= 2 %",
        "{any: [sex is male, sex is female]}",
        "{any: [hba1c is known, hba1c is unknown]}",
        "age >= 0 years",
    ],
)
def test_what_can_never_be_false(sample, holds):
    """
    However it may be unknown.
    """
    assert ["CDS402"] == [one[:6] for one in logic(sample, holds)]


def test_an_absence_that_no_list_proves(sample):
    """
    With the reason.
    """
    drawn = sample.drawn(
        {
            FILE: (HOLDS, "holds_if: pregnancy is absent\n"),
            "concepts/metabolic.yaml": (
                "    codes: {snomed: [77386006]}\n    absent_means: false_if_list_complete\n",
                "    codes: {snomed: [77386006]}\n",
            ),
        }
    )

    assert "error[CDS401] never-true: `pregnancy is absent` can never be true" in drawn
    assert "note: of `pregnancy` a list proves no absence: `absent_means: unknown`" in drawn


def test_a_cut_off_that_no_plausible_value_reaches(sample):
    """
    With what is plausible.
    """
    drawn = sample.drawn({FILE: (HOLDS, "holds_if: hba1c >= 48 %\n")})

    assert "error[CDS401] never-true: `hba1c >= 48 %` can never be true" in drawn
    assert "note: plausible values of `hba1c` lie from 3 to 20" in drawn


@pytest.mark.parametrize(
    ("holds", "clause"),
    [
        ("{all: [hba1c >= 6.5 %, hba1c >= 5.7 %]}", "hba1c >= 5.7 %"),
        ("{any: [hba1c >= 6.5 %, hba1c >= 5.7 %]}", "hba1c >= 6.5 %"),
        ("{all: [hba1c >= 6.5 %, hba1c >= 6.5 %]}", "hba1c >= 6.5 %"),
        ("{any: [hba1c >= 6.5 %, {all: [hba1c >= 6.5 %, sex is male]}]}", "hba1c >= 6.5 %"),
        ("{all: [homa_ir is raised, homa_ir >= 2]}", "homa_ir >= 2"),
        ("{all: [age from 40 below 66 years, age >= 18 years]}", "age >= 18 years"),
        (
            "{any: [type_2_diabetes is present, type_2_diabetes is present within 90 days]}",
            "type_2_diabetes is present within 90 days",
        ),
    ],
)
def test_a_clause_that_changes_nothing(sample, holds, clause):
    """
    The one that could go.
    """
    assert [clause in one for one in logic(sample, holds) if one.startswith("CDS403")]


@pytest.mark.parametrize(
    "holds",
    [
        "{all: [hba1c is known, hba1c >= 6.5 %]}",
        "{all: [hba1c >= 6.5 %, glucose >= 126 mg/dL]}",
        "{any: [hba1c >= 6.5 %, hba1c >= 5.7 % within 30 days]}",
        "{all: [{any: [sex is male, age >= 50 years]}, {any: [sex is female, age >= 60 years]}]}",
    ],
)
def test_clauses_that_all_change_something(sample, holds):
    """
    What is unknown counts as an answer too.
    """
    assert [] == logic(sample, holds)


def test_taking_out_the_line_mends_it(sample):
    """
    And nothing else is touched.
    """
    text = HOLDS.replace("    - glucose", "    - hba1c >= 6.5 %\n    - glucose")
    checked = sample.check({FILE: (HOLDS, text)})
    (found,) = [one for one in checked.findings if one.code == "CDS403"]
    (edit,) = found.fix.edits
    source = checked.loaded.sources["rules/" + FILE].text

    assert found.fix.safe
    assert "    - hba1c >= 6.5 %\n" == source[edit.start : edit.end]


def test_one_number_that_says_both(sample):
    """
    It holds and is ruled out.
    """
    more = "ruled_out_if: {any: [hba1c < 6 %, type_2_diabetes is absent]}\ntests:"
    found = sample.found({FILE: ("tests:", more)})

    assert "CDS424 `hba1c >= raised_a1c` and `hba1c < 6 %` overlap" in found


def test_what_ends_where_the_other_begins(sample):
    """
    Says one thing.
    """
    more = "ruled_out_if: {any: [hba1c < raised_a1c, type_2_diabetes is absent]}\ntests:"

    assert not [one for one in sample.found({FILE: ("tests:", more)}) if "CDS424" in one]


def test_a_rule_that_could_not_be_read_is_not_judged(sample):
    """
    Nor is what leans on it.
    """
    found = logic(sample, "{all: [hba1c >= 6.5 %, hba1 < 5.7 %]}")

    assert [] == found
