"""The route of a medicine: what was sent, else what the product is."""

import pytest

from tests.fhir import world as w


def routes(**more):
    """Read one order of prednisone by the words that its concept has for routes."""
    (found,) = w.snapshot(w.order("prednisone", **more)).entries["steroid"]
    return found.routes


def by(*several):
    """Write the routes of an order."""
    return [{"route": one} for one in several]


@pytest.mark.parametrize(
    ("expected", "more"),
    [
        (("oral",), {"dosageInstruction": by({"text": "by mouth"})}),
        (("oral",), {"dosageInstruction": by({"coding": [{"display": "Oral route"}]})}),
        (("vein",), {"dosageInstruction": by({"coding": [{"system": "urn:x", "code": "IV"}]})}),
        (("oral", "vein"), {"dosageInstruction": by({"text": "oral"}, {"text": "IV"})}),
        ((), {"dosageInstruction": by({"text": "intrathecal"})}),
        (None, {"dosageInstruction": by({"coding": [{"code": "26"}]})}),
        (None, {"dosageInstruction": by({})}),
        (None, {"dosageInstruction": ["oral", {"route": "oral"}]}),
        (None, {}),
    ],
)
def test_a_route_that_was_sent_decides(expected, more):
    """One that cannot be read says nothing; a readable other one says no."""
    assert expected == routes(**more)


@pytest.mark.parametrize(
    ("expected", "product"), [(("oral",), "prednisone 5 mg tablet"), (None, "prednisone")]
)
def test_else_the_product_does(expected, product):
    """A tablet is swallowed."""
    (found,) = w.snapshot(w.order(product)).entries["steroid"]

    assert expected == found.routes


def test_a_concept_without_routes_has_none():
    """Nobody can ask about them."""
    (found,) = w.snapshot(w.order("metformin tablet")).entries["metformin"]

    assert None is found.routes
