"""
Folders, and what they were in a revision of git.
"""

import shutil
import subprocess

import pytest

from cds.workshop.changes.revisions import NoSuchRulesError, rules_at


@pytest.fixture
def checkout(tmp_path):
    """A repository with two revisions of a folder of rules."""
    if shutil.which("git") is None:
        pytest.skip("there is no git here")
    rules = tmp_path / "rules"
    rules.mkdir()

    def git(*words):
        me = ["-c", "user.name=x", "-c", "user.email=x@y"]
        subprocess.run(
            ["git", "-C", str(tmp_path), *me, *words],  # noqa: S607 - whichever is there
            check=True,
            capture_output=True,
        )

    git("init", "-q")
    (tmp_path / "README").write_text("none yet", "utf-8")
    git("add", ".")
    git("commit", "-qm", "zero")
    for release in ("1", "2"):
        (rules / "release.yaml").write_text(release, "utf-8")
        git("add", ".")
        git("commit", "-qm", release)
    return rules


def test_a_folder_is_itself(checkout):
    """Whatever git says."""
    with rules_at(str(checkout), checkout) as folder:
        assert checkout == folder


def test_a_revision_is_unpacked_and_taken_away_again(checkout):
    """That folder alone, under its own name."""
    with rules_at("HEAD~1", checkout) as folder:
        assert "rules" == folder.name
        assert ["release.yaml"] == [one.name for one in folder.iterdir()]
        assert "1" == (folder / "release.yaml").read_text("utf-8")

    assert not folder.exists()


@pytest.mark.parametrize("where", ["nowhere", "--output=x", "HEAD~9", ""])
def test_what_is_neither(checkout, where):
    """Is said; an option is never given to git."""
    with pytest.raises(NoSuchRulesError), rules_at(where, checkout):
        pass

    assert ["release.yaml"] == [one.name for one in checkout.iterdir()]


def test_a_revision_in_which_there_were_no_rules(checkout):
    """Is another matter than one that does not exist."""
    with (
        pytest.raises(NoSuchRulesError, match="there was no rules then"),
        rules_at("HEAD~2", checkout),
    ):
        pass


def test_a_folder_that_git_does_not_know(tmp_path):
    """Has no revisions."""
    with pytest.raises(NoSuchRulesError), rules_at("main", tmp_path):
        pass


def test_a_machine_without_git(checkout, monkeypatch):
    """Has none either."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoSuchRulesError), rules_at("HEAD", checkout):
        pass
