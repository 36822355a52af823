"""
`cds client`: who may call is registered strictly, and a service is tried as they would.
"""

import contextlib
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from typer.testing import CliRunner

from cds.cli.__main__ import app
from cds.cli.client.keyfiles import make_key_pair, public_keys_of, read_private_key, thumbprint
from cds.errors import BadKeys
from cds.service.app import create_app
from cds.service.clients import read_clients
from cds.service.keys import read_key_set
from cds.service.settings import Settings
from cds.service.start import callers_of, clients_of
from cds.service.tokens import Anybody
from tests.contract.traffic import python_path
from tests.pages import ROOT
from tests.service.fakes import Fake, Told
from tests.tokens import pem_of, private_key, private_pem_of, public_jwk

ISSUER = ("--issuer", "https://ehr.example.org")


@pytest.fixture
def cds(tmp_path, monkeypatch):
    """
    Run a command in an empty directory: its exit code, and what it printed.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CDS_CLIENTS", raising=False)
    monkeypatch.delenv("CDS_PUBLIC_URL", raising=False)

    def run(*arguments):
        done = CliRunner().invoke(app, ["client", *map(str, arguments)])
        return done.exit_code, done.output

    return run


# --- registering ----------------------------------------------------------------------


def test_a_client_is_registered(cds):
    """
    As a file that the service reads, in a folder for its owner alone.
    """
    Path("ehr.pem").write_bytes(pem_of(private_key("ES384")))
    code, _ = cds(
        *("add", "north", *ISSUER, "--keys", "ehr.pem", "--kid", "k+/=", "--tenant", "a"),
        *("--tenant", "b", "--fhir-base", "https://ehr.example.org/r4/", "--ehr", "epic"),
        *("--origin", "https://ehr.example.org", "--subject", "us", "--title", "North"),
        *("--private-network", "10.1.0.0/16", "--service", "metabolic-patient-view"),
        *("--audience", "https://inside.example", "--algorithm", "ES384"),
    )

    client = read_clients(Path("clients")).by_name["north"]
    assert 0 == code
    assert (("a", "b"), ("https://ehr.example.org/r4",), "epic", "us", "North") == (
        client.tenants,
        client.fhir_bases,
        client.ehr,
        client.subject,
        client.title,
    )
    assert ({"k+/="}, ("ES384",)) == (
        set(read_key_set({"keys": list(client.keys)})),
        client.algorithms,
    )
    assert (0o700, 0o600) == tuple(
        Path(one).stat().st_mode & 0o777 for one in ("clients", "clients/north.json")
    )


def test_what_a_site_maps_and_chooses_is_registered(cds, monkeypatch):
    """
    Codes of orders, hosts of links, options and whose codes reasons have, looked up in the rules.
    """
    for name in [one for one in os.environ if one.startswith("CDS_")]:
        monkeypatch.delenv(name)
    code, _ = cds(
        *("add", "north", *ISSUER, "--order-code", "order_hba1c=urn:site|LAB17"),
        *("--order-code", "order_fpg=urn:site|LAB18|Glucose, fasting"),
        *("--link-host", "guide.example", "--override-codes", "hl7"),
        *("--option", "sleep=off", "--option", "max-cards=3"),
    )

    client = read_clients(Path("clients")).by_name["north"]
    assert 0 == code
    assert {"sleep": False, "max-cards": 3} == client.options
    assert (("guide.example",), "hl7") == (client.link_hosts, client.override_codes)
    assert [("LAB17", ""), ("LAB18", "Glucose, fasting")] == [
        (one.code, one.display) for one in client.order_codes.values()
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--option", "slepe=off"), "options.slepe: is no option; there are activity"),
        (("--option", "sleep"), "--option: must be NAME=on"),
        (("--order-code", "order_hba1=urn:site|A1"), "order_codes.order_hba1: is no order"),
        (("--order-code", "order_hba1c=A1"), "--order-code: must be ACTION=SYSTEM|CODE"),
        (("--order-code", "order_hba1c=|A1"), "--order-code: must be ACTION=SYSTEM|CODE"),
        (("--link-host", "https://guide.example"), "--link-host: must be plain names"),
        (("--override-codes", "theirs"), "--override-codes"),
    ],
)
def test_what_the_rules_do_not_have_is_not_registered(cds, monkeypatch, given, said):
    """
    Named with what would do, and nothing is written.
    """
    for name in [one for one in os.environ if one.startswith("CDS_")]:
        monkeypatch.delenv(name)
    code, found = cds("add", "north", *ISSUER, *given)

    assert 2 == code
    assert said in " ".join(found.split())
    assert not Path("clients/north.json").exists()


def test_a_client_is_not_overwritten(cds):
    """
    But when asked for.
    """
    assert 0 == cds("add", "ehr", *ISSUER)[0]
    before = Path("clients/ehr.json").read_bytes()
    code, said = cds("add", "ehr", "--issuer", "https://else.example")

    assert (2, before) == (code, Path("clients/ehr.json").read_bytes())
    assert "--replace" in said
    assert 0 == cds("add", "ehr", "--issuer", "https://else.example", "--replace")[0]
    assert before != Path("clients/ehr.json").read_bytes()
    assert ["ehr.json"] == [one.name for one in Path("clients").iterdir()]


def test_the_folder_is_that_of_the_setting(cds, monkeypatch):
    """
    So that the service finds what was written.
    """
    monkeypatch.setenv("CDS_CLIENTS", "elsewhere")
    cds("add", "ehr", *ISSUER)

    assert {"ehr"} == set(read_clients(Path("elsewhere")).by_name)


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["North", *ISSUER], "NAME"),
        (["../ehr", *ISSUER], "NAME"),
        (["ehr"], "--issuer"),
        (["ehr", *ISSUER, "--fhir-base", "ftp://x.example/r4"], "--fhir-base"),
        (["ehr", *ISSUER, "--fhir-base", "https://u:p@x.example/r4"], "--fhir-base"),
        (["ehr", *ISSUER, "--fhir-base", "https://x.example/a/../b"], "--fhir-base"),
        (["ehr", *ISSUER, "--fhir-base", "https://0x7f.1/r4"], "--fhir-base"),
        (["ehr", *ISSUER, "--jwks-url", "keys.json"], "--jwks-url"),
        (["ehr", *ISSUER, "--jwks-url", "https://x.example/%2e%2e/keys"], "--jwks-url"),
        (["ehr", *ISSUER, "--private-network", "10.0.0.1/8"], "--private-network"),
        (["ehr", *ISSUER, "--origin", "https://x.example/page"], "--origin"),
        (["ehr", *ISSUER, "--ehr", "other"], "--ehr"),
    ],
)
def test_what_cannot_be_used_is_named(cds, arguments, place):
    """
    With the option it came by; nothing is written.
    """
    code, said = cds("add", *arguments)

    assert 2 == code
    assert place in said
    assert not Path("clients").exists()


def test_an_issuer_belongs_to_one_client(cds):
    """
    Else nobody could tell them apart.
    """
    cds("add", "ehr", *ISSUER)
    code, said = cds("add", "other", *ISSUER)

    assert 2 == code
    assert "--issuer" in said
    assert 0 == cds("add", "ehr", *ISSUER, "--replace")[0]


def test_keys_are_in_one_place(cds):
    """
    Registered, or at an address.
    """
    Path("ehr.pem").write_bytes(pem_of(private_key("ES384")))
    code, said = cds(
        "add", "ehr", *ISSUER, "--keys", "ehr.pem", "--jwks-url", "https://x.example/k"
    )

    assert 2 == code
    assert "not both" in said


def test_keys_that_no_algorithm_takes_are_refused(cds):
    """
    With the option that would take them.
    """
    Path("ehr.pem").write_bytes(pem_of(private_key("ES256")))
    code, said = cds("add", "ehr", *ISSUER, "--keys", "ehr.pem")

    assert 2 == code
    assert "--algorithm" in said
    assert 0 == cds("add", "ehr", *ISSUER, "--keys", "ehr.pem", "--algorithm", "ES256")[0]


# --- key files ------------------------------------------------------------------------


def certificate_of(key, called="ehr"):
    """
    A certificate that a key has given itself.
    """
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - only here

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, called)])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA384())
        .public_bytes(serialization.Encoding.PEM)
    )


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
@pytest.mark.parametrize("form", ["pem", "certificate", "jwk", "jwk set"])
def test_public_keys_are_read_in_every_form(algorithm, form):
    """
    And are the same key in all of them.
    """
    key = private_key(algorithm)
    jwk = public_jwk(key, kid="one")
    raw = {
        "pem": lambda: pem_of(key),
        "certificate": lambda: certificate_of(key),
        "jwk": lambda: json.dumps(jwk).encode(),
        "jwk set": lambda: json.dumps({"keys": [jwk]}).encode(),
    }[form]()
    (found,) = public_keys_of(raw, kid="one")

    assert thumbprint(jwk) == thumbprint(found)
    assert "one" == found["kid"]


def test_a_key_without_a_name_is_called_by_itself():
    """
    By its thumbprint; the example of RFC 7638 is one of RSA.
    """
    (found,) = public_keys_of(pem_of(private_key("ES384")))

    assert thumbprint(found) == found["kid"]
    assert "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" == thumbprint(
        {
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhD"
            "R1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4Qy"
            "Q5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD0"
            "8qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8a"
            "wapJzKnqDKgw",
            "e": "AQAB",
            "alg": "RS256",
            "kid": "2011-04-29",
        }
    )


PRIVATE = {
    "pem": lambda: private_pem_of(private_key("ES384")),
    "pem of RSA": lambda: private_pem_of(private_key("RS384")),
    "old pem": lambda: b"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
    "locked pem": lambda: b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA\n",
    "jwk": lambda: json.dumps({**public_jwk(private_key("ES384")), "d": "AAAA"}).encode(),
    "symmetric": lambda: b'{"kty": "oct", "k": "AAAA", "kid": "x"}',
}


@pytest.mark.parametrize("name", PRIVATE)
def test_a_private_key_is_refused_loudly(cds, name):
    """
    Nothing of it is written or repeated.
    """
    raw = PRIVATE[name]()
    Path("key").write_bytes(raw)
    code, said = cds("add", "ehr", *ISSUER, "--keys", "key")

    assert 2 == code
    assert "PRIVATE key" in said or "private key" in said or "symmetric key" in said
    assert not any(line and line in said for line in raw.decode().splitlines()[1:-1])
    assert not Path("clients").exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"ssh-ed25519 AAAA",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"[]",
        b'{"keys": "one"}',
        b'{"keys": []}',
        b'{"kty": "EC", "crv": "P-384"}',
        pem_of(private_key("ES512")),
    ],
)
def test_what_is_no_key_is_refused(raw):
    """
    With a sentence.
    """
    with pytest.raises(BadKeys):
        public_keys_of(raw)


# --- listing and keys to try ----------------------------------------------------------


def test_clients_are_listed_and_shown(cds):
    """
    With what is registered of them, keys by their names.
    """
    assert "Nobody" in cds("list")[1]
    cds("add", "ehr", *ISSUER, "--tenant", "north", "--ehr", "oracle")
    cds("add", "away", "--issuer", "https://away.example", "--jwks-url", "https://away.example/k")
    cds("key", "ehr")
    _, listed = cds("list")
    _, shown = cds("show", "ehr")

    assert ["away", "ehr"] == [line.split()[0] for line in listed.splitlines()]
    assert "keys at away.example" in listed
    assert "1 key" in listed
    assert all(one in shown for one in ("oracle", "north", "https://ehr.example.org", "P-384"))
    assert (2, 2) == (cds("show", "nobody")[0], cds("key", "nobody")[0])


def test_a_broken_registration_is_named(cds):
    """
    By its file and member, wherever it is read.
    """
    cds("add", "ehr", *ISSUER)
    path = Path("clients/ehr.json")
    path.write_text(path.read_text("utf-8").replace('"name"', '"nome"'), "utf-8")

    for verb in (["list"], ["show", "ehr"], ["key", "ehr"], ["check", "ehr"]):
        code, said = cds(*verb)
        assert 2 == code
        assert "clients/ehr.json: " in said


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_a_key_pair_is_made(cds, algorithm):
    """
    The private key for its owner alone, the public one beside those that are there.
    """
    cds("add", "ehr", *ISSUER)
    assert 0 == cds("key", "ehr", "--algorithm", algorithm)[0]
    _, public = read_private_key(Path("ehr.private.pem").read_bytes())

    (registered,) = read_clients(Path("clients")).by_name["ehr"].keys
    assert thumbprint(public) == thumbprint(registered) == registered["kid"]
    assert 0o600 == Path("ehr.private.pem").stat().st_mode & 0o777
    assert 2 == cds("key", "ehr")[0]
    assert 0 == cds("key", "ehr", "--out", "second.pem")[0]
    assert 2 == len(read_clients(Path("clients")).by_name["ehr"].keys)


def test_a_key_pair_is_not_made_for_keys_elsewhere(cds):
    """
    Nor for an algorithm that is not registered.
    """
    cds("add", "ehr", *ISSUER, "--jwks-url", "https://x.example/k")
    cds("add", "other", "--issuer", "https://else.example")

    assert 2 == cds("key", "ehr")[0]
    assert 2 == cds("key", "other", "--algorithm", "ES256")[0]
    assert {"clients"} == {one.name for one in Path().iterdir()}


# --- trying a service -----------------------------------------------------------------


class Running:
    """
    A service on a port of this machine.
    """

    def __init__(self, folder, *, auth="required", tls=None, wanted="", **settings):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        made = Settings(
            env="development",
            auth=auth,
            clients=folder,
            port=self.port,
            public_url=self.url,
            database=f"sqlite:///{folder.parent}/state.sqlite3",
            **settings,
        )
        clients = clients_of(made)
        callers = callers_of(made, clients) if auth == "required" else Anybody()
        self.fake = Fake(Told({"cards": [{"summary": "HOMA-IR is high"}]}))
        app = create_app(made, self.fake, clients=clients, callers=callers)
        self.server = uvicorn.Server(
            uvicorn.Config(
                app,
                host="127.0.0.1",
                port=self.port,
                log_config=None,
                **({"ssl_keyfile": tls[0], "ssl_certfile": tls[1]} if tls else {}),
                **({"ssl_ca_certs": wanted, "ssl_cert_reqs": ssl.CERT_REQUIRED} if wanted else {}),
            )
        )
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        return self

    def __exit__(self, *_error):
        self.server.should_exit = True
        self.thread.join(20)


@pytest.fixture
def trying(cds):
    """
    A client with a key, ready to be checked.
    """
    cds("add", "ehr", *ISSUER, "--tenant", "north", "--origin", "https://ehr.example.org")
    cds("key", "ehr")
    return cds


def looks(said):
    """
    The steps that went wrong.
    """
    return [line for line in said.splitlines() if line.startswith("look")]


def test_everything_that_works_is_said(trying):
    """
    From reaching the service to its cards, in order.
    """
    with Running(Path("clients").resolve()) as service:
        code, said = trying("check", "ehr", "--url", service.url, "--key", "ehr.private.pem")

    assert (0, []) == (code, looks(said))
    order = ["reached", "TLS", "discovery", "not signed", "token was taken", "second", "HOMA-IR"]
    places = [said.index(one) for one in order]
    assert sorted(places) == places
    assert "pages of https://ehr.example.org may call" in said
    assert 1 == len(service.fake.seen)


def test_a_protected_discovery_is_signed_for(trying):
    """
    With a token of its own (DISC-15).
    """
    with Running(Path("clients").resolve(), protect_discovery=True) as service:
        signed = trying("check", "ehr", "--url", service.url, "--key", "ehr.private.pem")
        unsigned = trying("check", "ehr", "--url", service.url)

    assert (0, 1) == (signed[0], unsigned[0])
    assert "for those who sign" in signed[1]
    assert "--key" in unsigned[1]


def test_a_call_of_ones_own_is_sent_as_it_is(trying):
    """
    To the service of its hook, byte for byte.
    """
    raw = b'{"hook": "patient-view",  "x": 1.50}'
    Path("call.json").write_bytes(raw)
    with Running(Path("clients").resolve()) as service:
        code, _ = trying(
            *("check", "ehr", "--url", service.url, "--key", "ehr.private.pem"),
            *("--request", "call.json"),
        )

    assert 0 == code
    assert [raw] == [one[0] for one in service.fake.seen]


def test_a_token_is_printed_for_one_call(trying):
    """
    To be sent by hand, once, and to the service that it names (SEC-13, SEC-16).
    """
    with Running(Path("clients").resolve()) as service, httpx2.Client(trust_env=False) as http:
        _, said = trying(
            *("token", "ehr", "--key", "ehr.private.pem", "--audience", service.url),
            *("--service", "metabolic-order-sign"),
        )
        statuses = [
            http.post(
                f"{service.url}/cds-services/metabolic-{hook}",
                content=b"{}",
                headers={
                    "Content-Type": "application/json",
                    "Authorization": f"Bearer {said.strip()}",
                },
            ).status_code
            for hook in ("patient-view", "order-sign", "order-sign")
        ]

    assert [401, 200, 401] == statuses
    assert 2 == said.count(".")


def test_a_token_is_not_made_with_another_key(trying):
    """
    Nor for who is not registered.
    """
    Path("other.pem").write_bytes(private_pem_of(private_key("ES384")))

    assert (2, True) == (
        trying("token", "ehr", "--key", "other.pem")[0],
        "--key" in trying("token", "ehr", "--key", "other.pem")[1],
    )
    assert 2 == trying("token", "nobody", "--key", "other.pem")[0]


def test_a_token_is_not_made_for_a_service_that_is_none(trying):
    """
    Its call would be a 404, or a 401 that nobody explains.
    """
    code, said = trying("token", "ehr", "--key", "ehr.private.pem", "--service", "patient-view")

    assert 2 == code
    assert "--service: " in said
    assert "metabolic-patient-view" in said


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--audience", "https://else.example"], "CDS_PUBLIC_URL"),
        (["--tenant", "south"], "`tenant`: ehr may name north"),
    ],
)
def test_a_token_that_is_not_taken_is_said(trying, more, word):
    """
    With what to look at, for the service says nothing.
    """
    with Running(Path("clients").resolve()) as service:
        code, said = trying("check", "ehr", "--url", service.url, "--key", "ehr.private.pem", *more)

    assert (1, 1) == (code, len(looks(said)))
    assert "token was not taken" in looks(said)[0]
    assert word in said


def test_a_service_that_asks_nobody_is_said(trying):
    """
    So that nobody takes it for one that asks.
    """
    with Running(Path("clients").resolve(), auth="off") as service:
        code, said = trying("check", "ehr", "--url", service.url, "--key", "ehr.private.pem")

    assert 0 == code
    assert "unsigned" in said


def test_a_base_url_that_is_wrong_is_said(trying):
    """
    With what it should be.
    """
    with Running(Path("clients").resolve()) as service:
        code, said = trying("check", "ehr", "--url", f"{service.url}/prefix")

    assert (1, 1) == (code, len(looks(said)))
    assert "is there a prefix?" in said


def test_a_service_that_is_not_there_is_said(trying):
    """
    Refused, without TLS, and as a name that is none.
    """
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    refused = trying("check", "ehr", "--url", f"http://127.0.0.1:{port}")
    with Running(Path("clients").resolve()) as service:
        plain = trying("check", "ehr", "--url", service.url.replace("http", "https"))

    assert (1, 1) == (refused[0], plain[0])
    assert "was not reached" in refused[1]
    assert "TLS failed" in plain[1]


def test_a_certificate_is_wanted(trying, monkeypatch):
    """
    One that is trusted here, or that was named (SEC-01).
    """
    key = private_key("ES256", "tls")
    Path("tls.key").write_bytes(private_pem_of(key))
    Path("tls.pem").write_bytes(certificate_of(key))
    with Running(Path("clients").resolve(), tls=("tls.key", "tls.pem")) as service:
        checked = ("check", "ehr", "--url", service.url, "--key", "ehr.private.pem")
        unknown = trying(*checked)
        monkeypatch.setenv("SSL_CERT_FILE", str(Path("tls.pem").resolve()))
        known = trying(*checked)

    assert (1, 0) == (unknown[0], known[0])
    assert "SSL_CERT_FILE" in unknown[1]
    assert "the certificate is trusted" in known[1]


def test_a_certificate_is_shown_where_one_is_wanted(trying, monkeypatch):
    """
    As behind a proxy that takes clients by their certificates; the token still counts (SEC-03).
    """
    for name in ("tls", "ours", "other"):
        key = private_key("ES256", name)
        certificate = certificate_of(key, name)
        Path(f"{name}.pem").write_bytes(certificate + private_pem_of(key))
        Path(f"{name}.alone.pem").write_bytes(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(Path("tls.pem").resolve()))
    tls = ("tls.pem", "tls.pem")
    with Running(Path("clients").resolve(), tls=tls, wanted="ours.alone.pem") as service:
        checked = ("check", "ehr", "--url", service.url, "--key", "ehr.private.pem")
        none = trying(*checked)
        other = trying(*checked, "--certificate", "other.pem")
        ours = trying(*checked, "--certificate", "ours.pem")
        half = trying(*checked, "--certificate", "ours.alone.pem")

    assert [1, 1, 0, 2] == [one[0] for one in (none, other, ours, half)]
    assert "--certificate" in none[1]
    assert "--certificate" in other[1]
    assert "token was taken" in ours[1]
    assert "with its private key" in half[1]


class Refusing(http.server.BaseHTTPRequestHandler):
    """
    A proxy that takes nobody without a certificate, in the words of nginx.
    """

    def do_GET(self):
        """
        Refuse.
        """
        self.send_response(400)
        self.end_headers()
        self.wfile.write(b"<center>No required SSL certificate was sent</center>")

    def log_message(self, *_):
        """
        Say nothing.
        """


def test_a_proxy_that_wants_a_certificate_is_understood(trying):
    """
    It answers 400, which has nothing to do with the address (SEC-03).
    """
    with http.server.HTTPServer(("127.0.0.1", 0), Refusing) as proxy:
        threading.Thread(target=proxy.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{proxy.server_port}"
        code, said = trying("check", "ehr", "--url", url, "--key", "ehr.private.pem")

    assert 1 == code
    assert "--certificate" in said


def test_a_key_that_is_not_registered_is_not_tried(trying):
    """
    It could not be taken.
    """
    Path("other.pem").write_bytes(private_pem_of(private_key("ES384", "other")))
    code, said = trying("check", "ehr", "--key", "other.pem")

    assert 2 == code
    assert "--key" in said
    assert 2 == trying("check", "ehr", "--key", "clients/ehr.json")[0]


def test_nothing_of_a_key_or_token_is_printed(trying, capfd):
    """
    Whatever goes wrong (T10).
    """
    with Running(Path("clients").resolve()) as service:
        _, said = trying("check", "ehr", "--url", service.url, "--key", "ehr.private.pem")
    body = "".join(Path("ehr.private.pem").read_text("utf-8").splitlines()[1:-1])

    assert "Bearer" not in said
    assert "eyJ" not in said + "".join(capfd.readouterr())
    assert body[:20] not in said


def test_a_clock_that_is_wrong_is_said(trying, monkeypatch):
    """
    Tokens live for minutes.
    """
    with Running(Path("clients").resolve()) as service:
        monkeypatch.setattr("cds.cli.client.checking.time", Ahead())
        code, said = trying("check", "ehr", "--url", service.url, "--key", "ehr.private.pem")

    assert 1 == code
    assert re.search("20[0-9] seconds apart", looks(said)[0])


class Ahead:
    """
    A clock that goes too fast.
    """

    def time(self):
        """
        Give the time of day, and a little.
        """
        return time.time() + 200


def test_from_an_empty_directory_to_cards(tmp_path):
    """
    The real service, started with what was registered, as an integrator would.
    """
    environment = {
        **{key: one for key, one in os.environ.items() if not key.startswith("CDS_")},
        "PYTHONPATH": python_path(ROOT),
        "CDS_ENV": "development",
        "CDS_AUTH": "required",
        "CDS_CLIENTS": "clients",
        "CDS_CLOCK": "2026-06-01",
        "CDS_DATABASE": "sqlite:///state.sqlite3",
    }

    def cds(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "cds.cli", "client", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert 0 == cds("add", "trial", "--issuer", "https://trial.example").returncode
    assert 0 == cds("key", "trial").returncode
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    service = subprocess.Popen(
        [sys.executable, str(ROOT / "hooks_service.py")],
        cwd=tmp_path,
        env={**environment, "PORT": port},
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port))):
                break
            time.sleep(0.05)
        done = cds(
            *("check", "trial", "--url", f"http://127.0.0.1:{port}", "--key", "trial.private.pem"),
            *("--request", str(ROOT / "fixtures" / "requests" / "raised_homa_ir_alone.json")),
        )
    finally:
        service.terminate()
        service.wait(30)

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    assert "HOMA-IR" in done.stdout.splitlines()[-1]
    assert (tmp_path / "state.sqlite3").is_file()


def test_key_pairs_fit_their_algorithm():
    """
    All four of them.
    """
    for algorithm in ("ES256", "ES384", "RS256"):
        pem, public = make_key_pair(algorithm)
        (key,) = read_key_set({"keys": [public]}).values()

        assert key.fits(algorithm)
        assert thumbprint(public) == thumbprint(read_private_key(pem)[1])
