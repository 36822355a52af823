"""What suggestions do to the drafts of a call: take them back, change them, leave them alone."""

import copy
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cds.fhir.context import about
from cds.fhir.retrieve import retrieve
from cds.hooks.strict import decode, encode
from cds.hooks.wire import Response
from cds.rulefiles.loader import load_ruleset
from cds.service.pipeline import Pipeline
from cds.workshop.testing.calls import call_of
from tests.serving import RULES

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[1] / "format" / "drafts"
CODE = "MC-DRAFTED"
PATIENT = {"age": "66 years", "sex": "male", "egfr_reported": "28 mL/min/{1.73_m2}"}
METFORMIN_REMOVED = {
    "type": "delete",
    "description": "Remove the draft of metformin from the orders",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """Serve the shipped rules with a card that takes drafts back."""
    folder = tmp_path_factory.mktemp("drafts") / "rules"
    shutil.copytree(RULES, folder)
    for path in EXAMPLE.rglob("*.yaml"):
        shutil.copy(path, folder / path.relative_to(EXAMPLE))
    opened = Pipeline(load_ruleset(folder), engine="reference", now=lambda: NOW, check=True)
    yield opened
    opened.close()


@pytest.fixture
def ask(pipeline):
    """Give a function that answers a call; *change* is given its drafts to alter them."""

    def found(given, change=lambda drafts: None, hook="order-sign"):
        call = call_of(pipeline.ruleset, PATIENT | given, hooks=(hook,))
        context = copy.deepcopy(dict(call.context))
        change([one["resource"] for one in context.get("draftOrders", {}).get("entry", ())])
        retrieved = retrieve(
            call.prefetch,
            patient_id="case",
            searches=pipeline.ruleset.searches,
            about=about(call.hook, context),
        )
        return pipeline.conclude(retrieved, as_of=NOW)

    return found


def card_of(answer):
    """Give the card that the example writes."""
    return next(
        one
        for one in answer.response["cards"]
        if CODE in one["extension"]["org.metabolic-cds.rule"].values()
    )


def actions_of(answer):
    """Give the actions of each suggestion of that card."""
    return [one["actions"] for one in card_of(answer).get("suggestions", ())]


def test_a_draft_is_taken_back_by_its_name(ask):
    """The reference is relative, no resource goes with it, nothing is chosen (SUG-09, SUG-14)."""
    answer = ask({"keto_plan": "ordered"})
    (suggestion,) = card_of(answer)["suggestions"]

    assert "Remove the restricting plan from the orders" == suggestion["label"]
    assert [
        {
            "type": "delete",
            "description": "Remove this plan from the orders",
            "resourceId": "CarePlan/draft-0",
        }
    ] == suggestion["actions"]
    assert "isRecommended" not in suggestion


def test_several_drafts_are_taken_back_together(ask):
    """In one suggestion; a draft that is two things at once is named once (SUG-04, SUG-11)."""
    (actions,) = actions_of(ask({"keto_plan": "ordered", "low_carb_plan": "ordered"}))

    assert ["CarePlan/draft-0", "CarePlan/draft-1"] == [one["resourceId"] for one in actions]

    def both(drafts):
        drafts[0]["title"] = "Ketogenic low-carb diet"

    (actions,) = actions_of(ask({"keto_plan": "ordered"}, both))

    assert ["CarePlan/draft-0"] == [one["resourceId"] for one in actions]


def test_of_the_drafts_only_what_the_rule_names(ask):
    """What else stands on the screen is nobody's business (SUG-14)."""
    removed, _ = actions_of(ask({"metformin": "ordered", "statin": "ordered"}))

    assert [METFORMIN_REMOVED | {"resourceId": "MedicationRequest/draft-0"}] == removed


@pytest.mark.parametrize(
    ("given", "hook"),
    [
        ({"keto_plan": "present"}, "patient-view"),
        ({"keto_plan": "present"}, "order-sign"),
        ({"keto_plan": "present"}, "problem-list-item-create"),
        ({"keto_plan": "ordered", "hook": "order-dispatch"}, "order-dispatch"),
        ({"keto_plan": "drafted", "statin": "ordered"}, "order-select"),
    ],
)
def test_what_is_no_draft_of_this_call_is_left_alone(ask, given, hook):
    """What was signed, dispatched, or is not selected (SUG-14)."""
    answer = ask(given, hook=hook)

    assert [] == actions_of(answer)
    assert "by hand" not in card_of(answer)["detail"]


@pytest.mark.parametrize(
    "members",
    [
        {"id": None},
        {"id": "not an id"},
        {"id": "x" * 65},
        {"status": "active"},
        {"status": "on-hold"},
    ],
)
def test_a_draft_that_cannot_be_reached_is_left_to_the_reader(ask, members):
    """Without an id, or with the status of what was signed already, it is said in words."""

    def change(drafts):
        drafts[0] |= members
        for name in [one for one, value in members.items() if value is None]:
            del drafts[0][name]

    answer = ask({"metformin": "ordered"}, change)
    detail = card_of(answer)["detail"]

    assert [] == actions_of(answer)
    assert "by hand: Remove metformin from the orders." in detail
    assert "by hand: Ask the pharmacy to check the eGFR first." in detail
    assert () == answer.undrafted


def test_one_of_two_drafts_that_cannot_be_reached(ask):
    """The other is offered, and the reader is told."""

    def change(drafts):
        del drafts[0]["id"]

    answer = ask({"keto_plan": "ordered", "low_carb_plan": "ordered"}, change)

    assert [["CarePlan/draft-1"]] == [
        [one["resourceId"] for one in it] for it in actions_of(answer)
    ]
    assert "please do it by hand: Remove the restricting plan" in card_of(answer)["detail"]


@pytest.mark.parametrize(
    "name", ["insulin", "sglt2_inhibitor", "systemic_glucocorticoid", "warfarin"]
)
def test_a_draft_that_is_also_what_is_never_cancelled_is_not_offered(ask, name, pipeline):
    """Two medicines in one product: the one that must go on keeps it."""
    rules = pipeline.ruleset
    code = next(
        one
        for one in rules.concepts[name].codes
        if not one.prefix and one.system in rules.systems and one.system == "rxnorm"
    )
    coding = {"system": rules.systems[code.system][0], "code": code.code}

    def combined(drafts):
        drafts[0]["medicationCodeableConcept"].setdefault("coding", []).append(coding)

    answer = ask({"metformin": "ordered"}, combined)
    types = {one["type"] for actions in actions_of(answer) for one in actions}

    assert {"update"} == types
    assert "Remove metformin" not in card_of(answer)["detail"]


UNKNOWN = {
    "extension": [{"url": "https://ehr.example/x", "valueString": "kept"}],
    "vendorField": {"deep": [1, {"er": True}]},
    "_priority": {"extension": [{"url": "https://ehr.example/y", "valueCode": "kept"}]},
    "dosageInstruction": [{"text": "with food", "vendorDose": "kept", "sequence": 1}],
    "note": [{"text": "old"}],
}


def test_a_changed_draft_goes_back_whole(ask):
    """It differs only where the rule says so; members nobody knows survive (SUG-06, SUG-08)."""
    received = {}

    def change(drafts):
        drafts[0] |= copy.deepcopy(UNKNOWN)
        received.update(copy.deepcopy(drafts[0]))

    _, (action,) = actions_of(ask({"metformin": "ordered"}, change))

    assert "update" == action["type"]
    assert "Add a note to the draft of metformin (eGFR 28)" == action["description"]
    assert {
        **received,
        "priority": "routine",
        "note": [{"text": "Check eGFR before dispensing; it was 28"}],
    } == action["resource"]
    assert "resourceId" not in action


def test_numbers_of_a_changed_draft_keep_their_digits(ask):
    """What was sent as 1.50 goes back as 1.50 (SUG-08)."""
    sent = decode(b'{"doseAndRate": [{"doseQuantity": {"value": 1.50, "unit": "g"}}], "text": "x"}')

    def change(drafts):
        drafts[0]["dosageInstruction"] = [sent]

    _, (action,) = actions_of(ask({"metformin": "ordered"}, change))

    assert b'"value":1.50' in encode(action["resource"]).replace(b": ", b":")


@pytest.mark.parametrize(
    "members",
    [
        {"intent": "whatever"},
        {"dosageInstruction": "with food"},
        {"dispenseRequest": []},
        {"dosageInstruction": [{"text": ""}]},
        {"extension": [{"url": ""}]},
        {"authoredOn": "last week"},
        {f"vendor{number}": "x" for number in range(5_000)},
        {"extension": [{"url": "https://ehr.example/x", "valueString": None}]},
    ],
)
def test_a_draft_that_is_not_valid_is_not_changed_but_can_be_taken_back(ask, members):
    """The change is left to the reader (SUG-08)."""

    def change(drafts):
        drafts[0] |= members

    answer = ask({"metformin": "ordered"}, change)
    types = [one["type"] for actions in actions_of(answer) for one in actions]

    assert ["delete"] == types
    assert "please do it by hand: Ask the pharmacy" in card_of(answer)["detail"]


@pytest.mark.parametrize(
    "members",
    [
        {"medicationCodeableConcept": None, "medication": {"concept": {"text": "metformin"}}},
        {"dateWritten": "2026-05-01", "resourceType": "MedicationOrder"},
        {"resourceType": "Vendor"},
    ],
)
def test_a_draft_of_another_release_is_not_changed(ask, members):
    """What goes back is of the release that came, or does not go back (SUG-13)."""

    def change(drafts):
        drafts[0] |= members
        for name in [one for one, value in members.items() if value is None]:
            del drafts[0][name]

    answer = ask({"metformin": "ordered", "keto_plan": "ordered"}, change)
    types = {one["type"] for actions in actions_of(answer) for one in actions}

    assert {"delete"} == types


def test_no_removal_is_offered_twice_on_a_merged_card(pipeline, ask):
    """Two rules of one group may want the same draft gone (SUG-11)."""
    answer = ask({"keto_plan": "ordered"})
    finding = next(one for one in answer.decision.shown if one.card == "plan_or_metformin_drafted")
    shown = replace(answer.decision, shown=(replace(finding, merged=(finding,)),))
    conclusions = pipeline._desks["order-sign"].reasoner.conclude(answer.snapshot)
    cards = pipeline._composer.compose(answer.snapshot, conclusions, shown).cards

    assert 1 == len(cards[0]["suggestions"])


def drafts_of(answer):
    """Give the orders that the card says it is about."""
    return card_of(answer)["extension"]["org.metabolic-cds.rule"].get("drafts")


@pytest.mark.parametrize(
    ("expected", "given", "hook"),
    [
        (["CarePlan/draft-0"], {"keto_plan": "ordered", "statin": "ordered"}, "order-sign"),
        (
            ["CarePlan/draft-0", "MedicationRequest/draft-1"],
            {"keto_plan": "ordered", "metformin": "ordered"},
            "order-sign",
        ),
        (["CarePlan/draft-0"], {"keto_plan": "ordered", "metformin": "drafted"}, "order-select"),
        (
            ["CarePlan/draft-0"],
            {"keto_plan": "ordered", "hook": "order-dispatch"},
            "order-dispatch",
        ),
        (None, {"keto_plan": "present"}, "order-sign"),
        (None, {"keto_plan": "present"}, "patient-view"),
    ],
)
def test_a_card_names_the_orders_it_is_about(ask, expected, given, hook):
    """So that a client can show it beside them; our own extension (EXT-02, CRD-04)."""
    assert expected == drafts_of(ask(given, hook=hook))


def test_an_order_that_has_no_name_is_not_named(ask):
    """Nor is what a record put in the place of an id (EXT-01)."""

    def change(drafts):
        drafts[0]["id"] = "<img src=x>"

    assert None is drafts_of(ask({"keto_plan": "ordered"}, change))


@pytest.mark.parametrize(
    "actions",
    [
        [
            {"type": "delete", "description": "x", "resourceId": "CarePlan/1"},
            {
                "type": "update",
                "description": "x",
                "resource": {"resourceType": "CarePlan", "id": "1"},
            },
        ],
        [
            {
                "type": "update",
                "description": "x",
                "resource": {"resourceType": "CarePlan", "id": "1"},
            },
            {"type": "delete", "description": "x", "resourceId": "CarePlan/2"},
        ],
        [{"type": "delete", "description": "x", "resourceId": "CarePlan/1"}] * 2,
    ],
)
def test_what_is_deleted_comes_first_and_is_not_changed_as_well(pipeline, ask, actions):
    """The strict model of a response refuses it (SUG-11)."""
    response = copy.deepcopy(ask({"keto_plan": "ordered"}).response)
    card = next(one for one in response["cards"] if one.get("suggestions"))
    card["suggestions"][0]["actions"] = actions

    with pytest.raises(ValueError, match="SUG-11"):
        Response.model_validate(response)
