"""
Packaging: what is locked is what is asked for, and every hash is there.
"""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def names_in(text):
    """
    The packages of a requirements file, as PyPI spells them.
    """
    found = re.findall(r"^([A-Za-z][\w.-]*)", text, flags=re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", one).lower() for one in found}


@pytest.mark.parametrize("name", ["runtime", "build", "authoring", "dev", "lock"])
def test_what_is_asked_for_is_locked_with_hashes(name):
    """
    Every package, exactly one version, at least one hash (T63).
    """
    asked = names_in((REQUIREMENTS / f"{name}.in").read_text("utf-8"))
    locked = (REQUIREMENTS / f"{name}.txt").read_text("utf-8")
    blocks = re.findall(r"^(\S+==\S+)((?:.*\\\n)+.*)", locked, flags=re.MULTILINE)

    assert asked <= names_in(locked)
    assert len(names_in(locked)) == len(blocks)
    assert all("--hash=sha256:" in block for _, block in blocks)


def test_the_project_and_its_lock_ask_for_the_same():
    """
    The dependencies of the package are those of `runtime.in`.
    """
    lines = (REQUIREMENTS / "runtime.in").read_text("utf-8").splitlines()
    wanted = {re.sub(r"\s|'|\"", "", one) for one in lines if one and not one.startswith("#")}
    given = {re.sub(r"\s|'|\"", "", one) for one in PROJECT["project"]["dependencies"]}

    assert wanted == given


def test_the_engine_is_the_one_that_was_looked_at():
    """
    One version, one file (T63).
    """
    engine = (REQUIREMENTS / "engine.txt").read_text("utf-8")

    assert PROJECT["project"]["optional-dependencies"]["engine"] == ["durable-rules==2.0.28"]
    assert "durable-rules==2.0.28" in engine
    assert 1 == engine.count("--hash=sha256:")


def test_every_exception_from_the_linter_has_its_reason():
    """
    Beside it.
    """
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    ignored = re.findall(r'^    "[A-Z]+\d*",(.*)$', text, flags=re.MULTILINE)

    assert 30 < len(ignored)
    assert [] == [one for one in ignored if "#" not in one]
