"""
`cds fmt`: which files are laid out anew, and what is only shown.
"""

import pytest
from typer.testing import CliRunner

from cds.cli.__main__ import app

LOOSE = "kind:   group\nid: ir\nwhen_several_fire:  'merge'   # why\n"
TIDY = "kind: group\nid: ir\nwhen_several_fire: merge  # why\n"


@pytest.fixture
def rules(tmp_path):
    """
    A folder with a file that is as it should be, and one that is not.
    """
    folder = tmp_path / "rules"
    (folder / "groups").mkdir(parents=True)
    (folder / "groups" / "ir.yaml").write_text(LOOSE, "utf-8")
    (folder / "groups" / "sleep.yaml").write_text(TIDY, "utf-8")
    return folder


def fmt(rules, *args):
    """
    Exit code and output.
    """
    result = CliRunner().invoke(app, ["fmt", *map(str, args), "--rules", str(rules)])
    return result.exit_code, result.output


def test_files_are_laid_out_anew(rules):
    """
    All of them, and a second time none.
    """
    first, second = fmt(rules), fmt(rules)

    assert (0, "formatted rules/groups/ir.yaml\n1 formatted, 1 as they should be\n") == first
    assert (0, "0 formatted, 2 as they should be\n") == second
    assert TIDY == (rules / "groups" / "ir.yaml").read_text("utf-8")


def test_check_writes_nothing(rules):
    """
    And fails where a file would change.
    """
    expected = "would change rules/groups/ir.yaml\n1 would change, 1 as they should be\n"

    assert (1, expected) == fmt(rules, "--check")
    assert (0, "0 would change, 1 as they should be\n") == fmt(rules, "sleep", "--check")
    assert LOOSE == (rules / "groups" / "ir.yaml").read_text("utf-8")


def test_diff_shows_what_would_change(rules):
    """
    As `diff -u` does; a missing end of the last line is said.
    """
    (rules / "groups" / "ir.yaml").write_text(LOOSE.rstrip("\n"), "utf-8")
    code, output = fmt(rules, rules / "groups" / "ir.yaml", "--diff")

    assert 1 == code
    assert (
        "--- rules/groups/ir.yaml\n+++ rules/groups/ir.yaml\n@@ -1,3 +1,3 @@\n"
        "-kind:   group\n+kind: group\n id: ir\n-when_several_fire:  'merge'   # why\n"
        "\\ No newline at end of file\n+when_several_fire: merge  # why\n"
        "1 would change, 0 as they should be\n"
    ) == output


def test_a_file_that_cannot_be_read_is_left_alone(rules):
    """
    With the reason; the others are laid out all the same.
    """
    (rules / "groups" / "a.yaml").write_text("a: [\n", "utf-8")
    (rules / "groups" / "b.yaml").write_bytes(b"a: \xff\n")
    code, output = fmt(rules)
    lines = output.splitlines()

    assert 1 == code
    assert lines[0].startswith("rules/groups/a.yaml:2:1: error[CDS101]")
    assert [
        "left alone rules/groups/a.yaml",
        "rules/groups/b.yaml: is not UTF-8",
        "left alone rules/groups/b.yaml",
        "formatted rules/groups/ir.yaml",
        "1 formatted, 1 as they should be, 2 left alone",
    ] == lines[1:]


def test_marks_and_line_ends_of_other_systems_go(rules):
    """
    A file is UTF-8 without a byte order mark, with plain line ends.
    """
    path = rules / "groups" / "ir.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TIDY.replace("\n", "\r\n").encode())
    code, _ = fmt(rules, path)

    assert 0 == code
    assert TIDY.encode() == path.read_bytes()


def test_files_elsewhere_are_named_in_full(rules, tmp_path):
    """
    A file need not be one of the rules.
    """
    path = tmp_path / "mine.yaml"
    path.write_text("a:  1\n", "utf-8")

    assert (0, f"formatted {path}\n1 formatted, 0 as they should be\n") == fmt(rules, path)


def test_nothing_to_lay_out(rules):
    """
    Is a mistake in the call.
    """
    code, output = fmt(rules, "no_such_rule")

    assert 2 == code
    assert "no rule file matches no_such_rule" in output
