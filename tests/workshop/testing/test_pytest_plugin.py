"""Cases of rule files as pytest items."""

import os
import subprocess
import sys

import pytest

from tests.contract.traffic import python_path
from tests.workshop.conftest import RULES

SLEEP = "cards/short_sleep.yaml"


def ran(folder, *arguments):
    """Run pytest on rule files alone, in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "cds.workshop.testing.pytest_plugin"]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", "-p", "no:randomly", "-c", "/dev/null",
         f"--rootdir={folder.parent}", *arguments],
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": python_path(RULES.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )  # fmt: skip


@pytest.fixture
def cases_of_sleep(folder):
    """Open a copy of the rules whose one cut-off is wrong."""
    return folder(
        (SLEEP, "value: 7 h", "value: 6 h"),
        (SLEEP, "use: typical\n    each", "use: typical\n    todo: true\n    each"),
    )


def test_each_case_is_an_item(folder):
    """With the name that its author gave it."""
    found = ran(folder(), f"rules/{SLEEP}", "--collect-only")

    assert "rules/cards/short_sleep.yaml::six hours in prediabetes" in found.stdout


def test_what_differs_is_reported(cases_of_sleep):
    """As `cds test` does; a case that is still to be done may fail."""
    found = ran(cases_of_sleep, f"rules/{SLEEP}")

    assert "FAIL  six hours in prediabetes" in found.stdout
    assert "expected true" in found.stdout
    assert "xfailed" in found.stdout
    assert "Traceback" not in found.stdout


def test_other_files_are_left_alone(tmp_path):
    """YAML that is no rule of a release."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "other.yaml").write_text("a: b\n", "utf-8")
    found = ran(tmp_path / "rules", "rules")

    assert "no tests ran" in found.stdout
