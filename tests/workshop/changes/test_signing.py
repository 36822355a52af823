"""
What a profile really changes, as a table to be signed.
"""

import pytest

from cds.fhir.retrieve import retrieve
from cds.rulefiles import load_ruleset
from cds.workshop.changes.asking import Subject
from cds.workshop.changes.signing import effects, table
from cds.workshop.testing.patients import NOW, prefetch_of
from tests.sites import hospital

GIVEN = {
    "age": "29 years",
    "sex": "female",
    "pregnancy_status": "no",
    "hba1c": "5.5 %",
    "fasting_plasma_glucose": "94 mg/dL",
}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The rules under the default profile, and under that of the example."""
    more = {
        "show_units:": "ethnic_group: asian\nshow_units:",
        "    because: Duplicates": "    because: A | B, duplicates",
    }
    folder = hospital(tmp_path_factory.mktemp("site"), more)
    return load_ruleset(folder), load_ruleset(folder, "example_hospital")


def person(rules, name, **given):
    """Somebody of a population."""
    prefetch = prefetch_of(rules, {**GIVEN, **given})
    return Subject(
        name,
        "patients",
        lambda other: retrieve(prefetch, patient_id="case", searches=other.searches),
        NOW,
    )


def fails(_):
    """Somebody who cannot be read."""
    from cds.errors import BadRequest  # noqa: PLC0415

    raise BadRequest("no patient")


@pytest.fixture(scope="module")
def found(both):
    """Who is concerned by which key."""
    default, site = both
    people = [
        person(default, "between the cut-offs", fasting_insulin="12 mU/L"),
        person(default, "above both", fasting_insulin="18 mU/L"),
        person(default, "short of sleep", hba1c="6.1 %", sleep_duration="5 h"),
        person(default, "healthy", fasting_insulin="4 mU/L"),
        Subject("unreadable", "patients", fails, NOW),
    ]
    return effects(default, site, people)


def test_each_change_is_looked_at_by_itself(found):
    """A cut-off concerns those between; a card that is off those who would have seen it."""
    changes, people = found
    concerned = {one.override.key: one.subjects for one in changes}

    assert 4 == people
    assert ("between the cut-offs",) == concerned["thresholds.homa_ir_any.raised"]
    assert ("short of sleep",) == concerned["cards.short_sleep.disabled"]
    assert ("between the cut-offs", "above both") == concerned[
        "cards.compensated_insulin_resistance.suggestions.record"
    ]
    assert () == concerned["cards.menopause_transition.status"]
    assert () == concerned["codes.fasting_insulin"]
    assert () == concerned["show_units.fasting_insulin"]


def test_the_cards_that_change_are_named(found):
    """By their codes, for a committee knows those."""
    cards = {one.override.key: one.cards for one in found[0]}

    assert ("IR-SLP-01 1",) == cards["cards.short_sleep.disabled"]
    assert any(one.startswith("IR-STG-04") for one in cards["thresholds.homa_ir_any.raised"])


def test_the_table(both, found):
    """Key, the rule's, the site's, reason, approval, patients."""
    lines = list(table(both[1], *found))

    assert "# Example Hospital, adult outpatients (`example_hospital`)" == lines[0]
    assert (
        "| `thresholds.homa_ir_any.raised` | 2.5 | 3.0 | The same cut-off for a number that our "
        "laboratory reports | Metabolic lead 2026-08-20 | 1 (IR-STG-04 1, MC-MISSING 1) |"
    ) in lines
    assert any(r"A \| B, duplicates" in line for line in lines)
    assert lines[-1].startswith("Approved by:")


def test_a_profile_that_changes_nothing(both):
    """Can be signed too."""
    assert "| nothing | - | - | - | - | 0 |" in list(table(both[0], [], 4))
