"""Which of the reasons of a card is what the call itself is about."""

from dataclasses import replace

import pytest

from cds.core.drafted import draft_reason, orders_asked_about
from tests.reasoning.release import entry, patient

CALL = {
    "": "patient-view",
    "ordered": "order-sign",
    "added": "problem-list-item-create",
    "refilled": "medication-refill",
}
HOOKS = f"hooks: [{', '.join(CALL.values())}]\n"


def state(release, show, act="", **entries):
    """Say what becomes of a card that needs a draft."""
    release.card("one", f"{HOOKS}needs_draft: true\nshow_if: {show}")
    found = replace(patient(listed=entries), hook=CALL[act])
    return release.conclude(found).cards["one"].state


def draft(name, act="ordered"):
    """Make what the call is about."""
    return (entry(name, act=act),)


BOTH = "{all: [statin is present or ordered, diet is present or ordered]}"
EITHER = "{any: [statin is present or ordered, {all: [diet is ordered, hba1c is known]}]}"
NAMED = "{at_least: {n: 2, of: [eats holds, statin is present, gout is present]}}"


@pytest.mark.parametrize(
    ("expected", "show", "act", "entries"),
    [
        ("fires", BOTH, "", {"statin": (entry("statin"),), "diet": (entry("diet"),)}),
        ("no", BOTH, "ordered", {"statin": (entry("statin"),), "diet": (entry("diet"),)}),
        ("fires", BOTH, "ordered", {"statin": draft("statin"), "diet": (entry("diet"),)}),
        ("fires", EITHER, "ordered", {"statin": draft("statin")}),
        # The diet is drafted, and is no reason: HbA1c is not known.
        ("no", EITHER, "ordered", {"statin": (entry("statin"),), "diet": draft("diet")}),
        ("fires", NAMED, "ordered", {"diet": draft("diet"), "gout": (entry("gout"),)}),
        ("no", NAMED, "ordered", {"statin": (entry("statin"),), "gout": (entry("gout"),)}),
        ("no", "card other fires", "ordered", {"diet": (entry("diet"),)}),
        ("fires", "card other fires", "ordered", {"diet": draft("diet")}),
        ("fires", "gout is present", "added", {"gout": draft("gout", "added")}),
        ("no", "gout is present", "added", {"gout": (entry("gout"),)}),
        ("fires", "statin is on record", "refilled", {"statin": draft("statin", "refilled")}),
        ("fires", "diet is newly ordered", "ordered", {"diet": draft("diet")}),
    ],
)
def test_one_reason_is_a_draft(release, expected, show, act, entries):
    """Through joins, conditions and other cards; where a call is about nothing, none is needed."""
    release.condition("eats", "holds_if: diet is present or ordered")
    release.card("other", "hooks: [order-sign]\nshow_if: diet is present or ordered")

    assert expected == state(release, show, act, **entries)


def test_a_draft_of_unknown_route_leaves_it_open(release):
    """It may be the reason, or not."""
    show = "{any: [statin is present by route oral or ordered]}"
    taken = entry("statin", routes=("oral",))

    assert "unknown" == state(
        release, show, "ordered", statin=(taken, entry("statin", act="ordered"))
    )


@pytest.mark.parametrize(
    ("needs", "show"), [("false", "diet is ordered"), ("true", "{not: diet is ordered}")]
)
def test_nothing_that_could_be_a_draft(release, needs, show):
    """What is denied is nobody's draft; a card that does not need one asks nothing."""
    release.card("one", f"hooks: [order-sign]\nneeds_draft: false\nshow_if: {show}")
    rules = release.load()
    card = replace(rules.cards["one"], needs_draft=needs == "true")

    assert None is draft_reason(card, rules.conditions, rules.cards, rules.concepts)


@pytest.mark.parametrize(
    ("expected", "show"),
    [
        (("statin", "diet"), BOTH),
        (("statin", "diet"), EITHER),
        (("diet",), NAMED),
        (("diet",), "card other fires"),
        ((), "gout is present"),
        ((), "hba1c is known"),
        ((), "{not: diet is ordered}"),
        ((), "gout is being added"),
    ],
)
def test_the_orders_that_a_card_asks_about(release, expected, show):
    """Those that could be why it is shown; not what is denied, present, or added."""
    release.condition("eats", "holds_if: diet is present or ordered")
    release.card("other", "hooks: [order-sign]\nshow_if: diet is present or ordered")
    release.card("one", f"{HOOKS}show_if: {show}")
    rules = release.load()

    found = orders_asked_about(rules.cards["one"], rules.conditions, rules.cards, rules.concepts)
    assert sorted(expected) == sorted(found)
