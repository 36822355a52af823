"""
The sample rules of the pages about checks, to change one thing at a time.
"""

import shutil
from datetime import date
from pathlib import Path

import pytest

from cds.rulefiles.loader import load, load_ruleset
from cds.rulefiles.rendering import render
from cds.workshop.checks.checking import check_folder
from cds.workshop.testing.lab import Lab
from tests.check_pages import AS_OF, SAMPLE

RULES = Path(__file__).parent.parent.parent / "rules"


class Sample:
    """A copy of the sample folder; a change is a (before, after) pair, or a whole text."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(SAMPLE, folder)

    def put(self, changes):
        for path, change in changes.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            text = change if isinstance(change, str) else target.read_text("utf-8")
            pairs = () if isinstance(change, str) else zip(change[::2], change[1::2], strict=True)
            for before, after in pairs:
                assert before in text, f"{path} does not hold {before!r}"
                text = text.replace(before, after)
            target.write_bytes(text.encode())
        return self

    def check(self, changes=None, *, as_of: date = AS_OF):
        """Check the folder with some changes."""
        return check_folder(self.put(changes or {}).folder, as_of=as_of)

    def found(self, changes=None, *, as_of: date = AS_OF):
        """Give `CODE headline` of every finding."""
        return [f"{one.code} {one.headline}" for one in self.meant(changes, as_of=as_of)]

    def drawn(self, changes=None, *, as_of: date = AS_OF):
        """Give every finding as its author reads it."""
        found = self.meant(changes, as_of=as_of)
        sources = load(self.folder).sources
        return "\n\n".join(render(one, sources) for one in found)

    def meant(self, changes=None, *, as_of: date = AS_OF):
        """Leave the layout of the sample aside: it is changed as a test likes."""
        checked = self.check(changes, as_of=as_of)
        return [one for one in checked.findings if one.code != "CDS108"]


@pytest.fixture
def sample(tmp_path):
    return Sample(tmp_path / "rules")


@pytest.fixture(scope="session")
def rules():
    """Load the shipped rules."""
    return load_ruleset(RULES)


@pytest.fixture(scope="session")
def lab(rules):
    """Open a lab on the shipped rules, for the reference evaluator alone."""
    found = Lab(rules, engine="reference")
    yield found
    found.close()


@pytest.fixture
def folder(tmp_path):
    """Copy the shipped rules, and change texts of files in the copy."""

    def copied(*changes):
        target = tmp_path / "rules"
        if not target.exists():
            shutil.copytree(RULES, target)
        for path, old, new in changes:
            file = target / path
            text = file.read_text("utf-8")
            assert old in text, old
            file.write_text(text.replace(old, new), "utf-8")
        return target

    return copied
