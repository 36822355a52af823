"""
Properties that hold for every record: order, repetition, other people, what nobody reads, time.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.fhir import extract
from cds.fhir.retrieve import retrieve, whole_record
from tests.fhir import world as w

_statuses = st.sampled_from(
    ["final", "final", "final", "amended", "preliminary", "entered-in-error"]
)
_days = st.integers(0, 500)
_hours = st.sampled_from([8, 9, 17])


def _observation(code, unit, low, high):
    def make(value, days, hour, status, comparator):
        made = w.observation(
            code, value, unit, days, effectiveDateTime=w.ago(days, hour), status=status
        )
        if comparator:
            made["valueQuantity"] |= {"comparator": comparator}
        return made

    values = st.decimals(low, high, places=1, allow_nan=False).map(Decimal)
    comparators = st.sampled_from(["", "", "", "<", ">", "ad"])
    return st.builds(make, values, _days, _hours, _statuses, comparators)


_results = st.one_of(
    _observation("1558-6", "mg/dL", 10, 300),
    _observation("2345-7", "mmol/L", 1, 30),
    _observation("4548-4", "%", 3, 15),
    _observation("59261-8", "mmol/mol", 20, 100),
    _observation("20448-7", "mU/L", 0, 40),
    _observation("8480-6", "mm[Hg]", 80, 220),
    _observation("98979-8", "furlong", 20, 120),
    _observation("93832-4", "h", 4, 10),
)
_answers = st.builds(
    lambda days, code: w.observation(
        "82810-3", days=days, valueCodeableConcept=w.coded(w.SNOMED, code)
    ),
    _days,
    st.sampled_from(["77386006", "60001007"]),
)
_problems = st.builds(
    lambda code, days, status: w.condition(code, status=status, onsetDateTime=w.ago(days)),
    st.sampled_from(["E11.9", "E11.A", "Z34.0", "O80", "F64.0"]),
    _days,
    st.sampled_from(["active", "resolved", None]),
)
_medicines = st.builds(
    lambda text, status, days: w.order(text, status=status, authoredOn=w.ago(days)),
    st.sampled_from(["metformin", "Janumet", "prednisone", None]),
    st.sampled_from(["active", "stopped", "unknown"]),
    _days,
)
_stays = st.builds(
    lambda days, length: w.encounter("IMP", w.ago(days + length), w.ago(days)),
    _days,
    st.integers(0, 20),
)
_records = st.lists(
    st.one_of(_results, _results, _answers, _problems, _medicines, _stays), max_size=14
)
_seeds = st.randoms(use_true_random=False)


def _everything(resources, as_of=w.NOW):
    got = whole_record([w.patient(), *resources], searches=w.SEARCHES, patient_id=w.PATIENT)
    return w.EXTRACTOR.extract(got, as_of=as_of)


@settings(deadline=None)
@given(_records, _seeds)
def test_order_is_no_reason(record, seed):
    """
    Whatever comes first, the same is known.
    """
    shuffled = list(record)
    seed.shuffle(shuffled)

    assert w.meaning(_everything(record)) == w.meaning(_everything(shuffled))
    assert _everything(record).not_used == _everything(shuffled).not_used


@settings(deadline=None)
@given(_records, _seeds)
def test_repetition_is_no_reason(record, seed):
    """
    A resource may answer two searches (T38).
    """
    again = record + [seed.choice(record) for _ in range(3 if record else 0)]

    assert w.meaning(_everything(record)) == w.meaning(_everything(again))
    assert _everything(record).not_used == _everything(again).not_used


@settings(deadline=None)
@given(_records, _records)
def test_other_people_change_nothing_but_a_count(record, foreign):
    """
    Nothing of theirs is in the snapshot, not even a date (PF-27, T31).
    """
    foreign = [
        one | {"id": f"f{one['id']}", "subject": {"reference": "Patient/p2"}} for one in foreign
    ]

    assert w.meaning(_everything(record)) == w.meaning(_everything([*foreign, *record]))


@settings(deadline=None)
@given(_records)
def test_what_nobody_reads_changes_nothing(record):
    """
    Other types, other codes, narrative and extensions.
    """
    dressed = [
        one | {"text": {"div": "<div>x</div>"}, "extension": [{"url": "u", "valueString": "x"}]}
        for one in record
    ]
    others = [
        {"resourceType": "Immunization", "id": "i", "patient": {"reference": "Patient/p1"}},
        {"resourceType": "Basic", "id": "b"},
        w.observation("1-1", "5"),
        w.condition("J45"),
        w.order("Aspirin"),
        w.encounter("AMB", w.ago(20), w.ago(20)),
    ]

    assert w.meaning(_everything(record)) == w.meaning(_everything([*dressed, *others]))


def _later(value, days):
    """Move every date and time in a resource."""
    if isinstance(value, dict):
        return {key: _later(one, days) for key, one in value.items()}
    if isinstance(value, list):
        return [_later(one, days) for one in value]
    moment = w.moment(value)
    return (
        value
        if moment is None
        else (moment + timedelta(days=days)).isoformat().replace("+00:00", "Z")
    )


@settings(deadline=None)
@given(_records, st.integers(-400, 400))
def test_time_is_relative(record, days):
    """
    When everything moves by the same days, only the printed dates change.
    """
    now = _everything(record)
    then = _everything([_later(one, days) for one in record], w.NOW + timedelta(days=days))

    def ages(found):
        return {
            "results": {
                key: [(one.value, one.days) for one in ones] for key, ones in found.results.items()
            },
            "unusable": {
                key: sorted((one.reason.value, str(one.days)) for one in ones)
                for key, ones in found.unusable.items()
            },
            "entries": {
                key: [(one.active, one.days, one.ended_days) for one in ones]
                for key, ones in found.entries.items()
            },
            "lists": found.lists,
            "not_used": found.not_used,
        }

    assert ages(now) == ages(then)


@settings(deadline=None)
@given(_records)
def test_the_same_record_by_prefetch_and_by_file(record):
    """
    Two ways in, one reader.
    """
    by_file = w.meaning(_everything(record))
    by_prefetch = w.meaning(w.snapshot(*record))

    assert {**by_file, "lists": None} == {**by_prefetch, "lists": None}


_junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "x", "Patient/p1", "2026-02-30", "final", "#", "urn:uuid:p1", "active"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["coding", "code", "value", "reference", "text", "unit"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=4,
)


def _places(value):
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, one in inside:
        yield value, key
        yield from _places(one)


@settings(deadline=None, max_examples=300)
@given(_records.filter(bool), st.data())
def test_nothing_odd_raises(record, data):
    """
    Any value may stand anywhere; the net under the readers is taken away for this test.
    """
    sent = [json.loads(json.dumps(one, default=float), parse_float=Decimal) for one in record]
    places = [one for resource in sent for one in _places(resource) if one[1] != "resourceType"]
    for _ in range(3):
        holder, key = data.draw(st.sampled_from(places))
        holder[key] = data.draw(_junk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extract, "_ODD", ())
        _everything(sent)


def test_the_net_makes_a_count_of_what_nobody_foresaw(monkeypatch):
    """
    The list it stood in is not whole then.
    """

    def stumble(*_):
        raise KeyError("x")

    monkeypatch.setattr("cds.fhir.problems.Problems.take_condition", stumble)
    found = w.snapshot(w.condition("E11.9"), w.observation("8480-6", "120", "mm[Hg]"))

    assert {("condition", "unreadable code"): 1} == w.counted(found)
    assert not found.state_of("problems").complete
    assert ["120"] == w.values(found, "systolic")


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ({"reference": "Patient/p2"}, "other patient"),
        ({"reference": "https://x/fhir/Patient/p2"}, "other patient"),
        ({"reference": "#p1"}, "no subject"),
        ({"reference": "Group/p1"}, "no subject"),
        ({"identifier": {"value": "p1"}}, "no subject"),
        ({"display": "Jane"}, "no subject"),
        (None, "no subject"),
    ],
)
def test_only_what_is_the_patients_own_counts(subject, expected):
    """
    Foreign data and data of nobody are counted by concept, else by type (T31, T32).
    """
    found = w.snapshot(
        w.observation("1558-6", "95", subject=subject),
        w.condition("E11.9", subject=subject),
        w.order("metformin", subject=subject),
    )

    assert ({}, {}, {}) == (dict(found.results), dict(found.unusable), dict(found.entries))
    assert {
        ("fasting_glucose", expected): 1,
        ("condition", expected): 1,
        ("medication request", expected): 1,
    } == w.counted(found)


def test_foreign_resources_of_types_nobody_reads_are_counted():
    """
    A security event, whatever it is about.
    """
    allergy = {"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/p2"}}

    assert {("allergy intolerance", "other patient"): 1} == w.counted(
        w.snapshot(more=w.bundle(allergy))
    )


def test_a_transaction_bundle_is_resolved():
    """
    References by `urn:uuid:` mean entries of the same Bundle.
    """
    mine = w.observation("1558-6", "95", subject={"reference": "urn:uuid:1"})
    other = w.observation("1558-6", "99", subject={"reference": "urn:uuid:2"})
    record = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": "urn:uuid:1", "resource": w.patient()},
            {"fullUrl": "urn:uuid:2", "resource": w.patient("p2")},
            {"fullUrl": "urn:uuid:3", "resource": mine},
            {"fullUrl": "urn:uuid:4", "resource": other},
        ],
    }
    got = whole_record(record, searches=w.SEARCHES, patient_id="p1")

    assert ["95"] == w.values(w.EXTRACTOR.extract(got, as_of=w.NOW), "fasting_glucose")


def test_lists_take_the_state_of_their_searches():
    """
    What was not sent is not empty (T37).
    """
    got = w.EXTRACTOR.extract(
        retrieve({"patient": w.patient()}, patient_id="p1", searches=w.SEARCHES), as_of=w.NOW
    )

    assert {"not sent"} == {got.state_of(name).reason for name in ("problems", "medicines", "body")}


def test_counts_hold_no_values_and_no_ids():
    """
    They may leave the house.
    """
    found = w.snapshot(
        w.observation("1558-6", "7777", "mg/dL", id="secret"),
        w.condition("E11.9", id="secret2", subject={"reference": "Patient/secret3"}),
    )

    assert not any(word in str(found.not_used) for word in ("7777", "secret"))


def test_a_snapshot_does_not_depend_on_the_extractor_being_new():
    """
    What it remembers are spellings, never patients (T20, T46).
    """
    first = w.snapshot(w.observation("1558-6", "95", id="a"))
    w.snapshot(w.observation("1558-6", "190", id="b"), person=w.patient(gender="male"))

    assert replace(first) == w.snapshot(w.observation("1558-6", "95", id="a"))
