from __future__ import annotations

import pytest

from cds.core.facts import Gap
from tests.fhir import world as w

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
PAST = {"abatementDateTime": "2020-01-01"}


@pytest.mark.parametrize(
    ("status", "more", "expected"),
    [
        ("active", {}, [True]),
        ("recurrence", {}, [True]),
        ("relapse", {}, [True]),
        ("inactive", {}, [False]),
        ("remission", {}, [False]),
        ("resolved", {}, [False]),
        (None, {}, [True]),
        (None, PAST, [False]),
        (None, {"abatementString": "long ago"}, [False]),
        (None, {"abatementDateTime": "2026-12-01"}, [True]),
        ("active", PAST, [True]),
    ],
)
def test_a_problem_is_there_now_or_was_once(status, more, expected):
    """
    Without a status it is there, unless it says that it ended.
    """
    assert expected == w.active(w.snapshot(w.condition("E11.9", status=status, **more)), "diabetes")


@pytest.mark.parametrize(
    ("verification", "entries", "reasons"),
    [
        ("confirmed", [True], []),
        ("provisional", [True], []),
        ("refuted", [], ["status"]),
        ("entered-in-error", [], []),
    ],
)
def test_a_problem_that_was_denied_does_not_count(verification, entries, reasons):
    """
    Both ways to deny it are counted; only one is shown (T33).
    """
    sent = w.condition("E11.9", verificationStatus=w.coded("x", verification))
    found = w.snapshot(sent)

    assert (entries, reasons) == (w.active(found, "diabetes"), w.reasons(found, "diabetes"))
    assert (not entries) is (("diabetes", "status") in w.counted(found))
    assert found.state_of("problems").complete


@pytest.mark.parametrize(
    "shape",
    [
        {"clinicalStatus": "active"},
        {"verificationStatus": "confirmed"},
        {"participant": []},
        {"dateRecorded": "2020"},
        {"assertedDate": "2020"},
    ],
)
def test_a_problem_of_another_release_spoils_the_list(shape):
    """
    It is counted, and absence of anything is no longer proved (REQ-12).
    """
    found = w.snapshot(w.condition("E11.9") | shape)

    assert ([], ["FHIR version"]) == (w.active(found, "diabetes"), w.reasons(found, "diabetes"))
    assert found.state_of("problems").reason is Gap.VERSION


def test_a_status_that_nobody_knows_spoils_the_list_where_it_matters():
    """
    It may be there, or not.
    """
    odd = {"clinicalStatus": w.coded("http://x", "81323004")}

    assert not w.snapshot(w.condition("E11.9") | odd).state_of("problems").complete
    assert w.snapshot(w.condition("J45") | odd).state_of("problems").complete


def test_a_code_of_history_is_never_now():
    """
    Not even where another coding of the same entry would say now.
    """
    assert [False] == w.active(w.snapshot(w.condition("E11.A")), "diabetes")
    both = w.condition("E11.A")
    both["code"]["coding"].append({"system": w.SNOMED, "code": "44054006"})
    assert [False] == w.active(w.snapshot(both), "diabetes")


@pytest.mark.parametrize(
    ("born", "expected"),
    [("1970-03-04", [True]), ("1976-06-01", []), ("1975", []), ("1974", [True]), (None, [])],
)
def test_a_code_may_be_bound_to_an_age(born, expected):
    """
    It must be proved at both ends of a birth date.
    """
    found = w.snapshot(w.condition("N95.1"), person=w.patient() | {"birthDate": born})

    assert expected == w.active(found, "menopause")


def test_an_entry_that_is_too_old_no_longer_counts():
    """
    Exactly as old as allowed still does; undated does too (T39).
    """

    def found(**more):
        return w.active(w.snapshot(w.condition("W19", **more)), "recent_fall")

    assert [True] == found(onsetDateTime=w.ago(365, hour=12))
    assert [] == found(onsetDateTime=w.ago(366, hour=12))
    assert [True] == found()


@pytest.mark.parametrize(
    ("dates", "written"),
    [
        ({"onsetDateTime": "2020-02", "recordedDate": "2021"}, "2020-02"),
        ({"onsetPeriod": {"start": "2019"}}, "2019"),
        ({"onsetAge": {"value": 40, "code": "a"}}, "2010"),
        ({"onsetString": "in youth", "recordedDate": "2021-05-06"}, "2021-05-06"),
        ({"onsetDateTime": "unknown", "recordedDate": "2021-05-06"}, "2021-05-06"),
        ({}, None),
    ],
)
def test_a_problem_is_dated_by_its_onset(dates, written):
    """
    By its recording where the onset is not a date.
    """
    (one,) = w.snapshot(w.condition("E11.9", **dates)).entries["diabetes"]

    assert written == (None if one.when is None else one.when.written)


def test_an_age_at_onset_is_a_stretch_of_time():
    """
    A woman born on 4 March 1970 was forty from 4 March 2010 on, for a year.
    """
    (one,) = w.snapshot(w.condition("E11.9", onsetAge={"value": 40})).entries["diabetes"]

    assert ("2010-03-04", "2011-03-04") == (str(one.when.start.date()), str(one.when.end.date()))


def test_a_problem_of_the_future_is_a_mistake():
    """
    It is left out with its reason.
    """
    assert ["future"] == w.reasons(
        w.snapshot(w.condition("E11.9", onsetDateTime="2031")), "diabetes"
    )


def test_the_end_of_a_problem_is_kept():
    """
    With its age.
    """
    sent = w.condition("E11.9", status="remission", abatementDateTime=w.ago(30))

    assert [30] == [one.ended_days for one in w.snapshot(sent).entries["diabetes"]]


def test_a_problem_in_words_only_is_counted_and_spoils_nothing():
    """
    Nobody can code everything.
    """
    found = w.snapshot(w.condition("x") | {"code": {"text": "Diabetes"}})

    assert {("condition", "unreadable code"): 1} == w.counted(found)
    assert found.state_of("problems").complete


@pytest.mark.parametrize(
    ("status", "expected"), [("completed", [True]), ("not-done", []), ("entered-in-error", [])]
)
def test_a_problem_may_be_proved_by_a_procedure(status, expected):
    """
    What was done counts; what was planned does not.
    """
    sent = w.procedure("236886002", status=status, performedDateTime="2001")

    assert expected == w.active(w.snapshot(sent), "hysterectomy")


def test_a_procedure_is_dated_and_may_be_of_another_release():
    """
    R5 says when it occurred in an element of another name.
    """
    period = w.procedure("236886002", performedPeriod={"start": "2001-05"})
    later = w.procedure("236886002", occurrenceDateTime="2001")

    assert ["2001-05"] == [one.when.written for one in w.snapshot(period).entries["hysterectomy"]]
    assert ["FHIR version"] == w.reasons(w.snapshot(later), "hysterectomy")
    assert not w.snapshot(later).state_of("procedures").complete


def test_entries_stand_newest_first():
    """
    Undated ones last.
    """
    sent = [w.condition("E11.9"), w.condition("E11.9", onsetDateTime="2019"),
            w.condition("E11.A", onsetDateTime="2024")]  # fmt: skip
    found = w.snapshot(*sent).entries["diabetes"]

    assert ["2024", "2019", None] == [one.when and one.when.written for one in found]
