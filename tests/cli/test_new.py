"""
`cds new`: what is written, and what is not overwritten.
"""

import shutil

import pytest
from typer.testing import CliRunner

from cds.cli.__main__ import app
from tests.check_pages import SAMPLE


@pytest.fixture
def rules(tmp_path):
    """
    A copy of the sample rules.
    """
    return shutil.copytree(SAMPLE, tmp_path / "rules")


def new(rules, *args):
    """
    Exit code and output.
    """
    result = CliRunner().invoke(app, ["new", *args, "--rules", str(rules)])
    return result.exit_code, result.output


def test_a_rule_is_begun(rules):
    """
    The file is named, and what to do next.
    """
    found = new(rules, "factor", "visceral_fat", "--title", "Visceral fat")
    text = (rules / "factors" / "visceral_fat.yaml").read_text("utf-8")

    assert 0 == found[0]
    assert "wrote rules/factors/visceral_fat.yaml  draft, one evidence item" in found[1]
    assert found[1].endswith("\nnext: cds watch visceral_fat\n")
    assert "title: Visceral fat\n" in text


def test_a_group_has_no_tests_to_watch(rules):
    """
    It is checked.
    """
    assert new(rules, "group", "fat")[1].endswith("next: cds check fat\n")


def test_nothing_is_overwritten(rules):
    """
    Not what has the id, nor a file that cannot be read as a rule.
    """
    broken = rules / "cards" / "broken.yaml"
    broken.write_text("kind: [\n", "utf-8")
    found = [new(rules, "card", one) for one in ("prediabetes", "broken")]

    assert [2, 2] == [code for code, _ in found]
    assert all("is there already" in output for _, output in found)
    assert "kind: [\n" == broken.read_text("utf-8")


def test_an_unknown_kind(rules):
    """
    Gets a hint.
    """
    code, output = new(rules, "factory", "x")

    assert 2 == code
    assert "did you mean `factor`?" in output
