"""Whether a card that fires keeps quiet: what was shown, what was overridden, what has risen."""

from dataclasses import replace

import pytest

from cds.core.history import CardHistory, History, Override
from cds.reasoning.arbiter import arbitrate
from cds.reasoning.quiet import is_for_review, is_quiet
from tests.reasoning.release import patient

QUIET = """
show_if: sex is female
quiet:
  repeat_after: 180 days
  after_override: {declined: 365 days, any_reason: 30 days, any: 7 days}
  again_early_when_raised: [resistance, size]
  hooks: [patient-view]
  review_when: {overridden_over: 80 %, after_shown: 50}
"""
FACTOR = """
evidence_for: [{id: e, when: hba1c >= 6 %, points: 2, if_missing: ignore},
               {id: f, when: hba1c >= 8 %, points: 2, if_missing: ignore}]
grades: {high: {points: 4}, middle: {points: 2}, low: {points_cannot_reach: 2}}
"""
INDEX = """
inputs: {w: {concept: waist}}
formula: w
bands: [{name: small, below: 90}, {name: wide, from: 90}]
"""


@pytest.fixture
def quiet(release):
    """Ask whether the card keeps quiet on a patient with some past."""
    release.factor("resistance", FACTOR)
    release.index("size", INDEX)
    release.card("one", QUIET)
    reasoner = release.reasoner(everything=False)

    def ask(past, hook="patient-view", **results):
        conclusions = reasoner.conclude(patient(**results))
        history = History({"one": past})
        found = is_quiet(reasoner.rules.cards["one"], reasoner.rules, conclusions, history, hook)
        decision = arbitrate(reasoner.rules, conclusions, history, hook=hook)
        assert found == (decision.quiet == ("one",))
        assert ("one",) == decision.fired
        assert found == (decision.shown == ())
        return found

    yield ask
    reasoner.close()


@pytest.mark.parametrize(
    ("expected", "past"),
    [
        (False, CardHistory()),
        (True, CardHistory(last_shown=0)),
        (True, CardHistory(last_shown=180)),
        (False, CardHistory(last_shown=181)),
        (True, CardHistory(last_shown=181, overrides=(Override(365, "declined"),))),
        (False, CardHistory(last_shown=181, overrides=(Override(366, "declined"),))),
        (True, CardHistory(overrides=(Override(30, "other"),))),
        (False, CardHistory(overrides=(Override(31, "other"),))),
        (True, CardHistory(overrides=(Override(7),))),
        (False, CardHistory(overrides=(Override(8),))),
        (True, CardHistory(overrides=(Override(90), Override(9, "other")))),
    ],
)
def test_a_period(quiet, expected, past):
    """Up to its last day; the reason goes before any reason, and that before any override."""
    assert expected == quiet(past)


@pytest.mark.parametrize(
    ("expected", "levels", "results"),
    [
        (False, {"resistance": "middle"}, {"hba1c": "9 %"}),
        (True, {"resistance": "high"}, {"hba1c": "9 %"}),
        (True, {"resistance": "middle"}, {"hba1c": "5 %"}),
        (False, {"resistance": "undetermined"}, {"hba1c": "5 %"}),
        (True, {}, {"hba1c": "9 %"}),
        (True, {"resistance": "some"}, {"hba1c": "9 %"}),
        (False, {"size": "small"}, {"waist": "95 cm"}),
        (True, {"size": "wide"}, {"waist": "95 cm"}),
        (True, {"size": "small"}, {}),
    ],
)
def test_what_has_risen_ends_the_silence(quiet, expected, levels, results):
    """Only what was known then and is known now can have risen."""
    assert expected == quiet(CardHistory(last_shown=1, levels=levels), **results)


def test_it_is_quiet_on_its_hooks_only(release):
    """Elsewhere it speaks."""
    release.factor("resistance", FACTOR)
    release.index("size", INDEX)
    release.card("one", QUIET)
    reasoner = release.reasoner(engine="reference")
    found = reasoner.conclude(patient())
    history = History({"one": CardHistory(last_shown=1)})

    assert ("one",) == arbitrate(reasoner.rules, found, history).quiet
    assert () == arbitrate(reasoner.rules, found, history, hook="order-sign").quiet


def test_it_is_quiet_on_hooks_that_answer_like_its_own(release):
    """Whoever registers one in the place of the other is not told twice either."""
    release.factor("resistance", FACTOR)
    release.index("size", INDEX)
    release.card("one", QUIET)
    reasoner = release.reasoner(engine="reference")
    rules = replace(reasoner.rules, also_on={"patient-view": ("encounter-start",)})
    found = reasoner.conclude(patient())
    history = History({"one": CardHistory(last_shown=1)})

    for expected, hook in ((True, "encounter-start"), (False, "order-sign")):
        assert expected == is_quiet(rules.cards["one"], rules, found, history, hook)


def test_a_card_that_is_never_quiet(release):
    """Whatever was shown before; an override it knows nothing of starts nothing."""
    release.card("one", "show_if: sex is female")
    release.card("two", "show_if: sex is female\nquiet: {after_override: {declined: 9 days}}")
    reasoner = release.reasoner(engine="reference")
    past = CardHistory(last_shown=0, overrides=(Override(0), Override(0, "other")))
    history = History({"one": past, "two": past})

    assert () == arbitrate(reasoner.rules, reasoner.conclude(patient()), history).quiet


@pytest.mark.parametrize(
    ("expected", "shown", "overridden"),
    [(False, 0, 0), (False, 49, 49), (False, 50, 40), (True, 50, 41), (True, 1000, 801)],
)
def test_when_a_card_is_to_be_reviewed(release, expected, shown, overridden):
    """Shown often enough, and overridden more often than the share it names."""
    release.factor("resistance", FACTOR)
    release.index("size", INDEX)
    release.card("one", QUIET)
    release.card("two", "show_if: sex is female\nquiet: {repeat_after: 3 days}")
    rules = release.load()

    assert expected == is_for_review(rules.cards["one"], shown=shown, overridden=overridden)
    assert not is_for_review(rules.cards["two"], shown=shown, overridden=overridden)
