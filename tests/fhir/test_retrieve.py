from __future__ import annotations

import pytest

from cds.core.facts import Gap
from cds.errors import BadRequest, CannotProceed
from cds.fhir.retrieve import retrieve, whole_record
from tests.fhir import world as w

FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
HINT = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "ok"}]}
ONE = w.condition("E11.9")


def state(value, search="problems"):
    got = retrieve(
        {"patient": w.patient(), search: value}, patient_id=w.PATIENT, searches=w.SEARCHES
    )
    found = got.lists[search]
    return ("complete" if found.complete else found.reason.value), len(got.items) - 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, ("complete", 0), id="null"),
        pytest.param(w.bundle(), ("complete", 0), id="empty Bundle"),
        pytest.param(
            {"resourceType": "Bundle", "type": "searchset"}, ("complete", 0), id="no entry"
        ),
        pytest.param({"resourceType": "Bundle"}, ("complete", 0), id="no type"),
        pytest.param(w.bundle(ONE), ("complete", 1), id="Bundle"),
        pytest.param(w.bundle(ONE, total=1), ("complete", 1), id="total reached"),
        pytest.param(FAILED, ("search failed", 0), id="OperationOutcome"),
        pytest.param(HINT, ("search failed", 0), id="OperationOutcome in place of an answer"),
        pytest.param(w.bundle(FAILED), ("search failed", 0), id="OperationOutcome entry"),
        pytest.param(w.bundle(ONE, FAILED), ("search failed", 1), id="error beside an entry"),
        pytest.param(w.bundle(ONE, HINT), ("complete", 1), id="hint beside an entry"),
        pytest.param(w.bundle(HINT), ("complete", 0), id="hint alone in a Bundle"),
        pytest.param(
            w.bundle(ONE, link=[{"relation": "self"}, {"relation": "next"}]),
            ("list not complete", 1),
            id="next page",
        ),
        pytest.param(w.bundle(ONE, total=2), ("list not complete", 1), id="total not reached"),
        pytest.param(w.bundle(*[ONE] * 100), ("list not complete", 100), id="as many as asked for"),
        pytest.param(w.bundle(*[ONE] * 99), ("complete", 99), id="one fewer than asked for"),
        pytest.param(ONE, ("list not complete", 1), id="a resource instead of a Bundle"),
        pytest.param(
            {"response": {"status": "200 OK"}, "resource": w.bundle(ONE)},
            ("complete", 1),
            id="wrapper",
        ),
        pytest.param(
            {"response": {"status": "500"}, "resource": None},
            ("search failed", 0),
            id="failed wrapper",
        ),
        pytest.param(
            w.bundle(w.bundle(ONE), kind="batch-response"), ("complete", 1), id="batch response"
        ),
        pytest.param(
            {
                "resourceType": "Bundle",
                "type": "batch-response",
                "entry": [{"response": {"status": "404"}}],
            },
            ("search failed", 0),
            id="failed batch response",
        ),
        pytest.param(
            {"resourceType": "Bundle", "type": "searchset", "entry": [{}]},
            ("list not complete", 0),
            id="hole",
        ),
        pytest.param(w.bundle(ONE, kind="collection"), ("list not complete", 1), id="collection"),
        pytest.param(w.bundle(ONE, kind="document"), ("list not complete", 1), id="document"),
        pytest.param(w.bundle(w.order("x")), ("list not complete", 1), id="another type"),
        pytest.param([ONE], ("list not complete", 1), id="bare list"),
        pytest.param("x", ("search failed", 0), id="text"),
        pytest.param({}, ("search failed", 0), id="empty object"),
        pytest.param(
            {"resourceType": "Bundle", "entry": {}}, ("list not complete", 0), id="no list"
        ),
    ],
)
def test_an_answer_proves_absence_only_where_it_came_whole(value, expected):
    """
    The states of a prefetch key are told apart (PF-21, PF-22, PF-23, PF-24, PF-25, PF-26, T37).
    """
    assert expected == state(value)


def test_a_key_that_is_absent_was_not_sent():
    """
    An omitted key is no empty list (T37).
    """
    got = retrieve({"patient": w.patient()}, patient_id=w.PATIENT, searches=w.SEARCHES)

    assert got.lists["problems"].reason is Gap.NOT_SENT
    assert not got.lists["problems"].complete


def test_an_included_resource_is_no_match():
    """
    A Medication sent along with orders neither fills the page nor spoils the list.
    """
    answer = w.bundle(w.order("x"))
    answer["entry"].append(
        {"resource": {"resourceType": "Medication", "id": "m"}, "search": {"mode": "include"}}
    )

    assert ("complete", 2) == state(answer, "medicines")


def test_what_stands_under_an_unknown_key_is_read():
    """
    It proves presence and has no list of its own.
    """
    got = retrieve(
        {"patient": w.patient(), "item1": w.bundle(ONE)}, patient_id=w.PATIENT, searches=w.SEARCHES
    )

    assert ["$.prefetch.patient", "$.prefetch.item1.entry[0].resource"] == [
        one.path for one in got.items
    ]
    assert "item1" not in got.lists


@pytest.mark.parametrize("own", ["p1", "Patient/p1", "https://x/fhir/Patient/p1/_history/3"])
def test_the_patient_is_found_by_id_however_it_is_written(own):
    """
    `Patient/p1` and `p1` are one.
    """
    got = retrieve({"patient": w.patient()}, patient_id=own, searches=w.SEARCHES)

    assert "p1" == got.patient_id


def test_the_patient_is_found_by_full_url():
    """
    A Bundle may name a resource outside of it.
    """
    person = {"resourceType": "Patient"}
    answer = {
        "resourceType": "Bundle",
        "entry": [{"fullUrl": "urn:uuid:p1", "resource": person}],
    }

    got = retrieve({"everything": answer}, patient_id="p1", searches=w.SEARCHES)

    assert person is got.patient.resource


def test_another_patient_is_refused_without_repeating_anything():
    """
    The path names the place; a key that is not one of ours is given by position (T31, ERR-11).
    """
    with pytest.raises(BadRequest) as caught:
        retrieve({"patient": w.patient("secret")}, patient_id="p1", searches=w.SEARCHES)

    assert "$.prefetch.patient" == caught.value.path
    assert "secret" not in str(caught.value)

    for key in ("Ünï <b>", "JaneDoe_1970"):
        with pytest.raises(BadRequest) as caught:
            retrieve({"a": None, key: w.patient("x")}, patient_id="p1", searches=w.SEARCHES)

        assert "$.prefetch[1]" == caught.value.path


def test_the_declared_key_decides():
    """
    The right Patient elsewhere does not make up for a wrong one where one was asked for.
    """
    with pytest.raises(BadRequest):
        retrieve(
            {"other": w.patient(), "patient": w.patient("x")}, patient_id="p1", searches=w.SEARCHES
        )


def test_other_patients_beside_the_right_one_are_ignored():
    """
    A mother sent with her child does not stop anything (PF-27).
    """
    got = retrieve(
        {"patient": w.bundle(w.patient("x"), w.patient())}, patient_id="p1", searches=w.SEARCHES
    )

    assert "p1" == got.patient.resource["id"]


@pytest.mark.parametrize("sent", [None, {}, {"patient": None}, {"patient": w.bundle()}, {"a": 1}])
def test_without_a_patient_nothing_can_be_concluded(sent):
    """
    Required data that nobody sent is a 412 (PF-30, ERR-01).
    """
    with pytest.raises(CannotProceed) as caught:
        retrieve(sent, patient_id="p1", searches=w.SEARCHES)

    assert "$.prefetch" == caught.value.path


def test_drafts_of_the_hook_are_marked():
    """
    What is being ordered now is not yet taken.
    """
    got = w.received(orders=w.bundle(w.order("metformin", status="draft"), kind="collection"))

    assert ["ordered"] == [one.act for one in got.items if one.key == "draftOrders"]


def test_a_record_is_all_there_is():
    """
    `cds run` takes a file as the whole record.
    """
    got = whole_record(w.bundle(w.patient(), ONE, kind="collection"), searches=w.SEARCHES)

    assert all(one.complete for one in got.lists.values())
    assert "p1" == got.patient_id


def test_a_record_may_be_declared_partial():
    """
    With `--partial` nothing is proved absent.
    """
    got = whole_record([w.patient(), ONE], searches=w.SEARCHES, partial=True)

    assert {Gap.INCOMPLETE} == {one.reason for one in got.lists.values()}


def test_a_record_of_two_people_asks_which():
    """
    Nobody is chosen by chance.
    """
    people = [w.patient("a"), w.patient("b")]

    with pytest.raises(BadRequest):
        whole_record(people, searches=w.SEARCHES)

    assert "b" == whole_record(people, searches=w.SEARCHES, patient_id="b").patient_id


def test_a_page_of_a_record_is_not_the_record():
    """
    A file that says there is more is believed.
    """
    page = w.bundle(w.patient(), link=[{"relation": "next", "url": "x"}])

    assert not whole_record(page, searches=w.SEARCHES).lists["problems"].complete
