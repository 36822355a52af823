"""
The release that is served: refused where production must not serve it.
"""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cds.errors import RuleError
from cds.service.release import NotServedError, open_release
from cds.service.settings import Settings, default_rules
from cds.service.start import clock_of, opened, try_next

ROOT = Path(__file__).parent.parent.parent


def test_the_shipped_release_counts_what_it_holds():
    """
    And how much of it no clinician has reviewed.
    """
    release = open_release(default_rules(), unreviewed=True)

    assert len(release.ruleset.cards) == release.counts["cards"] >= 1
    assert set(release.pending) >= {"staging"}


def test_production_refuses_what_nobody_reviewed():
    """
    Unless it is told to.
    """
    with pytest.raises(NotServedError, match="ALLOW_UNREVIEWED=1"):
        open_release(default_rules(), unreviewed=False)


def test_a_release_without_a_card_is_not_served(tmp_path):
    """
    Its silence would look like health.
    """
    with pytest.raises(NotServedError, match="no active card"):
        open_release(tmp_path, unreviewed=True)


def test_rules_that_cannot_be_used_are_not_served(tmp_path):
    """
    With their errors.
    """
    (tmp_path / "release.yaml").write_text("kind: release\nid: release\nid: release\n", "utf-8")

    with pytest.raises(RuleError) as error:
        open_release(tmp_path, unreviewed=True)

    assert {"error"} == {one.severity for one in error.value.diagnostics}


def test_the_clock_stands_still_where_it_was_told_to():
    """
    Else it has a zone.
    """
    frozen = Settings(env="development", clock="2026-11-21")

    assert frozen.clock == clock_of(frozen)()
    assert clock_of(Settings())().tzinfo is not None


def test_whoever_starts_it_is_told_what_to_try():
    """
    With the address it is served on.
    """
    assert "curl http://127.0.0.1:8123/cds-services" in try_next(Settings(port=8123))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"CDS_ENV": "production"}, "CDS_CLIENTS: must name a folder"),
        ({}, "cds client add"),
        ({"CDS_PROT": "1"}, "CDS_PROT: is no setting"),
        ({"CDS_RULES": "/nowhere"}, "CDS_RULES: "),
    ],
)
def test_the_entry_says_why_it_cannot_start(environment, expected):
    """
    In one line, with the exit code of a configuration error.
    """
    run = subprocess.run(
        [sys.executable, "hooks_service.py"],
        cwd=ROOT,
        env={"PATH": "", **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert 78 == run.returncode
    assert expected in run.stderr
    assert "Traceback" not in run.stderr


def test_a_python_without_the_packages_is_told_where_they_are():
    """
    Not every Python of a machine is the one that was set up.
    """
    run = subprocess.run(
        [sys.executable, "-S", "-E", "hooks_service.py"],
        cwd=ROOT,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert 78 == run.returncode
    assert re.fullmatch(
        r"cannot start: this Python has no package \w+; `make setup` .*\n", run.stderr
    )


@pytest.mark.parametrize(
    ("host", "because"),
    [("127.0.0.1", "address already in use"), ("192.0.2.1", "cannot assign requested address")],
)
def test_an_address_that_cannot_be_had_is_named(capsys, host, because):
    """
    Before anybody is told to call there.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings.model_construct(host=host, port=taken.getsockname()[1])
        with pytest.raises(SystemExit) as ends:
            opened(settings)

    assert 78 == ends.value.code
    assert "cannot start: HOST and PORT: " in (said := capsys.readouterr().err)
    assert because in said
