"""
How far one number lies from another, how much one changed, days between: by both evaluators.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from cds.core.facts import Bound, Gap, ListState
from cds.core.moment import Moment
from tests.reasoning.release import (
    NOW,
    WHOLE,
    conflict,
    date,
    entry,
    moment,
    patient,
    result,
    unusable,
)


def history(*found):
    """Make results of one concept, newest first: `("7 %", 10)`."""
    return [result("hba1c", text, days) for text, days in found]


PAGE = {**WHOLE, "tests": ListState(complete=False, reason=Gap.INCOMPLETE)}


@pytest.mark.parametrize(
    ("expected", "clause", "values"),
    [
        ("yes", "hba1c rose by 20 percent", [("6 %", 1), ("5 %", 99)]),
        ("no", "hba1c rose by more than 20 percent", [("6 %", 1), ("5 %", 99)]),
        ("yes", "hba1c rose by 1 points", [("6 %", 1), ("5 %", 99)]),
        ("no", "hba1c fell by 1 percent", [("6 %", 1), ("5 %", 99)]),
        ("yes", "hba1c fell by 20 percent", [("8 %", 1), ("10 %", 99)]),
        ("yes", "hba1c changed by 20 percent", [("8 %", 1), ("10 %", 99)]),
        ("yes", "hba1c changed by 20 percent", [("12 %", 1), ("10 %", 99)]),
        ("no", "hba1c changed by 20 percent", [("9 %", 1), ("10 %", 99)]),
        ("yes", "hba1c rose by 1 points", [("6 %", 1), ("7 %", 9), ("5 %", 99), ("8 %", 200)]),
        ("no", "hba1c rose by less than 1 points", [("6 %", 1), ("7 %", 9), ("5 %", 99)]),
        ("no", "hba1c rose by 1 points", [("6 %", 1), ("5.5 %", 9), ("5 %", 366)]),
    ],
)
def test_a_change_over_time(release, expected, clause, values):
    """The newest against the lowest (highest) of earlier days inside the window."""
    assert [expected] == release.ask(f"{clause} within 365 days", patient(hba1c=history(*values)))


@pytest.mark.parametrize(
    ("reason", "values"),
    [
        ("never measured", []),
        ("stale", [("6 %", 400), ("5 %", 500)]),
        ("no pair of results", [("6 %", 1)]),
        ("no pair of results", [("6 %", 1), ("5 %", 1)]),
        ("no pair of results", [("6 %", 1), ("5 %", 400)]),
    ],
)
def test_without_two_results_nothing_is_known(release, reason, values):
    """Two results of one day are no change over time."""
    (found,) = release.truths(
        "hba1c rose by 1 points within 365 days", patient(hba1c=history(*values))
    )

    assert ("unknown", [reason]) == (found.word, [need.reason for need in found.needs])


def test_a_partial_search_proves_a_change_and_never_its_absence(release):
    """Another result could only show a larger change."""
    rising = patient(hba1c=history(("6 %", 1), ("5 %", 99)), lists=PAGE)
    single = patient(hba1c=history(("6 %", 1)), lists=PAGE)

    found = release.truths("hba1c rose by 1 points", rising, single)
    more = release.truths("hba1c rose by 2 points", rising)

    assert ["yes", "unknown"] == [one.word for one in found]
    assert ["unknown"] == [one.word for one in more]
    assert {"list not complete"} == {need.reason for one in (*found, *more) for need in one.needs}


@pytest.mark.parametrize(
    ("expected", "reason", "days"),
    [
        ("unknown", Gap.UNIT, 50),
        ("unknown", Gap.UNIT, None),
        ("no", Gap.UNIT, 500),
        ("no", Gap.PREGNANCY, 50),
    ],
)
def test_a_result_that_cannot_be_read_could_show_a_change(release, expected, reason, days):
    """Unless it lies outside the window, or was left out for what it is."""
    one = patient(
        hba1c=history(("6 %", 1), ("5.5 %", 99)),
        unusable={"hba1c": (unusable("hba1c", reason, days),)},
    )

    assert [expected] == release.ask("hba1c rose by 1 points", one)


@pytest.mark.parametrize(
    ("expected", "clause"),
    [
        ("yes", "hba1c rose by 1 points"),
        ("unknown", "hba1c rose by 2 points"),
        ("no", "hba1c rose by 4 points"),
    ],
)
def test_a_conflict_is_a_range(release, expected, clause):
    """What holds for both is proved; so on the newest day and on an earlier one."""
    newest = patient(
        hba1c=history(("5 %", 99)), unusable={"hba1c": conflict("hba1c", "6 %", "8 %", days=0)}
    )
    earlier = patient(
        hba1c=history(("7 %", 1)), unusable={"hba1c": conflict("hba1c", "4 %", "6 %", days=99)}
    )

    assert [expected] * 2 == release.ask(clause, newest, earlier)


def test_a_conflict_outside_the_window_or_of_the_same_day_is_no_earlier_result(release):
    """Nor one without a number."""
    clashes = (
        *conflict("hba1c", "4 %", "6 %", days=400),
        *conflict("hba1c", "4 %", "6 %", days=1),
        replace(conflict("hba1c", "4 %", days=99)[0], value=None),
    )

    found = release.ask(
        "hba1c rose by 1 points",
        patient(hba1c=history(("7 %", 1)), unusable={"hba1c": clashes[:4]}),
        patient(hba1c=history(("7 %", 1)), unusable={"hba1c": clashes[4:]}),
    )

    assert ["unknown", "unknown"] == found


@pytest.mark.parametrize(
    ("expected", "clause"),
    [
        ("yes", "hba1c fell by 20 percent"),
        ("unknown", "hba1c fell by 50 percent"),
        ("no", "hba1c rose by 1 percent"),
    ],
)
def test_a_bound_is_a_range(release, expected, clause):
    """Below 4 after 5 is a fall of a fifth at least."""
    below = result("hba1c", "4 %", 1, bound=Bound.BELOW)

    assert [expected] == release.ask(clause, patient(hba1c=[below, *history(("5 %", 99))]))


@pytest.mark.parametrize(("expected", "clause"), [("yes", "1 points"), ("unknown", "10 percent")])
def test_nothing_is_a_share_of_nothing(release, expected, clause):
    """A share of zero is not known; a difference is."""
    found = release.ask(f"hba1c rose by {clause}", patient(hba1c=history(("6 %", 1), ("0 %", 99))))

    assert [expected] == found


PEAK = "readings: {peak: {highest of: hba1c, between: 90 and 730 days ago}}"


@pytest.mark.parametrize(
    ("expected", "clause"),
    [
        ("yes", "hba1c at least 20 percent below peak"),
        ("no", "hba1c more than 20 percent below peak"),
        ("yes", "hba1c at least 2 points below peak"),
        ("no", "hba1c at least 1 percent above peak"),
        ("yes", "peak at least 25 percent above hba1c"),
        ("yes", "hba1c less than 21 percent below peak within 30 days"),
    ],
)
def test_one_number_beside_another(release, expected, clause):
    """A share is a share of the second."""
    someone = patient(hba1c=history(("8 %", 1), ("10 %", 99), ("9 %", 200)))

    assert [expected] == release.ask(clause, someone, more=PEAK)


def test_both_numbers_are_needed(release):
    """With the reason of the one that is missing."""
    found = release.truths(
        "hba1c at least 5 percent below peak within 30 days",
        patient(),
        patient(hba1c=history(("8 %", 1))),
        patient(hba1c=history(("8 %", 40), ("9 %", 100))),
        more=PEAK,
    )

    assert ["unknown"] * 3 == [one.word for one in found]
    assert ["never measured", "stale", "stale"] == [one.needs[0].reason for one in found]


def test_a_conflict_beside_another(release):
    """Is a range with its reason."""
    someone = patient(
        hba1c=history(("10 %", 99)), unusable={"hba1c": conflict("hba1c", "6 %", "9 %", days=0)}
    )

    found = release.truths("hba1c at least 20 percent below peak", someone, more=PEAK)

    assert [("unknown", "conflict")] == [(one.word, one.needs[0].reason) for one in found]


def test_an_index_that_is_not_valid_has_no_number_and_no_date(release):
    """Whatever is asked of it."""
    release.index(
        "twice",
        "inputs: {a: {concept: hba1c}}\nformula: a * 2\n"
        "not_valid_if: [{id: g, when: sex is male, because: B., if_unknown: compute}]",
    )
    man, woman = (patient(sex=sex, hba1c="7 %", ratio="7") for sex in ("male", "female"))

    number = release.truths("ratio at least 50 % below twice", man, woman)
    days = release.truths("twice at least 0 days after ratio", man, woman)

    assert ["unknown", "yes"] == [one.word for one in number]
    assert ["unknown", "yes"] == [one.word for one in days]
    assert ["not valid"] * 2 == [number[0].needs[0].reason, days[0].needs[0].reason]


LAST = "readings: {last: {last end of: statin}}"


@pytest.mark.parametrize(
    ("expected", "ended"), [("yes", moment(91)), ("no", moment(90)), ("unknown", date(90))]
)
def test_one_date_after_another(release, expected, ended):
    """In whole days; a partial date has two ends."""
    stopped = entry("statin", 400, active=False, ended=ended, ended_days=90)
    someone = patient(hba1c=history(("6 %", 0.5)), listed={"statin": (stopped,)})

    assert [expected] == release.ask("hba1c at least 90 days after last", someone, more=LAST)


def test_before_is_the_other_way_round(release):
    """By a day and a half: one whole day."""
    someone = patient(hba1c=history(("6 %", 3)), glucose=[result("glucose", "90 mg/dL", 1)])

    assert ["yes"] == release.ask("hba1c at least 2 days before glucose", someone)
    assert ["no"] == release.ask("hba1c at least 3 days before glucose", someone)


def test_a_date_that_was_recorded(release):
    """Has the date that was said, not that on which it was."""
    due = patient(hba1c="6 %", listed={"due_date": (entry("due_date", 40),)})
    undated = patient(hba1c="6 %", listed={"due_date": (entry("due_date", None),)})

    found = release.truths("hba1c at least 28 days after due_date", due, undated, patient())

    assert ["yes", "unknown", "unknown"] == [one.word for one in found]
    assert [("due_date", "undated")] == [(one.name, one.reason) for one in found[1].needs]
    assert ["hba1c", "due_date"] == [one.name for one in found[2].needs]


def test_what_clashes_has_no_date(release):
    """Nobody knows which of the two counts."""
    someone = patient(
        glucose=[result("glucose", "90 mg/dL", 9)],
        unusable={"hba1c": conflict("hba1c", "6 %", "9 %", days=0)},
    )

    (found,) = release.truths("hba1c at least 1 day after glucose", someone)

    assert ["conflict"] == [one.reason for one in found.needs]


# --- dates of what is listed ----------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "entries"),
    [
        ("yes", [entry("statin", 101)]),
        ("no", [entry("statin", 100)]),
        ("yes", [entry("statin", 5), entry("statin", 101)]),
        ("unknown", [entry("statin", 5), entry("statin", None)]),
        ("yes", [entry("statin", 101), entry("statin", None)]),
        ("no", [entry("statin", 5), entry("statin", 101, active=False)]),
        ("no", [entry("statin", 101, act="ordered")]),
        ("unknown", [entry("statin", 101, when=date(101))]),
        ("no", []),
    ],
)
def test_since_when(release, expected, entries):
    """The earliest start of what is taken now; without a date it could be any."""
    someone = patient(listed={"statin": tuple(entries)})

    assert [expected] == release.ask("statin began more than 100 days ago", someone)


def test_since_when_ever(release):
    """What is over counts too; so does the day itself, where that is said."""
    past = patient(listed={"statin": (entry("statin", 100, active=False),)})

    assert ["yes"] == release.ask("statin began at least 100 days ago, ever", past)
    assert ["no"] == release.ask("statin began more than 100 days ago, ever", past)


def test_a_partial_list_hides_an_earlier_start(release):
    """What began later proves nothing then; nor does silence where absence says nothing."""
    page = {**WHOLE, "medicines": ListState(complete=False, reason=Gap.INCOMPLETE)}
    someone = patient(listed={"statin": (entry("statin", 5),)}, lists=page)

    found = release.truths("statin began more than 100 days ago", someone)
    silent = release.truths("snoring began more than 100 days ago", patient())

    assert [("unknown", "list not complete")] == [(one.word, one.needs[0].reason) for one in found]
    assert [("unknown", "never measured")] == [(one.word, one.needs[0].reason) for one in silent]


def ahead(days):
    """Make a date so many days ahead."""
    at = NOW + timedelta(days=days)
    return Moment(at, at, at.isoformat())


@pytest.mark.parametrize(
    ("expected", "when"),
    [
        ("yes", ahead(40)),
        ("no", ahead(0)),
        ("no", moment(9)),
        ("unknown", date(0)),
        ("unknown", None),
    ],
)
def test_a_date_that_lies_ahead(release, expected, when):
    """All of it; today is neither."""
    one = entry("due_date", 0, when=when)

    assert [expected] == release.ask(
        "due_date is in the future", patient(listed={"due_date": (one,)})
    )


def test_no_date_is_no_answer(release):
    """Nobody said when; and a page may hide a later one."""
    known = patient(listed={"due_date": (entry("due_date", 9),)}, lists=PAGE)

    assert ["unknown", "unknown"] == release.ask("due_date is in the future", patient(), known)


def test_a_difference_is_as_old_as_its_first(release):
    """For the newer of floor and ceiling."""
    release.factor(
        "f",
        f"{PEAK}\n"
        "evidence_for: [{id: a, when: hba1c at least 1 percent below peak, points: 3, "
        "at_least: high, if_missing: ignore}]\n"
        "evidence_against: [{id: b, when: statin began more than 9 days ago, at_most: low}]\n"
        "if_conflict: newest\n"
        "grades: {high: {points: 3}, low: {points_cannot_reach: 1}}",
    )
    release.card("c", "show_if: f is high")
    older = history(("8 %", 50), ("9 %", 100))
    newer = history(("8 %", 1), ("9 %", 100))
    grades = [
        release.conclude(patient(hba1c=found, listed={"statin": (entry("statin", 20),)}))
        .grades["f"]
        .grade
        for found in (older, newer)
    ]

    assert ["low", "high"] == grades


def test_a_change_is_as_old_as_its_newest(release):
    """The same for a change, and for a reading beside another."""
    release.factor(
        "f",
        "readings: {low: {lowest of: hba1c, within: 90 days}, "
        "peak: {highest of: hba1c, between: 90 and 730 days ago}}\n"
        "evidence_for: [{id: a, when: hba1c fell by 1 percent within 365 days, points: 3, "
        "at_least: high, if_missing: ignore}]\n"
        "evidence_against: [{id: b, when: low at least 1 percent below peak, at_most: low}]\n"
        "if_conflict: newest\n"
        "grades: {high: {points: 3}, low: {points_cannot_reach: 1}}",
    )
    release.card("c", "show_if: f is high")
    values = history(("8 %", 1), ("7 %", 50), ("9 %", 100))

    assert "high" == release.conclude(patient(hba1c=values)).grades["f"].grade
