"""
What must still be asked for, and how pages become one answer.
"""

import pytest

from cds.fhir.asking import Query, merged, narrowed, next_of, queries, reads, tokens_of
from cds.fhir.bundles import unpack
from cds.hooks.discovery import prefetch_of
from tests.serving import searchset, shipped

TOKENS = tokens_of(patient_id="p", user_id="Practitioner/7", encounter_id="e")
BASE = "https://ehr.example/fhir"


def targets(templates, prefetch=None, tokens=TOKENS):
    """
    What would be asked, by key.
    """
    return {one.key: one.target for one in queries(templates, prefetch or {}, tokens)}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Patient/{{context.patientId}}", "Patient/p"),
        ("Patient/{{ context.patientId }}", "Patient/p"),
        ("{{context.userId}}", "Practitioner/7"),
        ("Practitioner/{{userPractitionerId}}", "Practitioner/7"),
        ("Encounter/{{context.encounterId}}", "Encounter/e"),
        ("Condition?patient={{context.patientId}}&_count=9", "Condition?patient=p&_count=9"),
        (
            "Observation?patient={{context.patientId}}&code=http://loinc.org|1-8,http://x|2",
            "Observation?patient=p&code=http://loinc.org%7C1-8,http://x%7C2",
        ),
        (
            "Observation?code:in=http://x/vs&patient=Patient/{{context.patientId}}",
            "Observation?code:in=http://x/vs&patient=Patient/p",
        ),
        ("Observation?patient=p&code=a b&c", "Observation?patient=p&code=a%20b&c="),
    ],
)
def test_a_template_is_filled_and_encoded(template, expected):
    """
    Tokens of the context and of the user (PF-01, PF-02, FHIR-10).
    """
    assert {"k": expected} == targets({"k": template})


@pytest.mark.parametrize(
    "template",
    [
        "Patient/{{context.nobody}}",
        "PractitionerRole/{{userPractitionerRoleId}}",
        "Observation?date=ge{{today() - 90 days}}",
        "Patient",
        "Patient/",
        "patient/1",
        "Patient/1/_history/2",
        "/Patient/1",
        "../Patient?x=1",
        "https://evil.example/Patient/1",
        "https://evil.example/Patient?x=1",
        "",
        "?x=1",
    ],
)
def test_what_cannot_be_filled_is_passed_over(template):
    """
    Nothing is asked with braces, or with something else than a read or a search.
    """
    assert {} == targets({"k": template})


def test_only_absent_keys_are_asked_for():
    """
    Whatever stands under a key is an answer (PF-20, PF-21, PF-33).
    """
    templates = {one: f"Condition?patient={one}" for one in "abcd"}
    prefetch = {"a": None, "b": {}, "c": {"resourceType": "OperationOutcome"}, "x": None}

    assert ["d"] == list(targets(templates, prefetch))


@pytest.mark.parametrize(
    ("patient", "user", "encounter", "expected"),
    [
        ("p", "", "", {"context.patientId"}),
        ("p", "Patient/p", "", {"context.patientId", "context.userId", "userPatientId"}),
        ("p", "Device/1", "", {"context.patientId", "context.userId"}),
        ("p", "Practitioner/../1", "e/f", {"context.patientId"}),
        ("p", "nobody", "..", {"context.patientId"}),
        ("..", "Practitioner/", "", set()),
        ("p/q", "", "", set()),
    ],
)
def test_tokens_are_ids(patient, user, encounter, expected):
    """
    What is no id fills nothing (T19).
    """
    found = tokens_of(patient_id=patient, user_id=user, encounter_id=encounter)

    assert expected == set(found)


def test_an_id_is_encoded_though_it_needs_no_encoding():
    """
    A second wall behind the grammar (T19).
    """
    assert "Patient/..%2F%3Fx" == Query("k", "Patient", "../?x").target
    assert "Patient?a%26b=c%26d%23" == Query("k", "Patient", parameters={"a&b": "c&d#"}).target


def test_every_template_of_discovery_can_be_asked():
    """
    With nothing but the patient.
    """
    templates = prefetch_of(shipped().rules)

    assert list(templates) == list(targets(templates, tokens=tokens_of(patient_id="p")))


def test_references_become_reads():
    """
    Once each; what is elsewhere is left there (HOOK-09).
    """
    references = [
        "Medication/1",
        "Medication/1",
        "MedicationRequest/2/_history/3",
        f"{BASE}/Medication/4",
        "HTTPS://EHR.example/fhir/Medication/5/_history/1",
        "https://evil.example/fhir/Medication/6",
        f"{BASE}/x/Medication/7",
        "#8",
        "urn:uuid:9",
        "Medication/sent",
        "Medication/..",
        "medication/1",
        "Medication",
        "",
    ]
    found = list(reads(references, {"Medication/sent": None}, base=BASE))

    assert ["Medication/1", "MedicationRequest/2", "Medication/4", "Medication/5"] == [
        one.key for one in found
    ]
    assert all(one.key == one.target for one in found)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ([{"relation": "self", "url": "a"}, {"relation": "next", "url": "b"}], "b"),
        ({"relation": "next", "url": "b"}, "b"),
        ([{"relation": "next"}], ""),
        ([{"relation": "next", "url": 7}], ""),
        ([None, "next", {"relation": "self", "url": "a"}], ""),
        (None, ""),
        ("b", ""),
    ],
)
def test_a_next_page_is_found(link, expected):
    """
    Also where links are not written as they should be.
    """
    assert expected == next_of({"resourceType": "Bundle", "link": link})
    assert "" == next_of(None)


def page(*numbers, total=3, after=""):
    """
    One page of a search for Conditions.
    """
    found = searchset([{"resourceType": "Condition", "id": str(one)} for one in numbers])
    links = [{"relation": "self", "url": "me"}]
    if after:
        links.append({"relation": "next", "url": after})
    return {**found, "total": total, "link": links}


def test_pages_are_one_searchset():
    """
    Entries in their order, the total of the first; whole where the last page is the last (PF-25).
    """
    found = merged([page(1, after="x"), page(2, after="y"), page(3)])
    answer = unpack(found, path="$", key="k")

    assert ["1", "2", "3"] == [one["resource"]["id"] for one in found["entry"]]
    assert [{"relation": "self", "url": "me"}] == found["link"]
    assert answer.gap is None
    assert not answer.continues


def test_pages_that_end_early_are_not_the_whole():
    """
    The link to the next one stays (PF-25, T37).
    """
    answer = unpack(merged([page(1, after="x"), page(2, after="y")]), path="$", key="k")

    assert answer.gap is not None
    assert answer.continues


def test_empty_pages_make_an_empty_answer():
    """
    Without a member that holds nothing.
    """
    found = merged([{"resourceType": "Bundle", "type": "searchset"}] * 2)

    assert {"resourceType": "Bundle", "type": "searchset"} == found


def test_a_narrowed_answer_proves_presence_only():
    """
    Its entries count, its emptiness says nothing (FHIR-07).
    """
    whole, part = searchset([]), narrowed(searchset([]))

    assert unpack(whole, path="$", key="k").gap is None
    assert unpack(part, path="$", key="k").gap is not None
