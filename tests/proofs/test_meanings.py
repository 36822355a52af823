"""
What is proved of conditions, held against the reference evaluator.

Sound: whatever a patient shows is possible. Exact: of clauses about one thing, whatever
is possible is shown by some patient.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random

import pytest

from cds.core.clauses import CardFires, GradeIs, Holds, StageIs, clauses_of
from cds.core.facts import Gap, ListState
from cds.errors import RuleError
from cds.proofs.prover import Proofs
from cds.reasoning.questions import questions
from cds.reasoning.reference import Reference
from tests.random_patients import Patients
from tests.reasoning.random_rules import Author
from tests.reasoning.release import conflict, entry, patient, result, unusable
from tests.serving import shipped

CONCLUSIONS = (Holds, StageIs, GradeIs, CardFires)
WORDS = ("yes", "no", "unknown")


def answers_of(rules, snapshots):
    """
    Every condition and every clause with its answer, for each patient.
    """
    asked = questions(rules)
    reference = Reference(rules, asked)
    for snapshot in snapshots:
        run = reference.start(snapshot)
        found = {}
        for question in asked:
            for expr in (question.expr, *clauses_of(question.expr)):
                if "input " not in expr.key:
                    found[expr.key] = (expr, run.answer(expr).word)
        yield list(found.values())


def assert_possible(rules, snapshots, rng):
    """
    What one patient shows, two and three at a time, is possible.
    """
    proofs = Proofs(rules, most=500_000)
    for found in answers_of(rules, snapshots):
        for _ in range(40):
            facts = rng.sample(found, min(len(found), rng.choice((1, 2, 3))))

            assert proofs.possible(facts), [(expr.key, word) for expr, word in facts]


def test_what_patients_show_of_the_shipped_rules_is_possible():
    """
    No proof that something cannot be is wrong.
    """
    rng = Random(20261121)  # noqa: S311 - not for secrets
    rules = shipped().rules
    patients = Patients(rules, rng)

    assert_possible(rules, (patients.draw() for _ in range(60)), rng)


def assert_random_rules_possible(folder, seeds, count):
    """
    The same of random rules; some draw a mistake, and are no rules.
    """
    loaded = 0
    for seed in seeds:
        rng = Random(seed)  # noqa: S311 - not for secrets
        try:
            rules = Author(folder / str(seed), rng).write().load()
        except RuleError:
            continue
        loaded += 1
        patients = Patients(rules, rng)
        assert_possible(rules, [patients.draw() for _ in range(count)], rng)

    assert loaded > len(seeds) / 2


def test_what_patients_show_of_random_rules_is_possible(tmp_path):
    """
    Whatever the grammar can say.
    """
    assert_random_rules_possible(tmp_path, range(10), 20)


@pytest.mark.nightly
def test_what_more_patients_show_of_more_rules_is_possible(tmp_path: Path):
    """
    The same all night.
    """
    assert_random_rules_possible(tmp_path, range(1_000, 1_400), 60)


def values(concept, *texts, days=(0, 40, 400)):
    """
    One result each, of several ages.
    """
    for text, age in product(texts, days):
        yield patient(**{concept: [result(concept, text, age)]})
    yield patient()


def entries_of(concept, *, lists=("medicines",)):
    """
    Every mix of two entries, with and without the list.
    """
    kinds = [
        entry(concept, days, active=active, act=act, routes=routes)
        for days in (5, 40, 400, None)
        for routes in (("oral",), ("skin",), None)
        for active, act in ((True, ""), (False, ""), (True, "ordered"))
    ]
    whole = {name: ListState(complete=True) for name in (*lists, "tests", "problems", "plans")}
    part = {name: ListState(complete=False, reason=Gap.NOT_SENT) for name in whole}
    for several in [(), *product(kinds), *product(kinds, kinds)]:
        for state in (whole, part):
            found = patient(listed={concept: several} if several else (), lists=state)
            yield found
            yield replace(found, drafts=ListState(complete=False, reason=Gap.NOT_SENT))


SUBJECTS = {
    "one number": (
        ["hba1c >= 6.5 %", "hba1c < 5.7 %", "hba1c is known", "hba1c > 6.5 %"],
        [
            *values("hba1c", "5 %", "5.7 %", "6 %", "6.5 %", "7 %"),
            *values("hba1c", "< 5.7 %", "< 6 %", "< 6.5 %", "<= 6.5 %", "< 7 %", "> 5 %"),
            *values("hba1c", "> 6 %", ">= 6.5 %", "> 6.5 %", "<= 5.7 %", "< 5 %", ">= 5.7 %"),
            *(
                patient(unusable={"hba1c": conflict("hba1c", f"{one} %", f"{other} %")})
                for one, other in product((5, 5.7, 6, 6.5, 7), repeat=2)
            ),
        ],
    ),
    "windows": (
        [
            "enzyme >= 40 U/L within 30 days",
            "enzyme >= 40 U/L",
            "enzyme < 20 U/L within 90 days",
            "enzyme is known within 60 days",
            "enzyme was received within 30 days",
        ],
        [
            *values("enzyme", "10 U/L", "20 U/L", "30 U/L", "40 U/L", days=(0, 40, 70, 100, 400)),
            *values(
                "enzyme",
                "< 30 U/L",
                "> 10 U/L",
                "< 50 U/L",
                "> 50 U/L",
                "< 10 U/L",
                "> 30 U/L",
                days=(0, 40, 70, 100, 400),
            ),
            *(
                patient(
                    enzyme=[] if text is None else [result("enzyme", text, days)],
                    unusable={"enzyme": (unusable("enzyme", Gap.UNIT, 5),)},
                )
                for text in (
                    None,
                    "10 U/L",
                    "20 U/L",
                    "50 U/L",
                    "< 30 U/L",
                    "> 10 U/L",
                    "< 50 U/L",
                    "> 30 U/L",
                )
                for days in (0, 40, 70, 100, 400)
            ),
            *(
                patient(lists={"tests": ListState(complete=False, reason=Gap.NOT_SENT)}, **more)
                for more in (
                    {},
                    *(
                        {"enzyme": [result("enzyme", text, days)]}
                        for text in (
                            "10 U/L",
                            "20 U/L",
                            "50 U/L",
                            "< 30 U/L",
                            "> 10 U/L",
                            "< 50 U/L",
                            "> 30 U/L",
                        )
                        for days in (0, 40, 70, 100, 400)
                    ),
                )
            ),
        ],
    ),
    "lists": (
        [
            "statin is present",
            "statin is present within 30 days",
            '"statin is present within 90 days, undated counts"',
            '"statin is present, ever"',
            "statin is on record",
            "statin is newly ordered",
            "statin is present by route oral",
        ],
        list(entries_of("statin")),
    ),
    "ages": (
        ["age >= 18 years", "age < 65 years", "age from 40 below 66 years", "age is known"],
        [patient(age=age) for age in (None, *range(10, 80), *((n, n + 1) for n in range(10, 80)))],
    ),
    "sexes": (
        ["sex is male", "sex is female", "waist >= wide", "waist < 90 cm"],
        [
            patient(sex=sex, **more)
            for sex in ("male", "female", "unknown")
            for more in (
                {},
                *({"waist": f"{n} cm"} for n in (70, 80, 85, 90, 92, 94, 100)),
                *({"waist": f"< {n} cm"} for n in (80, 85, 90, 92, 94, 100)),
                *({"waist": f"> {n} cm"} for n in (70, 80, 85, 90, 92, 94, 100)),
            )
        ],
    ),
    "counts": (
        ["many >= 1", "many >= 2", "many < 1", "enzyme >= 40 U/L"],
        [
            patient(
                lists={"tests": ListState(complete=whole, reason=Gap.NOT_SENT)},
                enzyme=[result("enzyme", text, at * apart) for at, text in enumerate(texts)],
                unusable={
                    "enzyme": tuple(unusable("enzyme", Gap.UNIT, 20 + at) for at in range(open_))
                },
            )
            for whole in (True, False)
            for open_ in (0, 1, 2)
            for apart in (0, 1)
            for texts in [
                (),
                *product(("20 U/L", "50 U/L", "> 20 U/L")),
                *product(("20 U/L", "50 U/L", "> 20 U/L"), repeat=2),
                *product(("20 U/L", "50 U/L", "> 20 U/L"), repeat=3),
            ]
        ],
    ),
}
MORE = {
    "sexes": "thresholds:\n  wide: {male: 94 cm, female: 80 cm, cite: book}\n",
    "counts": (
        "thresholds:\n  high: {value: 40 U/L, cite: book}\n"
        "readings:\n"
        "  many: {count days of: enzyme, where: at least high, if latest: true, within: 365 days}\n"
    ),
}


@pytest.mark.parametrize("subject", [*SUBJECTS])
def test_what_is_possible_is_shown_by_some_patient(asked, subject):
    """
    Of every three clauses about one thing, all the answers they can have together.
    """
    texts, snapshots = SUBJECTS[subject]
    names = {f"c{number}": text for number, text in enumerate(texts)}
    proofs, *exprs = asked(MORE.get(subject, ""), **names)
    rules = proofs.rules
    reference = Reference(rules, questions(rules))
    shown = set()
    for snapshot in snapshots:
        run = reference.start(snapshot)
        shown.add(tuple(run.answer(expr).word for expr in exprs))
    possible = {
        words
        for words in product(WORDS, repeat=len(exprs))
        if proofs.possible(zip(exprs, words, strict=True))
    }

    assert shown == possible
