"""
What stops the start: each with 78 and one line that names it, and no value.
"""

import json
import os

import pytest
from typer.testing import CliRunner

from cds.cli.__main__ import app
from cds.service.faults import BadSettingsError
from cds.service.settings import Settings, read_settings
from cds.service.start import started
from tests.tokens import ISSUER, Signer

MARK = "Zebedee"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - refused
GOOD = {"CDS_PUBLIC_URL": "https://cds.example", "CDS_ALLOW_UNREVIEWED": "1"}


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """
    An environment that a production service would start in, and what differs from it.
    """
    for name in list(os.environ):
        if name.startswith("CDS_") or name in {"HOST", "PORT", "ENGINE", "APP_ENV", "RULES"}:
            monkeypatch.delenv(name)
    folder = tmp_path / "clients"
    folder.mkdir()

    def put(settings, **client):
        registered = {"name": "ehr", "issuer": ISSUER, "keys": [Signer().jwk], **client}
        name = registered.pop("file", "ehr.json")
        text = registered.pop("text", None) or json.dumps(registered)
        (folder / name).write_text(text, "utf-8")
        database = f"sqlite:///{tmp_path / 'state.sqlite3'}"
        given = {**GOOD, "CDS_CLIENTS": str(folder), "CDS_DATABASE": database, **settings}
        for name, value in given.items():
            monkeypatch.setenv(name, value.replace("TMP", str(tmp_path)))

    return put


SETTINGS = {
    "an unknown name": ({"CDS_PASSWORT": MARK}, "CDS_PASSWORT"),
    "an unknown environment": ({"CDS_ENV": MARK}, "CDS_ENV"),
    "a port that is none": ({"CDS_PORT": MARK}, "PORT"),
    "a port beyond": ({"CDS_PORT": "65536"}, "PORT"),
    "an engine that is none": ({"CDS_ENGINE": MARK}, "ENGINE"),
    "a clock in production": ({"CDS_CLOCK": "2026-06-01"}, "CDS_CLOCK"),
    "a clock that is none": ({"CDS_CLOCK": MARK}, "CDS_CLOCK"),
    "development for everybody": ({"CDS_ENV": "development", "CDS_HOST": EVERYWHERE}, "HOST"),
    "plain HTTP for everybody": ({"CDS_HOST": EVERYWHERE}, "TRUSTED_PROXY"),
    "a body too small": ({"CDS_MAX_BODY": "1"}, "MAX_BODY"),
    "a body too large": ({"CDS_MAX_BODY": "1000000000"}, "MAX_BODY"),
    "no time": ({"CDS_RECEIVE_SECONDS": "0"}, "RECEIVE_SECONDS"),
    "no number": ({"CDS_RECEIVE_SECONDS": "nan"}, "RECEIVE_SECONDS"),
    "nobody at a time": ({"CDS_IN_FLIGHT": "0"}, "IN_FLIGHT"),
    "no signing in production": ({"CDS_AUTH": "off"}, "AUTH"),
    "a word for signing": ({"CDS_AUTH": MARK}, "AUTH"),
    "no folder of clients": ({"CDS_CLIENTS": f"/nowhere/{MARK}"}, "CDS_CLIENTS"),
    "no clients": ({"CDS_CLIENTS": ""}, "CDS_CLIENTS"),
    "no clients in the folder": ({"CDS_CLIENTS": "TMP"}, "CDS_CLIENTS"),
    "no public address": ({"CDS_PUBLIC_URL": ""}, "CDS_PUBLIC_URL"),
    "a public address in plain HTTP": ({"CDS_PUBLIC_URL": "http://x.example"}, "CDS_PUBLIC_URL"),
    "a public address with a user": ({"CDS_PUBLIC_URL": f"https://{MARK}@x"}, "CDS_PUBLIC_URL"),
    "a public address with a query": ({"CDS_PUBLIC_URL": f"https://x?{MARK}"}, "CDS_PUBLIC_URL"),
    "a public address that is none": ({"CDS_PUBLIC_URL": MARK}, "CDS_PUBLIC_URL"),
    "another database": ({"CDS_DATABASE": f"mysql://u:{MARK}@x/y"}, "CDS_DATABASE"),
    "two databases": ({"CDS_DATABASE_FILE": "TMP/secret"}, "CDS_DATABASE_FILE"),
    "a database nowhere": ({"CDS_DATABASE": f"sqlite:////nowhere/{MARK}"}, "CDS_DATABASE"),
    "no workers": ({"CDS_WORKERS": "0"}, "WORKERS"),
    "no connections": ({"CDS_CONNECTIONS": "0"}, "CDS_CONNECTIONS"),
    "a drain without end": ({"CDS_DRAIN_SECONDS": "3600"}, "CDS_DRAIN_SECONDS"),
    "another specification": ({"CDS_SPEC": "4.0"}, "CDS_SPEC"),
    "a word for yes": ({"CDS_CRD": MARK}, "CDS_CRD"),
    "a word for reload": ({"CDS_RELOAD": MARK}, "RELOAD"),
    "no rules": ({"CDS_RULES": f"/nowhere/{MARK}"}, "RULES"),
    "rules that are none": ({"CDS_RULES": "TMP"}, "no active card"),
    "rules that nobody reviewed": ({"CDS_ALLOW_UNREVIEWED": "0"}, "ALLOW_UNREVIEWED"),
    "a profile that is none": ({"CDS_PROFILE": "../etc"}, "CDS_PROFILE"),
}
CLIENTS = {
    "no JSON": ({"text": f"{{{MARK}"}, "ehr.json: "),
    "an unknown member": ({"pasword": MARK}, "pasword"),
    "another name than its file": ({"file": "other.json"}, "other.json: "),
    "no issuer": ({"issuer": ""}, "issuer"),
    "no keys": ({"keys": []}, "keys"),
    "a secret key": ({"keys": [{"kty": "oct", "k": MARK, "kid": "1"}]}, "ehr"),
    "keys in plain HTTP": ({"keys": [], "jwks_url": "http://x.example/k"}, "jwks_url"),
    "keys in two places": ({"jwks_url": "https://x.example/k"}, "keys"),
    "a FHIR server in plain HTTP": ({"fhir_bases": ["http://x.example/fhir"]}, "fhir_bases"),
    "every page": ({"origins": ["*"]}, "origins"),
    "no page": ({"origins": ["null"]}, "origins"),
    "an EHR that is none": ({"ehr": MARK}, "ehr"),
    "no rate": ({"rate": 0}, "rate"),
    "tokens for days": ({"token_seconds": 86400}, "token_seconds"),
    "an option in words": ({"options": {"sleep": "off"}}, "options.sleep"),
    "an address as a host": ({"link_hosts": ["https://x.example/"]}, "link_hosts"),
    "an algorithm of the weak": ({"algorithms": ["HS256"]}, "algorithms"),
}


def stopped(capsys):
    """
    Start, and give the exit code with what was said.
    """
    with pytest.raises(SystemExit) as caught:
        started()
    out, err = capsys.readouterr()
    return caught.value.code, out + err


@pytest.mark.parametrize(("settings", "named"), SETTINGS.values(), ids=SETTINGS)
def test_a_setting_that_cannot_be_used_stops_the_start(environment, capsys, settings, named):
    """
    With 78, its name, and not its value (4.1, HTTP-02, T60).
    """
    environment(settings)

    code, said = stopped(capsys)

    assert 78 == code
    assert named in said
    assert MARK not in said
    assert "Traceback" not in said
    assert said.startswith("cannot start: ")
    assert 1 == said.count("\n")


@pytest.mark.parametrize(("client", "named"), CLIENTS.values(), ids=CLIENTS)
def test_a_client_that_cannot_be_used_stops_the_start(environment, capsys, client, named):
    """
    With 78, its file and the member (4.1).
    """
    environment({}, **client)

    code, said = stopped(capsys)

    assert 78 == code
    assert named in said
    assert MARK not in said
    assert 1 == said.count("\n")


def test_a_client_that_the_rules_do_not_fit_stops_the_start(environment, capsys):
    """
    What is set for nothing is no setting: the member, and what would do (CRD-02).
    """
    environment({"CDS_ENGINE": "reference"}, options={"slepe": False})

    code, said = stopped(capsys)

    assert 78 == code
    assert "cannot start: client ehr: options.slepe: is no option; there are " in said


def test_sqlite_wants_a_local_disk(environment, capsys, monkeypatch):
    """
    Production does not start with it on a network file system (4.1, T61).
    """
    environment({})
    monkeypatch.setattr("cds.service.start.network_of", lambda _folder: "nfs4")

    code, said = stopped(capsys)

    assert 78 == code
    assert "CDS_DATABASE" in said


def test_the_settings_are_shown_without_their_secrets(environment):
    """
    `cds config` says what is in effect, and that the service would start.
    """
    environment({"CDS_DATABASE": f"postgresql+psycopg://me:{MARK}@db.example/cds?password={MARK}"})

    result = CliRunner().invoke(app, ["config"])

    lines = dict(
        one.split(None, 1) for one in result.stdout.splitlines() if one[:4] == "CDS_" and " " in one
    )
    assert 0 == result.exit_code
    assert "postgresql+psycopg://***@db.example/cds?***" == lines["CDS_DATABASE"]
    assert ("required", "signal", "3") == tuple(
        lines[f"CDS_{name}"] for name in ("AUTH", "RELOAD", "DRAIN_SECONDS")
    )
    assert "the service would start" in result.stdout
    assert "waived" in result.stdout
    assert MARK not in result.output
    assert {f"CDS_{name.upper()}" for name in Settings.model_fields} == {
        one.split()[0] for one in result.stdout.splitlines() if one[:4] == "CDS_"
    }


@pytest.mark.parametrize(
    "name", ["an unknown name", "no clients", "rules that are none", "rules that nobody reviewed"]
)
def test_what_would_stop_the_start_is_said(environment, name):
    """
    With the same exit code, before anybody starts it.
    """
    settings, named = SETTINGS[name]
    environment(settings)

    result = CliRunner().invoke(app, ["config"])

    assert 78 == result.exit_code
    assert "would not start" in result.output
    assert named in result.output
    assert MARK not in result.output


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("clients", "CDS_CLIENTS"),
        ("clients/ehr.json", "CDS_CLIENTS"),
        ("state.sqlite3", "CDS_DATABASE"),
    ],
)
def test_what_everybody_may_write_stops_the_start(environment, capsys, tmp_path, place, named):
    """
    They could let themselves in, or forget the tokens that were used (4.1, T4).
    """
    environment({})
    (tmp_path / "state.sqlite3").touch()
    path = tmp_path / place
    path.chmod(path.stat().st_mode | 0o002)

    code, said = stopped(capsys)

    assert 78 == code
    assert named in said


@pytest.mark.parametrize(
    ("mode", "content", "expected"),
    [
        (0o600, f"postgresql://u:{MARK}@db.example/cds\n", None),
        (0o400, f"postgresql://u:{MARK}@db.example/cds", None),
        (0o640, f"postgresql://u:{MARK}@db.example/cds", "chmod 600"),
        (0o604, f"postgresql://u:{MARK}@db.example/cds", "chmod 600"),
        (0o600, MARK, "must begin with"),
        (0o600, "", "must begin with"),
        (None, "", "names no file"),
    ],
)
def test_a_secret_may_stand_in_a_file(environment, monkeypatch, tmp_path, mode, content, expected):
    """
    That its owner alone can read; it is never shown (4.2).
    """
    environment({"CDS_DATABASE_FILE": "TMP/secret"})
    monkeypatch.delenv("CDS_DATABASE")
    if mode is not None:
        (tmp_path / "secret").write_text(content, "utf-8")
        (tmp_path / "secret").chmod(mode)

    if expected is None:
        settings = read_settings()
        assert content.strip() == settings.database
        assert MARK not in str(settings.shown()) + repr(settings)
    else:
        with pytest.raises(BadSettingsError) as caught:
            read_settings()
        assert expected in str(caught.value)
        assert MARK not in str(caught.value)


def test_a_password_with_a_mark_in_it_is_not_shown(environment):
    """
    Not even its second half (4.2).
    """
    environment({"CDS_DATABASE": f"postgresql://u:a@{MARK}@db.example/cds"})

    assert "postgresql://***@db.example/cds" == read_settings().shown()["CDS_DATABASE"]
