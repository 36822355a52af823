"""The stage that is proved first, and how certain a factor is."""

from dataclasses import replace

import pytest

from cds.core.truth import NO, unknown
from cds.reasoning.grading import stage
from tests.reasoning.release import entry, patient, result

GRADES = (
    "grades: {high: {points: 4, domains: 2}, middle: {points: 2}, low: {points_cannot_reach: 2}}"
)


def graded(release, text, *snapshots):
    """Grade one factor."""
    release.factor("factor", f"{text}\n{GRADES}")
    reasoner = release.reasoner()
    try:
        return [reasoner.conclude(one).grades["factor"] for one in snapshots]
    finally:
        reasoner.close()


def piece(name, when, points=0, **more):
    """Write one piece of evidence."""
    more.setdefault("if_missing", "ignore")
    text = ", ".join(f"{key}: {value}" for key, value in more.items())
    return f"{{id: {name}, when: {when}, points: {points}, {text}}}"


class TestStage:
    """The first line that is proved wins."""

    LINES = (
        "lines: [{label: A, if: hba1c >= 6 %}, {label: B, if: waist >= 90 cm}, "
        "{label: Z, otherwise: true}]"
    )

    @pytest.mark.parametrize(
        ("label", "could_be", "results"),
        [
            ("A", (), {"hba1c": "7 %"}),
            ("B", ("A",), {"waist": "95 cm"}),
            ("B", (), {"waist": "95 cm", "hba1c": "5 %"}),
            ("Z", ("A", "B"), {}),
        ],
    )
    def test_unknown_lines_are_passed_and_kept(self, release, label, could_be, results):
        """They could still be it."""
        release.stages(self.LINES)

        found = release.conclude(patient(**results)).stage

        assert (label, could_be) == (found.label, found.could_be)

    def test_a_table_without_a_last_line(self, release):
        """The loader refuses it; one made by hand is an error, not a stage."""
        release.stages(self.LINES)
        table = release.load().stages

        with pytest.raises(ValueError, match="the last line of a staging table is `otherwise`"):
            stage(
                replace(table, lines=table.lines[:2]), {"staging.A": NO, "staging.B": unknown()}.get
            )

    def test_no_table_no_stage(self, release):
        """A release may have none."""
        release.condition("c", "holds_if: sex is male")

        assert "" == release.conclude(patient()).stage.label


class TestPoints:
    """Points as an interval, from domains."""

    TWO = (
        "evidence_for: ["
        + piece("a", "hba1c >= 6 %", 2, domain="sugar", if_missing="could_be_true")
        + ", "
        + piece("b", "waist >= 90 cm", 2, domain="body")
        + "]"
    )

    @pytest.mark.parametrize(
        ("grade", "could", "points", "results"),
        [
            ("high", "high", (4, 4), {"hba1c": "7 %", "waist": "95 cm"}),
            ("middle", "high", (2, 4), {"waist": "95 cm"}),
            ("middle", "middle", (2, 2), {"hba1c": "7 %"}),
            ("undetermined", "middle", (0, 2), {}),
            ("low", "low", (0, 0), {"hba1c": "5 %"}),
        ],
    )
    def test_what_is_missing_could_be_true_or_is_ignored(
        self, release, grade, could, points, results
    ):
        """Each piece says which."""
        (found,) = graded(release, self.TWO, patient(**results))

        assert (grade, could, points) == (found.grade, found.could_become, found.points)

    def test_one_domain_is_not_two(self, release):
        """However many points it gives."""
        text = f"evidence_for: [{piece('a', 'hba1c >= 6 %', 5, domain='sugar')}]"

        assert ["middle"] == [one.grade for one in graded(release, text, patient(hba1c="7 %"))]

    def test_of_a_group_the_largest_counts_once(self, release):
        """Numbers that share their data are not added."""
        text = (
            f"evidence_for: [{piece('a', 'hba1c >= 6 %', 1)}, {piece('b', 'hba1c >= 5 %', 3)}, "
            f"{piece('c', 'waist >= 90 cm', 9)}]\ncounts_once: [[a, b, c]]"
        )

        assert [(3, 3)] == [one.points for one in graded(release, text, patient(hba1c="7 %"))]

    def test_the_reasons_of_what_is_open(self, release):
        """The weightiest first, and none of what is ignored."""
        text = (
            f"evidence_for: [{piece('a', 'hba1c >= 6 %', 1, if_missing='could_be_true')}, "
            f"{piece('b', 'waist >= 90 cm', 3, if_missing='could_be_true')}, "
            f"{piece('c', 'ratio >= 1', 3)}]"
        )

        (found,) = graded(release, text, patient())

        assert ["waist", "hba1c"] == [need.name for need in found.needs]


class TestGates:
    """Not assessed, excluded."""

    EVIDENCE = f"evidence_for: [{piece('a', 'age is known', 9)}]"

    @pytest.mark.parametrize(
        ("state", "assess"),
        [
            ("graded", "sex is female"),
            ("not assessed", "sex is male"),
            ("not assessed", "hba1c >= 6 %"),
        ],
    )
    def test_assessed_only_where_that_is_proved(self, release, state, assess):
        """Unknown is not assessed, with the reason."""
        (found,) = graded(release, f"assess_if: {assess}\n{self.EVIDENCE}", patient())

        assert state == found.state
        assert ("hba1c" in assess) == bool(found.needs)

    @pytest.mark.parametrize(
        ("state", "when", "more"),
        [
            ("excluded", "sex is female", "if_unknown: assess"),
            ("graded", "sex is male", "if_unknown: hide"),
            ("graded", "hba1c >= 6 %", "if_unknown: assess"),
            ("excluded", "hba1c >= 6 %", "if_unknown: hide"),
            ("graded", "sex is female", "if_unknown: hide, when_relevant: age < 18 years"),
            ("excluded", "sex is female", "if_unknown: hide, when_relevant: waist >= 90 cm"),
        ],
    )
    def test_exclusions(self, release, state, when, more):
        """A relevance that is not proved to be no leaves the exclusion asked."""
        text = f"exclude_if: [{{id: x, when: {when}, because: B., {more}}}]\n{self.EVIDENCE}"

        (found,) = graded(release, text, patient())

        assert (state, "x" if state == "excluded" else "") == (found.state, found.reason)


class TestFloorsAndCeilings:
    """Evidence that bounds the grade whatever the points say."""

    def test_a_floor_lifts(self, release):
        """Up to its grade and no further."""
        text = (
            f"evidence_for: [{piece('a', 'hba1c >= 6 %', 0, at_least='middle')}, "
            f"{piece('b', 'waist >= 90 cm', 9, domain='x')}]"
        )

        low, high = graded(release, text, patient(hba1c="7 %"), patient(hba1c="7 %", waist="95 cm"))

        assert ("middle", "high") == (low.grade, high.grade)

    @pytest.mark.parametrize(
        ("grade", "could", "disagrees", "points", "ceiling"),
        [
            ("middle", "middle", ("a",), 4, "middle"),
            ("low", "low", ("a",), 4, "low"),
            ("low", "low", (), 0, "middle"),
            ("low", "low", (), 0, "low"),
        ],
    )
    def test_a_ceiling_holds_down(self, release, grade, could, disagrees, points, ceiling):
        """And names what it disagrees with."""
        text = (
            f"evidence_for: [{piece('a', 'hba1c >= 6 %', points, domain='x')}, "
            f"{piece('b', 'hba1c >= 6 %', 0, domain='y')}]\n"
            f"evidence_against: [{{id: g, when: sex is female, at_most: {ceiling}}}, "
            "{id: h, when: sex is female}]"
        )

        (found,) = graded(release, text, patient(hba1c="7 %"))

        assert (grade, could) == (found.grade, found.could_become)
        assert disagrees == found.disagrees[:1]

    def test_what_can_be_no_more_than_the_lowest_is_that(self, release):
        """Although points could still come."""
        text = (
            f"evidence_for: [{piece('a', 'hba1c >= 6 %', 9, if_missing='could_be_true')}]\n"
            "evidence_against: [{id: g, when: sex is female, at_most: low}]"
        )

        (found,) = graded(release, text, patient())

        assert ("low", "low") == (found.grade, found.could_become)

    def test_a_higher_ceiling_leaves_it_open(self, release):
        """It could still become what the ceiling allows."""
        text = (
            f"evidence_for: [{piece('a', 'hba1c >= 6 %', 9, if_missing='could_be_true')}]\n"
            "evidence_against: [{id: g, when: sex is female, at_most: middle}]"
        )

        (found,) = graded(release, text, patient())

        assert ("undetermined", "middle") == (found.grade, found.could_become)

    FIGHT = (
        f"evidence_for: [{piece('a', 'hba1c >= 6 %', 1, at_least='high')}]\n"
        "evidence_against: [{id: g, when: waist < 90 cm, at_most: low}]\nif_conflict: "
    )

    @pytest.mark.parametrize(
        ("grade", "disagrees", "choice", "sugar", "waist"),
        [
            ("high", ("g",), "newest", 1, 9),
            ("low", ("a",), "newest", 9, 1),
            ("conflicting", ("a", "g"), "newest", 5, 5),
            ("low", ("a",), "trust_against", 1, 9),
            ("conflicting", ("a", "g"), "say_conflicting", 1, 9),
        ],
    )
    def test_a_floor_above_a_ceiling(self, release, grade, disagrees, choice, sugar, waist):
        """The newer evidence wins, the one against, or neither."""
        snapshot = patient(
            hba1c=[result("hba1c", "7 %", sugar)], waist=[result("waist", "80 cm", waist)]
        )

        (found,) = graded(release, self.FIGHT + choice, snapshot)

        assert (grade, disagrees) == (found.grade, found.disagrees)

    @pytest.mark.parametrize(
        ("grade", "floor", "ceiling"),
        [
            ("high", "waist < 90 cm", "sex is female"),
            ("low", "sex is female", "waist < 90 cm"),
            ("conflicting", "sex is female", "age is known"),
            ("high", "gout is present", "sex is female"),
            ("high", "score is odd", "gout is present"),
            ("high", "score >= 1", "gout is present"),
            ("low", "years >= 1", "gout is present"),
        ],
    )
    def test_the_age_of_evidence(self, release, grade, floor, ceiling):
        """Of results, of what an index was made of, of entries; what has no date is oldest."""
        release.index(
            "score",
            "inputs: {w: {concept: waist}}\nformula: w\nbands: [{name: odd}]",
        )
        release.index("years", "inputs: {y: {age: true}}\nformula: y")
        text = (
            f"evidence_for: [{piece('a', floor, 1, at_least='high')}]\n"
            f"evidence_against: [{{id: g, when: {ceiling}, at_most: low}}]\nif_conflict: newest"
        )
        snapshot = patient(
            waist=[result("waist", "80 cm", 3)],
            listed={"gout": (entry("gout", None), entry("gout", 30))},
        )

        (found,) = graded(release, text, snapshot)

        assert grade == found.grade

    def test_a_result_that_is_not_there_has_no_age(self, release):
        """It may stand beside what is proved."""
        text = (
            "evidence_for: [{id: a, when: {any: [ratio >= 1, sex is female]}, points: 1, "
            "at_least: high, if_missing: ignore}]\n"
            "evidence_against: [{id: g, when: waist < 90 cm, at_most: low}]\nif_conflict: newest"
        )

        (found,) = graded(release, text, patient(waist="80 cm"))

        assert "low" == found.grade


class TestAsked:
    """`FACTOR is [at least] GRADE` compares what is proved with what could still come."""

    EVIDENCE = (
        "evidence_for: ["
        + piece("a", "hba1c >= 6 %", 2, domain="sugar", if_missing="could_be_true")
        + ", "
        + piece("b", "waist >= 90 cm", 2, domain="body")
        + "]\nassess_if: age >= 18 years"
    )
    PEOPLE = (
        patient(hba1c="7 %", waist="95 cm"),
        patient(hba1c="7 %"),
        patient(waist="95 cm"),
        patient(),
        patient(hba1c="5 %"),
        patient(age=10, hba1c="7 %"),
    )

    @pytest.mark.parametrize(
        ("expected", "clause"),
        [
            ("yes no unknown no no unknown", "factor is high"),
            ("no yes unknown unknown no unknown", "factor is middle"),
            ("no no no unknown yes unknown", "factor is low"),
            ("no no no unknown no unknown", "factor is undetermined"),
            ("yes no unknown no no unknown", "factor is at least high"),
            ("yes yes yes unknown no unknown", "factor is at least middle"),
            ("yes yes yes yes yes unknown", "factor is at least undetermined"),
        ],
    )
    def test_grades(self, release, expected, clause):
        """In both evaluators."""
        release.factor("factor", f"{self.EVIDENCE}\n{GRADES}")

        assert expected.split() == release.ask(clause, *self.PEOPLE)

    def test_why_it_is_not_known(self, release):
        """What is missing, or that nobody assessed it."""
        release.factor("factor", f"{self.EVIDENCE}\n{GRADES}")

        found = release.truths("factor is high", *self.PEOPLE)

        assert [(), (), ("hba1c",), (), (), ("factor",)] == [
            tuple(need.name for need in one.needs) for one in found
        ]
