"""
Contexts: exactly what each definition requires, read leniently where clients differ.
"""

import pytest

from cds.core.hooks import HOOKS
from cds.errors import BadRequest
from cds.hooks.contexts import CONTEXTS, read_context

MARK = "Zebedee"
BUNDLE = {"entry": [{"resource": {"resourceType": "Condition"}}]}
MEMBERS = {
    "userId": "Practitioner/1",
    "patientId": "1288992",
    "encounterId": "89284",
    "selections": ["MedicationRequest/1"],
    "draftOrders": BUNDLE,
    "dispatchedOrders": ["ServiceRequest/1"],
    "performer": "Organization/1",
    "appointments": BUNDLE,
    "conditions": BUNDLE,
    "medications": BUNDLE,
}


def minimal(hook):
    """
    What the definition of a hook requires, and no more.
    """
    definition = CONTEXTS[hook]
    names = [*definition.required, *(one[0] for one in definition.either)]
    return {name: MEMBERS[name] for name in names}


BUNDLES = {"draftOrders", "appointments", "conditions", "medications"}
LISTS = {"selections", "dispatchedOrders"}
REQUIRED = [(hook, name) for hook in HOOKS for name in minimal(hook)]
WRONG = [
    (hook, name, value)
    for hook, name in REQUIRED
    for value in ("absent", None, "", {}, [], 7.5, True, [7], {"resourceType": MARK})
    # Nothing in it, which is allowed.
    if not (name in BUNDLES and value == {}) and not (name in LISTS and value == [])
]


@pytest.mark.parametrize("hook", HOOKS)
def test_what_is_required_is_enough(hook):
    """
    Nothing optional is asked for (HOOK-01, HOOK-02).
    """
    assert "1288992" == read_context(hook, minimal(hook)).patient_id


@pytest.mark.parametrize(("hook", "name", "value"), WRONG)
def test_what_is_required_must_be_there_and_of_its_form(hook, name, value):
    """
    The refusal names the member and repeats nothing (REQ-09, HOOK-01).
    """
    members = {**minimal(hook), name: value}
    if value == "absent":
        del members[name]
    with pytest.raises(BadRequest) as error:
        read_context(hook, members)

    assert f"$.context.{name}" == error.value.path
    assert MARK not in str(error.value)


@pytest.mark.parametrize("patient", [".", "..", "Patient/..", "..."])
def test_an_id_does_not_lead_upwards(patient):
    """
    The grammar of FHIR allows dots alone; an address would not be the patient's (T19).
    """
    with pytest.raises(BadRequest) as error:
        read_context("patient-view", {**minimal("patient-view"), "patientId": patient})

    assert "$.context.patientId" == error.value.path
    assert (
        "1.2.-"
        == read_context(
            "patient-view", {**minimal("patient-view"), "patientId": "1.2.-"}
        ).patient_id
    )


@pytest.mark.parametrize("hook", HOOKS)
def test_ids_become_bare(hook):
    """
    References stand where ids belong, and numbers where text does (HOOK-03).
    """
    sent = {**minimal(hook), "patientId": "Patient/7", "encounterId": "Encounter/8"}
    found = read_context(hook, sent)

    assert ("7", "8") == (found.patient_id, found.encounter_id)
    assert "7" == read_context(hook, {**minimal(hook), "patientId": 7}).patient_id


@pytest.mark.parametrize("user", ["Practitioner", "PractitionerRole", "Patient", "RelatedPerson"])
def test_whoever_it_is_may_ask(user):
    """
    Of any type (HOOK-04).
    """
    members = {**minimal("patient-view"), "userId": f"{user}/a-1"}

    assert f"{user}/a-1" == read_context("patient-view", members).user_id


@pytest.mark.parametrize("hook", ["order-dispatch", "medication-refill"])
def test_nobody_need_be_at_the_screen(hook):
    """
    Where the definition asks for no user, a bad one counts as none.
    """
    assert "" == read_context(hook, minimal(hook)).user_id
    assert "" == read_context(hook, {**minimal(hook), "userId": MARK}).user_id


def test_both_shapes_of_order_dispatch_are_read():
    """
    An array of references as in 1.1, one reference as in 1.0 (HOOK-08).
    """
    members = {"patientId": "1", "performer": "Organization/1"}

    assert "1" == read_context("order-dispatch", {**members, "order": "Task/1"}).patient_id
    assert "1" == read_context("order-dispatch", {**members, "dispatchedOrders": []}).patient_id


@pytest.mark.parametrize(
    "bundle", [{}, {"resourceType": "Bundle"}, BUNDLE, {"entry": []}, {"entry": None}]
)
def test_a_bundle_need_not_say_its_type(bundle):
    """
    As most examples do not (HOOK-06).
    """
    members = {**minimal("order-sign"), "draftOrders": bundle}

    assert bundle == read_context("order-sign", members).members["draftOrders"]


@pytest.mark.parametrize("hook", HOOKS)
def test_what_no_definition_names_is_ignored(hook):
    """
    Minor versions add members (HOOK-07).
    """
    sent = {**minimal(hook), "added": {MARK: None}, "overrideReason": 7}

    assert "1288992" == read_context(hook, sent).patient_id


def test_what_is_optional_and_cannot_be_read_counts_as_not_sent():
    """
    An encounter is asked for by two hooks only (HOOK-02).
    """
    sent = {**minimal("patient-view"), "encounterId": [MARK]}

    assert "" == read_context("patient-view", sent).encounter_id
