"""What a hook call itself is about: drafts, the problem being added, the refill."""

import pytest

from cds.core.facts import Gap
from cds.fhir import context as module
from cds.fhir.context import about, references_of
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
    """The others are in the background, and count as signed (HOOK-05)."""
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


def test_drafts_that_share_an_id_are_both_judged():
    """Neither takes the place of the other, and the id names neither of them (SUG-14)."""
    one, other = METFORMIN | {"id": "new"}, PREDNISONE | {"id": "new"}
    signed = w.snapshot(orders=w.bundle(one, other, kind="collection"))
    selected = select(one, other, selections=["MedicationRequest/new"])

    for found in (signed, selected):
        entries = [*found.entries["metformin"], *found.entries["steroid"]]
        assert ["ordered", "ordered"] == [entry.act for entry in entries]
        assert {"MedicationRequest"} == {entry.source.resource for entry in entries}


def test_a_draft_that_came_twice_keeps_its_id():
    """It is one draft, and can be named."""
    found = w.snapshot(orders=w.bundle(METFORMIN, dict(METFORMIN), kind="collection"))

    assert ["MedicationRequest/a"] == [one.source.resource for one in found.entries["metformin"]]


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
    """The medicine of a draft may be a draft itself, and is not on the server (HOOK-09)."""
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
        ([("ordered", True)], METFORMIN | {"subject": None}),
        ([("ordered", True)], METFORMIN | {"subject": {}}),
        ([], METFORMIN | {"subject": {"display": "somebody"}}),
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
        (Gap.UNREADABLE, w.bundle(w._resource("ServiceRequest", status="draft"))),
        (Gap.UNREADABLE, w.bundle(w._resource("ServiceRequest", code=w.coded("urn:x", "9")))),
        (Gap.UNREADABLE, w.bundle(w._resource("NutritionOrder", status="draft"))),
        (Gap.VERSION, w.bundle(METFORMIN | {"medication": {"concept": {"text": "metformin"}}})),
        (Gap.VERSION, w.bundle(METFORMIN | {"resourceType": "MedicationOrder"})),
        (Gap.VERSION, w.bundle(w._resource("ProcedureRequest", code={"text": "cortisol"}))),
        (Gap.NO_SUBJECT, w.bundle(METFORMIN | {"subject": {"identifier": {"value": "7"}}})),
        (Gap.NO_SUBJECT, w.bundle(METFORMIN | {"subject": {"reference": "Group/1"}})),
        (Gap.NO_SUBJECT, w.bundle(METFORMIN | {"subject": {"reference": "urn:uuid:0"}})),
        (Gap.NO_SUBJECT, w.bundle(METFORMIN | {"subject": "Patient/p1"})),
    ],
)
def test_a_draft_that_cannot_be_read(gap, orders):
    """
    What is ordered is then not known; the medicine list stays whole.

    So it is where it cannot be told whom a draft is for, and with the shapes of DSTU2, STU3
    and R5 (REQ-12).
    """
    found = w.snapshot(orders=orders)

    assert (False, gap) == (found.drafts.complete, found.drafts.reason)
    assert found.state_of("medicines").complete


@pytest.mark.parametrize(
    "draft",
    [
        w._resource("ServiceRequest", status="draft", code={"text": "chest X-ray"}),
        w._resource("ServiceRequest", status="draft", code=w.coded(w.LOINC, "718-7")),
        w._resource("ServiceRequest", status="revoked"),
        w._resource("ServiceRequest", doNotPerform=True),
        w._resource("NutritionOrder", supplement=[{"productName": "fibre"}]),
        w._resource("ProcedureRequest", subject={"reference": "Patient/somebody-else"}),
        w._resource("DeviceRequest", status="draft"),
    ],
)
def test_a_draft_that_is_nothing_we_ask_for(draft):
    """It says what it is, or that it is none; nothing is left open."""
    assert w.snapshot(orders=w.bundle(draft)).drafts.complete


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


# --- orders that are dispatched ---------------------------------------------------

SIGNED = w.order(code="6809", id="a")


def dispatch(context, **more):
    """Read a call of order-dispatch."""
    return w.snapshot(hook="order-dispatch", context=context, **more)


@pytest.mark.parametrize(
    "context",
    [
        {"dispatchedOrders": ["MedicationRequest/a"], "performer": "Organization/1"},
        {"order": "MedicationRequest/a", "performer": "Organization/1", "task": {}},
        {"dispatchedOrders": ["http://ehr.example/r4/MedicationRequest/a"]},
        {"dispatchedOrders": ["MedicationRequest/a/_history/3"]},
        {"dispatchedOrders": [{"reference": "MedicationRequest/a"}]},
        {"dispatchedOrders": [], "order": "MedicationRequest/a"},
        {"dispatchedOrders": ["MedicationRequest/a"], "order": "MedicationRequest/a"},
    ],
)
def test_dispatched_orders_in_the_prefetch_are_ordered(context):
    """Both shapes of the call are read; what is dispatched is not present yet (HOOK-08)."""
    found = dispatch(context, sent=w.bundle(SIGNED, PREDNISONE | {"status": "active"}))

    assert [("ordered", True)] == acts(found, "metformin")
    assert [("", True)] == acts(found, "steroid")
    assert found.drafts.complete


@pytest.mark.parametrize(
    "context",
    [
        {"dispatchedOrders": ["MedicationRequest/a"], "fulfillmentTasks": [SIGNED]},
        {"order": "MedicationRequest/a", "task": w.bundle(SIGNED, kind="collection")},
        {"dispatchedOrders": [SIGNED]},
        {"order": SIGNED},
    ],
)
def test_dispatched_orders_in_the_context_are_ordered(context):
    """Wherever in it they stand (HOOK-08)."""
    task = {"resourceType": "Task", "id": "t", "status": "requested", "intent": "order"}
    found = dispatch(context | {"extra": [task]})

    assert [("ordered", True)] == acts(found, "metformin")
    assert found.drafts.complete


@pytest.mark.parametrize(
    "context",
    [
        {"dispatchedOrders": ["MedicationRequest/z"]},
        {"order": "MedicationRequest/z"},
        {"dispatchedOrders": ["MedicationRequest/a", "MedicationRequest/z"]},
        {"dispatchedOrders": ["MedicationRequest/a"], "order": "MedicationRequest/z"},
        {"dispatchedOrders": [7]},
        {"dispatchedOrders": "nothing of FHIR"},
        {"dispatchedOrders": {}},
        {"performer": "Organization/1"},
    ],
)
def test_dispatched_orders_that_stand_nowhere_leave_it_open(context):
    """What is ordered is then not known (HOOK-08)."""
    found = dispatch(context, sent=w.bundle(SIGNED))

    assert (False, Gap.NOT_SENT) == (found.drafts.complete, found.drafts.reason)


def test_nothing_dispatched_is_nothing_ordered():
    """An empty list names nothing that could be missing."""
    found = dispatch({"dispatchedOrders": []}, sent=w.bundle(SIGNED))

    assert [("", True)] == acts(found, "metformin")
    assert found.drafts.complete


# --- references and lenient Bundles -----------------------------------------------

METFORMIN_PRODUCT = {
    "resourceType": "Medication",
    "id": "m",
    "code": w.coded(w.RXNORM, "6809"),
}


def referring(reference, **more):
    """Draft a medicine that is named by a reference alone."""
    draft = w.order(status="draft", id="c")
    del draft["medicationCodeableConcept"]
    return draft | {"medicationReference": {"reference": reference}} | more


@pytest.mark.parametrize(
    ("drafts", "record"),
    [
        ([referring("Medication/m"), METFORMIN_PRODUCT], {}),
        ([referring("#m", contained=[METFORMIN_PRODUCT])], {}),
        ([referring("#m", contained=[METFORMIN_PRODUCT | {"id": "#m"}])], {}),
        ([referring("Medication/m")], {"products": w.bundle(METFORMIN_PRODUCT)}),
        ([referring("Medication/m")], {"products": METFORMIN_PRODUCT}),
        (
            [referring("https://ehr.example/r4/Medication/m")],
            {"products": w.bundle(METFORMIN_PRODUCT)},
        ),
    ],
)
def test_the_medicine_of_a_draft_is_found(drafts, record):
    """In an entry of its Bundle, inside the draft itself, or in the prefetch (HOOK-09)."""
    found = w.snapshot(orders=w.bundle(*drafts, kind="collection"), **record)

    assert [("ordered", True)] == acts(found, "metformin")
    assert found.drafts.complete


@pytest.mark.parametrize(
    ("reference", "address"),
    [
        ("urn:uuid:2", "urn:uuid:2"),
        ("Medication/2", "urn:uuid:2"),
        ("Medication/2", "https://ehr.example/r4/Medication/2"),
        ("https://ehr.example/r4/Medication/2", "https://ehr.example/r4/Medication/2"),
    ],
)
def test_the_medicine_of_a_draft_by_the_address_of_its_entry(reference, address):
    """The entry has no id but a fullUrl (HOOK-09)."""
    product = {name: one for name, one in METFORMIN_PRODUCT.items() if name != "id"}
    orders = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": "urn:uuid:1", "resource": referring(reference)},
            {"fullUrl": address, "resource": product},
        ],
    }

    assert [("ordered", True)] == acts(w.snapshot(orders=orders), "metformin")


def test_a_medicine_that_is_found_nowhere_leaves_open_what_is_ordered():
    """It is neither metformin nor proved to be something else (HOOK-09)."""
    found = w.snapshot(orders=w.bundle(referring("Medication/m"), kind="collection"))

    assert [] == acts(found, "metformin")
    assert (False, Gap.UNREADABLE) == (found.drafts.complete, found.drafts.reason)


@pytest.mark.parametrize(
    "orders",
    [
        {"resourceType": "Bundle", "entry": [{"resource": METFORMIN}]},
        {"entry": [{"resource": METFORMIN}]},
        [METFORMIN],
        METFORMIN,
        w.bundle(METFORMIN | {"category": {"text": "Outpatient"}, "reasonCode": {"text": "why"}}),
        w.bundle({name: one for name, one in METFORMIN.items() if name != "intent"}),
    ],
)
def test_bundles_are_read_leniently(orders):
    """Without a type, with one object where a list belongs, without an intent (HOOK-06)."""
    found = w.snapshot(orders=orders)

    assert [("ordered", True)] == acts(found, "metformin")


def test_a_draft_without_a_medicine_leaves_open_what_is_ordered():
    """So order screens open: a request with an id and nothing else (HOOK-06)."""
    draft = {"resourceType": "MedicationRequest", "id": "request-123", "status": "draft"}
    orders = {"resourceType": "Bundle", "entry": [{"resource": draft}]}
    context = {"draftOrders": orders, "selections": ["MedicationRequest/request-123"]}
    found = w.snapshot(hook="order-select", context=context)

    assert (False, Gap.UNREADABLE) == (found.drafts.complete, found.drafts.reason)
    assert [] == acts(found, "metformin")


def test_what_a_call_refers_to_is_listed_once():
    """Products of drafts that are nowhere in the call, and orders it names (HOOK-09)."""
    contained = {"resourceType": "Medication", "id": "c", "code": {"text": "x"}}
    among = {"resourceType": "Medication", "id": "m", "code": {"text": "y"}}
    drafts = [
        _by_reference("a", "Medication/9"),
        _by_reference("b", "Medication/9"),
        _by_reference("c", "#c", contained=[contained]),
        _by_reference("d", "Medication/m"),
        _by_reference("e", "https://ehr.example/fhir/Medication/10"),
        _by_reference("f", 7),
        METFORMIN,
        among,
    ]
    signed = about("order-sign", {"draftOrders": w.bundle(*drafts, kind="collection")})
    sent = about("order-dispatch", {"dispatchedOrders": ["MedicationRequest/1", "#x"]})

    assert ("Medication/9", "https://ehr.example/fhir/Medication/10") == references_of(signed)
    assert ("MedicationRequest/1", "#x") == references_of(sent)
    assert () == references_of(about("patient-view", {}))


def _by_reference(own, reference, **more):
    return {
        "resourceType": "MedicationRequest",
        "id": own,
        "medicationReference": {"reference": reference},
        **more,
    }


@pytest.mark.parametrize("hook", ["order-select", "order-dispatch"])
def test_work_grows_with_drafts_and_names_not_with_their_product(hook, monkeypatch):
    """Thousands of both are looked at once each (T28)."""
    looked = []
    real = module.identity_of
    monkeypatch.setattr(module, "identity_of", lambda one: looked.append(one) or real(one))
    drafts = w.bundle(*(METFORMIN | {"id": f"d{n}"} for n in range(200)), kind="collection")
    names = [f"https://a.example/{n}/MedicationRequest/d{n % 200}" for n in range(400)]
    names += [f"urn:uuid:{n}" for n in range(400)]
    member = "selections" if hook == "order-select" else "dispatchedOrders"

    found = about(hook, {"draftOrders": drafts, member: names})

    assert {"ordered"} == {one.act for one in found.items}
    assert 200 == len(found.items)
    assert len(looked) <= 3 * 200


def test_a_urn_is_resolved_in_its_own_bundle():
    """What stands under it there is meant, and every copy of that; nothing elsewhere."""
    entries = [
        {"fullUrl": "urn:uuid:77", "resource": METFORMIN},
        {"fullUrl": "urn:uuid:78", "resource": METFORMIN},
        {"fullUrl": "urn:uuid:79", "resource": PREDNISONE},
    ]
    context = {"draftOrders": {"entry": entries}, "selections": ["urn:uuid:77/_history/1"]}

    found = about("order-select", context)

    assert ["ordered", "ordered", "background"] == [one.act for one in found.items]
