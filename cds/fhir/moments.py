"""
FHIR dates as points in time: what is partial becomes an interval, what is odd becomes nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final

from cds.core.moment import Moment

__all__ = ["age_of", "day_written", "is_future", "latest_written", "parse", "read", "shifted"]

_DATE: Final = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII
)
_LONGEST: Final = 40
_SECOND: Final = timedelta(seconds=1)
_LONGEST_DATE: Final = 10
_FIRST_YEAR: Final = "0001"
_LAST_YEAR: Final = "9999"
_MONTHS: Final = 12
# A clock that runs ahead a little; a date that is already tomorrow elsewhere.
_SLACK: Final = timedelta(minutes=5)
_SLACK_WITHOUT_ZONE: Final = timedelta(hours=14)


def read(value: object, zone: tzinfo | None = None) -> Moment | None:
    """
    Read a FHIR date, dateTime or instant; None for whatever is not one.

    A date without a time is a day of *zone* (UTC without one). A time without an
    offset is taken as UTC and has no clock; `Z` has a clock only where *zone* says
    what time that was.
    """
    if type(value) is str and len(value) <= _LONGEST:
        return parse(value, zone)
    return None


@lru_cache(maxsize=16384)
def parse(text: str, zone: tzinfo | None) -> Moment | None:
    """Do what `read` does, for text; remembered, because one visit gives many results."""
    # Both ends of the calendar are what databases write for "no date".
    if not _FIRST_YEAR < text[:4] < _LAST_YEAR:
        return None
    try:
        if len(text) > _LONGEST_DATE:
            return _instant(text, zone) if _INSTANT.fullmatch(text) else None
        return _span(text, zone or UTC)
    except (ValueError, OverflowError):
        return None


def _instant(text: str, zone: tzinfo | None) -> Moment:
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
        return Moment(when, when, text)
    if text[-1] != "Z":
        return Moment(when, when, text, when.time())
    return Moment(when, when, text, None if zone is None else when.astimezone(zone).time())


def _span(text: str, zone: tzinfo) -> Moment | None:
    shape = _DATE.fullmatch(text)
    if shape is None:
        return None
    year, month, day = shape.groups()
    first = datetime(int(year), int(month or 1), int(day or 1), tzinfo=zone)
    if day is not None:
        # A date, not 24 hours: the day on which clocks change is shorter or longer.
        after = datetime.fromordinal(first.toordinal() + 1).replace(tzinfo=zone)
    elif month is not None:
        after = first.replace(
            year=first.year + first.month // _MONTHS, month=first.month % _MONTHS + 1
        )
    else:
        after = first.replace(year=first.year + 1)
    return Moment(first.astimezone(UTC), after.astimezone(UTC) - _SECOND, text)


def is_future(when: Moment, as_of: datetime) -> bool:
    """Tell whether *when* lies after *as_of*, with the slack that clocks and zones need."""
    if when.start <= as_of + _SLACK:
        return False
    knows_zone = when.is_exact and (when.written[-1:] == "Z" or when.clock is not None)
    return knows_zone or when.start > as_of + _SLACK_WITHOUT_ZONE


def age_of(when: Moment, as_of: datetime) -> int:
    """Count whole 24-hour periods since the earliest moment *when* allows; never below 0."""
    days = (as_of - when.start).days
    return max(days, 0)


def day_written(when: Moment) -> str:
    """Give the local calendar day, or the part of it that was sent."""
    return when.written[:10]


def shifted(when: datetime, days: int) -> datetime:
    """Move by whole days; stops at the ends of the calendar."""
    try:
        return when + timedelta(days=days)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if days > 0 else datetime.min.replace(tzinfo=UTC)


def latest_written(values: Any, zone: tzinfo | None) -> Moment | None:
    """Give the last of several dates; None where none can be read."""
    moments = [read(one, zone) for one in values] if isinstance(values, list) else []
    known = [one for one in moments if one is not None]
    return max(known, key=lambda one: (one.end, one.start, one.written), default=None)
