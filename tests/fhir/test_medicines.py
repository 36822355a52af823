from __future__ import annotations

import pytest

from cds.core.facts import Gap
from tests.fhir import world as w


def found(*sent, name="metformin", **more):
    return w.active(w.snapshot(*sent, **more), name)


@pytest.mark.parametrize(
    "sent",
    [
        w.order(code="6809"),
        w.order(code="860975"),
        w.order("Metformin 500 mg"),
        w.order("METFORMIN-HCl"),
        w.order("Janumet 50/1000"),
        w.order() | {"medicationCodeableConcept": {"coding": [{"display": "metformin 500 MG"}]}},
        w.order()
        | {"medicationCodeableConcept": None, "medicationReference": {"display": "Metformin"}},
        w.statement("metformin"),
        w.statement("metformin", status="intended"),
    ],
    ids=range(9),
)
def test_a_medicine_is_known_by_code_or_by_its_words(sent):
    """
    The text is mandatory, because code lists are samples.
    """
    assert [True] == found(sent)


@pytest.mark.parametrize("text", ["metforminoid", "Glucose meter", "nonmetformin", "met formin"])
def test_a_part_of_a_word_is_not_the_word(text):
    """
    Patterns are whole words.
    """
    assert [] == found(w.order(text))


def test_a_combination_counts_for_each_class():
    """
    Janumet is two drugs.
    """
    sent = w.order("Janumet")

    assert ([True], [True]) == (found(sent), found(sent, name="gliptin"))


@pytest.mark.parametrize("place", ["contained", "bundle", "elsewhere", "absolute"])
def test_a_medication_is_found_wherever_it_stands(place):
    """
    Contained, in the same Bundle, under another key, or by its full address.
    """
    product = {"resourceType": "Medication", "id": "m1", "code": w.coded(w.RXNORM, "6809")}
    sent = w.order() | {"medicationCodeableConcept": None}
    if place == "contained":
        sent |= {"medicationReference": {"reference": "#m1"}, "contained": [product]}
        assert [True] == found(sent)
    elif place == "elsewhere":
        sent |= {"medicationReference": {"reference": "Medication/m1"}}
        assert [True] == found(sent, others=w.bundle(product))
    else:
        url = "https://ehr.example/fhir/Medication/m1"
        sent |= {
            "medicationReference": {"reference": url if place == "absolute" else "Medication/m1"}
        }
        answer = w.bundle(sent)
        answer["entry"].append({"fullUrl": url, "resource": product, "search": {"mode": "include"}})
        assert [True] == found(medicines=answer)


def test_ingredients_of_a_medication_count():
    """
    A product of a pharmacy may have no code of its own.
    """
    part = {"itemCodeableConcept": w.coded(w.RXNORM, "6809")}
    product = {"resourceType": "Medication", "id": "m1", "ingredient": [part]}
    sent = w.order() | {"medicationReference": {"reference": "#m1"}, "contained": [product]}

    assert [True] == found(sent)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, [True]),
        ({"status": "stopped"}, [False]),
        ({"status": "completed"}, [False]),
        ({"status": "on-hold"}, [False]),
        ({"status": "cancelled"}, []),
        ({"status": "draft"}, []),
        ({"status": "entered-in-error"}, []),
        ({"status": "unknown"}, []),
        ({"intent": "plan"}, [True]),
        ({"intent": "instance-order"}, [True]),
        ({"intent": "proposal"}, []),
        ({"intent": None}, []),
        ({"doNotPerform": True}, []),
    ],
)
def test_only_an_active_order_is_taken(more, expected):
    """
    What was stopped is history; what was never taken is nothing (T33).
    """
    assert expected == found(w.order(code="6809", **more))


def test_a_status_that_nobody_knows_spoils_the_list():
    """
    It may be taken.
    """
    sent = w.snapshot(w.order(code="6809", status="unknown"))

    assert sent.state_of("medicines").reason is Gap.STATUS
    assert ["status"] == w.reasons(sent, "metformin")


@pytest.mark.parametrize(
    ("more", "ended"),
    [
        ({"dispenseRequest": {"validityPeriod": {"end": "2026-05-01"}}}, "2026-05-01"),
        (
            {
                "dispenseRequest": {"validityPeriod": {"end": "2026-05-01"}},
                "dosageInstruction": [
                    {"timing": {"repeat": {"boundsPeriod": {"end": "2026-04-01"}}}}
                ],
            },
            "2026-04-01",
        ),
        ({"dispenseRequest": {"validityPeriod": {"end": "2027-05-01"}}}, None),
        ({}, None),
    ],
)
def test_the_end_of_an_order(more, ended):
    """
    Of its timing, else of its dispensing; unknown stays unknown, and so does the future.
    """
    (one,) = w.snapshot(w.order(code="6809", status="stopped", **more)).entries["metformin"]

    assert ended == (None if one.ended is None else one.ended.written)


def test_the_times_of_a_statement():
    """
    Its period.
    """
    sent = w.statement(
        "metformin", status="completed", effectivePeriod={"start": "2020", "end": "2026-05-01"}
    )
    (one,) = w.snapshot(sent).entries["metformin"]

    assert ("2020", "2026-05-01") == (one.when.written, one.ended.written)


@pytest.mark.parametrize(
    ("text", "route", "expected"),
    [
        ("hydrocortisone 10 MG Oral Tablet", None, [True]),
        ("hydrocortisone 10 MG/ML Topical Cream", None, []),
        ("hydrocortisone", {"text": "topical"}, []),
        ("hydrocortisone cream", {"text": "oral"}, [True]),
        ("prednisolone", w.coded("x", "54485002", text="Ophthalmic route"), []),
        ("prednisolone acetate ophthalmic suspension", w.coded("x", "54485002"), []),
        ("prednisolone", {"text": "inhalation"}, []),
    ],
)
def test_a_route_can_exclude(text, route, expected):
    """
    As sent; else by the words of the product.
    """
    more = {} if route is None else {"dosageInstruction": [{"route": route}]}

    assert expected == found(w.order(text, **more), name="steroid")


def test_a_route_excludes_coded_products_too():
    """
    The ingredient is the same in a cream.
    """
    sent = w.order("hydrocortisone cream", code="8640")

    assert [] == found(sent, name="steroid")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Insulin glargine", [True]),
        ("insulin pen needle", []),
        ("insulin lispro, via insulin pump", [True]),
    ],
)
def test_words_can_exclude_and_save(text, expected):
    """
    A needle is no insulin; lispro in a pump is.
    """
    assert expected == found(w.order(text), name="insulin_drug")


@pytest.mark.parametrize(
    ("sent", "complete"),
    [
        (w.order("Aspirin"), True),
        (w.order(code="1191"), True),
        (w.order(), False),
        (w.order() | {"medicationCodeableConcept": w.coded("urn:local", "4711")}, False),
        (w.order("?"), False),
        (w.order() | {"medicationReference": {"reference": "Medication/gone"}}, False),
        (w.order(status="stopped"), True),
    ],
    ids=range(7),
)
def test_an_entry_that_nobody_can_identify_spoils_the_list(sent, complete):
    """
    It may be anything.
    """
    got = w.snapshot(sent)

    assert complete is got.state_of("medicines").complete


def test_an_entry_that_nobody_can_identify_is_counted():
    """
    By the type of the resource.
    """
    assert {("medication request", "unreadable code"): 1} == w.counted(w.snapshot(w.order()))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (w.bundle(), None),
        ({"resourceType": "OperationOutcome"}, Gap.SEARCH_FAILED),
        (w.bundle(link=[{"relation": "next"}]), Gap.INCOMPLETE),
    ],
)
def test_statements_that_failed_spoil_the_orders(answer, reason):
    """
    Their absence does not.
    """
    state = w.snapshot(statements=answer).state_of("medicines")

    assert (reason is None, reason or state.reason) == (state.complete, state.reason)


def test_statements_that_were_not_sent_spoil_nothing():
    """
    They only add.
    """
    sent = w.prefetch()
    del sent["statements"]
    got = w.EXTRACTOR.extract(
        w.retrieve(sent, patient_id=w.PATIENT, searches=w.SEARCHES), as_of=w.NOW
    )

    assert got.state_of("medicines").complete


@pytest.mark.parametrize(
    "sent",
    [
        w.order() | {"resourceType": "MedicationOrder"},
        w.order() | {"medication": {"concept": {"text": "metformin"}}},
        w.order("metformin", context={"reference": "Encounter/1"}),
    ],
    ids=["DSTU2", "R5", "STU3"],
)
def test_other_releases_spoil_the_list(sent):
    """
    A MedicationOrder is not read, and not overlooked (REQ-12).
    """
    assert w.snapshot(medicines=w.bundle(sent)).state_of("medicines").reason is not None
    assert not w.snapshot(medicines=w.bundle(sent)).state_of("medicines").complete


def test_a_draft_of_the_hook_is_ordered_now():
    """
    It is marked, so that it does not pass for something taken.
    """
    draft = w.order(code="6809", status="draft", intent="proposal")
    (one,) = w.snapshot(orders=w.bundle(draft)).entries["metformin"]

    assert "ordered" == one.act


def test_a_draft_and_its_copy_in_the_record_are_two():
    """
    The copy is a draft, and so nothing.
    """
    draft = w.order(code="6809", status="draft", id="d1")

    assert ["ordered"] == [
        one.act for one in w.snapshot(draft, orders=w.bundle(draft)).entries["metformin"]
    ]
