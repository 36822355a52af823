"""Mutation score: which faults of a rule its cases notice."""

from dataclasses import replace

import pytest

from cds.workshop.testing.cases import cases_of
from cds.workshop.thoroughness.mutation import score_of, scores, trials_of

MOST_EQUIVALENT = 0.02


def test_a_rule_without_cases_notices_nothing(lab, rules):
    """Every fault stays alive."""
    rule = replace(rules.cards["short_sleep"], tests=(), equivalent=())
    found = score_of(lab, rule)

    assert (0, 0.0) == (found.noticed, found.percent)
    assert found.mutants == len(found.alive)


def test_a_fault_is_noticed_by_the_case_at_its_edge(lab, rules):
    """And lives without it."""
    rule = rules.cards["short_sleep"]
    name = "show_if sleep_duration < enough: `<` read as `<=`"
    without = replace(
        rule,
        tests=tuple(
            one
            for one in rule.tests
            if one.given.get("sleep_duration") not in {"7.0 h", "7 h", "420 min"}
        ),
    )

    assert name not in {one.name for one in score_of(lab, rule).alive}
    assert name in {one.name for one in score_of(lab, without).alive}


def test_an_excuse_is_given_once_and_used(lab, rules):
    """One of a fault that is noticed, or that there is not, is stale."""
    rule = rules.cards["short_sleep"]
    bare = replace(rule, tests=rule.tests[:1], equivalent=())
    alive = score_of(lab, bare).alive[0].name
    found = score_of(lab, replace(bare, equivalent=((alive, "So it is."), ("nothing", "Why."))))

    assert [(alive, "So it is.")] == [(one.name, why) for one, why in found.equivalent]
    assert ("nothing",) == found.stale
    assert alive not in {one.name for one in found.alive}


def test_a_case_that_notices_nothing_is_named(lab, rules):
    """Without an age no text of the rule shows the card."""
    rule = rules.cards["short_sleep"]
    idle = replace(rule.tests[0], name="idle", given={"sex": "male"}, expect={"shown": False})
    found = score_of(lab, replace(rule, tests=(*rule.tests, idle)))

    assert "idle" in [one.name for one in found.insensitive]


def test_cases_that_differ_are_not_asked(lab, rules):
    """A case that is wrong already would notice every fault."""
    rule = rules.cards["short_sleep"]
    wrong = replace(rule.tests[0], expect={"shown": "unknown"})
    unread = replace(rule.tests[0], given={"nothing": "1"})

    assert [] == trials_of(lab, replace(rule, tests=(wrong, unread)))


def test_what_is_decided_between_cards_notices_nothing(lab, rules):
    """A case may ask it beside what the rule itself answers; nobody decides here."""
    rule = rules.cards["short_sleep"]
    given = rule.tests[0].given
    cut = replace(rule.tests[0], name="cut", given=given, expect={"cut": False, "merged": []})
    found = score_of(lab, replace(rule, tests=(*rule.tests, cut)))

    assert score_of(lab, rule).noticed == found.noticed
    assert "cut" in [one.name for one in found.insensitive]


@pytest.mark.nightly
def test_the_cases_of_the_shipped_rules_notice_what_can_be_noticed(lab):
    """At least 95 %; at most 2 % are excused, each with its reason; no excuse is stale."""
    found = list(scores(lab))
    noticed = sum(one.noticed for one in found)
    alive = [f"{one.place}: {one.name}" for score in found for one in score.alive]
    excused = [because for score in found for _, because in score.equivalent]

    assert noticed >= 0.95 * (noticed + len(alive)), alive
    assert len(excused) <= MOST_EQUIVALENT * (noticed + len(alive) + len(excused))
    assert all(excused)
    assert [] == [one for score in found for one in score.stale]
    assert {rule.id for rule, _ in cases_of(lab.rules)} == {one.rule for one in found}
