"""
The example folders on top of the shipped rules: all of them at once.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cds.rulefiles.loader import load
from cds.workshop.testing.running import results_of
from tests.serving import RULES

FORMAT = Path(__file__).parent
CASED = ("conditions", "indices", "cards", "factors")


def examples():
    """
    Name the example folders.
    """
    return sorted(one.name for one in FORMAT.iterdir() if one.is_dir() and one.name[0] != "_")


def files_of(name):
    """
    Name the rule files of one example, as the folder of rules would.
    """
    return sorted(str(one.relative_to(FORMAT / name)) for one in (FORMAT / name).rglob("*.yaml"))


@pytest.fixture(scope="session")
def extended(tmp_path_factory):
    """
    Load the shipped rules with every example.
    """
    folder = tmp_path_factory.mktemp("format") / "rules"
    shutil.copytree(RULES, folder)
    for name in examples():
        for path in files_of(name):
            assert not (folder / path).exists(), f"{name}: {path} is there already"
            (folder / path).parent.mkdir(exist_ok=True)
            shutil.copy(FORMAT / name / path, folder / path)
    return load(folder)


@pytest.fixture(scope="session")
def passed(extended):
    """
    Run the cases of the examples: the results by rule id.
    """
    ids = {
        Path(path).stem
        for name in examples()
        for path in files_of(name)
        if Path(path).parts[0] in CASED
    }
    found = {}
    for one in results_of(extended.ruleset, ids):
        found.setdefault(one.rule, []).append(one)
    return found
