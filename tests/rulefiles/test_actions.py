"""
The action library: drafts stay drafts.
"""

from decimal import Decimal

import pytest

LIBRARY = "actions/library.yaml"
PLAN = "{resourceType: CarePlan, status: draft, intent: proposal}"


def test_an_action(rules):
    """
    A label, a description, templates, and what a drafted test would give.
    """
    found = rules.load().ruleset.actions["order_hba1c"]

    assert ("Order HbA1c", "Draft a request", "hba1c") == (
        found.label,
        found.description,
        found.result,
    )
    assert "Patient/{{patient.id}}" == found.resources[0]["subject"]["reference"]
    assert "" == rules.load().ruleset.actions["plan"].result


def test_a_template_knows_numbers_from_codes(rules):
    """
    A plain number is a JSON number only where FHIR has one; a code stays text.
    """
    text = (
        "{resourceType: Goal, lifecycleStatus: proposed, target: [{detailQuantity: "
        '{value: 5.0, code: 258}, due: "{{as_of.plus_90_days}}"}], note: true, '
        'timing: {repeat: {frequency: 2, period: "1"}}, x: {value: five}, '
        'y: {value: "{{=homa.value}}"}}'
    )
    (found,) = rules.load({LIBRARY: (PLAN, text)}).ruleset.actions["plan"].resources

    assert {"value": Decimal("5.0"), "code": "258"} == found["target"][0]["detailQuantity"]
    assert {"frequency": 2, "period": "1"} == found["timing"]["repeat"]
    assert found["note"] is True
    assert ("five", "{{=homa.value}}") == (found["x"]["value"], found["y"]["value"])


@pytest.mark.parametrize(
    "template",
    [
        "{resourceType: Goal, lifecycleStatus: proposed}",
        "{resourceType: Appointment, status: proposed}",
        "{resourceType: CommunicationRequest, status: draft}",
        "{resourceType: Condition, verificationStatus: {coding: [{code: unconfirmed}]}}",
        "{resourceType: NutritionOrder, status: draft, intent: proposal, x: {$concept: hba1c}}",
    ],
)
def test_drafts_of_every_kind(rules, template):
    """
    Each resource has its own words for a proposal.
    """
    assert [] == rules.found({LIBRARY: (PLAN, template)})


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            "{resourceType: CarePlan, status: active, intent: proposal}",
            "CDS506 `status` of a drafted CarePlan is `active`",
        ),
        (
            "{resourceType: CarePlan, status: draft}",
            "CDS506 `intent` of a drafted CarePlan is not written",
        ),
        ("{status: active, intent: proposal}", "CDS506 `status` of a drafted resource is `active`"),
        (
            "{resourceType: Goal, lifecycleStatus: active}",
            "CDS506 `lifecycleStatus` of a drafted Goal is `active`",
        ),
        (
            "{resourceType: Condition}",
            "CDS506 a drafted Condition is not marked as unconfirmed",
        ),
        (
            "{resourceType: Condition, verificationStatus: {coding: [{code: confirmed}]}}",
            "CDS506 a drafted Condition is not marked as unconfirmed",
        ),
        (
            "{resourceType: MedicationRequest, status: draft, intent: proposal}",
            "CDS507 a rule never drafts a medicine: `MedicationRequest`",
        ),
        (
            "{resourceType: CarePlan, status: draft, intent: proposal, code: {$concept: hb1ac}}",
            "CDS201 `hb1ac` is not a concept",
        ),
        (
            '{resourceType: CarePlan, status: draft, intent: proposal, note: "{{x.value}}"}',
            "CDS502 `{{x.value}}` names nothing",
        ),
    ],
)
def test_what_is_more_than_a_draft(rules, template, expected):
    """
    A rule cannot make an order, a diagnosis or a prescription.
    """
    assert [expected] == rules.found({LIBRARY: (PLAN, template)})


def test_a_result_is_a_concept(rules):
    """
    Or nobody could tell whether it is known.
    """
    assert "CDS201 `hb1ac` is not a concept" in rules.found(
        {LIBRARY: ("result: hba1c", "result: hb1ac")}
    )


def test_an_action_has_one_name(rules):
    """
    Whichever file it stands in; the first stays.
    """
    more = "kind: actions\nid: more\nactions: {plan: {label: x, description: y}, broken: z}\n"
    loaded = rules.load({"actions/more.yaml": more})

    assert ["CDS203", "CDS105"] == [one.code for one in loaded.diagnostics]
