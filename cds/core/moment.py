"""
Points in time as FHIR writes them: a partial date is an interval, not a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

__all__ = ["DAY", "Moment", "age_in_years", "days_between"]

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """
    When something was, from *start* to *end* (both inclusive, both with a zone).

    An instant has both ends alike. `2018-02` runs from its first to its last
    second, so nothing is claimed that was not sent. *clock* is the local time of
    day where the offset was sent; `Z` and bare dates give none.
    """

    start: datetime
    end: datetime
    written: str
    clock: time | None = None

    @property
    def is_exact(self) -> bool:
        """Tell whether a time of day was sent."""
        return self.start == self.end

    @property
    def day(self) -> str:
        """Give the date as it may be printed: no finer than what was sent."""
        return self.written[:10]

    def same_collection(self, other: Moment) -> bool:
        """
        Tell whether two results may be called one collection.

        The same instant, or partial dates that are written alike.
        """
        if self.is_exact and other.is_exact:
            return self.start == other.start
        return self.written == other.written


def days_between(earlier: datetime, later: datetime) -> int:
    """Count whole 24-hour periods; negative where *earlier* is after *later*."""
    return (later - earlier) // DAY


def _birthdays(born: datetime, at: datetime) -> int:
    years = at.year - born.year
    return years - ((at.month, at.day) < (born.month, born.day))


def age_in_years(born: Moment, at: datetime) -> tuple[int, int]:
    """
    Give the completed years at *at* as an interval.

    The youngest first: a partial birth date gives two ends that differ by one.
    """
    return _birthdays(born.end, at), _birthdays(born.start, at)
