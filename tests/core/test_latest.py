"""Which result counts, and why there is none."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cds.core.facts import Bound, Gap, ListState
from cds.core.findings import Interval
from cds.core.latest import gap_of, latest, range_of
from tests.reasoning.release import conflict, patient, result, unusable


@pytest.mark.parametrize(
    ("expected", "bound"),
    [
        (Interval(Decimal(5), Decimal(5)), Bound.EXACT),
        (Interval(Decimal(0), Decimal(5), high_open=True), Bound.BELOW),
        (Interval(Decimal(0), Decimal(5)), Bound.AT_MOST),
        (Interval(Decimal(5), None, low_open=True), Bound.ABOVE),
        (Interval(Decimal(5), None), Bound.AT_LEAST),
    ],
)
def test_a_comparator_is_a_range(expected, bound):
    """Measured values are never below zero."""

    assert expected == range_of(Decimal(5), bound)


class TestLatest:
    """The newest usable result, or the newest day's conflict."""

    def test_nothing_arrived(self):
        """Then there is nothing."""

        assert None is latest(patient(), "hba1c")

    def test_the_newest_counts(self):
        """However old it is."""
        snapshot = patient(hba1c=[result("hba1c", "6 %", 400), result("hba1c", "7 %", 500)])

        found = latest(snapshot, "hba1c")

        assert (Decimal(6), 400, False) == (found.number.value, found.days, found.conflict)

    def test_a_newer_conflict_is_a_range(self):
        """Nothing is known, but what holds for the whole range is proved."""
        snapshot = patient(
            hba1c=[result("hba1c", "6 %", 30)],
            unusable={"hba1c": conflict("hba1c", "7.0 %", "9.5 %", days=3)},
        )

        found = latest(snapshot, "hba1c")

        assert Interval(Decimal("7.0"), Decimal("9.5")) == found.number
        assert (3, None, True) == (found.days, found.result, found.conflict)

    def test_an_older_conflict_is_history(self):
        """A result after it counts."""
        snapshot = patient(
            hba1c=[result("hba1c", "6 %", 1)],
            unusable={"hba1c": conflict("hba1c", "7.0 %", "9.5 %", days=3)},
        )

        assert Decimal(6) == latest(snapshot, "hba1c").number.value

    def test_only_the_newest_day_of_conflict_counts(self):
        """An older contradiction does not widen it."""
        both = (*conflict("hba1c", "5 %", "12 %", days=9), *conflict("hba1c", "7 %", "9 %", days=3))

        found = latest(patient(unusable={"hba1c": both}), "hba1c")

        assert Interval(Decimal(7), Decimal(9)) == found.number

    @pytest.mark.parametrize(
        "broken",
        [
            {"value": None},
            {"sent": None},
            {"when": None},
            {"reason": Gap.UNIT},
        ],
    )
    def test_a_conflict_without_numbers_says_nothing(self, broken):
        """It needs both numbers and a day."""
        pair = tuple(replace(one, **broken) for one in conflict("hba1c", "7 %", "9 %"))

        assert None is latest(patient(unusable={"hba1c": pair}), "hba1c")

    def test_a_conflict_in_two_units_says_nothing(self):
        """What was sent could not be compared as it was sent."""
        pair = conflict("hba1c", "7 %", "90 mmol/mol")

        assert None is latest(patient(unusable={"hba1c": pair}), "hba1c")

    def test_what_was_sent_is_compared_to_twelve_digits(self):
        """The engine holds no more, so the reference does not either."""
        snapshot = patient(glucose="6.99999999999999999999 mmol/L")

        assert Decimal(7) == latest(snapshot, "glucose").sent.value


class TestGap:
    """Why there is no value: the newest fact about it decides."""

    def test_the_newest_unusable_in_the_window(self):
        """It is the last word on the matter."""
        found = {"hba1c": (unusable("hba1c", Gap.UNIT, 3), unusable("hba1c", Gap.STATUS, 9))}

        assert Gap.UNIT is gap_of(patient(unusable=found), "hba1c", "tests", 30)

    def test_an_undated_one_is_as_new_as_any(self):
        """It may be from today."""
        found = {"hba1c": (unusable("hba1c", Gap.UNIT, 3), unusable("hba1c", Gap.UNDATED, None))}

        assert Gap.UNDATED is gap_of(patient(unusable=found), "hba1c", "tests", 30)

    def test_older_than_the_window_is_stale(self):
        """Usable or not."""
        old = {"hba1c": (unusable("hba1c", Gap.UNIT, 90),)}

        assert Gap.STALE is gap_of(patient(unusable=old), "hba1c", "tests", 30)
        assert Gap.STALE is gap_of(patient(hba1c="6 %"), "hba1c", "tests", None)

    def test_a_whole_search_without_it(self):
        """It was never measured; of a search in parts nobody knows."""
        parts = patient(lists={"tests": ListState(complete=False, reason=Gap.INCOMPLETE)})

        assert Gap.NEVER_MEASURED is gap_of(patient(), "hba1c", "tests", 30)
        assert Gap.INCOMPLETE is gap_of(parts, "hba1c", "tests", 30)
