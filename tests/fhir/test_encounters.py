from __future__ import annotations

import pytest

from tests.fhir import world as w


def glucose(days, **more):
    return w.observation("1558-6", "95", days=days, **more)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(51, []), (50, ["acute illness"]), (45, ["acute illness"]), (26, ["acute illness"]), (25, [])],
)
def test_results_in_and_soon_after_a_stay_are_not_used(days, expected):
    """
    Up to fourteen days after its end.
    """
    stay = w.encounter("IMP", w.ago(50), w.ago(40))

    assert expected == w.reasons(w.snapshot(stay, glucose(days)), "fasting_glucose")


def test_a_result_that_names_the_stay_belongs_to_it():
    """
    Whenever it was filed; a visit is no stay.
    """
    stay = w.encounter("EMER", w.ago(400), w.ago(399), id="e1")
    visit = w.encounter("AMB", w.ago(20), w.ago(20), id="e2")

    def found(name):
        return w.reasons(
            w.snapshot(stay, visit, glucose(20, encounter={"reference": f"Encounter/{name}"})),
            "fasting_glucose",
        )

    assert ["acute illness"] == found("e1")
    assert ["acute illness"] == found("e1/_history/2")
    assert [] == found("e2")


def test_concepts_that_stay_usable_do():
    """
    HbA1c says the same in hospital.
    """
    stay = w.encounter("IMP", w.ago(50), w.ago(40))

    assert ["6.1"] == w.values(w.snapshot(stay, w.observation("4548-4", "6.1", "%", 45)), "hba1c")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"status": "in-progress", "start": w.ago(3)}, [True]),
        ({"status": "onleave", "start": w.ago(3)}, [True]),
        ({"status": "in-progress"}, [True]),
        ({"status": "in-progress", "start": w.ago(3), "end": w.ago(1)}, [False]),
        ({"status": "finished", "start": w.ago(3)}, [False]),
        ({"status": "planned", "start": w.ago(3)}, []),
        ({"status": "cancelled", "start": w.ago(3)}, []),
        ({"status": "entered-in-error", "start": w.ago(3)}, []),
        ({"code": "AMB", "status": "in-progress"}, []),
    ],
)
def test_a_current_stay_is_active(more, expected):
    """
    What was planned or called off did not happen.
    """
    assert expected == w.active(w.snapshot(w.encounter(**more)), "acute_stay")


def test_a_running_stay_has_no_end():
    """
    Everything since its beginning belongs to it.
    """
    found = w.snapshot(w.encounter(status="in-progress", start=w.ago(30)), glucose(1), glucose(40))

    assert [40] == [one.days for one in found.results["fasting_glucose"]]


def test_the_class_of_r5_is_read_and_that_of_dstu2_is_not():
    """
    A list of concepts says the same; a word says that this is another release.
    """
    listed = w.encounter(status="in-progress") | {"class": [w.coded("x", "imp")]}
    word = w.encounter() | {"class": "inpatient"}

    assert [True] == w.active(w.snapshot(listed), "acute_stay")
    assert not w.snapshot(word).state_of("encounters").complete
