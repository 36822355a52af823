"""
Who is calling: every way to pretend is refused alike, and every honest way is let in.
"""

import asyncio
import base64
import io
import json
import string

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.testclient import TestClient

from cds.errors import NotAllowed, NotAuthenticated, StoreFailed
from cds.service.app import create_app
from cds.service.clients import ANYBODY, Clients
from cds.service.keys import Keys
from cds.service.logs import configure
from cds.service.replay import Replays
from cds.service.settings import Settings
from cds.service.tokens import LEEWAY, MOST_TOKEN, Anybody, Refusal
from tests.service.fakes import Fake
from tests.tokens import (
    BASE,
    ISSUER,
    JWKS,
    NOW,
    SERVICE,
    Seen,
    Signer,
    client_of,
    encoded,
    forge,
    pem_of,
    private_key,
    public_jwk,
    tokens_for,
)

ROUTE = f"/cds-services/{SERVICE}"
JSON = {"Content-Type": "application/json"}
EC = Signer("ES384", kid="one")
RSA = Signer("RS384", kid="two")
OTHER = Signer("ES384", key=private_key("ES384", "other"))


def identified(tokens, token, *, routes=(ROUTE,), service=SERVICE):
    """
    Who a token says is calling.
    """
    return asyncio.run(tokens.identify([f"Bearer {token}"], routes=routes, service=service))


def reason_of(tokens, token, **call):
    """
    Why a token is refused; nothing where it is not.
    """
    try:
        identified(tokens, token, **call)
    except NotAuthenticated as error:
        return error.reason
    return None


class Served:
    """
    The application around a fake, with what it logged.
    """

    def __init__(self, *clients, settings=None, **members):
        self.stream = io.StringIO()
        configure(self.stream, strict=True)
        self.fake = Fake()
        self.callers = tokens_for(*clients, **members)
        app = create_app(
            Settings(env="development", public_url=BASE, **(settings or {})),
            self.fake,
            clients=Clients(clients or (client_of(),)),
            callers=self.callers,
        )
        self.http = TestClient(app, raise_server_exceptions=False)

    def __enter__(self):
        self.http.__enter__()
        return self

    def __exit__(self, *error):
        self.http.__exit__(*error)

    def post(self, token, *, path=ROUTE, headers=()):
        """
        Call the service with a token.
        """
        return self.http.post(
            path,
            content=b"{}",
            headers={**JSON, "Authorization": f"Bearer {token}", **dict(headers)},
        )

    @property
    def lines(self):
        """
        The log.
        """
        return [json.loads(one) for one in self.stream.getvalue().splitlines()]

    @property
    def reasons(self):
        """
        Why calls were refused, as the log says it.
        """
        return [one["reason"] for one in self.lines if one["event"] == "refused_caller"]


# --- whoever signs as agreed is let in ------------------------------------------------


@pytest.mark.parametrize("signer", [EC, RSA], ids=["ES384", "RS384"])
def test_both_recommended_algorithms_are_taken(signer):
    """
    ES384 and RS384, without being asked for (SEC-07, SEC-02).
    """
    caller = identified(tokens_for(client_of(EC, RSA)), signer.token())

    assert ("ehr", "") == (caller.client.name, caller.tenant)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_other_algorithms_are_taken_where_they_are_registered(algorithm):
    """
    By configuration only (SEC-07).
    """
    signer = Signer(algorithm)
    allowing = client_of(signer, algorithms=("ES384", "RS384", algorithm))

    assert identified(tokens_for(allowing), signer.token())
    assert Refusal.ALGORITHM == reason_of(tokens_for(client_of(signer)), signer.token())


@pytest.mark.parametrize("kid", ["one", "Zm9v+/YmFy==", "a key", "0", "k" * 128])
def test_a_key_id_may_look_like_anything(kid):
    """
    Not a UUID alone: some are base64 (SEC-08).
    """
    signer = Signer(kid=kid)

    assert identified(tokens_for(client_of(signer)), signer.token())


@pytest.mark.parametrize("typ", ["JWT", "jwt", "Jwt"])
def test_the_type_is_read_in_any_case(typ):
    """
    It is JWT (SEC-05).
    """
    assert identified(tokens_for(), EC.token({"typ": typ}))


@pytest.mark.parametrize(
    "more",
    [
        {"nbf": NOW - 300},
        {"nbf": NOW},
        {"sub": "client-id"},
        {"iat": NOW + 5},
        {"fhirUser": "Practitioner/1"},
    ],
    ids=str,
)
def test_claims_that_may_be_there_do_no_harm(more):
    """
    `nbf` and `sub` as Epic sends them, a clock slightly ahead, what nobody knows (SEC-15).
    """
    assert identified(tokens_for(), EC.token(**more))


@pytest.mark.parametrize(
    "header", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer  {} "], ids=["B", "b", "C", "blanks"]
)
def test_the_scheme_is_read_in_any_case(header):
    """
    As every scheme of HTTP is (SEC-04).
    """
    tokens = tokens_for()

    assert asyncio.run(
        tokens.identify([header.format(EC.token())], routes=[ROUTE], service=SERVICE)
    )


# --- forgeries ------------------------------------------------------------------------


def hmac_over(secret, algorithm="HS384"):
    """
    Sign with a public key as if it were a secret.
    """
    digest = getattr(hashes, algorithm.replace("HS", "SHA"))

    def sign(text):
        from cryptography.hazmat.primitives import hmac  # noqa: PLC0415 - only here

        code = hmac.HMAC(secret, digest())
        code.update(text)
        return code.finalize()

    return sign


def der_of(key):
    """
    A public key in DER.
    """
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def forged(alg, sign=lambda _text: b"x", *, kid="one", **header):
    """
    An honest client's claims under another header and signature.
    """
    return forge({"alg": alg, "typ": "JWT", "kid": kid, **header}, EC.claims(), sign)


def signed_by(algorithm, key):
    """
    Sign with an algorithm and a key.
    """
    return lambda text: jwt.get_algorithm_by_name(algorithm).sign(text, key)


def der_signature(text):
    """
    The right signature in the wrong form.
    """
    return EC.key.sign(text, ec.ECDSA(hashes.SHA384()))


def changed(part, to):
    """
    An honest token of which one part was exchanged.
    """
    parts = EC.token().split(".")
    parts[part] = to
    return ".".join(parts)


def flipped():
    """
    An honest token with one bit of its signature turned.
    """
    head, claims, signature = EC.token().split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[7] ^= 1
    return f"{head}.{claims}.{encoded(bytes(raw))}"


FORGERIES = {
    "none, unsigned": lambda: forged("none", lambda _text: b""),
    "none, signed with anything": lambda: forged("none"),
    "None": lambda: forged("None"),
    "nOnE": lambda: forged("nOnE"),
    "no algorithm": lambda: forged(None),
    "a list of algorithms": lambda: forged(["ES384"]),
    "a number for an algorithm": lambda: forged(384),
    "HS256 over the PEM": lambda: forged("HS256", hmac_over(pem_of(EC.key), "HS256")),
    "HS384 over the PEM": lambda: forged("HS384", hmac_over(pem_of(EC.key))),
    "HS512 over the PEM": lambda: forged("HS512", hmac_over(pem_of(EC.key), "HS512")),
    "HS384 over the DER": lambda: forged("HS384", hmac_over(der_of(EC.key))),
    "HS384 over the JWK": lambda: forged("HS384", hmac_over(json.dumps(EC.jwk).encode())),
    "HS384 over the RSA PEM": lambda: forged("HS384", hmac_over(pem_of(RSA.key)), kid="two"),
    "ES384 under RS384": lambda: forged("RS384", signed_by("ES384", EC.key)),
    "RS384 under ES384": lambda: forged("ES384", signed_by("RS384", RSA.key), kid="two"),
    "RS384 with the id of the EC key": lambda: forged("RS384", signed_by("RS384", RSA.key)),
    "PS384": lambda: forged("PS384", signed_by("PS384", RSA.key), kid="two"),
    "PS384 under RS384": lambda: forged("RS384", signed_by("PS384", RSA.key), kid="two"),
    "RS256": lambda: forged("RS256", signed_by("RS256", RSA.key), kid="two"),
    "RS512": lambda: forged("RS512", signed_by("RS512", RSA.key), kid="two"),
    "rs384": lambda: forged("rs384", signed_by("RS384", RSA.key), kid="two"),
    "es384": lambda: forged("es384", signed_by("ES384", EC.key)),
    "ES384 by somebody else": OTHER.token,
    "ES256 under ES384": lambda: forged("ES384", signed_by("ES256", private_key("ES256"))),
    "a signature of zeros": lambda: forged("ES384", lambda _text: bytes(96)),
    "a short signature": lambda: forged("ES384", lambda _text: bytes(8)),
    "a signature in DER": lambda: forged("ES384", der_signature),
    "no signature": lambda: changed(2, ""),
    "one bit": flipped,
    "other claims": lambda: changed(1, encoded(EC.claims(jti="another"))),
    "another header": lambda: changed(0, encoded({"alg": "ES384", "typ": "JWT", "kid": "1"})),
    "one part": lambda: "e30",
    "four parts": lambda: f"{EC.token()}.e30",
    "five parts, as if encrypted": lambda: f"{EC.token()}.e30.e30",
    "no base64": lambda: changed(1, "e!0"),
    "padded": lambda: changed(0, encoded({"alg": "ES384"}) + "=="),
    "claims that are a list": lambda: EC.sign([]),
    "claims that are no JSON": lambda: forge({"alg": "ES384", "kid": "one", "typ": "JWT"}, b"{"),
    "a claim twice": lambda: EC.sign(
        json.dumps(EC.claims()).encode().replace(b'{"iss"', b'{"iss": "x", "iss"')
    ),
    "a header that is text": lambda: forge("ES384", EC.claims()),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_refused(name):
    """
    401, and nothing behind it is called; signed right the same call is answered (T1, SEC-06).
    """
    with Served(client_of(EC, RSA)) as served:
        refused = served.post(FORGERIES[name]())
        calls = len(served.fake.seen)
        taken = served.post(EC.token())

    assert (401, 0) == (refused.status_code, calls)
    assert 200 == taken.status_code


@pytest.mark.parametrize("name", ["alg", "typ", "kid"])
@pytest.mark.parametrize("value", [None, "", 1, ["JWT"], {}])
def test_every_member_of_the_header_is_needed(name, value):
    """
    And a text (SEC-05).
    """
    assert reason_of(tokens_for(), EC.token({name: value}))


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": public_jwk(OTHER.key)},
        {"x5u": "https://attacker.example/chain"},
        {"x5c": ["MII"]},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
        {"enc": "A256GCM"},
        {"zip": "DEF"},
        {"cty": "JWT"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_a_header_that_names_a_key_or_changes_the_meaning_is_refused(header):
    """
    Also where the signature is right (T2).
    """
    assert Refusal.HEADER == reason_of(tokens_for(), EC.token(header))


def test_a_key_of_the_token_itself_proves_nothing():
    """
    Signed by a key that it brings along (T2).
    """
    token = OTHER.token({"jwk": OTHER.jwk})

    assert Refusal.HEADER == reason_of(tokens_for(), token)


@pytest.mark.parametrize("kid", ["two", "onE", "one ", "k" * 129, "one\n", "\x00"])
def test_a_key_that_is_not_registered_is_refused(kid):
    """
    Letter by letter, and never a long one (SEC-08, SEC-09).
    """
    expected = {Refusal.KEY, Refusal.KEY_ID}

    assert reason_of(tokens_for(), EC.token({"kid": kid})) in expected


# --- the address of keys --------------------------------------------------------------


class Fetching:
    """
    Gives the keys of *signers*, and counts how often.
    """

    def __init__(self, *signers):
        self.signers = signers
        self.asked = []

    async def __call__(self, client):
        self.asked.append(client.jwks_url)
        return json.dumps({"keys": [one.jwk for one in self.signers]}).encode()


@pytest.mark.parametrize(
    ("jku", "expected"),
    [
        (None, None),
        (JWKS, None),
        (f"{JWKS}/", Refusal.KEY_ADDRESS),
        (JWKS.upper(), Refusal.KEY_ADDRESS),
        (f"{JWKS}?", Refusal.KEY_ADDRESS),
        (f"{JWKS}#", Refusal.KEY_ADDRESS),
        (JWKS.replace("https", "http"), Refusal.KEY_ADDRESS),
        (JWKS.replace("ehr", "ehr.example.org@attacker"), Refusal.KEY_ADDRESS),
        ("https://attacker.example/keys", Refusal.KEY_ADDRESS),
        ("", Refusal.KEY_ADDRESS),
        ([JWKS], Refusal.KEY_ADDRESS),
        (7, Refusal.KEY_ADDRESS),
    ],
)
def test_a_key_address_must_be_the_registered_one(jku, expected):
    """
    Byte for byte; another one is refused before anything is fetched (SEC-10, T2).
    """
    client = client_of(jwks_url=JWKS)
    fetching = Fetching(EC)
    tokens = tokens_for(client, keys=Keys([client], fetch=fetching, now=lambda: 0.0))

    assert expected == reason_of(tokens, EC.token({"jku": jku}))
    assert ([] if expected else [JWKS]) == fetching.asked


def test_a_key_address_is_refused_where_keys_are_registered():
    """
    There is none that it could equal (SEC-09).
    """
    assert Refusal.KEY_ADDRESS == reason_of(tokens_for(), EC.token({"jku": JWKS}))


def test_nobody_connects_to_the_address_of_an_attacker(listening):
    """
    Its key is never asked for, whatever it would prove (T2, SEC-10).
    """
    port, connections = listening
    client = client_of(jwks_url=JWKS)
    tokens = tokens_for(client, keys=Keys([client], fetch=Fetching(EC), now=lambda: 0.0))
    for name in ("jku", "x5u"):
        token = OTHER.token({name: f"http://127.0.0.1:{port}/keys"})
        assert reason_of(tokens, token)

    assert [] == connections()


@pytest.fixture
def listening():
    """
    A server that says who connected to it.
    """
    import socket  # noqa: PLC0415 - only here

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)

        def connections():
            try:
                return [server.accept()]
            except BlockingIOError:
                return []

        yield server.getsockname()[1], connections


# --- audience -------------------------------------------------------------------------

AUDIENCES = {
    "the service": (f"{BASE}{ROUTE}", True),
    "a slash at the end": (f"{BASE}{ROUTE}/", True),
    "two slashes, as the sandbox": (f"{BASE}/cds-services//{SERVICE}", True),
    "in a list": (["https://else.example", f"{BASE}{ROUTE}"], True),
    "alone in a list": ([f"{BASE}{ROUTE}"], True),
    "another service": (f"{BASE}/cds-services/other", False),
    "the discovery": (f"{BASE}/cds-services", False),
    "the base": (BASE, False),
    "its feedback": (f"{BASE}{ROUTE}/feedback", False),
    "another host": (f"https://attacker.example{ROUTE}", False),
    "without its prefix": (f"https://cds.example.org{ROUTE}", False),
    "http": (f"http://cds.example.org/metabolic{ROUTE}", False),
    "in capitals": (f"{BASE}{ROUTE}".upper(), False),
    "with a query": (f"{BASE}{ROUTE}?x", False),
    "with something behind": (f"{BASE}{ROUTE}.attacker.example", False),
    "the path alone": (ROUTE, False),
    "nothing": (None, False),
    "an empty text": ("", False),
    "an empty list": ([], False),
    "a number": (7, False),
    "a number in a list": ([f"{BASE}{ROUTE}", 7], False),
    "an object": ({"url": f"{BASE}{ROUTE}"}, False),
    "a long list": ([f"{BASE}{ROUTE}"] * 21, False),
}


@pytest.mark.parametrize("name", AUDIENCES)
def test_the_audience_is_the_address_that_is_called(name):
    """
    As we are known from outside, slashes aside (SEC-13, T5, AMB-04).
    """
    audience, taken = AUDIENCES[name]
    expected = None if taken else Refusal.AUDIENCE

    assert expected == reason_of(tokens_for(), EC.token(aud=audience))


def test_the_audience_of_feedback_may_be_that_of_the_service():
    """
    Only there; the service itself does not take that of feedback (FB-09, AMB-03).
    """
    feedback = f"{ROUTE}/feedback"
    for audience in (f"{BASE}{feedback}", f"{BASE}{ROUTE}"):
        assert identified(
            tokens_for(), EC.token(aud=audience), routes=(feedback, ROUTE), service=SERVICE
        )

    assert Refusal.AUDIENCE == reason_of(tokens_for(), EC.token(aud=f"{BASE}{feedback}"))


def test_feedback_is_signed_as_calls_are():
    """
    Without a token it is refused unread; for either address it is taken (FB-09, SEC-04, AMB-03).
    """
    path = f"{ROUTE}/feedback"
    audiences = [f"{BASE}{path}", f"{BASE}{ROUTE}", f"{BASE}/cds-services", f"{BASE}{path}/x"]
    with Served() as served:
        bare = served.http.post(path, content=b"<", headers={"Content-Type": "text/plain"})
        signed = [served.post(EC.token(aud=one), path=path).status_code for one in audiences]
        crossed = served.post(EC.token(aud=f"{BASE}{path}"))

    # An empty object is no feedback, which only somebody known is told.
    assert (401, [400, 400, 401, 401], 401) == (bare.status_code, signed, crossed.status_code)


@pytest.mark.parametrize("name", ["X-SSL-Client-Verify", "X-Client-Cert", "X-Forwarded-User"])
def test_what_a_proxy_says_of_a_caller_is_no_token(name):
    """
    A certificate stands beside a token, never in its place (SEC-03).
    """
    with Served() as served:
        response = served.http.post(ROUTE, content=b"{}", headers={**JSON, name: "SUCCESS"})

    assert 401 == response.status_code


def test_a_client_may_know_us_by_another_address():
    """
    Where that is registered; the right one counts for it as well (SEC-13).
    """
    tokens = tokens_for(client_of(audiences=("https://inside.example/cds",)))

    assert identified(tokens, EC.token(aud=f"https://inside.example/cds{ROUTE}"))
    assert identified(tokens, EC.token())
    assert reason_of(tokens, EC.token(aud="https://inside.example/cds"))


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host", "X-Forwarded-Prefix", "Forwarded"])
def test_what_a_request_says_of_its_host_changes_nothing(name):
    """
    Neither lets in what is for somebody else, nor keeps out what is for us (T5, SEC-13).
    """
    with Served() as served:
        theirs = {name: "host=attacker.example" if name == "Forwarded" else "attacker.example"}
        audience = f"https://attacker.example{ROUTE}"
        refused = served.post(EC.token(aud=audience), headers=theirs)
        taken = served.post(EC.token(), headers=theirs)

    assert (401, 200) == (refused.status_code, taken.status_code)


# --- time -----------------------------------------------------------------------------

TIMES = {
    "just made": ({}, None),
    "expired within the leeway": ({"exp": NOW - LEEWAY + 1, "iat": NOW - 300}, None),
    "expired by the leeway": ({"exp": NOW - LEEWAY, "iat": NOW - 300}, Refusal.TIME),
    "expired by more": ({"exp": NOW - LEEWAY - 1, "iat": NOW - 300}, Refusal.TIME),
    "issued ahead, within the leeway": ({"iat": NOW + LEEWAY}, None),
    "issued ahead by more": ({"iat": NOW + LEEWAY + 1}, Refusal.TIME),
    "valid soon, within the leeway": ({"nbf": NOW + LEEWAY}, None),
    "valid later": ({"nbf": NOW + LEEWAY + 1}, Refusal.TIME),
    "valid for an hour": ({"exp": NOW + 3600}, None),
    "valid for a second more": ({"exp": NOW + 3601}, Refusal.LIFETIME),
    "valid for no time": ({"exp": NOW}, Refusal.LIFETIME),
    "valid backwards": ({"exp": NOW + 10, "iat": NOW + 20}, Refusal.LIFETIME),
    "the year 9999": ({"exp": 253_402_300_799}, Refusal.LIFETIME),
    "the year 10000": ({"exp": 253_402_300_800}, Refusal.TIME),
    "in milliseconds": ({"exp": (NOW + 300) * 1000, "iat": NOW * 1000}, Refusal.TIME),
    "before 1970": ({"iat": -1}, Refusal.TIME),
}
TIMES |= {
    f"{name} that is {value!r}": ({name: value}, Refusal.TIME)
    for name in ("exp", "iat", "nbf")
    for value in (f"{NOW}", NOW + 0.5, float(NOW), True, False, [NOW], {}, -5)
}
TIMES |= {f"no {name}": ({name: None}, Refusal.TIME) for name in ("exp", "iat")}


@pytest.mark.parametrize("name", TIMES)
def test_a_token_is_good_for_its_time_only(name):
    """
    To the second, in whole seconds, and for an hour at most (SEC-12, SEC-14, T7).
    """
    claims, expected = TIMES[name]

    assert expected == reason_of(tokens_for(), EC.token(**claims))


@pytest.mark.parametrize(("seconds", "expected"), [(300, None), (301, Refusal.LIFETIME)])
def test_a_client_may_be_held_to_shorter_tokens(seconds, expected):
    """
    As registered (SEC-14).
    """
    tokens = tokens_for(client_of(token_seconds=300))

    assert expected == reason_of(tokens, EC.token(exp=NOW + seconds))


# --- the other claims -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "jti"])
def test_every_claim_is_needed(name):
    """
    Each one left out is a refusal (SEC-12).
    """
    assert reason_of(tokens_for(), EC.token(**{name: None}))


@pytest.mark.parametrize("jti", ["", 7, None, ["a"], "j" * 129, "a\nb", "\x00"])
def test_a_token_id_is_a_short_text(jti):
    """
    Of at most 128 characters that can be printed (SEC-12, T8).
    """
    assert Refusal.TOKEN_ID == reason_of(tokens_for(), EC.token(jti=jti))
    assert identified(tokens_for(), EC.token(jti="j" * 128))


@pytest.mark.parametrize("iss", ["https://else.example", f"{ISSUER}/", ISSUER.upper(), "", 7, []])
def test_an_issuer_that_is_not_registered_is_refused(iss):
    """
    Letter by letter (SEC-10).
    """
    assert Refusal.ISSUER == reason_of(tokens_for(), EC.token(iss=iss))


@pytest.mark.parametrize(
    ("tenants", "claimed", "expected"),
    [
        ((), None, None),
        ((), "north", Refusal.TENANT),
        ((), "", Refusal.TENANT),
        (("north", "south"), "north", None),
        (("north", "south"), "south", None),
        (("north", "south"), "east", Refusal.TENANT),
        (("north", "south"), "North", Refusal.TENANT),
        (("north", "south"), None, Refusal.TENANT),
        (("north", "south"), ["north"], Refusal.TENANT),
        (("north", "south"), 7, Refusal.TENANT),
        (("n" * 128,), "n" * 128, None),
        (("n" * 128,), "n" * 129, Refusal.TENANT),
    ],
)
def test_a_tenant_is_one_of_those_registered(tenants, claimed, expected):
    """
    And named where there are some: none could be any of them (T6, SEC-17).
    """
    tokens = tokens_for(client_of(tenants=tenants))

    assert expected == reason_of(tokens, EC.token(tenant=claimed))


def test_a_client_cannot_claim_the_tenant_of_another():
    """
    A tenant belongs to its issuer (T6).
    """
    theirs = Signer(key=private_key("ES384", "theirs"), issuer="https://other.example")
    tokens = tokens_for(
        client_of(tenants=("north",)),
        client_of(theirs, name="other", issuer=theirs.issuer, tenants=("south",)),
    )

    assert "north" == identified(tokens, EC.token(tenant="north")).tenant
    assert Refusal.TENANT == reason_of(tokens, EC.token(tenant="south"))
    assert Refusal.SIGNATURE == reason_of(tokens, EC.token(iss=theirs.issuer, tenant="south"))


def test_who_called_is_in_the_log():
    """
    By the names that are registered (SEC-17).
    """
    with Served(client_of(tenants=("north",))) as served:
        served.post(EC.token(tenant="north"))

    assert [("ehr", "north")] == [
        (one["client"], one["tenant"]) for one in served.lines if one["event"] == "answered"
    ]


# --- used once ------------------------------------------------------------------------


def test_a_token_is_taken_once():
    """
    The second time it is somebody who listened (SEC-16, T4).
    """
    tokens, token = tokens_for(), EC.token()

    assert identified(tokens, token)
    assert Refusal.USED == reason_of(tokens, token)
    assert identified(tokens, EC.token())


def test_only_a_proved_token_is_remembered():
    """
    Nobody can use up the token of somebody else (SEC-16).
    """
    seen = Seen()
    tokens = tokens_for(client_of(tenants=("north",)), replays=seen)
    honest = EC.claims(jti="the-one", tenant="north")
    forgeries = [
        OTHER.sign(honest),
        EC.sign({**honest, "aud": BASE}),
        EC.sign({**honest, "exp": NOW - 100}),
        EC.sign({**honest, "tenant": "south"}),
        EC.sign(honest, {"kid": "two"}),
    ]

    assert all(reason_of(tokens, one) for one in forgeries)
    assert set() == seen.used
    assert identified(tokens, EC.sign(honest))


def test_the_id_of_a_token_belongs_to_its_issuer():
    """
    Two systems may count from one (SEC-16).
    """
    theirs = Signer(key=private_key("ES384", "theirs"), issuer="https://other.example")
    tokens = tokens_for(client_of(), client_of(theirs, name="other", issuer=theirs.issuer))

    assert identified(tokens, EC.token(jti="1"))
    assert identified(tokens, theirs.token(jti="1"))


def test_a_token_is_remembered_until_nobody_would_take_it():
    """
    Until it is expired and the leeway is over (SEC-16).
    """
    asked = []

    class Asked(Seen):
        async def claim(self, issuer, jti, until):
            asked.append((issuer, jti, until))
            return True

    identified(tokens_for(replays=Asked()), EC.token(jti="x", exp=NOW + 100))

    assert [(ISSUER, "x", NOW + 100 + LEEWAY)] == asked


def test_nothing_is_let_in_while_used_tokens_are_not_known():
    """
    503 with a time to come back, and an alarm; never a guess (T4).
    """

    class Broken(Seen):
        async def claim(self, issuer, jti, until):
            raise StoreFailed("the database of used tokens failed: OperationalError")

    with Served(replays=Broken()) as served:
        response = served.post(EC.token())

    assert (503, "1") == (response.status_code, response.headers["retry-after"])
    assert "OperationOutcome" == response.json()["resourceType"]
    assert [] == served.fake.seen
    assert ["error"] == [one["level"] for one in served.lines if one["event"] == "store_failed"]


def test_claims_are_judged_in_the_order_of_the_list():
    """
    Issuer, audience, time, tenant, signature, use (SEC-18).
    """
    tokens = tokens_for()
    wrong = {"iss": "x", "aud": "x", "exp": 1, "tenant": "x"}
    reasons = []
    for name in ("iss", "aud", "exp", "tenant", ""):
        reasons.append(reason_of(tokens, OTHER.token(**wrong)))
        wrong.pop(name, None)
    used = EC.token()
    identified(tokens, used)
    reasons.append(reason_of(tokens, used))

    assert [
        Refusal.ISSUER,
        Refusal.AUDIENCE,
        Refusal.TIME,
        Refusal.TENANT,
        Refusal.SIGNATURE,
        Refusal.USED,
    ] == reasons


# --- size -----------------------------------------------------------------------------


def test_a_token_has_a_limit():
    """
    An honest one of nearly 8 KiB is read (T8).
    """
    padding = "x" * (MOST_TOKEN * 3 // 4)
    short, long = (
        EC.token(pad=padding[: len(padding) - back]) for back in (len(EC.token()) * 3 // 4 + 60, 0)
    )

    assert len(short) <= MOST_TOKEN < len(long)
    assert identified(tokens_for(), short)
    assert Refusal.TOO_LONG == reason_of(tokens_for(), long)


def test_a_token_that_is_too_long_costs_nothing(monkeypatch):
    """
    It is refused before anything is decoded (T8).
    """
    monkeypatch.setattr("cds.service.tokens.base64", None)
    monkeypatch.setattr("cds.service.tokens.decode", None)

    assert Refusal.TOO_LONG == reason_of(tokens_for(), EC.token(pad="x" * MOST_TOKEN))


def test_the_limit_is_to_the_byte():
    """
    At it a token is read and found malformed, beyond it it is not read (T8).
    """
    assert Refusal.MALFORMED == reason_of(tokens_for(), "e" * MOST_TOKEN)
    assert Refusal.TOO_LONG == reason_of(tokens_for(), "e" * (MOST_TOKEN + 1))


@pytest.mark.parametrize(
    "part", [b"[" * 5000, b'{"a":' * 900, b"\xff\xfe{", b'{"exp": 1e400}', b'{"a": "\\ud800"}']
)
@pytest.mark.parametrize("place", [0, 1])
def test_hostile_json_is_malformed(part, place):
    """
    In the header as in the claims (T8).
    """
    parts = [encoded({"alg": "ES384", "typ": "JWT", "kid": "one"}), encoded(EC.claims()), "AA"]
    parts[place] = encoded(part)

    assert Refusal.MALFORMED == reason_of(tokens_for(), ".".join(parts))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one, max_size=3),
    max_leaves=5,
)
MEMBERS = st.dictionaries(
    st.sampled_from(
        ["alg", "kid", "typ", "jku", "iss", "aud", "exp", "iat", "nbf", "jti", "tenant"]
    )
    | st.text(max_size=5),
    ANYTHING,
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(header=MEMBERS, claims=MEMBERS)
def test_whatever_a_token_holds_is_judged(header, claims):
    """
    Signed by the right key or not: let in or refused, and never anything else (T1, T8).
    """
    tokens = tokens_for()
    token = EC.sign({**EC.claims(), **claims}, {"jku": None, **header})
    reason = reason_of(tokens, token)

    assert reason is None or isinstance(reason, Refusal)
    if reason is None:
        assert "ES384" == {"alg": "ES384", **header}["alg"]
        assert not {"jwk", "crit"} & {name for name, one in header.items() if one is not None}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_letter_of_a_token_can_be_changed(data):
    """
    Not one, to any other (T1).
    """
    token = EC.token()
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_.=+/ \n\x00é"))
    forged = token[:place] + letter + token[place + 1 :]

    assert (forged == token) is (reason_of(tokens_for(), forged) is None)


# --- what the caller learns -----------------------------------------------------------


def refusals():
    """
    A call for every reason there is: its authorization headers.
    """
    used = EC.token()
    return {
        Refusal.NO_TOKEN: [],
        Refusal.TWO_TOKENS: [EC.token(), EC.token()],
        Refusal.TOO_LONG: ["e" * 9000],
        Refusal.MALFORMED: ["x"],
        Refusal.HEADER: [EC.token({"crit": ["x"]})],
        Refusal.ALGORITHM: [EC.token({"alg": "HS384"})],
        Refusal.TYPE: [EC.token({"typ": "JOSE"})],
        Refusal.KEY_ID: [EC.token({"kid": None})],
        Refusal.KEY_ADDRESS: [EC.token({"jku": JWKS})],
        Refusal.ISSUER: [EC.token(iss="x")],
        Refusal.AUDIENCE: [EC.token(aud="x")],
        Refusal.TIME: [EC.token(exp=1)],
        Refusal.LIFETIME: [EC.token(exp=NOW + 9999)],
        Refusal.TENANT: [EC.token(tenant="x")],
        Refusal.TOKEN_ID: [EC.token(jti=None)],
        Refusal.SUBJECT: [EC.token(sub=1)],
        Refusal.KEY: [EC.token({"kid": "nine"})],
        Refusal.SIGNATURE: [OTHER.token()],
        Refusal.USED: [used, used],
    }


def test_every_refusal_looks_alike():
    """
    Status, headers and body to the last byte, but for the id of the request (ERR-03, T9, SEC-18).
    """
    answers = set()
    with Served() as served:
        for reason, tokens in refusals().items():
            if reason is Refusal.USED:
                served.post(tokens.pop())
            headers = [("Content-Type", "application/json")]
            headers += [("Authorization", f"Bearer {one}") for one in tokens]
            response = served.http.post(ROUTE, content=b"{}", headers=headers)
            kept = [one for one in response.headers.items() if one[0] != "x-request-id"]
            answers.add((response.status_code, tuple(kept), response.content))

    ((status, headers, body),) = answers
    assert (401, "Bearer") == (status, dict(headers)["www-authenticate"])
    assert "OperationOutcome" == json.loads(body)["resourceType"]
    assert list(refusals()) == served.reasons
    assert set(Refusal) == set(refusals())


def test_no_token_is_kept_or_printed(tmp_path, capfd):
    """
    In no answer, no line of the log, no page of the database, used, refused or lost (T10, SEC-18).
    """
    path = tmp_path / "state.sqlite3"
    replays = Replays(f"sqlite:///{path}", now=lambda: NOW)
    sent = []
    with Served(replays=replays) as served:

        def post(*tokens):
            sent.extend(tokens)
            headers = [("Content-Type", "application/json")]
            headers += [("Authorization", f"Bearer {one}") for one in tokens]
            response = served.http.post(ROUTE, content=b"{}", headers=headers)
            return response.text + str(response.headers)

        said = [post(*tokens) for tokens in refusals().values()]
        said += [post(EC.token()), post(EC.token(sub="canary"))]
        engine, table = replays._store
        with engine.begin() as connection:
            connection.execute(text(f"DROP TABLE {table.name}"))
        said.append(post(EC.token()))
        log = served.stream.getvalue()
    pages = b"".join(one.read_bytes() for one in tmp_path.iterdir()).decode("latin-1")
    found = "".join([*said, log, pages, *capfd.readouterr()])
    # Every part of every token that is long enough to be one.
    parts = {part for one in sent for part in one.split(".") if len(part) > 40}

    assert "store_failed" in log
    assert len(parts) > 30
    assert [] == [part for part in parts if part[:40] in found]
    assert "canary" not in found


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic dTpw", "Token {}", "{}", "Bearer,{}"]
)
def test_other_ways_to_say_who_one_is_are_refused(header):
    """
    A bearer token and nothing else (SEC-04).
    """
    with Served() as served:
        response = served.http.post(
            ROUTE, content=b"{}", headers={**JSON, "Authorization": header.format(EC.token())}
        )

    assert 401 == response.status_code
    assert [Refusal.NO_TOKEN] == served.reasons


def test_two_tokens_are_none():
    """
    Also where each of them is good: a proxy might have looked at the other (T29).
    """
    with Served() as served:
        headers = [("Authorization", f"Bearer {EC.token()}") for _ in range(2)]
        response = served.http.post(ROUTE, content=b"{}", headers=headers)

    assert 401 == response.status_code
    assert [] == served.fake.seen


@pytest.mark.parametrize(
    "token",
    [EC.token(iss="https://else.example"), EC.token(aud="x"), EC.token({"kid": "nine"})],
    ids=["issuer", "audience", "key"],
)
def test_a_key_is_tried_whatever_is_wrong(token, monkeypatch):
    """
    So that the time taken does not tell an unknown issuer from a wrong signature (T9).
    """
    tokens = tokens_for()
    tried = []
    verifies = tokens._verifies
    monkeypatch.setattr(tokens, "_verifies", lambda *call: tried.append(call) or verifies(*call))

    assert reason_of(tokens, token)
    assert ["P-384"] == [key.family for _, key, _ in tried]


# --- which calls are asked ------------------------------------------------------------


def test_the_caller_is_asked_before_anything_is_read():
    """
    Neither the media type nor the body of somebody unknown is looked at (SEC-02, ERR-03).
    """
    with Served() as served:
        media = served.http.post(ROUTE, content=b"<a/>", headers={"Content-Type": "text/xml"})
        large = served.http.post(ROUTE, content=b" " * 9_000_000, headers=JSON)
        unknown = served.http.post("/cds-services/unknown", content=b"{}", headers=JSON)

    assert [401, 401, 401] == [one.status_code for one in (media, large, unknown)]
    assert [] == served.fake.seen


def test_an_unknown_service_is_told_to_a_known_caller():
    """
    404 behind the token (SEC-04).
    """
    with Served() as served:
        token = EC.token(aud=f"{BASE}/cds-services/unknown")
        response = served.post(token, path="/cds-services/unknown")

    assert 404 == response.status_code


def test_a_client_may_be_kept_to_some_services():
    """
    403 for the others, with an outcome of its own (ERR-04).
    """
    client = client_of(services=("metabolic-order-sign",))
    with Served(client) as served:
        response = served.post(EC.token())

    assert 403 == response.status_code
    assert "forbidden" == response.json()["issue"][0]["code"]
    assert [] == served.fake.seen
    with pytest.raises(NotAllowed):
        identified(tokens_for(client), EC.token())


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
def test_discovery_is_open_unless_it_is_protected(path):
    """
    With the same token, made out to the discovery address (DISC-15, SEC-04, AMB-10).
    """
    token = {"Authorization": f"Bearer {EC.token(aud=f'{BASE}/cds-services')}"}
    wrong = {"Authorization": f"Bearer {EC.token()}"}
    with Served() as served:
        opened = served.http.get(path)
    with Served(settings={"protect_discovery": True}) as served:
        statuses = [
            served.http.get(path, headers=headers).status_code for headers in ({}, wrong, token)
        ]

    assert 200 == opened.status_code
    assert [401, 401, 200] == statuses


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/status"])
def test_probes_are_never_asked(path):
    """
    Who watches a service has no key.
    """
    with Served(settings={"protect_discovery": True}) as served:
        assert 200 == served.http.get(path).status_code


@pytest.mark.parametrize("path", ["/cds-services", ROUTE, f"{ROUTE}/feedback"])
def test_a_preflight_is_never_asked(path):
    """
    A browser sends none, and a 401 would end everything (Q-01, SEC-19).
    """
    headers = {
        "Origin": "https://page.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    with Served(settings={"protect_discovery": True}) as served:
        response = served.http.options(path, headers=headers)

    assert 204 == response.status_code


def test_a_refusal_can_be_read_by_a_page():
    """
    401 carries the headers of CORS too (ERR-12, ERR-03).
    """
    with Served() as served:
        response = served.post("x", headers={"Origin": "https://page.example"})

    assert (401, "*") == (response.status_code, response.headers["access-control-allow-origin"])


def test_status_says_how_many_may_call():
    """
    And whether they must sign; no name, no issuer, no address (SEC-02).
    """
    with Served(client_of(tenants=("north",)), settings={}) as served:
        found = served.http.get("/status").json()
        text = json.dumps(found)

    assert {"registered": 1, "needTokens": True} == found["clients"]
    assert not any(one in text for one in ("ehr", "north", ISSUER))


def test_without_authentication_everybody_is_the_same_client():
    """
    Development on loopback asks nobody (SEC-02).
    """
    caller = asyncio.run(Anybody().identify([], routes=[ROUTE], service=SERVICE))

    assert ANYBODY == caller
    assert () == caller.client.fhir_bases
