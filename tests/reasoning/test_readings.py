"""
Readings: a number, or a date, from several results or entries, and how far it is known.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from cds.core.facts import Bound, Gap, ListState
from tests.reasoning.release import (
    WHOLE,
    conflict,
    date,
    entry,
    moment,
    patient,
    result,
    unusable,
)

PAGE = {name: ListState(complete=False, reason=Gap.INCOMPLETE) for name in WHOLE}


def history(*found):
    """Make results of one concept, newest first: `("7 %", 10)`."""
    return [result("hba1c", text, days) for text, days in found]


def read(release, form, snapshot):
    """Work out one reading of a condition."""
    release.condition("c", f"readings: {{n: {{{form}}}}}\nholds_if: n is known")
    return release.conclude(snapshot).numbers["c.n"]


def span(found):
    """Give both ends of a number."""
    return found.number.low, found.number.high


YEAR = "within: 365 days"


@pytest.mark.parametrize(
    ("expected", "form"),
    [
        ("8", f"highest of: hba1c, {YEAR}"),
        ("6", f"lowest of: hba1c, {YEAR}"),
        ("7", f"mean of: hba1c, {YEAR}"),
        ("6", f"first of: hba1c, {YEAR}"),
        ("7.5", f"average of last: 2, of: hba1c, {YEAR}"),
    ],
)
def test_each_kind(release, expected, form):
    """Of a whole search without anything unusable: one number."""
    found = read(release, form, patient(hba1c=history(("7 %", 1), ("8 %", 30), ("6 %", 60))))

    assert Decimal(expected) == found.number.value
    assert () == found.needs


@pytest.mark.parametrize(
    ("expected", "form"),
    [
        ((8, None), f"highest of: hba1c, {YEAR}"),
        ((None, 6), f"lowest of: hba1c, {YEAR}"),
        ((7.5, 7.5), f"average of last: 2, of: hba1c, {YEAR}"),
    ],
)
def test_what_a_page_leaves_open(release, expected, form):
    """The newest come first: only an older result could be missing."""
    values = history(("7 %", 1), ("8 %", 30), ("6 %", 60))
    found = read(release, form, patient(hba1c=values, lists=PAGE))

    assert expected == span(found)


@pytest.mark.parametrize("form", ["mean of", "first of"])
def test_what_a_page_hides_altogether(release, form):
    """Any older result would change these; so would one that cannot be read."""
    values = history(("7 %", 1), ("8 %", 30))
    unread = {"hba1c": (unusable("hba1c", Gap.UNIT, 50),)}

    page = read(release, f"{form}: hba1c, {YEAR}", patient(hba1c=values, lists=PAGE))
    unit = read(release, f"{form}: hba1c, {YEAR}", patient(hba1c=values, unusable=unread))

    assert [("unknown", "list not complete"), ("unknown", "unit")] == [
        (one.state, one.needs[0].reason) for one in (page, unit)
    ]


@pytest.mark.parametrize("form", ["mean of", "first of", "highest of", "average of last: 1, of"])
def test_nothing_to_read(release, form):
    """With the reason of the concept."""
    found = read(release, f"{form}: hba1c, {YEAR}", patient())

    assert ("unknown", "never measured") == (found.state, found.needs[0].reason)


def test_an_unreadable_result_after_the_first_is_not_the_first(release):
    """Only what is older, or has no date, could be."""
    values = history(("7 %", 1), ("8 %", 30))
    later = {"hba1c": (unusable("hba1c", Gap.UNIT, 5),)}
    undated = {"hba1c": (unusable("hba1c", Gap.UNIT, None),)}
    form = f"first of: hba1c, {YEAR}"

    assert Decimal(8) == read(release, form, patient(hba1c=values, unusable=later)).number.value
    assert "unknown" == read(release, form, patient(hba1c=values, unusable=undated)).state


@pytest.mark.parametrize(("expected", "form"), [((7, 9), "highest of"), ((3, 7), "lowest of")])
def test_results_that_clash_are_a_range(release, expected, form):
    """An extreme may be either of them."""
    clash = conflict("hba1c", *(("4 %", "9 %") if form == "highest of" else ("3 %", "8 %")), days=9)
    someone = patient(hba1c=history(("7 %", 1)), unusable={"hba1c": clash})

    assert expected == span(read(release, f"{form}: hba1c, {YEAR}", someone))


@pytest.mark.parametrize(
    ("expected", "form", "bound"),
    [
        ((False, True), "lowest of", Bound.BELOW),
        ((False, False), "lowest of", Bound.AT_MOST),
        ((True, False), "highest of", Bound.ABOVE),
        ((False, False), "highest of", Bound.AT_LEAST),
    ],
)
def test_an_extreme_that_is_a_bound_stays_one(release, expected, form, bound):
    """The lowest of `<7` and 9 lies below 7; seven itself is excluded."""
    far = "9 %" if form == "lowest of" else "5 %"
    someone = patient(hba1c=[result("hba1c", "7 %", 1, bound=bound), *history((far, 30))])

    number = read(release, f"{form}: hba1c, {YEAR}", someone).number

    assert expected == (number.low_open, number.high_open)


@pytest.mark.parametrize(("expected", "form"), [("8", "highest of"), ("6", "lowest of")])
def test_the_extreme_of_the_newest_day(release, expected, form):
    """What an older day held does not count; the later result of a day is not the only one."""
    someone = patient(
        hba1c=[
            result("hba1c", "8 %", 1, when=moment(1.1)),
            result("hba1c", "6 %", 1, when=moment(1.2)),
            *history(("9 %", 30), ("5 %", 60)),
        ]
    )

    assert (
        Decimal(expected) == read(release, f"{form}: hba1c, on: newest day", someone).number.value
    )


def test_the_newest_day_needs_no_whole_search(release):
    """As for the latest result: what was left out or is older says nothing against it."""
    left_out = {"hba1c": (unusable("hba1c", Gap.UNIT, 0),)}
    someone = patient(hba1c=history(("7 %", 1), ("9 %", 30)), unusable=left_out, lists=PAGE)

    found = read(release, "lowest of: hba1c, on: newest day", someone)

    assert ((7, 7), ()) == (span(found), found.needs)


@pytest.mark.parametrize(("expected", "days"), [((4, 4), 0), ((7, 7), 9)])
def test_a_clash_on_the_newest_day_and_before(release, expected, days):
    """The more dangerous of the two counts on the newest day; an older day does not."""
    clash = conflict("hba1c", "4 %", "9 %", days=days)
    someone = patient(hba1c=history(("7 %", 5)), unusable={"hba1c": clash})

    found = read(release, "lowest of: hba1c, on: newest day", someone)

    assert expected == span(found)


def test_a_clash_without_numbers_says_nothing(release):
    """Nobody knows what it was."""
    clash = tuple(replace(one, value=None) for one in conflict("hba1c", "4 %", "9 %", days=9))
    someone = patient(hba1c=history(("7 %", 1)), unusable={"hba1c": clash})

    assert (7, 7) == span(read(release, f"highest of: hba1c, {YEAR}", someone))


def test_an_extreme_of_a_clash_alone_has_no_date(release):
    """Nobody knows which of the two it is."""
    someone = patient(unusable={"hba1c": conflict("hba1c", "4 %", "9 %", days=9)})

    found = read(release, f"highest of: hba1c, {YEAR}", someone)

    assert ((4, 9), None) == (span(found), found.when)


@pytest.mark.parametrize(
    ("expected", "form"),
    [
        ((8, None), f"highest of: hba1c, {YEAR}"),
        ((7, 7), f"lowest of: hba1c, {YEAR}"),
        ((Decimal("7.5"), None), f"mean of: hba1c, {YEAR}"),
    ],
)
def test_a_bound_among_them(release, expected, form):
    """Above eight may be anything above eight."""
    above = result("hba1c", "8 %", 30, bound=Bound.ABOVE)
    found = read(release, form, patient(hba1c=[*history(("7 %", 1)), above]))

    assert expected == span(found)


def test_the_mean_of_days(release):
    """The newest of each day, where days must differ."""
    values = history(("8 %", 1), ("2 %", 1), ("6 %", 9))

    found = read(release, f"mean of: hba1c, on: different days, {YEAR}", patient(hba1c=values))

    assert 7 == found.number.value


# --- dates ------------------------------------------------------------------------------


def over(started, ended):
    """Make a medicine that was stopped so many days ago."""
    return entry("statin", started, active=False, ended=ended, ended_days=0)


def test_the_last_end(release):
    """Its number is the days since then."""
    listed = {"statin": (over(400, moment(90)), over(900, moment(500)))}
    found = read(release, "last end of: statin", patient(listed=listed))

    assert ((90, 90), moment(90), 90) == (span(found), found.when, found.days)


def test_the_first_start(release):
    """Of what is there and of what is over."""
    listed = {"statin": (entry("statin", 30), over(900, moment(500)))}
    found = read(release, "first of: statin", patient(listed=listed))

    assert ((900, 900), ()) == (span(found), found.needs)


def test_a_partial_date_is_a_range(release):
    """Half a day before noon, or half a day after."""
    found = read(release, "last end of: statin", patient(listed={"statin": (over(99, date(9)),)}))

    assert ((8, 9), "date not exact") == (span(found), found.needs[0].reason)


@pytest.mark.parametrize(
    ("reason", "entries"),
    [
        ("not ended", [over(400, moment(90)), entry("statin", 30)]),
        ("undated", [over(400, moment(90)), over(900, None)]),
        ("not recorded", []),
        ("not recorded", [entry("statin", 3, act="ordered")]),
    ],
)
def test_an_end_that_is_not_known(release, reason, entries):
    """While one is still taken, or stopped nobody knows when, or none ever was."""
    found = read(release, "last end of: statin", patient(listed={"statin": tuple(entries)}))

    assert ("unknown", reason) == (found.state, found.needs[0].reason)


def test_a_partial_list_has_no_last_end(release):
    """A later one may be missing."""
    listed = {"statin": (over(400, moment(90)),)}

    found = read(release, "last end of: statin", patient(listed=listed, lists=PAGE))

    assert ("unknown", "list not complete") == (found.state, found.needs[0].reason)
