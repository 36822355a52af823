"""
`cds docs`: where the pages go.
"""

from typer.testing import CliRunner

from cds.cli.__main__ import app
from tests.check_pages import SAMPLE


def call(*words):
    """
    Exit code and what was said.
    """
    result = CliRunner().invoke(app, ["docs", *map(str, words)])
    return result.exit_code, result.stdout + result.stderr


def test_pages_are_written_where_they_changed(tmp_path):
    """
    An equal page keeps its date.
    """
    out = tmp_path / "pages"
    first = call("--rules", SAMPLE, "--out", out)
    page = out / "cards" / "prediabetes.md"
    written = page.stat().st_mtime_ns
    (out / "README.md").write_text("old", "utf-8")
    call("--rules", SAMPLE, "--out", out)

    assert (0, f"{len(list(out.rglob('*.md')))} pages in {out}\n") == first
    assert written == page.stat().st_mtime_ns
    assert "# Rules of release 2026.11" in (out / "README.md").read_text("utf-8")


def test_rules_with_errors_have_no_pages(tmp_path):
    """
    Nor is anything written where nothing can be.
    """
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "x.yaml").write_text("kind: card\nid: x\n", "utf-8")
    (tmp_path / "file").write_text("", "utf-8")

    assert 2 == call("--rules", tmp_path, "--out", tmp_path / "out")[0]
    assert 2 == call("--rules", SAMPLE, "--out", tmp_path / "file" / "out")[0]
    assert not (tmp_path / "out").exists()
