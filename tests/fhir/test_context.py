"""What a hook call itself is about: drafts, the problem being added, the refill."""

import pytest

from cds.core.facts import Gap
from cds.fhir.context import about
from tests.fhir import world as w

METFORMIN = w.order(code="6809", status="draft", id="a")
PREDNISONE = w.order("prednisone", status="draft", id="b")


def acts(found, name):
    """Say what the call does with each entry of a concept."""
    return [(one.act, one.active) for one in found.entries.get(name, ())]


def select(*drafts, selections):
    """Read a call of order-select."""
    context = {"draftOrders": w.bundle(*drafts, kind="collection"), "selections": selections}
    return w.snapshot(hook="order-select", context=context)


def test_on_order_sign_every_draft_is_ordered():
    """Whatever it is dated: it is of now."""
    drafts = w.bundle(METFORMIN | {"authoredOn": "2027-01-01"}, PREDNISONE, kind="collection")
    found = w.snapshot(orders=drafts)

    assert [("ordered", True)] == acts(found, "metformin") == acts(found, "steroid")
    assert (0, None) == (found.entries["metformin"][0].days, found.entries["metformin"][0].when)
    assert ("order-sign", True) == (found.hook, found.drafts.complete)


def test_on_order_select_only_the_selected():
    """The others are in the background, and count as signed."""
    found = select(METFORMIN, PREDNISONE, selections=["MedicationRequest/b"])

    assert [("", True)] == acts(found, "metformin")
    assert [("ordered", True)] == acts(found, "steroid")


@pytest.mark.parametrize(
    ("whole", "selections"),
    [
        (True, ["MedicationRequest/a"]),
        (True, ["http://ehr.example/MedicationRequest/a"]),
        (True, []),
        (True, "MedicationRequest/a"),
        (False, ["MedicationRequest/z"]),
        (False, [7]),
    ],
)
def test_a_selection_that_names_no_draft(whole, selections):
    """It could be any order."""
    found = select(METFORMIN, selections=selections)

    assert whole == found.drafts.complete


def test_a_draft_without_an_id_is_found_by_its_address():
    """In whole, or by what the address ends in."""
    draft = {name: one for name, one in METFORMIN.items() if name != "id"}
    for selection in ("urn:uuid:77", "MedicationRequest/77"):
        bundle = {"entry": [{"fullUrl": "urn:uuid:77", "resource": draft}]}
        context = {"draftOrders": bundle, "selections": [selection]}

        assert [("ordered", True)] == acts(
            w.snapshot(hook="order-select", context=context), "metformin"
        )


def test_references_are_resolved_among_the_drafts():
    """The medicine of a draft may be a draft itself, and is not on the server."""
    medicine = {"resourceType": "Medication", "id": "m", "code": w.coded(w.RXNORM, "6809")}
    draft = w.order(status="draft", id="c") | {"medicationReference": {"reference": "Medication/m"}}
    draft.pop("medicationCodeableConcept", None)
    found = w.snapshot(orders=w.bundle(draft, medicine, kind="collection"))

    assert [("ordered", True)] == acts(found, "metformin")


@pytest.mark.parametrize(
    ("hook", "member", "act", "concept", "resource"),
    [
        (
            "problem-list-item-create",
            "conditions",
            "added",
            "diabetes",
            w.condition("E11.9"),
        ),
        ("medication-refill", "medications", "refilled", "metformin", METFORMIN),
    ],
)
def test_what_is_added_or_refilled(hook, member, act, concept, resource):
    """It is marked, and present as well."""
    found = w.snapshot(hook=hook, context={member: w.bundle(resource, kind="collection")})

    assert [(act, True)] == acts(found, concept)


def test_other_hooks_are_about_nothing():
    """Whatever their context holds."""
    found = about("encounter-start", {"draftOrders": w.bundle(METFORMIN)})

    assert ("encounter-start", ()) == (found.hook, found.items)


@pytest.mark.parametrize(
    ("expected", "draft"),
    [
        ([], METFORMIN | {"status": "cancelled"}),
        ([], METFORMIN | {"status": "entered-in-error"}),
        ([], METFORMIN | {"doNotPerform": True}),
        ([], METFORMIN | {"subject": {"reference": "Patient/somebody-else"}}),
        ([("ordered", True)], METFORMIN | {"status": "active"}),
        ([("ordered", True)], {n: v for n, v in METFORMIN.items() if n != "subject"}),
        (
            [("ordered", True)],
            {n: v for n, v in METFORMIN.items() if n not in {"status", "intent"}},
        ),
    ],
)
def test_which_drafts_count(expected, draft):
    """Unfinished ones do; withdrawn ones, and those of another patient, do not."""
    assert expected == acts(w.snapshot(orders=w.bundle(draft, kind="collection")), "metformin")


@pytest.mark.parametrize(
    ("gap", "orders"),
    [
        (Gap.UNREADABLE, w.bundle({**METFORMIN, "medicationCodeableConcept": {}})),
        (Gap.UNREADABLE, w.bundle({**METFORMIN, "medicationCodeableConcept": {"coding": [[]]}})),
        (Gap.SEARCH_FAILED, w.bundle({"resourceType": "OperationOutcome"})),
        (Gap.SEARCH_FAILED, "nothing of FHIR"),
        (Gap.UNREADABLE, w.bundle(w.care_plan("keto") | {"status": {}})),
    ],
)
def test_a_draft_that_cannot_be_read(gap, orders):
    """What is ordered is then not known; the medicine list stays whole."""
    found = w.snapshot(orders=orders)

    assert (False, gap) == (found.drafts.complete, found.drafts.reason)
    assert found.state_of("medicines").complete


def test_a_draft_in_the_background_that_cannot_be_read():
    """The medicine list is not whole: it may be anything."""
    unnamed = {**METFORMIN, "medicationCodeableConcept": {}}
    found = select(unnamed, PREDNISONE, selections=["MedicationRequest/b"])

    assert not found.state_of("medicines").complete
    assert found.drafts.complete


def test_the_order_of_a_test():
    """By code or by its words; a plan with these words is none."""
    coded = w._resource("ServiceRequest", status="draft", code=w.coded(w.LOINC, "2143-6"))
    named = w._resource(
        "ServiceRequest",
        status="draft",
        code={"text": "cortisol, keto"},
        category=[{"text": "Laboratory"}],
    )
    plan = w.care_plan("cortisol")

    assert [("ordered", True)] == acts(w.snapshot(orders=w.bundle(coded)), "cortisol_test")
    assert [("ordered", True)] == acts(w.snapshot(orders=w.bundle(named)), "cortisol_test")
    assert [] == acts(w.snapshot(orders=w.bundle(plan)), "cortisol_test")
    assert [] == acts(w.snapshot(orders=w.bundle(named)), "keto_plan")


@pytest.mark.parametrize(
    ("expected", "status"),
    [([], "revoked"), ([("ordered", True)], "on-hold"), ([("ordered", True)], None)],
)
def test_plans_in_draft(expected, status):
    """What was taken back is no plan."""
    plan = w.care_plan("keto") | {"status": status}

    assert expected == acts(w.snapshot(orders=w.bundle(plan)), "keto_plan")
