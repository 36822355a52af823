"""
NHANES 2017-2018: 961 real people, half in US and half in SI units.

HOMA-IR and the glycaemic category are worked out again from the raw numbers of the
survey, by a script that knows nothing of the rule files.
"""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.serving import searchset, shipped
from tests.shared_data import SHARED, lines, needs_shared_data

pytestmark = needs_shared_data

FOLDER = SHARED / "population" / "nhanes-2017-2018"
AS_OF = {"2018-02": datetime(2018, 2, 28, tzinfo=UTC), "2018-07": datetime(2018, 7, 31, tzinfo=UTC)}
PLAUSIBLE_INSULIN = 300


@pytest.fixture(scope="module")
def people() -> list[tuple[dict[str, str], Any, str]]:
    """Every person: the survey's numbers, what the service concludes, the HOMA-IR state."""
    opened = shipped()
    rows = {
        row["SEQN"]: row for row in csv.DictReader((FOLDER / "values.csv").read_text().splitlines())
    }
    patients = {one["id"]: one for one in lines(FOLDER / "Patient.ndjson.gz")}
    observations: dict[str, list[Any]] = {name: [] for name in patients}
    for one in lines(FOLDER / "Observation.ndjson.gz"):
        observations[one["subject"]["reference"].partition("/")[2]].append(one)
    found = []
    for name, patient in patients.items():
        mine = observations[name]
        prefetch = {
            "patient": patient,
            **{
                search: searchset([])
                for search, one in opened.rules.searches.items()
                if one.resource != "Patient"
            },
            "glycaemia": searchset(mine),
        }
        months = {one["effectiveDateTime"] for one in mine}
        as_of = AS_OF[months.pop()]
        found.append((rows[name.rpartition("-")[2]], opened.conclude(prefetch, name, as_of), name))
    return found


def glucose(row: dict[str, str]) -> float | None:
    """Give fasting glucose as it was sent."""
    text = row["LBDGLUSI"] if row["units"] == "SI" else row["LBXGLU"]
    return float(text) if text else None


def is_pregnant(row: dict[str, str]) -> bool:
    """Tell whether the survey found a pregnancy."""
    return row["RIDEXPRG"] == "1"


def homa(row: dict[str, str]) -> float | None:
    """Work HOMA-IR out from the raw numbers, in the unit that was sent."""
    if glucose(row) is None or not row["LBXIN"]:
        return None
    if row["units"] == "SI":
        return glucose(row) * (float(row["LBDINSI"]) / 6.0) / 22.5  # type: ignore[operator]
    return glucose(row) * float(row["LBXIN"]) / 405  # type: ignore[operator]


def category(row: dict[str, str]) -> str:
    """Judge HbA1c and fasting glucose as sent, by the paired cut-offs."""
    limits = (5.6, 7.0) if row["units"] == "SI" else (100, 126)
    ranks = []
    if row["LBXGH"]:
        ranks.append((float(row["LBXGH"]) >= 5.7) + (float(row["LBXGH"]) >= 6.5))
    value = glucose(row)
    if value is not None:
        ranks.append(sum(value >= limit for limit in limits))
    if not ranks:
        return "unknown"
    if max(ranks) == 2:
        return "diabetes range, twice" if ranks.count(2) == 2 else "diabetes range, once"
    return ("normal", "prediabetes")[max(ranks)]


CATEGORY_OF = {
    "S3L": "diabetes range, twice",
    "DUNC": "diabetes range, once",
    "S2": "prediabetes",
    "UNDET": "unknown",
    "UNDET+IR": "unknown",
    **dict.fromkeys(("S0", "S0P", "S1", "S1P", "NG?", "S2R"), "normal"),
}


def test_homa_ir_equals_an_independent_formula(people: list[Any]) -> None:
    """Every valid one to ten digits; the others by the reason the survey gives."""
    reasons: Counter[str] = Counter()
    for row, conclusions, name in people:
        found = conclusions.numbers["homa_ir"]
        expected = homa(row)
        limit = 10.0 if row["units"] == "SI" else 180
        if is_pregnant(row):
            reasons["pregnant"] += 1
            assert "not valid" == found.state, name
        elif expected is None:
            reasons["no fasting glucose or insulin"] += 1
            assert "unknown" == found.state, name
        elif glucose(row) >= limit:  # type: ignore[operator]
            reasons["glucose 180 mg/dL or more"] += 1
            assert "not valid" == found.state, name
        elif float(row["LBXIN"]) > PLAUSIBLE_INSULIN:
            reasons["insulin outside the plausible range"] += 1
            assert "unknown" == found.state, name
        elif row["LBDINLC"] == "1":
            reasons["below detection: a bound"] += 1
            assert found.number.value is None, name
            assert expected == pytest.approx(float(found.number.high), rel=1e-10), name
        else:
            reasons[f"valid, {row['units']}"] += 1
            assert found.number is not None, (name, found)
            assert found.number.value is not None, name
            assert expected == pytest.approx(float(found.number.value), rel=1e-10), name
    print("\nNHANES HOMA-IR:", dict(reasons))

    assert reasons["valid, US"] > 300
    assert reasons["valid, SI"] > 300


def test_category_equals_an_independent_script(people: list[Any]) -> None:
    """Person by person, judged on the value as sent."""
    differing = []
    for row, conclusions, name in people:
        label = conclusions.stage.label
        if int(row["RIDAGEYR"]) < 18:
            expected = "NOT_STAGED(age)"
        elif is_pregnant(row):
            expected = "NOT_STAGED(pregnancy)"
        else:
            expected = category(row)
            label = CATEGORY_OF.get(label, label)
        if expected != label:
            differing.append((name, expected, label))
    print("\nNHANES stages:", Counter(one[1].stage.label for one in people))

    assert [] == differing
