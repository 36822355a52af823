"""
Evidence, groups, population, profile.
"""

import pytest

from cds.core.rules import Group, OverrideReason, SourceText


def test_the_evidence_library(rules):
    """
    Each source once, by its key.
    """
    assert {
        "ada_2025": SourceText("ada_2025", "Standards", "ADA", "Diabetes Care", 2025, check="chk")
    } == rules.load().ruleset.sources


def test_a_source_has_one_key(rules):
    """
    The first stays, and a broken one is passed over.
    """
    more = """
        kind: evidence
        id: more
        sources:
          ada_2025: {title: x, by: y, in: z, year: 1, kind: study, check: mem}
          broken: x
    """

    found = rules.found({"evidence/more.yaml": more})

    assert "CDS203 `ada_2025` is already the name of a source" in found
    assert ["CDS203", "CDS105"] == [one.partition(" ")[0] for one in found]


def test_groups(rules):
    """
    What becomes of several cards at once.
    """
    assert {"ir": Group("ir", "merge")} == rules.load().ruleset.groups


def test_a_group_may_be_an_option(rules):
    """
    Then it says what a client is told who may switch it off.
    """
    text = """
        kind: group
        id: ir
        when_several_fire: merge
        title: Resistance
        option: Cards about it.
    """
    found = rules.load({"groups/ir.yaml": text}).ruleset.groups

    assert {"ir": Group("ir", "merge", "Resistance", "Cards about it.")} == found


def test_the_population(rules):
    """
    Gates of every card, and the cards that a gate lets through.
    """
    population = rules.load().ruleset.population
    ((gate, spared),) = population.unless

    assert "age >= 18 years" == population.require.text
    assert ("dying", "show", ("IR-SAFE-*",)) == (gate.id, gate.if_unknown, spared)


def test_there_need_be_no_population(rules):
    """
    A folder without one has no gates.
    """
    assert None is rules.load({"population/adults.yaml": None}).ruleset.population


def test_the_profile(rules):
    """
    Override reasons and fixed texts.
    """
    profile = rules.load().ruleset.profile

    assert (OverrideReason("declined", "Declined"), OverrideReason("done", "Done")) == (
        profile.override_reasons
    )
    assert ("urn:x:reasons", "urn:x:signals", "urn:x:topics", "CDS", "", 4) == (
        profile.override_system,
        profile.signals_system,
        profile.topic_system,
        profile.source_label,
        profile.source_url,
        profile.most_cards,
    )
    assert {"pending": "Not yet reviewed."} == profile.texts


@pytest.mark.parametrize(
    ("path", "before", "after", "expected"),
    [
        ("groups/ir.yaml", "merge", "melt", "CDS105 expected one of `show_one`, `merge`"),
        ("population/adults.yaml", ",\n     if_unknown: show", "", "CDS420 exclusion `dying`"),
        (
            "population/adults.yaml",
            "require:",
            "requires:",
            "CDS104 the population needs `require`",
        ),
        (
            "profiles/default.yaml",
            "code: done",
            "code: declined",
            "CDS203 `declined` is already the name of a reason",
        ),
        ("evidence/library.yaml", "year: 2025", "year: lately", "CDS105 expected a whole number"),
        ("evidence/library.yaml", "year: 2025", "year: 2e3", "CDS106 `2e3` can be read in more"),
    ],
)
def test_what_is_wrong_with_a_library(rules, path, before, after, expected):
    """
    Libraries are checked as rules are.
    """
    found = rules.found({path: (before, after)})

    assert any(one.startswith(expected) for one in found), found
