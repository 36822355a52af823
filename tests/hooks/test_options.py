"""
Configuration options: what may be chosen, what is obeyed, and that safety cannot be chosen away.
"""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.core.hooks import HOOKS
from cds.core.options import EVERYTHING, Options
from cds.hooks.options import MOST_CARDS, configuration, optional_groups, read_options
from cds.hooks.wire import Service
from tests.service.fakes import ruleset
from tests.serving import shipped

OURS = "org.metabolic-cds.configuration"
CRD = "davinci-crd.configuration"
SAFETY = {
    "data",
    "med_safe",
    "meno_safe",
    "peptide",
    "preg_drug",
    "safe_act",
    "safe_diet",
    "testo_safe",
}


@pytest.fixture(scope="module")
def rules():
    """
    The shipped release.
    """
    return shipped().rules


def test_options_have_the_shape_of_crd(rules):
    """
    Code, type, name, description and default, each its own in a service (CRD-01).
    """
    options = configuration(rules, "patient-view")[f"{OURS}-options"]

    assert {("code", "type", "name", "description", "default")} == {tuple(one) for one in options}
    assert {"boolean", "integer"} == {one["type"] for one in options}
    for member in ("code", "name", "description"):
        assert len(options) == len({one[member] for one in options})
    assert all(one["default"] is True for one in options if one["type"] == "boolean")
    assert [(MOST_CARDS, rules.profile.most_cards)] == [
        (one["code"], one["default"]) for one in options if one["type"] == "integer"
    ]


def test_an_option_is_the_same_on_every_hook(rules):
    """
    Its name, description and default do not depend on the service (CRD-01).
    """
    found = {}
    for hook in HOOKS:
        for one in configuration(rules, hook).get(f"{OURS}-options", ()):
            assert one == found.setdefault(one["code"], one)

    assert {"sleep", "glycaemia", MOST_CARDS} <= set(found)


def test_discovery_with_options_is_valid(rules):
    """
    The extension has a global name, and that of CRD only where it is asked for (EXT-02).
    """
    service = {"hook": "patient-view", "id": "x", "title": "x", "description": "x"}
    ours = configuration(rules, "patient-view")
    both = configuration(rules, "patient-view", crd=True)

    Service.model_validate({**service, "extension": both})
    assert [f"{OURS}-options"] == list(ours)
    assert [f"{OURS}-options", f"{CRD}-options"] == list(both)
    assert both[f"{OURS}-options"] == both[f"{CRD}-options"]


def test_a_release_without_options_says_nothing():
    """
    No empty extension (HTTP-03).
    """
    assert {} == configuration(ruleset(), "patient-view")


def test_safety_cannot_be_switched_off(rules):
    """
    Groups in which nothing may be dropped say nothing of an option, nor does lost data.
    """
    merged = {name for name, one in rules.groups.items() if one.when_several_fire == "merge"}
    off = read_options(rules, dict.fromkeys(rules.groups, False), {}).off

    assert merged <= SAFETY
    assert set() == SAFETY & set(optional_groups(rules))
    assert set() == SAFETY & off
    assert off == set(optional_groups(rules))


def test_an_option_is_a_group_with_a_title(rules):
    """
    What a person reads comes from the rule file (CRD-03).
    """
    for name in optional_groups(rules):
        assert rules.groups[name].title
        assert rules.groups[name].option.endswith(".")


def test_nothing_is_required(rules):
    """
    Without settings and without an extension everything is on (CRD-02).
    """
    assert EVERYTHING == read_options(rules, {}, {})


def test_a_call_goes_before_its_client(rules):
    """
    In both directions (CRD-02, REQ-11).
    """
    settings = {"sleep": False, "liver": True, MOST_CARDS: 2}
    extension = {OURS: {"sleep": True, "liver": False, MOST_CARDS: 3}}

    assert Options(frozenset({"sleep"}), 2) == read_options(rules, settings, {})
    assert Options(frozenset({"liver"}), 3) == read_options(rules, settings, extension)


def test_the_name_of_crd_counts_where_it_is_asked_for(rules):
    """
    Our own name goes before it (CRD-02).
    """
    extension = {CRD: {"sleep": False, "liver": False}, OURS: {"liver": True}}

    assert EVERYTHING == read_options(rules, {}, {CRD: {"sleep": False}})
    assert frozenset({"sleep"}) == read_options(rules, {}, extension, crd=True).off


@pytest.mark.parametrize(
    "value", [0, -1, True, "3", 3.0, Decimal(3), None, [], {}, 10**30], ids=repr
)
def test_a_number_of_cards_that_cannot_be_is_ignored(rules, value):
    """
    Never fewer than one, never more than the profile allows (CRD-02).
    """
    found = read_options(rules, {MOST_CARDS: 2}, {OURS: {MOST_CARDS: value}})

    assert (rules.profile.most_cards if value == 10**30 else 2) == found.most_cards


@pytest.mark.parametrize("value", [0, 1, "false", None, [], {}, "off"], ids=repr)
def test_only_false_switches_off(rules, value):
    """
    What is no boolean is ignored (CRD-02).
    """
    assert EVERYTHING == read_options(rules, {}, {OURS: {"sleep": value}})
    assert (
        frozenset({"sleep"}) == read_options(rules, {"sleep": False}, {OURS: {"sleep": value}}).off
    )


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda one: st.lists(one, max_size=2) | st.dictionaries(st.text(max_size=5), one, max_size=2),
    max_leaves=4,
)


@given(
    st.dictionaries(
        st.sampled_from((OURS, CRD, "com.example")),
        JSONS
        | st.dictionaries(
            st.sampled_from(("sleep", "safe_diet", "data", MOST_CARDS, "x")), JSONS, max_size=5
        ),
    )
)
def test_nonsense_is_survived(extension):
    """
    Whatever stands in the extension: known groups off at most, and one card at least (CRD-02).
    """
    rules = shipped().rules
    found = read_options(rules, {}, extension, crd=True)

    assert found.off <= {"sleep"}
    assert found.most_cards is None or 1 <= found.most_cards <= rules.profile.most_cards


def test_a_group_without_an_active_card_is_no_option(rules):
    """
    What would change nothing is not offered.
    """
    cards = {
        name: replace(one, status="retired") if one.group == "sleep" else one
        for name, one in rules.cards.items()
    }

    assert "sleep" in optional_groups(rules)
    assert "sleep" not in optional_groups(replace(rules, cards=cards))
