"""
Files that could harm: a diagnostic, never a traceback. What each costs, `make bench` tells.
"""

import pytest

from cds.core.clauses import Place
from cds.rulefiles import load
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.source import MOST_NODES
from tests.hostile import BYTES, HEAD, PLACES, TEXTS


@pytest.fixture
def path(tmp_path):
    """
    Where the file goes.
    """
    (tmp_path / "rules" / "conditions").mkdir(parents=True)
    return tmp_path / "rules" / "conditions" / "x.yaml"


def refused(path):
    """
    What is said of the file.
    """
    loaded = load(path.parent.parent)
    found = [one for one in loaded.diagnostics if one.place.path == "rules/conditions/x.yaml"]
    assert loaded.ruleset is None
    return found


@pytest.mark.parametrize("what", sorted(TEXTS))
def test_a_text_is_refused(path, what):
    """
    With a place, and never with more findings than somebody would read (T47).
    """
    path.write_bytes(TEXTS[what].encode("utf-8", "surrogatepass"))
    found = refused(path)

    assert any(one.severity == "error" for one in found)
    assert 202 > len(found)


@pytest.mark.parametrize("what", sorted(BYTES))
def test_bytes_are_refused(path, what):
    """
    What is not UTF-8 is not guessed at (T47).
    """
    path.write_bytes(BYTES[what])

    assert ["the file is not UTF-8"] == [one.headline for one in refused(path)]


@pytest.mark.parametrize("what", sorted(PLACES))
def test_what_is_no_file_is_refused(path, what):
    """
    It is not opened, or not read (T47).
    """
    PLACES[what](path)
    (found,) = refused(path)

    assert "CDS101" == found.code
    assert found.headline.startswith(("the file cannot be read: ", "the file has 104857600 bytes"))


def test_a_folder_that_holds_itself_is_read_once(path):
    """
    Links to folders are not followed.
    """
    (path.parent / "loop").symlink_to("..")
    path.write_text(HEAD, "utf-8")

    assert {"rules/conditions/x.yaml"} == {one.place.path for one in refused(path)}


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_are_read(path, end):
    """
    And a byte order mark is passed over.
    """
    path.write_bytes(("\ufeff" + HEAD + "holds_if: sex is mal\n").replace("\n", end).encode())

    assert (4, 18) in [(one.place.line, one.place.column) for one in refused(path)]


def test_a_file_has_no_more_nodes_than_a_reader_could_bear(path):
    """
    It is read no further.
    """
    path.write_text(HEAD + "because: [" + "x," * MOST_NODES + "]\n", "utf-8")

    assert [f"more than {MOST_NODES} keys, values and lists"] == [
        one.headline for one in refused(path)
    ]


def test_findings_of_one_file_are_capped():
    """
    The first are kept; that there are more is an error, so that none is overlooked.
    """
    report = Report()
    for line in range(1, 500):
        report.add("CDS611", Place("a", line, 1), "x")
    report.add("CDS611", Place("b", 1, 1), "x")
    found = report.sorted()

    assert 202 == len(found)
    assert ("CDS101", "error", "more than 200 findings in one file") == (
        found[0].code, found[0].severity, found[0].headline,
    )  # fmt: skip
    assert (True, False) == (report.is_full("a"), report.is_full("b"))
