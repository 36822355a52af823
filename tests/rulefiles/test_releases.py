"""The release file: its name, and the hooks that answer like another one."""

import pytest

ALSO = """also_on:
  patient-view: [encounter-start, appointment-book]
  order-sign: [order-dispatch]
"""
CARD = "cards/sample.yaml"


def also(rules, text):
    """Write what stands under `also_on:` into the release file."""
    rules.base["release.yaml"] += text


@pytest.mark.parametrize(
    ("hooks", "expected"),
    [
        ("[patient-view]", ("patient-view", "encounter-start", "appointment-book")),
        ("[order-sign]", ("order-sign", "order-dispatch")),
        ("[order-select]", ("order-select",)),
        (
            "[encounter-start, patient-view]",
            ("encounter-start", "patient-view", "appointment-book"),
        ),
    ],
)
def test_a_card_is_also_on_the_hooks_that_answer_alike(rules, hooks, expected):
    """Its own hooks come first; those that it lists itself stay its own."""
    also(rules, ALSO)
    card = rules.load({CARD: ("hooks: [patient-view]", f"hooks: {hooks}")}).readable.cards["sample"]

    assert expected == card.hooks
    assert hooks == f"[{', '.join(card.as_written.hooks)}]"


def test_without_the_key_a_card_is_on_its_own_hooks(rules):
    """Nothing is added that nobody wrote."""
    card = rules.load().readable.cards["sample"]

    assert (("patient-view",), ()) == (card.hooks, card.also_on)


def test_a_folder_without_a_release_file(rules):
    """It has a name all the same."""
    assert "0" == rules.load({"release.yaml": None}).readable.release


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "also_on: {patient-view: [patient-view]}\n",
            "CDS416 patient-view answers like patient-view, and other hooks answer like it",
        ),
        (
            "also_on: {patient-view: [encounter-start], encounter-start: [appointment-book]}\n",
            "CDS416 encounter-start answers like patient-view, and other hooks answer like it",
        ),
        (
            "also_on: {order-sign: [encounter-start]}\n",
            "CDS416 encounter-start cannot answer like order-sign: nothing is ordered there",
        ),
        (
            "also_on: {order-sign: [medication-refill]}\n",
            "CDS416 medication-refill cannot answer like order-sign: nothing is ordered there",
        ),
        ("also_on: {patient-views: [encounter-start]}\n", "CDS102"),
        ("also_on: {patient-view: [encounter-begin]}\n", "CDS105"),
    ],
)
def test_nonsense_is_refused(rules, text, sentence):
    """Chains, unknown hooks, and hooks on which nothing is ordered."""
    also(rules, text)

    (found,) = rules.found({})
    assert found.startswith(sentence)


def test_a_site_may_leave_such_a_hook_out(rules):
    """What it keeps of the others stays what it is."""
    also(rules, ALSO)
    rules.base["profiles/site.yaml"] = """
kind: profile
id: site
title: A site
extends: default
rules: ">=2026.11"
upkeep: {owner: rules@example.org, review_by: 2027-06-01}
cards:
  sample: {hooks: [HOOKS], because: No desk.}
"""
    kept = rules.load(
        {"profiles/site.yaml": ("HOOKS", "patient-view, encounter-start")}, profile="site"
    ).readable.cards["sample"]
    own = rules.load(
        {"profiles/site.yaml": ("HOOKS", "encounter-start")}, profile="site"
    ).readable.cards["sample"]

    assert (("patient-view", "encounter-start"), ("encounter-start",)) == (kept.hooks, kept.also_on)
    assert (("encounter-start",), ()) == (own.hooks, own.also_on)
