"""The given of a case as a whole call: its hook, its context, its record."""

from pathlib import Path

import pytest

from cds.rulefiles.loader import load_ruleset
from cds.workshop.testing.calls import call_of
from cds.workshop.testing.lab import reader_of
from cds.workshop.testing.patients import CannotRead
from tests.serving import RULES, shipped


def entries(given, name, hooks=()):
    """Say what the call does with each entry of a concept, and whether it is present."""
    rules = shipped().rules
    snapshot = reader_of(rules)(call_of(rules, given, hooks=hooks))
    return snapshot.hook, [(one.act, one.active) for one in snapshot.entries.get(name, ())]


@pytest.mark.parametrize(
    ("hook", "found", "given"),
    [
        ("patient-view", [("", True)], {"metformin": "present"}),
        ("order-sign", [("ordered", True)], {"metformin": "ordered"}),
        ("order-sign", [("ordered", True), ("", True)], {"metformin": "present and ordered"}),
        (
            "order-sign",
            [("", False), ("ordered", True)],
            {"metformin": ["history 90 days ago", "ordered"]},
        ),
        ("order-select", [("", True)], {"metformin": "drafted"}),
        ("order-select", [("ordered", True)], {"metformin": "ordered", "keto_plan": "drafted"}),
        ("order-select", [("ordered", True)], {"metformin": "ordered", "hook": "order-select"}),
        ("order-dispatch", [("ordered", True)], {"metformin": "ordered", "hook": "order-dispatch"}),
        (
            "order-dispatch",
            [("ordered", True), ("", True)],
            {"metformin": "present and ordered", "hook": "order-dispatch"},
        ),
        ("order-dispatch", [("", True)], {"metformin": "present", "hook": "order-dispatch"}),
        ("medication-refill", [("refilled", True)], {"metformin": "being refilled"}),
        ("encounter-start", [], {"hook": "encounter-start", "history": {}}),
    ],
)
def test_the_words_of_a_call(hook, found, given):
    """What is ordered is not present; what is refilled is."""
    assert (hook, found) == entries(given, "metformin")


def test_a_problem_being_added():
    """It is present as well."""
    expected = ("problem-list-item-create", [("added", True)])

    assert expected == entries({"type_2_diabetes": "being added"}, "type_2_diabetes")


@pytest.mark.parametrize(
    ("hook", "given", "hooks"),
    [
        ("order-select", {"metformin": "ordered"}, ("patient-view", "order-select", "order-sign")),
        ("order-sign", {"metformin": "ordered"}, ("patient-view", "order-sign")),
        ("encounter-start", {"metformin": "present"}, ("encounter-start", "patient-view")),
    ],
)
def test_the_hook_is_one_of_the_card(hook, given, hooks):
    """The first that can bring what is given."""
    assert hook == entries(given, "metformin", hooks)[0]


def test_a_plan_in_draft():
    """Plans are drafted as care plans."""
    assert ("order-sign", [("ordered", True)]) == entries({"keto_plan": "ordered"}, "keto_plan")


@pytest.mark.parametrize(
    ("problem", "given"),
    [
        ("`order-sing` is not a hook", {"hook": "order-sing"}),
        ("type_2_diabetes is a problem", {"type_2_diabetes": "ordered"}),
        ("no call of patient-view", {"hook": "patient-view", "metformin": "ordered"}),
        ("no call of", {"metformin": "being refilled", "keto_plan": "ordered"}),
        ("`metformin: orderd`", {"metformin": "orderd"}),
        ("by way nose", {"metformin": "ordered, by way nose"}),
    ],
)
def test_what_no_call_can_bring(problem, given):
    """It is said, not passed over."""
    with pytest.raises(CannotRead, match=problem):
        call_of(shipped().rules, given)


@pytest.mark.parametrize(
    ("problem", "given"),
    [
        ("no call of patient-view has what is ordered", {"metformin": "ordered"}),
        ("no call of patient-view has the hook order-sign", {"hook": "order-sign"}),
    ],
)
def test_a_card_is_not_called_where_it_does_not_run(problem, given):
    """The case would wait for it for ever."""
    with pytest.raises(CannotRead, match=problem):
        call_of(shipped().rules, given, hooks=("patient-view",))


def test_routes_and_orders_of_tests(tmp_path: Path):
    """A route is written in the concept's own words, and read back by them."""
    text = """
kind: concepts
id: added
title: Added
searches:
  orders: {resource: ServiceRequest, title: Orders}
concepts:
  cortisol_test:
    {signal: ct, title: Cortisol test, type: order, search: orders, codes: {loinc: [2143-6]},
     absent_means: false_if_list_complete, verified: V1}
  steroid_by_mouth:
    {signal: st, title: Steroid, type: medicine, search: medicines, text: {words: [prednisone]},
     routes: {oral: [by mouth, tablet]}, absent_means: false_if_list_complete, verified: text}
"""
    folder = tmp_path / "own"
    for one in RULES.rglob("*.yaml"):
        target = folder / one.relative_to(RULES)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(one)
    (folder / "concepts" / "added.yaml").write_text(text)
    rules = load_ruleset(folder)
    given = {
        "cortisol_test": "present and ordered",
        "steroid_by_mouth": "present, by route by mouth 3 days ago",
    }
    snapshot = reader_of(rules)(call_of(rules, given))

    assert ["", "ordered"] == [one.act for one in snapshot.entries["cortisol_test"]]
    assert [("oral",)] == [one.routes for one in snapshot.entries["steroid_by_mouth"]]
