"""
Every construct that a clinical rule needs is shown by a rule that needs it, and tested.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.format.conftest import CASED, examples, files_of
from tests.format.rows import ROWS, UNSHOWN

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("row", [one for one in ROWS if one not in UNSHOWN])
def test_a_row_has_its_examples(row):
    """
    A file that is there, with the words that are meant.
    """
    missing = [
        path
        for path, words in ROWS[row]
        if not (ROOT / path).is_file() or words not in (ROOT / path).read_text("utf-8")
    ]

    assert [] == missing
    assert ROWS[row]


def test_what_is_not_shown_yet_is_said():
    """
    A row without an example stands in the list of those, and only such a row.
    """
    assert {row for row, found in ROWS.items() if not found} == UNSHOWN


def test_the_examples_load(extended):
    """
    On top of the shipped rules, without an error of theirs.
    """
    assert [] == [str(one) for one in extended.diagnostics if one.severity == "error"]


@pytest.mark.parametrize("name", examples())
def test_the_cases_of_an_example_pass(name, passed):
    """
    By both evaluators; every rule of an example has cases.
    """
    rules = [Path(path).stem for path in files_of(name) if path.split("/")[0] in CASED]
    failed = [
        f"{one.name}: {difference}"
        for rule in rules
        for one in passed.get(rule, [])
        for difference in one.differences
    ]

    assert [] == failed
    assert [] == [rule for rule in rules if not passed.get(rule)]
