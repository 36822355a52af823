"""
Settings: what is refused names itself and never its value.
"""

import os
from datetime import UTC, datetime

import pytest

from cds.service.faults import BadSettingsError
from cds.service.settings import Settings, default_rules, read_settings

MARK = "Zebedee"


@pytest.fixture
def environment(monkeypatch):
    """
    An environment with nothing of ours but what a test puts there.
    """
    for name in list(os.environ):
        if name.startswith("CDS_") or name in {"HOST", "PORT", "ENGINE", "APP_ENV", "RULES"}:
            monkeypatch.delenv(name)

    def put(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return read_settings

    return put


def test_production_is_the_default(environment):
    """
    On loopback, with both evaluators, a running clock and the shipped rules.
    """
    settings = environment()()

    assert settings.is_production
    assert ("127.0.0.1", 8000, "both", None) == (
        settings.host,
        settings.port,
        settings.engine,
        settings.clock,
    )
    assert default_rules() == settings.rules
    assert settings.rules.joinpath("release.yaml").is_file()


def test_plain_names_will_do(environment):
    """
    As hosts and documents write them; with the prefix they win.
    """
    settings = environment(
        APP_ENV="development", HOST="::1", PORT="1", CDS_PORT="8123", ENGINE="reference"
    )()

    assert ("development", "::1", 8123, "reference") == (
        settings.env,
        settings.host,
        settings.port,
        settings.engine,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21", datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)),
        ("2026-11-21T10:00:00Z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T10:00:00+02:00", datetime(2026, 11, 21, 8, tzinfo=UTC)),
        ("", None),
    ],
)
def test_the_clock_is_a_date_or_an_instant(environment, text, expected):
    """
    A date means its last second.
    """
    assert expected == environment(CDS_ENV="development", CDS_CLOCK=text)().clock


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"CDS_PROT": MARK}, "CDS_PROT: is no setting; is `CDS_PORT` meant?"),
        ({"CDS_MARK": MARK}, "CDS_MARK: is no setting; docs/operating.md lists them"),
        ({"CDS_ENV": MARK}, "CDS_ENV: must be 'production' or 'development'"),
        ({"PORT": MARK}, "PORT: must be a whole number"),
        ({"CDS_PORT": MARK, "PORT": "80"}, "CDS_PORT: must be a whole number"),
        ({"PORT": "70000"}, "PORT: must be 65535 or less"),
        ({"ENGINE": MARK}, "ENGINE: must be 'durable', 'reference' or 'both'"),
        (
            {"CDS_PUBLIC_URL": f"http://{MARK}"},
            "CDS_PUBLIC_URL: production is called by https only",
        ),
        ({"CDS_CLOCK": "2026-11-21"}, "CDS_CLOCK: the clock cannot be frozen in production"),
        ({"CDS_ENV": "development", "CDS_CLOCK": MARK}, "CDS_CLOCK: "),
        (
            {"CDS_ENV": "development", "CDS_CLOCK": "2026-11-21T10:00:00"},
            "CDS_CLOCK: must be a date, or an instant with its zone",
        ),
        (
            {"CDS_ENV": "development", "HOST": "0.0.0.0"},  # noqa: S104 - refused
            "HOST: development serves on loopback only",
        ),
        (
            {"CDS_ENV": "development", "HOST": "example.org"},
            "HOST: development serves on loopback only",
        ),
        ({"CDS_RULES": f"/{MARK}"}, "CDS_RULES: there is no such folder"),
        ({"CDS_MAX_BODY": "7"}, "CDS_MAX_BODY: "),
        ({"CDS_ALLOW_UNREVIEWED": MARK}, "CDS_ALLOW_UNREVIEWED: must be true or false"),
        ({"CDS_CLIENTS": f"/{MARK}"}, "CDS_CLIENTS: there is no such folder"),
        ({"CDS_RECEIVE_SECONDS": "0"}, "CDS_RECEIVE_SECONDS: must be more than 0"),
    ],
)
def test_what_cannot_be_used_stops_the_start(environment, values, expected):
    """
    By name (HTTP-02, SEC-01, SEC-02).
    """
    read = environment(**values)

    with pytest.raises(BadSettingsError) as error:
        read()

    assert expected in str(error.value)
    assert MARK not in str(error.value)


def test_localhost_is_loopback():
    """
    By its name too.
    """
    assert Settings(env="development", host="localhost").on_loopback
