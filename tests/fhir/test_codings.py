from __future__ import annotations

import pytest

from cds.fhir.codings import CodeIndex, Systems, code_in, codings_of, texts_of
from tests.fhir import world as w

INDEX = CodeIndex(w.CONCEPTS.values(), Systems(w.SYSTEMS))


def names(*codes):
    return sorted({hit.concept.id for hit, _ in INDEX.all_hits(codes)})


@pytest.mark.parametrize(
    "address",
    [
        "http://loinc.org",
        "https://loinc.org",
        "http://loinc.org/",
        "HTTP://LOINC.ORG",
        "http://loinc.org|2.77",
        "urn:oid:2.16.840.1.113883.6.1",
        "URN:OID:2.16.840.1.113883.6.1",
        "2.16.840.1.113883.6.1",
    ],
)
def test_a_system_has_several_spellings(address):
    """
    They all mean LOINC.
    """
    assert ["hba1c"] == names((address, "4548-4"))


@pytest.mark.parametrize(
    "code",
    [
        ("http://snomed.info/sct", "4548-4"),
        ("http://loinc.org/x", "4548-4"),
        ("", "4548-4"),
        ("http://loinc.org", "4548-5"),
        ("http://loinc.org", "4548-4 "),
        ("http://loinc.org", "HbA1c"),
        ("x" * 1000, "4548-4"),
        ("http://loinc.org", "4548-4" * 100),
    ],
)
def test_a_near_miss_is_no_hit(code):
    """
    System and code must both be right (T40).
    """
    assert [] == names(code)


@pytest.mark.parametrize("code", ["E11", "E11.9", "E119", "e11.65"])
def test_a_family_of_codes_matches_with_and_without_dots(code):
    """
    ICD-10-CM is sent both ways.
    """
    assert ["diabetes"] == names((w.ICD, code))


def test_a_code_decided_against_wins_over_its_family():
    """
    Also when another coding of the same thing would match.
    """
    assert [] == names((w.ICD, "E11.9X"))
    assert [] == names((w.ICD, "E11.9X"), (w.SNOMED, "44054006"))


def test_any_of_several_codings_counts():
    """
    A local code beside a known one changes nothing.
    """
    assert ["diabetes"] == names(("urn:local", "77"), (w.SNOMED, "44054006"))


@pytest.mark.parametrize(
    "odd", [None, [], "x", {"coding": [None, 1, {}, {"code": 5}]}, {"coding": {}}]
)
def test_odd_concepts_hold_nothing(odd):
    """
    Nothing raises.
    """
    assert [] == list(codings_of(odd))
    assert [] == list(texts_of(odd))
    assert "" == code_in(odd, ("active",))


def test_a_status_is_read_by_code_and_only_without_codes_by_text():
    """
    A local code is not overruled by its words.
    """
    assert "active" == code_in(w.coded("http://x", "active"), ("active",))
    assert "active" == code_in({"text": " Active"}, ("active",))
    assert "" == code_in(w.coded("http://x", "81323004", text="active"), ("active",))
