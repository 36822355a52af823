"""
Two releases compared: whose answers change, through what, and which version must move.
"""

from dataclasses import replace

import pytest

from cds.fhir.retrieve import retrieve
from cds.rulefiles import load_ruleset
from cds.workshop.changes.asking import Subject
from cds.workshop.changes.comparing import compare
from cds.workshop.testing.patients import NOW, prefetch_of
from tests.check_pages import SAMPLE
from tests.workshop.conftest import RULES

SLEEP = "cards/short_sleep.yaml"
HOMA = "indices/homa_ir_any.yaml"
INDEX = "indices/homa_ir.yaml"
GIVEN = {"age": "48 years", "sex": "male", "hba1c": "6.1 %", "sleep_duration": "6.8 h"}


def somebody(rules, **given):
    """A patient of a population."""
    prefetch = prefetch_of(rules, {**GIVEN, **given})
    return Subject(
        "somebody",
        "patients",
        lambda other: retrieve(prefetch, patient_id="case", searches=other.searches),
        NOW,
    )


def compared(rules, folder, *changes, people=()):
    """The shipped rules, and the same with changes."""
    return compare(rules, load_ruleset(folder(*changes)), people)


def answers(found, name):
    """What changed of one rule: before, after, and how many of each sort."""
    (one,) = [one for one in found.rules if one.id == name]
    return {
        (change.before, change.after): [
            change.count(sort) for sort in ("patients", "cases", "cut-offs")
        ]
        for change in one.changes
    }


def test_rules_that_are_equal_are_not_tried(rules):
    """Nothing can differ."""
    found = compare(rules, load_ruleset(RULES), [somebody(rules)])

    assert ((), (), (), (), ()) == (
        found.cut_offs,
        found.others,
        found.rules,
        found.versions,
        found.findings,
    )
    assert {"patients": 0, "cases": 0, "cut-offs": 0} == found.tried


def test_a_cut_off_is_said_in_one_line_and_in_patients(rules, folder):
    """Those between the old one and the new one."""
    people = [somebody(rules), somebody(rules, sleep_duration="6.0 h")]
    found = compared(rules, folder, (SLEEP, "value: 7 h", "value: 6.5 h"), people=people)
    before, after = "shown (info), offers goal", "not shown"

    assert ("short_sleep.enough  7 h -> 6.5 h",) == found.cut_offs
    assert ["short_sleep"] == [one.id for one in found.rules]
    assert 1 == answers(found, "short_sleep")[before, after][0]
    assert 2 == found.tried["patients"]


def test_a_moved_band_is_seen_although_no_case_lies_between(rules, folder):
    """The input that brings the number there is searched for."""
    found = compared(rules, folder, (HOMA, "value: 2.5", "value: 2.56"))
    cells = answers(found, "homa_ir_any")["raised", "expected"]

    assert cells[2] > 0
    assert ("homa_ir_any",) == next(one for one in found.rules if one.id == "staging").through


def test_an_answer_that_changes_without_its_version_is_a_finding(rules, folder):
    """And the version that it should have is proposed; rules that only lean on it need none."""
    found = compared(rules, folder, (HOMA, "value: 2.5", "value: 3.0"))
    (finding,) = found.findings
    (version,) = found.versions

    assert ("CDS607", "write `version: 1.1.0`") == (finding.code, finding.help)
    assert ("homa_ir_any", "minor", "1.1.0", False) == (
        version.id,
        version.bump,
        version.proposed,
        version.is_enough,
    )


@pytest.mark.parametrize(
    ("version", "is_enough", "findings"),
    [("1.1.0", True, 0), ("2.0.0", True, 0), ("1.0.1", False, 0), ("0.9.0", False, 1)],
)
def test_a_version_that_moved(sample, version, is_enough, findings):
    """Far enough; or not, which is said; or back, which is none."""
    cut_off = ("raised: {value: 2.5", "raised: {value: 3.0")
    changed = sample.put({INDEX: (*cut_off, "version: 1.0.0", f"version: {version}")})
    found = compare(load_ruleset(SAMPLE), load_ruleset(changed.folder), [])

    assert [is_enough] == [one.is_enough for one in found.versions]
    assert findings == len(found.findings)


def test_other_words_are_a_patch(rules, folder):
    """No answer changes, and nobody is tried for that."""
    found = compared(rules, folder, (SLEEP, "One bad night", "A single bad night"))

    assert [("short_sleep", "patch", "no answer changed")] == [
        (one.id, one.bump, one.why) for one in found.versions
    ]
    assert () == found.findings


def test_what_others_could_use_and_cannot_any_more_is_major(rules, folder):
    """A band that is gone."""
    found = compared(
        rules,
        folder,
        ("indices/tyg_bmi.yaml", "title: ", "title: Other "),
        ("indices/tyg_bmi.yaml", "version: 1.0.0", "version: 1.0.1"),
        (SLEEP, "code: IR-SLP-01", "code: IR-SLP-09"),
    )

    assert [("tyg_bmi", "patch", True), ("short_sleep", "major", False)] == [
        (one.id, one.bump, one.is_enough) for one in found.versions
    ]
    assert ["CDS607"] == [one.code for one in found.findings]


def test_a_rule_that_is_new_and_one_that_is_gone():
    """Are said as such."""
    rules = load_ruleset(SAMPLE)
    kept = {name: one for name, one in rules.cards.items() if name != "prediabetes"}
    order = tuple(one for one in rules.order if one != ("card", "prediabetes"))
    other = replace(rules, cards=kept, order=order)
    gone, new = compare(rules, other, []), compare(other, rules, [])

    assert [("prediabetes", "gone")] == [(one.id, one.state) for one in gone.rules]
    assert [("prediabetes", "new")] == [(one.id, one.state) for one in new.rules]


def test_a_concept_that_is_read_otherwise(rules):
    """Rules stay as they are, and their answers change through it."""
    found = compare(rules, _deaf(rules), [somebody(rules)])

    assert ("concept sleep_duration changed",) == found.others
    assert ("concept sleep_duration changed",) == next(
        one for one in found.rules if one.id == "short_sleep"
    ).through
    assert () == found.versions


def _deaf(rules):
    """The same rules, without a code for the hours of sleep."""
    concept = replace(rules.concepts["sleep_duration"], codes=())
    return replace(rules, concepts={**rules.concepts, "sleep_duration": concept})


def test_who_cannot_be_read_is_named(rules, folder):
    """And counted nowhere."""

    def fails(_):
        raise ValueError("no patient")

    people = [Subject("nobody", "patients", fails, NOW)]
    found = compared(rules, folder, (SLEEP, "value: 7 h", "value: 6.5 h"), people=people)

    assert ("nobody: no patient",) == found.unread
    assert 0 == found.tried["patients"]


def test_numbers_that_differ_in_digits_that_are_not_shown(rules, folder):
    """Are shown with more of them."""
    found = compared(rules, folder, ("indices/homa_ir.yaml", "insulin / 405", "insulin / 404.99"))
    alike = {
        (before, after)
        for before, after in answers(found, "homa_ir")
        if before[:4] == after[:4] and not before.startswith("0 to")
    }

    assert alike
    assert all(len(before) > len("4.18 raised") for before, _ in alike)
