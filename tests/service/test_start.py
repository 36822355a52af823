"""
From settings to who may call: what cannot be exposed safely does not start.
"""

import io
import json
import os
import re
import subprocess
import sys

import pytest

from cds.service.clients import Client, Clients
from cds.service.faults import BadSettingsError
from cds.service.logs import configure
from cds.service.settings import Settings
from cds.service.start import callers_of, try_next, warn_of_misfits
from cds.service.tokens import Anybody, Tokens
from tests.contract.traffic import python_path
from tests.pages import ROOT
from tests.serving import shipped
from tests.tokens import BASE, JWKS, client_of


def callers(*clients, **settings):
    """
    Make what tells who is calling.
    """
    made = Settings(**{"env": "production", "public_url": BASE, **settings})
    return callers_of(made, Clients(clients))


def test_production_asks_who_is_calling():
    """
    By default; development does not unless it is told to (SEC-02).
    """
    asked = callers(client_of()), callers(client_of(), env="development", auth="required")
    not_asked = callers(client_of(), env="development"), callers(env="development", auth="off")

    assert [Tokens, Tokens] == [type(one) for one in asked]
    assert [Anybody, Anybody] == [type(one) for one in not_asked]
    assert [1, 0] == [one.registered for one in not_asked]
    for one in asked:
        one.close()


def test_production_cannot_be_told_not_to_ask():
    """
    There is no such setting (SEC-02).
    """
    with pytest.raises(ValueError, match="AUTH"):
        Settings(env="production", auth="off")


@pytest.mark.parametrize("url", ["", "http://cds.example.org", "HTTPS://cds.example.org", "cds"])
def test_production_wants_tls(url):
    """
    The address that is signed for begins with https (SEC-01, HTTP-02).
    """
    with pytest.raises((BadSettingsError, ValueError), match="CDS_PUBLIC_URL"):
        callers(client_of(), public_url=url)


@pytest.mark.parametrize(
    ("clients", "place"),
    [
        ((), "CDS_CLIENTS"),
        ((client_of(issuer=""),), "client ehr: issuer"),
        ((client_of(keys=()),), "client ehr: keys or jwks_url"),
        ((client_of(jwks_url=JWKS.replace("https", "http")),), "client ehr: jwks_url"),
        ((client_of(keys=({"kty": "oct", "k": "AA", "kid": "x"},)),), "client ehr: keys.0"),
    ],
)
def test_a_client_that_cannot_sign_stops_the_start(clients, place):
    """
    With its name, and what it lacks (SEC-01, SEC-06).
    """
    with pytest.raises(BadSettingsError, match=re.escape(place)):
        callers(*clients)


def test_the_database_need_not_be_there_at_start(tmp_path):
    """
    Nothing is opened before it is asked; then nobody is let in (T4).
    """
    made = callers(client_of(), database=f"sqlite:///{tmp_path}/none/state.sqlite3")
    made.close()

    assert [] == list(tmp_path.iterdir())


def test_whoever_starts_it_by_hand_is_told_how_to_call():
    """
    As calls are made here: signed or not.
    """
    signed = try_next(Settings(env="development", auth="required"))
    unsigned = try_next(Settings(env="development"))

    assert ["cds client check" in one for one in (signed, unsigned)] == [True, False]
    assert ["without authentication" in one for one in (signed, unsigned)] == [False, True]


def test_development_does_not_pay_for_what_it_does_not_use():
    """
    Neither databases nor signatures nor other servers are loaded where nobody signs.
    """
    names = ("sqlalchemy", "jwt", "cryptography", "httpx2", "httpcore2", "psycopg")
    script = f"""
import sys
from cds.service.settings import Settings
from cds.service.start import build
build(Settings(env="development", engine="reference"))
print([name for name in {names!r} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": python_path(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "[]" == done.stdout.splitlines()[-1]


def test_a_page_of_the_documentation_shows_mutual_tls():
    """
    As a proxy does it; a token is wanted all the same (SEC-03, SEC-01).
    """
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    nginx = page.partition("```nginx\n")[2].partition("```")[0]

    assert all(
        one in nginx
        for one in ("ssl_verify_client", "ssl_protocols", "limit_conn", "proxy_next_upstream")
    )
    assert nginx.count("{") == nginx.count("}")


def test_the_page_for_integrators_says_what_to_agree():
    """
    Prefetch, scopes, hooks, protection of tokens, and our client id (SEC-22).
    """
    page = (ROOT / "docs" / "integrating.md").read_text("utf-8")
    agreed = page.partition("## What each integrator must agree")[2].partition("\n## ")[0]

    assert all(
        one in agreed
        for one in ("prefetch", "scopes", "hooks", "subject", "protected", "--issuer", "--jwks-url")
    )


def test_registrations_are_read_as_they_are_written(tmp_path):
    """
    Every member that can be written is one that is read.
    """
    from cds.service.clients import read_clients  # noqa: PLC0415 - only here

    client = client_of(tenants=("north",), services=("metabolic-patient-view",))
    members = client.model_dump(mode="json", exclude_defaults=True)
    (tmp_path / "ehr.json").write_text(json.dumps(members), "utf-8")

    assert client == read_clients(tmp_path).by_name["ehr"]


def test_changed_rules_that_do_not_fit_a_client_are_logged():
    """
    By its name and how much; what is set for nothing is not repeated.
    """
    stream = io.StringIO()
    configure(stream, strict=True)
    fits = Client(name="north", options={"sleep": False})
    other = Client(name="south", options={"slepe": False, "max-cards": 99})
    warn_of_misfits(Clients([fits, other]), shipped().rules)
    [line] = [json.loads(one) for one in stream.getvalue().splitlines()]

    assert ("unfit_registration", "warning", "south", 2) == (
        line["event"],
        line["level"],
        line["client"],
        line["count"],
    )
