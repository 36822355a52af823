"""
What `cds run` prints beside the cards: counts, what is not known and why, what is not used.
"""

import json

import pytest
from typer.testing import CliRunner

from cds.cli.__main__ import app

RECORD = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "resource": {
                "resourceType": "Patient",
                "id": "1",
                "gender": "male",
                "birthDate": "1976-01-01",
            }
        },
        {"resource": {}},
        {"resource": {}},
    ],
}


def observation(number, code, value, unit, day):
    """
    A result of a day.
    """
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": day,
        "valueQuantity": {
            "value": value,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }


@pytest.fixture
def printed(tmp_path):
    """
    What is printed of a man with an old HbA1c and a glucose in no unit there is.
    """
    record = json.loads(json.dumps(RECORD))
    record["entry"][1]["resource"] = observation(1, "4548-4", 5.9, "%", "2023-03-19")
    record["entry"][2]["resource"] = observation(2, "1558-6", 104, "furlong", "2026-05-19")
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record), "utf-8")

    def run(*options):
        call = ["run", str(path), "--as-of", "2026-06-01", "--width", "200", "--no-color"]
        return CliRunner().invoke(app, [*call, *options]).output.splitlines()

    return run


def test_what_became_of_the_rules_is_counted(printed):
    """
    In one line below the first.
    """
    lines = printed()

    assert "rules considered" in lines[1]
    assert "not decided" in lines[1]
    assert "quiet" not in lines[1]


def test_what_is_not_known_has_its_reason(printed):
    """
    What is too old with its value and date.
    """
    lines = printed()

    assert any("HbA1c (stale, 5.9 % on 2023-03-19), undecided:" in line for line in lines)
    assert any("Fasting glucose (unit), undecided:" in line for line in lines)


def test_ids_are_told_only_where_they_are_wanted(printed):
    """
    They are of a patient.
    """
    plain, named = printed(), printed("--ids")

    assert not any("Observation/" in line for line in plain)
    assert any("1 x HbA1c: stale (Observation/o1)" in line for line in named)
    assert any("1 x Fasting glucose: unit (Observation/o2)" in line for line in named)


def test_in_brief_a_card_is_a_line(printed):
    """
    Its urgency, its summary and its code.
    """
    cards = [line for line in printed("--brief") if line.startswith("  info ")]

    assert cards
    assert not any("\u256d" in line for line in printed("--brief"))
    assert all(line.split()[-1].startswith(("IR-", "MC-")) for line in cards)
