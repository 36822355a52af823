"""
Named conditions, stages and factors.
"""

import pytest

from cds.core.rules import Evidence, Grade

FACTOR = "factors/resistance.yaml"
STAGES = "stages/staging.yaml"


def test_a_condition_may_be_ruled_out(rules):
    """
    What proves no is said beside what proves yes.
    """
    found = rules.load().ruleset.conditions["pregnant"]

    assert "pregnancy is present" == found.holds_if.text
    assert "sex is male" == found.ruled_out_if.text


def test_a_condition_need_not_be_ruled_out(rules):
    """
    Its own answer then decides.
    """
    changes = {"conditions/pregnant.yaml": ("ruled_out_if: sex is male\n", "")}

    assert None is rules.load(changes).ruleset.conditions["pregnant"].ruled_out_if


def test_the_staging_table(rules):
    """
    Lines in order, the last without a condition.
    """
    lines = rules.load().ruleset.stages.lines

    assert ["S2", "NG(age)?", "UNDET"] == [one.label for one in lines]
    assert ["hba1c >= 5.7 %", "homa is raised"] == [one.condition.text for one in lines[:2]]
    assert None is lines[2].condition
    assert "prediabetes" == lines[0].meaning


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("label: NG(age)?", "label: S2", "CDS203 two lines are labelled `S2`"),
        (", otherwise: true", ", if: sex is male", "CDS105 the last line says `otherwise: true`"),
        (", otherwise: true", "", "CDS105 the last line says `otherwise: true`"),
        (", otherwise: true", ", otherwise: true, if: sex is male", "CDS105 the last line says"),
        ("if: homa is raised", "otherwise: true", "CDS105 the last line says `otherwise: true`"),
        (", if: homa is raised", "", "CDS105 the last line says `otherwise: true`"),
        ("otherwise: true", "otherwise: yes", "CDS106 `yes` can be read in more than one way"),
    ],
)
def test_what_is_wrong_with_stages(rules, before, after, expected):
    """
    Every patient comes out with one label.
    """
    found = rules.found({STAGES: (before, after)})

    assert any(one.startswith(expected) for one in found), found


def test_a_factor(rules):
    """
    Evidence for and against, what counts once, and grades.
    """
    found = rules.load().ruleset.factors["resistance"]

    assert "age >= 18 years" == found.assess_if.text
    assert [("pregnant", "assess", "Pregnancy.")] == [
        (one.id, one.if_unknown, one.because) for one in found.exclude_if
    ]
    assert (
        Evidence(
            id="index",
            when=found.evidence_for[0].when,
            domain="blood",
            points=3,
            at_least="probable",
            if_missing="could_be_true",
        )
        == found.evidence_for[0]
    )
    assert ("unlikely", "ignore", 0) == (
        found.evidence_against[0].at_most,
        found.evidence_against[0].if_missing,
        found.evidence_against[0].points,
    )
    assert ("newest", (("index", "waist"),)) == (found.if_conflict, found.counts_once)
    assert (
        Grade("probable", points=3, domains=1),
        Grade("possible", points=1),
        Grade("unlikely", cannot_reach=1),
    ) == found.grades


def test_a_grade_may_be_out_of_reach_of_points(rules):
    """
    `points: never` leaves the floor as the only way.
    """
    changes = {FACTOR: ("probable: {points: 3, domains: 1}", "probable: {points: never}")}

    assert None is rules.load(changes).ruleset.factors["resistance"].grades[0].points


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (", if_unknown: assess", "", "CDS420 exclusion `pregnant` does not say what to do"),
        (", if_missing: ignore", "", "CDS421 evidence `waist` does not say what its absence means"),
        (
            "at_least: probable",
            "at_least: certain",
            "CDS201 `certain` is not a grade of this factor",
        ),
        ("at_most: unlikely", "at_most: certain", "CDS201 `certain` is not a grade of this factor"),
        ("{id: low", "{id: index", "CDS203 two pieces of evidence are called `index`"),
        (
            "counts_once: [[index, waist]]",
            "counts_once: [[index, waste]]",
            "CDS201 `waste` is not a piece of evidence",
        ),
        ("counts_once: [[index, waist]]", "counts_once: [index]", "CDS105 expected a list"),
        ("possible: {points: 1}", "possible: 1", "CDS105 expected a block: a grade"),
    ],
)
def test_what_is_wrong_with_a_factor(rules, before, after, expected):
    """
    Silence about the unknown is an error, not a default.
    """
    found = rules.found({FACTOR: (before, after)})

    assert any(one.startswith(expected) for one in found), found


def test_exclusions_without_a_name(rules):
    """
    Called after what they ask, with a number where that is taken.
    """
    changes = {
        FACTOR: (
            "  - {when: pregnant holds, because: Pregnancy., if_unknown: assess}\n",
            (
                "  - {when: pregnant holds, because: A., if_unknown: assess}\n"
                "  - {when: pregnant holds, because: B., if_unknown: hide,\n"
                "     when_relevant: sex is male}\n"
            ),
        )
    }
    found = rules.load(changes).ruleset.factors["resistance"].exclude_if

    assert ["pregnant", "pregnant_2"] == [one.id for one in found]
    assert "sex is male" == found[1].relevant.text


def test_exclusions_with_one_name(rules):
    """
    A test could not say which of them it means.
    """
    line = "  - {id: a, when: pregnant holds, because: A., if_unknown: hide}\n"
    changes = {
        "cards/sample.yaml": (
            "  - {id: pregnant, when: pregnant holds, because: Pregnancy., if_unknown: hide}\n",
            line * 2,
        )
    }

    assert ["CDS203 two exclusions are called `a`"] == rules.found(changes)
