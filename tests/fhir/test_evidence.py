from __future__ import annotations

import pytest

from cds.fhir.evidence import faults, known_faults

GOOD = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "x"},
    "valueQuantity": {"value": 1, "unit": "kg"},
    "component": [{"code": {"text": "y"}, "valueQuantity": {"value": 1, "comparator": "<"}}],
}


def test_a_valid_resource_has_no_faults():
    """
    Every status that R4 has is one.
    """
    assert () == faults(GOOD)
    assert () == faults(GOOD | {"status": "corrected"})


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({}, ("resourceType",)),
        ({"resourceType": 5}, ("resourceType",)),
        ({"resourceType": "Nothing"}, ("resourceType",)),
        (GOOD | {"status": "bogus"}, ("Observation.status",)),
        (GOOD | {"secret": "Jane"}, ("Observation",)),
        (GOOD | {"code": None, "subject": {"Jane": 1}}, ("Observation.subject",)),
        (GOOD | {"valueString": "two values"}, ("Observation",)),
        (GOOD | {"valueQuantity": {"value": "1"}}, ("Observation.valueQuantity.value",)),
        (
            GOOD | {"component": [{"code": {"text": "y"}, "valueQuantity": {"comparator": "!"}}]},
            ("Observation.component[0].valueQuantity.comparator",),
        ),
        (GOOD | {"contained": [{"resourceType": "Nothing"}]}, ("Observation",)),
    ],
)
def test_a_fault_is_a_place_without_a_value(resource, expected):
    """
    Required codes and numbers sent as text are faults too.
    """
    found = faults(resource)

    assert expected == found
    assert not any(word in str(found) for word in ("Jane", "secret", "bogus"))


def test_deep_resources_are_a_fault_and_no_crash():
    """
    Recursion ends somewhere.
    """
    deep = {"url": "x"}
    for _ in range(2000):
        deep = {"url": "x", "extension": [deep]}

    assert ("Observation",) == faults(GOOD | {"extension": [deep]})[:1]


@pytest.mark.parametrize(("more", "expected"), [(0, ()), (1, ("Observation",))])
def test_a_vast_resource_is_not_checked(more, expected):
    """
    It would take seconds in which nobody else is answered; it counts as not valid (T28).
    """
    held = sum(map(len, (GOOD, GOOD["code"], GOOD["valueQuantity"], GOOD["component"])))
    held += len(GOOD["component"][0]) + sum(map(len, GOOD["component"][0].values()))
    categories = [{"text": "x"}] * ((5_000 - held - 2) // 2 + more)

    assert expected == faults(GOOD | {"category": categories})
    assert expected == known_faults(GOOD | {"category": categories})
