"""
The highest of several numbers of which some are not known.
"""

from decimal import Decimal

import pytest

from cds.core.facts import Bound
from tests.reasoning.release import patient, result


def highest(release, snapshot, names="[hba1c, ratio]"):
    """Work out an index that takes the highest of what is known."""
    release.index("top", f"highest_known_of: {names}")
    return release.conclude(snapshot).numbers["top"]


def test_the_highest_counts(release):
    """With the result that it is."""
    found = highest(release, patient(hba1c=[result("hba1c", "7 %", 9)], ratio="3"))

    assert (Decimal(7), 9, ["hba1c"]) == (
        found.number.value,
        found.days,
        [one.concept for one in found.results],
    )


def test_the_unknown_are_passed_over(release):
    """One that is known is enough; the others are not missed."""
    found = highest(release, patient(ratio="3"))

    assert (Decimal(3), ()) == (found.number.value, found.needs)


def test_unknown_only_where_all_are(release):
    """With the reason of each."""
    found = highest(release, patient())

    assert ("unknown", ["hba1c", "ratio"]) == (found.state, [need.name for need in found.needs])


def test_what_is_not_valid_is_passed_over_too(release):
    """And where nothing else is known, that is the reason."""
    release.index(
        "sick",
        "inputs: {a: {concept: hba1c}}\nformula: a\n"
        "not_valid_if: [{id: g, when: sex is female, because: B., if_unknown: compute}]",
    )

    known = highest(release, patient(hba1c="9 %", ratio="3"), "[sick, ratio]")
    alone = highest(release, patient(hba1c="9 %"), "[sick, sick]")

    assert Decimal(3) == known.number.value
    assert [("top", "not valid")] == [(one.name, one.reason) for one in alone.needs]


@pytest.mark.parametrize(("expected", "bound"), [((7, 7), Bound.BELOW), ((7, None), Bound.ABOVE)])
def test_a_bound_among_them(release, expected, bound):
    """Below three changes nothing beside seven; above three may be anything."""
    three = result("ratio", "3", bound=bound)

    found = highest(release, patient(hba1c="7 %", ratio=[three]))

    assert expected == (found.number.low, found.number.high)


def test_an_open_low_end(release):
    """The lowest of a page may be lower still, and so may what is made of it."""
    release.index(
        "least",
        "readings: {bottom: {lowest of: hba1c, within: 9 days}}\n"
        "inputs: {a: {reading: bottom}}\nformula: a - 5",
    )

    found = highest(release, patient(hba1c="7 %", lists={}), "[least, least]")

    assert (Decimal(-5), Decimal(2)) == (found.number.low, found.number.high)


def test_an_offer_of_what_is_not_raised(release):
    """The first of which that is not proved; none where all are."""
    release.card(
        "c",
        "show_if: age >= 18 years\n"
        'suggestions: {items: [{id: test, offer: "first of [order_hba1c, order_glucose] whose '
        'result is not raised", guards: none, raised_if: {order_hba1c: hba1c >= 6.5 %, '
        "order_glucose: glucose >= 126 mg/dL}}]}",
    )
    people = [
        patient(),
        patient(hba1c="6.4 %"),
        patient(hba1c="6.5 %"),
        patient(hba1c="6.5 %", glucose="126 mg/dL"),
    ]
    offers = [release.conclude(one).cards["c"].finding.offers for one in people]

    assert [["order_hba1c"], ["order_hba1c"], ["order_glucose"], []] == [
        [one.action for one in found] for found in offers
    ]
