from __future__ import annotations

import itertools

import pytest

from tests.fhir import world as w


def glucose(value, **meta):
    return w.observation("1558-6", value, id="same") | ({"meta": meta} if meta else {})


@pytest.mark.parametrize(
    "versions",
    [
        [{"versionId": "2"}, {"versionId": "10"}],
        [{"lastUpdated": "2026-05-01T00:00:00Z"}, {"lastUpdated": "2026-05-01T00:00:00.5Z"}],
        [{}, {"versionId": "1"}],
        [{"versionId": "x"}, {"versionId": "y", "lastUpdated": "2026-05-01T00:00:00Z"}],
    ],
)
def test_the_newest_version_wins(versions):
    """
    In whatever order they arrive (T38).
    """
    sent = [glucose("90", **versions[0]), glucose("99", **versions[1])]

    for order in itertools.permutations(sent):
        assert ["99"] == w.values(w.snapshot(*order), "fasting_glucose")


def test_a_newer_version_may_take_everything_back():
    """
    Entered in error, or moved to another patient, after the fact.
    """
    first = glucose("90", versionId="1")
    error = glucose("90", versionId="2") | {"status": "entered-in-error"}
    moved = glucose("90", versionId="2") | {"subject": {"reference": "Patient/p2"}}

    assert [] == w.values(w.snapshot(first, error), "fasting_glucose")
    assert [] == w.values(w.snapshot(first, moved), "fasting_glucose")


def test_a_resource_without_an_id_is_known_by_what_it_holds():
    """
    Twice the same is once; two that differ are two (T38).
    """
    one = w.observation("8480-6", "120", "mm[Hg]")
    del one["id"]
    other = one | {"effectiveDateTime": w.ago(3)}

    assert ["120", "120"] == w.values(w.snapshot(one, other, w.copied(one) | one), "systolic")


def test_unusable_ones_without_an_id_count_once_too():
    """
    Repetition changes no number.
    """
    one = w.observation("8480-6", "120", "furlong")
    del one["id"]

    assert {("systolic", "unit"): 1} == w.counted(w.snapshot(one, dict(one)))
