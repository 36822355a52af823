"""
`cds schema`: what is printed, and what is written.
"""

import json

import pytest
from typer.testing import CliRunner

from cds.cli.__main__ import app
from cds.rulefiles.kinds import KINDS


@pytest.fixture
def schema(tmp_path):
    """
    Calls the verb on an empty folder of rules.
    """
    (tmp_path / "rules").mkdir()

    def call(*args):
        result = CliRunner().invoke(app, ["schema", *args, "--rules", str(tmp_path / "rules")])
        return result.exit_code, result.output

    return call


def test_one_kind_or_any_kind_is_printed(schema):
    """
    As JSON.
    """
    assert "kind: card" == json.loads(schema("card")[1])["title"]
    assert "a rule file" == json.loads(schema()[1])["title"]


def test_schemas_are_written_where_they_changed(schema, tmp_path):
    """
    And a second time none is.
    """
    one, every, again = schema("card", "--write"), schema("--write"), schema("--write")
    names = sorted(path.stem for path in (tmp_path / "rules" / "schema").iterdir())

    assert (0, "wrote rules/schema/card.json\n") == one
    assert len(KINDS) == len(every[1].splitlines())
    assert (0, "") == again
    assert sorted([*KINDS, "rule"]) == names


def test_an_unknown_kind(schema):
    """
    Gets the nearest one, or all of them.
    """
    code, output = schema("crad")

    assert 2 == code
    assert "`crad` is not a kind of rule file; did you mean `card`?" in output
    assert "kinds: concepts, evidence" in schema("zzz")[1]
