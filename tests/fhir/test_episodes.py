from __future__ import annotations

from tests.fhir import world as w

YES = {"valueCodeableConcept": w.coded(w.SNOMED, "77386006")}
NO = {"valueCodeableConcept": w.coded(w.SNOMED, "60001007")}


def asked(days, answer):
    return w.observation("82810-3", days=days, **answer)


def pregnant(days=100, **more):
    return w.condition("Z34.0", onsetDateTime=w.ago(days), **more)


def birth(days):
    return w.condition("O80", onsetDateTime=w.ago(days))


def running(*sent):
    return w.active(w.snapshot(*sent), "pregnancy")


def test_a_problem_an_answer_or_a_due_date_begins_an_episode():
    """
    It is running, and dated by its beginning.
    """
    due = w.observation("11778-8", days=60, valueDateTime="2026-09-01")

    assert [True] == running(pregnant())
    assert [True] == running(asked(20, YES))
    assert [True] == running(due)
    found = w.snapshot(pregnant(100), asked(20, YES))
    assert [100] == [one.days for one in found.entries["pregnancy"]]


def test_the_latest_dated_statement_wins():
    """
    A later no ends it, an earlier one does not.
    """
    assert [False] == running(pregnant(100), asked(20, NO))
    assert [True] == running(pregnant(100), asked(120, NO))
    assert [True, False] == running(pregnant(200), asked(100, NO), asked(50, YES))


def test_yes_and_no_at_one_time_is_the_safe_one():
    """
    Only a later statement ends.
    """
    assert [True] == running(asked(20, YES), asked(20, NO))


def test_a_birth_ends_it():
    """
    With the date of the birth, also where nobody recorded the pregnancy.
    """
    found = w.snapshot(pregnant(200), birth(30))

    assert [(False, 30)] == [(one.active, one.ended_days) for one in found.entries["pregnancy"]]
    assert [False] == running(birth(30))
    assert [True, False] == running(birth(250), pregnant(60))


def test_a_problem_that_is_over_ends_it():
    """
    Whether or not it says since when.
    """
    assert [False] == running(pregnant(200, status="resolved", abatementDateTime=w.ago(20)))
    assert [False] == running(pregnant(200, status="resolved"))


def test_no_episode_lasts_longer_than_allowed():
    """
    A problem that nobody closed is no pregnancy of two years.
    """
    found = w.snapshot(pregnant(800))

    assert [(False, 500)] == [(one.active, one.ended_days) for one in found.entries["pregnancy"]]
    assert [True, False] == [running(pregnant(days))[0] for days in (300, 301)]


def test_an_undated_active_problem_is_running():
    """
    Unless somebody lately said no.
    """
    undated = w.condition("Z34.0")

    assert [True] == running(undated)
    assert [True] == running(undated, asked(100, NO))
    assert [] == running(undated, asked(20, NO))


def test_a_due_date_that_passed_or_lies_too_far_ahead():
    """
    The first is over, the second a mistake.
    """
    past = w.observation("11778-8", days=200, valueDateTime="2026-05-01")
    far = w.observation("11778-8", days=20, valueDateTime="2028-05-01")

    assert [False] == running(past)
    assert [] == running(far)


def test_results_of_a_pregnancy_are_not_used():
    """
    Nor those soon after the birth; what came before is.
    """
    sent = [w.observation("1558-6", str(90 + day % 7), days=day) for day in (250, 150, 20, 60)]
    found = w.snapshot(pregnant(200), birth(40), *sent)

    assert [250] == [one.days for one in found.results["fasting_glucose"]]
    assert [20, 60, 150] == sorted(one.days for one in found.unusable["fasting_glucose"])
    assert {("fasting_glucose", "pregnancy"): 3} == w.counted(found)


def test_the_days_after_a_birth_are_exact():
    """
    Up to as many days as the concept says, both inclusive.
    """
    born = w.condition("O80", onsetDateTime="2026-04-01")
    inside = w.observation("1558-6", "95", effectiveDateTime="2026-04-29T23:59:00Z")
    outside = w.observation("1558-6", "95", effectiveDateTime="2026-04-30T00:00:01Z")

    assert [] == w.values(w.snapshot(born, inside), "fasting_glucose")
    assert ["95"] == w.values(w.snapshot(born, outside), "fasting_glucose")


def test_concepts_that_do_not_care_stay_usable():
    """
    Blood pressure in pregnancy is blood pressure.
    """
    found = w.snapshot(pregnant(), w.observation("8480-6", "150", "mm[Hg]"))

    assert ["150"] == w.values(found, "systolic")
