from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.fhir.moments import age_of, is_future, read

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
ROME = ZoneInfo("Europe/Rome")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2026-01-01T00:00:00", "2026-12-31T23:59:59"),
        ("2024-02", "2024-02-01T00:00:00", "2024-02-29T23:59:59"),
        ("2026-12", "2026-12-01T00:00:00", "2026-12-31T23:59:59"),
        ("2026-05-03", "2026-05-03T00:00:00", "2026-05-03T23:59:59"),
    ],
)
def test_a_partial_date_is_an_interval(text, start, end):
    """
    Nothing is claimed that was not sent (T34).
    """
    found = read(text)

    assert (f"{start}+00:00", f"{end}+00:00") == (found.start.isoformat(), found.end.isoformat())


def test_a_day_belongs_to_the_zone_of_the_site():
    """
    Also on the day when clocks change.
    """
    found = read("2026-03-29", ROME)

    assert "2026-03-28T23:00:00+00:00" == found.start.isoformat()
    assert timedelta(hours=23) - timedelta(seconds=1) == found.end - found.start


@pytest.mark.parametrize(
    ("text", "zone", "clock"),
    [
        ("2026-05-03T08:10:00+02:00", None, time(8, 10)),
        ("2026-05-03T08:10:00+00:00", None, time(8, 10)),
        ("2026-05-03T08:10:00Z", None, None),
        ("2026-05-03T08:10:00Z", ROME, time(10, 10)),
        ("2026-05-03T08:10:00", None, None),
        ("2026-05-03T08:10Z", None, None),
        ("2026-05-03", ROME, None),
    ],
)
def test_only_an_offset_tells_the_time_of_day(text, zone, clock):
    """
    `Z` is where a server stands, not where blood was drawn.
    """
    assert clock == read(text, zone).clock


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "2026-13",
        "2026-06-01T10:00:60Z",
        "2026-06-01T25:00:00Z",
        "9999-12-31",
        "0001-01-01T00:00:00Z",
        "20260601",
        "2026-W01-1",
        "2026-06-01T10:00:00+25:00",
        "2026-06-01 10:00",
        "yesterday",
        "",
        "٢٠٢٦",
        "2026" * 20,
        None,
        2026,
        ["2026"],
    ],
)
def test_what_is_no_date_is_none(text):
    """
    Nothing raises (T34).
    """
    assert read(text) is None


@given(st.text(max_size=30) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?"))
def test_no_text_raises(text):
    """
    Whatever arrives becomes a moment or nothing (T34).
    """
    found = read(text, ROME)

    assert found is None or found.start <= found.end


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_is_read_as_python_reads_it(when):
    """
    The standard library is the other opinion.
    """
    assert when == read(when.isoformat()).start


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-06-01T12:05:00Z", False),
        ("2026-06-01T12:05:01Z", True),
        ("2026-06-01T14:05:01+02:00", True),
        ("2026-06-02", False),
        ("2026-06-03", True),
        ("2026-06-02T01:59:00", False),
        ("2026-07", True),
    ],
)
def test_clocks_and_zones_get_some_slack(text, expected):
    """
    Five minutes for an instant, fourteen hours where the zone is not known (T34).
    """
    assert expected is is_future(read(text), AT)


def test_age_counts_whole_periods_from_the_earliest_moment():
    """
    Exactly a day is one, a second less is none, and the future has no negative age.
    """
    assert 1 == age_of(read("2026-05-31T12:00:00Z"), AT)
    assert 0 == age_of(read("2026-05-31T12:00:01Z"), AT)
    assert 0 == age_of(read("2026-06-02"), AT)
    assert 151 == age_of(read("2026"), AT)
