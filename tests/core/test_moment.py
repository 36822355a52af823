"""Partial dates are intervals, ages whole periods."""

from datetime import UTC, datetime, time

import pytest

from cds.core.moment import Moment, age_in_years, days_between


def day(text: str) -> Moment:
    """Make the moment of a bare date."""
    start = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return Moment(start, start.replace(hour=23, minute=59, second=59), text)


def instant(text: str) -> Moment:
    """Make the moment of an instant."""
    at = datetime.fromisoformat(text)
    return Moment(at, at, text, time(8, 10))


class TestMoment:
    """When something was."""

    def test_an_instant_is_exact(self) -> None:
        """A bare date is not."""

        assert (True, False) == (
            instant("2026-05-17T08:10:00+00:00").is_exact,
            day("2026-05-17").is_exact,
        )

    def test_prints_no_finer_than_sent(self) -> None:
        """The date of an instant, the month of a month."""
        month = Moment(
            datetime(2018, 2, 1, tzinfo=UTC), datetime(2018, 2, 28, tzinfo=UTC), "2018-02"
        )

        assert ("2026-05-17", "2018-02") == (instant("2026-05-17T08:10:00+00:00").day, month.day)

    @pytest.mark.parametrize(
        ("expected", "one", "other"),
        [
            (True, instant("2026-05-17T08:10:00+00:00"), instant("2026-05-17T10:10:00+02:00")),
            (False, instant("2026-05-17T08:10:00+00:00"), instant("2026-05-17T08:11:00+00:00")),
            (True, day("2026-05-17"), day("2026-05-17")),
            (False, day("2026-05-17"), instant("2026-05-17T08:10:00+00:00")),
        ],
    )
    def test_one_collection(self, expected: bool, one: Moment, other: Moment) -> None:
        """The same instant in any zone, or partial dates written alike."""

        assert expected == one.same_collection(other)


class TestAges:
    """Counting days and years."""

    def test_days_are_whole_periods(self) -> None:
        """A day is over after 24 hours, not at midnight."""
        start = datetime(2026, 5, 1, 12, tzinfo=UTC)

        assert (0, 1, -1) == (
            days_between(start, datetime(2026, 5, 2, 11, 59, tzinfo=UTC)),
            days_between(start, datetime(2026, 5, 2, 12, tzinfo=UTC)),
            days_between(start, datetime(2026, 5, 1, 11, tzinfo=UTC)),
        )

    def test_years_of_a_partial_birth_date_are_an_interval(self) -> None:
        """Born some time in 2000: 17 or 18 in February 2018."""
        born = Moment(datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 12, 31, tzinfo=UTC), "2000")

        assert (17, 18) == age_in_years(born, datetime(2018, 2, 28, tzinfo=UTC))

    def test_the_birthday_itself_counts(self) -> None:
        """Eighteen on the day, seventeen the day before."""
        born = day("2008-06-01")

        assert ((18, 18), (17, 17)) == (
            age_in_years(born, datetime(2026, 6, 1, tzinfo=UTC)),
            age_in_years(born, datetime(2026, 5, 31, tzinfo=UTC)),
        )
