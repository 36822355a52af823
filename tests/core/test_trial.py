"""Rules on trial: worked out in full, and unknown to every rule that is active."""

import pytest

from cds.core.facts import Gap
from cds.core.trial import hidden, on_trial, veiled
from cds.reasoning.arbiter import arbitrate
from tests.reasoning.release import patient

FACTOR = """
evidence_for: [{id: e, when: hba1c >= 6 %, points: 2, if_missing: ignore}]
grades: {high: {points: 2}, low: {points_cannot_reach: 2}}
"""
INDEX = """
inputs: {w: {concept: waist}}
formula: w
bands: [{name: a, below: 90}, {name: b, from: 90}]
"""


@pytest.fixture
def tried(release):
    """Give a release in which one rule of each kind is on trial."""
    release.condition("c", "status: trial\nholds_if: sex is female")
    release.index("i", "status: trial\n" + INDEX)
    release.factor("f", "status: trial\n" + FACTOR)
    release.stages(
        "status: trial\nlines: [{label: A, if: sex is female}, {label: Z, otherwise: true}]"
    )
    release.card("t", "status: trial\nshow_if: {all: [c holds, i is b, f is high, stage is A]}")
    return release


ASKED = {
    "holds": "c holds",
    "number": "i >= 10",
    "band": "i is b",
    "grade": "f is at least low",
    "stage": "stage is one of [A, Z]",
    "card": "card t fires",
}
SICK = {"hba1c": "7 %", "waist": "95 cm"}


@pytest.mark.parametrize("clause", ASKED.values())
def test_an_active_rule_sees_nothing(tried, clause):
    """Yes would be the answer, and so would no of the opposite; both are unknown."""
    tried.card("yes", f'show_if: "{clause}"')
    tried.card("no", f'show_if: {{not: "{clause}"}}')

    found = tried.conclude(patient(**SICK), everything=False)

    assert ["unknown", "unknown"] == [found.cards[name].state for name in ("yes", "no")]
    assert {Gap.ON_TRIAL} == {need.reason for need in found.cards["yes"].needs}


@pytest.mark.parametrize(
    ("expected", "clause"),
    [
        ("no", "i is known"),
        ("fires", "i is unknown"),
        ("no", "all of [i, hba1c] are known"),
        ("fires", "any of [i, hba1c] is known"),
    ],
)
def test_nothing_of_a_trial_is_known(tried, expected, clause):
    """`is known` stays yes or no."""
    tried.card("one", f'show_if: "{clause}"')

    assert expected == tried.conclude(patient(**SICK)).cards["one"].state


def test_rules_on_trial_see_each_other(tried):
    """Or a whole chain of them could not be tried."""
    found = tried.conclude(patient(**SICK), everything=False)

    assert "fires" == found.cards["t"].state
    assert "b" == found.numbers["i"].band


def test_the_same_question_may_have_two_answers(tried):
    """An active rule and one on trial ask word for word the same."""
    tried.card("one", "show_if: {all: [c holds, i is b, f is high, stage is A]}")

    found = tried.conclude(patient(**SICK), everything=False)

    assert ["unknown", "fires"] == [found.cards[name].state for name in ("one", "t")]


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("unknown", "inputs: {x: {index: i}}\nformula: x"),
        ("value", "inputs: {x: {index: i, optional: true}, g: {concept: waist}}\nformula: g"),
        ("value", "first_of: [i, waist]"),
        ("unknown", "conditions: {y: c holds}\nformula: 1 + one_if(y)"),
    ],
)
def test_an_index_on_trial_is_no_input(tried, state, text):
    """It is passed over where something else can be taken."""
    tried.index("other", text)
    tried.card("one", "show_if: other >= 1")

    found = tried.conclude(patient(**SICK)).numbers["other"]

    assert state == found.state
    assert state == "value" or {Gap.ON_TRIAL} == {need.reason for need in found.needs}


def test_gates_do_not_see_a_trial_either(tried):
    """The population stands for every card."""
    tried.population("require: {any: [c holds, age >= 90 years]}")
    tried.card("one", "show_if: sex is female")

    assert "withheld" == tried.conclude(patient()).cards["one"].state


def test_what_would_have_been_shown(tried):
    """It is said beside what is shown, and cuts nothing."""
    tried.card("one", "show_if: sex is female")
    reasoner = tried.reasoner(everything=False)
    decision = arbitrate(reasoner.rules, reasoner.conclude(patient(**SICK)))
    reasoner.close()

    assert (("one",), ["one"]) == (decision.fired, [one.card for one in decision.shown])
    # `t` has the same urgency and the later id: it would lose to `one`.
    assert ((), ()) == (decision.cut, decision.trial)

    tried.card("t", "status: trial\npriority: 1\nshow_if: c holds")
    reasoner = tried.reasoner(everything=False)
    decision = arbitrate(reasoner.rules, reasoner.conclude(patient(**SICK)))
    reasoner.close()

    assert ["t"] == [one.card for one in decision.trial]
    assert ["one"] == [one.card for one in decision.shown]


def test_what_active_cards_may_print(tried):
    """Neither number nor grade nor stage of a trial."""
    rules = tried.load()
    found = tried.conclude(patient(**SICK))
    seen = hidden(rules, found)

    assert ({"i"}, {"f"}, "A") == ({*found.numbers}, {*found.grades}, found.stage.label)
    assert ({}, {}, "") == (seen.numbers, seen.grades, seen.stage.label)


def test_without_a_trial_nothing_is_touched(release):
    """The same release, the same conclusions."""
    release.card("one", "show_if: sex is female")
    rules = release.load()
    found = release.conclude(patient())

    assert frozenset() == on_trial(rules)
    assert rules is veiled(rules)
    assert found is hidden(rules, found)


def test_drafts_and_retired_cards_are_not_run(release):
    """Not even unseen."""
    release.card("one", "show_if: sex is female")
    release.card("draft", "status: draft\nshow_if: sex is female")
    release.card("old", "status: retired\nbecause: B.\nshow_if: sex is female")

    assert {"one"} == {*release.conclude(patient(), everything=False).cards}
