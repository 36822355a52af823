"""
`cds handover`: a sheet to the terminal or into a file, and what is said where it cannot be.
"""

import json
import os
import shutil

import pytest
from typer.testing import CliRunner

from cds.cli.__main__ import app
from cds.service.settings import default_rules


@pytest.fixture
def handover(tmp_path, monkeypatch):
    """
    Calls the verb with one registered client.
    """
    folder = tmp_path / "clients"
    folder.mkdir()
    registered = {"name": "north", "title": "North Hospital", "ehr": "epic"}
    (folder / "north.json").write_text(json.dumps(registered), "utf-8")
    for name in [one for one in os.environ if one.startswith("CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CDS_PUBLIC_URL", "https://cds.example")

    def call(*args):
        result = CliRunner().invoke(app, ["handover", "--clients", str(folder), *args])
        return result.exit_code, result.output

    return call


def test_the_sheet_is_printed(handover):
    """
    As Markdown, with the addresses of the environment.
    """
    code, said = handover("--client", "north")

    assert 0 == code
    assert said.startswith("# Hand-over sheet: North Hospital\n")
    assert "https://cds.example/cds-services/metabolic-patient-view" in said


def test_the_rules_are_those_of_the_service(handover, monkeypatch, tmp_path):
    """
    `CDS_RULES` names them, as it does for what is served; what would not be has no sheet.
    """
    assert "rules 2026.11" in handover("--client", "north")[1]
    own = shutil.copytree(default_rules(), tmp_path / "rules")
    release = own / "release.yaml"
    release.write_text(release.read_text("utf-8").replace("2026.11", "2027.03"), "utf-8")
    monkeypatch.setenv("CDS_RULES", str(own))
    assert "rules 2027.03" in handover("--client", "north")[1]
    monkeypatch.setenv("CDS_RULES", str(tmp_path / "clients"))
    code, said = handover("--client", "north")

    assert 2 == code
    assert "there is no active card among the rules of this folder" in said


def test_the_sheet_is_written(handover, tmp_path):
    """
    The same text into a file.
    """
    out = tmp_path / "north.md"
    code, said = handover("--client", "north", "--out", str(out))

    assert (0, f"wrote {out}") == (code, " ".join(said.split()))
    assert handover("--client", "north")[1] == out.read_text("utf-8")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--client", "south"), "south: is not registered in"),
        (("--client", "north", "--out", "/nowhere/x.md"), "cannot be written"),
    ],
)
def test_what_is_wrong_is_said(handover, args, sentence):
    """
    In a sentence, with the exit code of a wrong call.
    """
    code, said = handover(*args)

    assert 2 == code
    assert sentence in said


def test_a_setting_that_cannot_be_read_is_named(handover, monkeypatch):
    """
    Never its value.
    """
    monkeypatch.setenv("CDS_PUBLIC_ADDRESS", "Zebedee")
    code, said = handover("--client", "north")

    assert 2 == code
    assert "CDS_PUBLIC_ADDRESS: is no setting" in said
    assert "Zebedee" not in said
