"""
Reasons of single clauses: what each form of clause looked at, and that it says so.
"""

import shutil
from datetime import UTC, datetime

import pytest

from cds.core.clauses import All, Any_, AtLeast, Compare, GradeIs, Holds, Known, Not, Place
from cds.core.facts import Entry, Snapshot
from cds.reasoning.evaluator import Reasoner
from cds.reasoning.questions import questions
from cds.rulefiles.loader import load_ruleset
from cds.workshop.testing.cases import cases_of
from cds.workshop.testing.patients import CannotRead
from cds.workshop.testing.subjects import Subjects
from cds.workshop.why.reasons import Reason
from cds.workshop.why.tracing import Tracer, headed, is_asked, is_sentence, named, unwrapped
from tests.format.conftest import FORMAT, examples, files_of
from tests.workshop.explained import RULES, shipped, tracer_of

MAN = "age: 52 years, sex: male, "
HERE = Place("rules/a.yaml", 1, 1)


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """
    Tracers for the patients of all cases, of the shipped rules and of the examples of forms.
    """
    folder = tmp_path_factory.mktemp("traced") / "rules"
    shutil.copytree(RULES, folder)
    for name in examples():
        for path in files_of(name):
            (folder / path).parent.mkdir(exist_ok=True)
            shutil.copy(FORMAT / name / path, folder / path)
    rules = load_ruleset(folder)
    subjects, reasoner = Subjects(rules), Reasoner(rules, engine="reference", everything=True)
    tracers = []
    for rule, case in cases_of(rules):
        hooks = getattr(rule, "hooks", ())
        try:
            snapshot = subjects.of_case(case.given, hooks)
        except CannotRead:
            continue
        tracers.append(Tracer(rules, reasoner.start(snapshot), depth=2))
    return rules, tracers


def walked(reason):
    """
    A reason and all below it.
    """
    yield reason
    for one in reason.of:
        yield from walked(one)


def test_answers_are_those_of_the_evaluator(traced):
    """
    For every question that is asked, of every patient of a case.
    """
    rules, tracers = traced
    asked = [one for one in questions(rules) if ".not_valid_if." not in one.name]
    wrong = [
        one.name
        for tracer in tracers[::25]
        for one in asked
        if tracer.condition(one.expr).answer != tracer.run.answer(one.expr).word
    ]

    assert [] == wrong


def test_every_unknown_clause_says_why(traced):
    """
    Down to the last one that is opened.
    """
    rules, tracers = traced
    mute = {
        reason.text
        for tracer in tracers[::20]
        for one in questions(rules)
        if ".not_valid_if." not in one.name
        for reason in walked(tracer.condition(one.expr))
        if reason.answer == "unknown" and not reason.of and not reason.why
    }

    assert set() == mute


def test_every_comparison_shows_its_number_and_its_cut_off(traced):
    """
    Where the answer is known.
    """
    rules, tracers = traced
    mute = {
        clause.text
        for tracer in tracers[::20]
        for one in questions(rules)
        if isinstance(clause := one.expr, Compare) and clause.what != "input"
        for reason in [tracer.condition(clause)]
        if reason.answer != "unknown" and not (reason.found and reason.needed)
    }

    assert set() == mute


def reason_of(words, rule, *, at=None, depth=1, **more):
    """
    The reason of a clause of a shipped condition or of a card's `show_if`.
    """
    rules = shipped()
    card = rules.cards.get(rule)
    expr = card.show_if if card is not None else rules.conditions[rule].holds_if
    for number in at or ():
        expr = expr.of[number]
    return tracer_of(words, depth=depth, **more).condition(expr)


@pytest.mark.parametrize(
    ("words", "answer", "note"),
    [
        ("total_testosterone: 238 ng/dL", "yes", "238 ng/dL on 2026-05-22, below 264 ng/dL"),
        ("total_testosterone: 264 ng/dL", "no", "264 ng/dL on 2026-05-22, needs below 264 ng/dL"),
        (
            "total_testosterone: 9.19 nmol/L",
            "yes",
            "9.19 nmol/L (265.04 ng/dL) on 2026-05-22, below 9.2 nmol/L",
        ),
        ("total_testosterone: <300 ng/dL", "unknown", "<300 ng/dL on 2026-05-22, below 264 ng/dL"),
        ("hba1c: 5 %", "unknown", "never measured"),
        ("not_sent: [hormones]", "unknown", "not sent"),
        ("total_testosterone: 238", "unknown", "unit"),
    ],
)
def test_a_number_beside_its_cut_off(words, answer, note):
    """
    As it was sent, and in the concept's unit where that is another.
    """
    found = reason_of(f"{MAN} {words}", "low_testosterone_unconfirmed", at=(1,))

    assert answer == found.answer
    assert found.note.startswith(note)


def test_the_laboratorys_own_limit_is_said_where_it_decided():
    """
    In the place of the rule's.
    """
    tracer = tracer_of(f"{MAN} total_testosterone: 238 ng/dL")
    clause = shipped().cards["low_testosterone_unconfirmed"].show_if.of[1]
    (result,) = tracer.snapshot.results["total_testosterone"]
    own = result.__class__(**{**_fields(result), "own_low": result.value + 10})
    said = tracer.values.own_limit(clause.low, clause.high, own)

    assert "below 248 ng/dL, the laboratory's own lower limit" == said


def _fields(one):
    return {name: getattr(one, name) for name in one.__slots__}


def test_a_cut_off_by_sex_names_whom_it_is_for():
    """
    Both, and why neither decides, where the sex is not known.
    """
    known = reason_of(f"{MAN} waist_circumference: 95 cm", "waist_raised")
    open_ = reason_of("age: 60 years, waist_circumference: 95 cm", "waist_raised")

    assert "95 cm, needs male from 102 cm" == known.note
    assert "95 cm, male from 102 cm, female from 88 cm: sex not recorded" == open_.note


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("masld: present 30 days ago", "masld since 2026-05-02"),
        ("masld: present", "masld, undated"),
        ("masld: history", "problems list complete; masld, undated, no longer active"),
        ("hba1c: 5 %", "problems list complete, no entry"),
        (
            "not_sent: [problems]",
            "masld, cirrhosis, alcohol_liver_disease, viral_hepatitis not sent",
        ),
    ],
)
def test_a_list_says_what_is_on_it(words, note):
    """
    And whether it came whole.
    """
    unless = shipped().cards["fatty_liver_likely"].unless
    clause = next(one.when for one in unless if "masld" in getattr(one.when, "text", ""))

    assert note == tracer_of(f"{MAN} {words}").condition(clause).note


def test_a_named_condition_is_opened_where_it_decides():
    """
    As deep as was asked for.
    """
    words = f"{MAN} body_height: 180 cm, waist_circumference: 110 cm"
    closed = reason_of(words, "probable_ir", depth=0)
    opened = reason_of(words, "probable_ir", depth=1)
    texts = {one.text for one in walked(opened)} - {one.text for one in walked(closed)}

    assert set() == {one.text for one in walked(closed) if one.text == "usable_waist is raised"}
    assert "usable_waist is raised" not in texts
    raised = reason_of(
        f"{words}, triglycerides: 220 mg/dL, hdl_cholesterol: 40 mg/dL", "probable_ir", depth=1
    )
    assert "usable_waist is raised" in {one.text for one in walked(raised)}


def test_a_sentence_that_denies_is_one_sentence():
    """
    `none of` is its own clause; `not:` has another below it.
    """
    clause = Known(text="a is known", place=HERE, key="a", names=("a",), whats=("concept",))
    inside = Not(of=clause, key="not a", place=HERE)
    below = Not(of=clause, key="not a", place=Place("rules/a.yaml", 1, 9))

    assert [True, True, False] == [is_sentence(one) for one in (clause, inside, below)]
    joins = (All, Any_)
    assert not any(is_sentence(one(of=(clause,), key="k", place=HERE)) for one in joins)
    assert not is_sentence(AtLeast(count=1, of=(clause,), key="k", place=HERE))


def test_joins_are_named_after_their_keys():
    """
    A join takes the key, a sentence stands behind it.
    """
    clause = Holds(text="a holds", place=HERE, key="a", name="a")
    join = Any_(of=(clause,), key="k", place=HERE)
    sentence, several = Reason("a holds", "yes"), Reason("any of", "yes", of=(Reason("a", "yes"),))

    assert "waist: a holds" == named("waist", clause, sentence).text
    assert ("waist", (several,)) == (
        named("waist", join, several).text,
        named("waist", join, several).of,
    )
    assert ("show_if, any of", True) == (
        headed("show_if", several).text,
        headed("show_if", several).heading,
    )
    assert (sentence,) == headed("show_if", sentence).of
    assert (Reason("a"),) == unwrapped(Reason("all of", of=(Reason("a"),)))


def test_a_grade_says_its_points_and_what_it_could_become():
    """
    The evidence below it, each with its points.
    """
    tracer = tracer_of(f"{MAN} triglycerides: 220 mg/dL, hdl_cholesterol: 60 mg/dL")
    clause = GradeIs(
        text="insulin_resistance is at least probable",
        place=HERE,
        key="x",
        name="insulin_resistance",
        grade="probable",
        or_more=True,
    )
    found = tracer.condition(clause)

    assert found.found.startswith("possible, 2 of ")
    assert found.found.endswith("could become probable")
    assert 2 == next(one.points for one in found.of if one.text == "tg_hdl_ratio is raised")


@pytest.mark.parametrize(
    ("entry", "marks", "expected"),
    [
        ({}, {}, True),
        ({"act": "ordered"}, {}, False),
        ({"act": "ordered"}, {"ordered": "also"}, True),
        ({"act": "ordered"}, {"ordered": "only"}, True),
        ({}, {"ordered": "only"}, False),
        ({"act": "added"}, {"ordered": "only"}, False),
        ({"routes": ("oral",)}, {"routes": ("oral",)}, True),
        ({"routes": ("nasal",)}, {"routes": ("oral",)}, False),
        ({}, {"routes": ("oral",)}, False),
    ],
)
def test_entries_that_a_clause_looks_at(entry, marks, expected):
    """
    By what the call does with them, and by route.
    """
    clause = next(
        one.when
        for one in shipped().cards["low_testosterone_unconfirmed"].unless
        if one.id == "treated"
    )
    fields = {**_fields_of(clause), **marks}
    one = Entry(concept="a", source=None, **entry)

    assert expected is is_asked(one, clause.__class__(**fields))


def _fields_of(clause):
    names = ("text", "place", "key", "label", "names", "ever", "within", "undated_counts")
    more = ("on_record", "ordered", "act", "routes")
    return {name: getattr(clause, name) for name in (*names, *more)}


def test_an_empty_snapshot_has_reasons_too(traced):
    """
    Nothing was sent of nobody.
    """
    rules, _ = traced
    person = tracer_of("sex: male").snapshot.person
    snapshot = Snapshot(as_of=datetime(2026, 6, 1, tzinfo=UTC), person=person)
    reasoner = Reasoner(rules, engine="reference", everything=True)
    tracer = Tracer(rules, reasoner.start(snapshot))

    assert all(
        tracer.condition(one.expr).answer
        for one in questions(rules)
        if ".not_valid_if." not in one.name
    )
