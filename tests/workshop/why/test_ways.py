"""
Ways to another answer, for each form of clause; that they are enough is proved with flips.
"""

import shutil

import pytest

from cds.reasoning.evaluator import Reasoner
from cds.rulefiles.loader import load_ruleset
from cds.workshop.testing.subjects import Subjects, read_given
from cds.workshop.why.flipping import flips
from cds.workshop.why.solving import Solver
from cds.workshop.why.ways import MOST_WISHES, Ways
from cds.workshop.why.wishes import said
from tests.workshop.explained import RULES

MAN = "age: 52 years, sex: male"
HEADER = """\
kind: condition
id: tried
title: Tried
version: 1.0.0
status: draft
about: {purpose: To try., explanation: Clauses., limits: [None is meant.], evidence: []}
upkeep: {owner: nobody, authors: [Nobody], clinical_review: pending, review_by: 2027-06-01}
"""


class Tried:
    """
    A condition in a copy of the shipped rules.
    """

    def __init__(self, folder, body):
        path = folder / "conditions" / "tried.yaml"
        path.write_text(HEADER + body, "utf-8")
        self.rules = load_ruleset(folder)
        self.reasoner = Reasoner(self.rules, engine="reference", everything=True)
        self.subjects = Subjects(self.rules)

    def snapshot(self, words, hooks=()):
        """
        A patient.
        """
        return self.subjects.of_case(read_given(words, called="given"), hooks)

    def ways(self, words, want="yes", hooks=()):
        """
        The ways, in words.
        """
        snapshot = self.snapshot(words, hooks)
        found = Ways(self.rules, self.reasoner.start(snapshot), Solver(self.rules, snapshot, {}))
        expr = self.rules.conditions["tried"].holds_if
        texts = [
            " + ".join(sorted(said(self.rules, snapshot, wish) for wish in way))
            for way in found.to(expr, want)
        ]
        return found, texts


@pytest.fixture
def tried(tmp_path):
    """
    Write a condition, and give it.
    """
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    return lambda body: Tried(folder, body)


@pytest.mark.parametrize(
    ("clause", "words", "want", "expected"),
    [
        ("hba1c >= 6.5 %", MAN, "yes", ["measure hba1c, and find 6.5 % or more"]),
        ("hba1c >= 6.5 %", MAN, "no", ["measure hba1c, and find less than 6.5 %"]),
        ("hba1c > 6.5 %", MAN, "no", ["measure hba1c, and find 6.5 % or less"]),
        (
            "hba1c from 5.7 below 6.5 %",
            MAN,
            "no",
            ["measure hba1c, and find less than 5.7 %", "measure hba1c, and find 6.5 % or more"],
        ),
        ("hba1c >= 6.5 %", f"{MAN}, hba1c: 7 %", "yes", [""]),
        ("age >= 40 years", "sex: male", "yes", ["record a birth date, age 40 years or more"]),
        ("age >= 60 years", MAN, "yes", []),
        ("age is known", "sex: male", "yes", ["record a birth date, age "]),
        ("sex is male", "age: 52 years", "no", ["record the sex, female"]),
        ("sex is female", MAN, "yes", []),
        ("masld is present", MAN, "yes", ["record masld"]),
        ("masld is present", f"{MAN}, masld: present", "no", ["without masld"]),
        (
            "masld is present",
            f"{MAN}, masld: present, not_complete: [problems]",
            "no",
            ["send the whole problems list + without masld"],
        ),
        ("masld is on record", f"{MAN}, masld: present", "no", ["without masld"]),
        ("pregnancy_status is answered no", f"{MAN}, pregnancy_status: 'no'", "no", []),
        ("pregnancy_status is answered no", MAN, "yes", ["pregnancy_status answered no"]),
        ("metformin began more than 365 days ago", MAN, "yes", ["with metformin, 366 days ago"]),
        (
            "metformin began at least 365 days ago",
            f"{MAN}, metformin: present 400 days ago",
            "no",
            ["with metformin"],
        ),
        ("hba1c is known", MAN, "yes", ["measure hba1c"]),
        ("hba1c is unknown", f"{MAN}, hba1c: 5 %", "yes", ["without hba1c"]),
        ("any of [hba1c, alt] is known", MAN, "yes", ["measure alt", "measure hba1c"]),
        ("all of [hba1c, alt] are known", f"{MAN}, hba1c: 5 %", "yes", ["measure alt"]),
        (
            "usable_waist is known",
            MAN,
            "yes",
            ["measure waist_circumference"],
        ),
        ("usable_waist is known", f"{MAN}, waist_circumference: 90 cm", "no", []),
        (
            "the medicines list is complete",
            f"{MAN}, not_sent: [medicines]",
            "yes",
            ["send the whole medicines list"],
        ),
        ("the medicines list is complete", MAN, "no", []),
        ("hba1c was received within 365 days", MAN, "yes", ["measure hba1c"]),
        (
            "hba1c was received within 365 days",
            f"{MAN}, hba1c: 5 %, not_complete: [glycaemia]",
            "no",
            ["send the whole glycaemia list + without hba1c"],
        ),
        ("hba1c is newer than alt", f"{MAN}, alt: 20 U/L", "yes", ["measure hba1c"]),
        (
            "hba1c is newer than alt",
            f"{MAN}, hba1c: 5 %, alt: 20 U/L 40 days ago",
            "no",
            ["find alt"],
        ),
        (
            "usable_waist is raised",
            MAN,
            "yes",
            ["measure waist_circumference, and find 102 cm or more"],
        ),
        (
            "usable_waist is raised",
            f"{MAN}, waist_circumference: 110 cm",
            "no",
            ["find waist_circumference at 101 cm or less"],
        ),
        ("metabolic_syndrome >= 1", f"{MAN}, hdl_cholesterol: 36 mg/dL", "no", []),
        (
            "waist_raised holds",
            MAN,
            "yes",
            ["measure waist_circumference, and find 102 cm or more"],
        ),
        (
            "card short_sleep fires",
            MAN,
            "yes",
            ["measure sleep_duration, and find less than 7 h + record pcos"],
        ),
    ],
)
def test_a_clause_and_what_would_change_it(tried, clause, words, want, expected):
    """
    In words; nothing where nothing can be done.
    """
    _, found = tried(f'holds_if: "{clause}"\n').ways(words, want)

    assert set(expected) <= set(found)
    assert bool(expected) == bool(found)


def test_joins_take_one_or_all_of_their_parts(tried):
    """
    Turned round where no is wanted.
    """
    body = 'holds_if: {all: ["hba1c >= 6.5 %", {any: ["alt >= 40 U/L", masld is present]}]}\n'
    condition = tried(body)
    _, yes = condition.ways(MAN)
    _, no = condition.ways(MAN, "no")

    assert [
        "measure hba1c, and find 6.5 % or more + record masld",
        "measure alt, and find 40 U/L or more + measure hba1c, and find 6.5 % or more",
    ] == sorted(yes, key=lambda text: "alt" in text)
    assert ["measure hba1c, and find less than 6.5 %"] == no[:1]


def test_so_many_of_several(tried):
    """
    Fewer where some are there already; none where more are wanted than may change.
    """
    measured = '"hba1c >= 6.5 %", "alt >= 40 U/L", "ast >= 40 U/L", "ggt >= 40 U/L"'
    clauses = f"[{measured}, {{not: masld is present}}]"
    two = tried(f"holds_if: {{at_least: {{n: 2, of: {clauses}}}}}\n")

    assert 4 == len(two.ways(MAN)[1])
    assert [""] == two.ways(f"{MAN}, hba1c: 7 %")[1]
    five = tried(f"holds_if: {{at_least: {{n: 5, of: {clauses}}}}}\n")
    assert [] == five.ways(MAN)[1]
    assert MOST_WISHES == 3


def test_orders_are_wished_for_only_where_there_can_be_some(tried):
    """
    On a hook that is about them.
    """
    condition = tried("holds_if: metformin is newly ordered\n")

    assert ["order metformin"] == condition.ways(MAN, hooks=("order-select",))[1]
    assert [] == condition.ways(MAN)[1]


def test_readings_are_so_many_results(tried):
    """
    On days of their own.
    """
    body = (
        "readings:\n  high_days: {count days of: hba1c, where: at least 6.5 %, within: 365 days}\n"
        "holds_if: high_days >= 2\n"
    )
    condition = tried(body)

    assert ["measure hba1c on 2 days, and find 6.5 % or more"] == condition.ways(MAN)[1]
    _, fewer = condition.ways(f"{MAN}, hba1c: [7 % 10 days ago, 7 % 20 days ago]", "no")
    assert ["find hba1c at less than 6.5 %"] == fewer


def test_forms_without_a_wish_are_named(tried):
    """
    So that nobody takes silence for an answer.
    """
    condition = tried('holds_if: "some result was not used because of [unit] within 365 days"\n')
    found, texts = condition.ways(MAN)

    assert [] == texts
    assert ["some result was not used because of [unit] within 365 days"] == list(found.limits)


def test_what_is_told_of_a_tried_condition_is_true(tried):
    """
    Through the search as through the ways.
    """
    condition = tried('holds_if: {all: ["hba1c from 5.7 below 6.5 %", masld is absent]}\n')
    snapshot = condition.snapshot(f"{MAN}, masld: present, hba1c: 7 %")
    rule = condition.rules.conditions["tried"]
    found = flips(condition.rules, rule, snapshot, "yes", {})

    assert [("find hba1c at 5.7 % or more, but less than 6.5 %", "without masld")] == [
        tuple(text for _, text in one.said) for one in found.found
    ]
    assert {"find hba1c at 5.7 % or more, but less than 6.5 %", "without masld"} == set(
        found.not_enough
    )


def test_evidence_that_brings_too_few_points_is_named(tried):
    """
    With what it would bring and what is needed; not where its datum is enough another way.
    """
    condition = tried("holds_if: insulin_resistance is at least probable\n")
    rule = condition.rules.conditions["tried"]
    nothing = flips(condition.rules, rule, condition.snapshot(MAN), "yes", {})
    lipids = condition.snapshot(f"{MAN}, triglycerides: 190 mg/dL, hdl_cholesterol: 55 mg/dL")
    more = flips(condition.rules, rule, lipids, "yes", {})

    assert "tyg is raised (2 of the 4 points needed)" in nothing.not_enough
    assert not any("waist_raised" in one for one in more.not_enough)
