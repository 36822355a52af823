"""
Key sets: what may be in one, and when one is fetched.
"""

import asyncio
import json
from collections import Counter

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from cds.errors import BadKeys, Busy, NotFetched
from cds.service.keys import MOST_BYTES, MOST_KEYS, Keys, decoy, fetch_over, read_key_set
from cds.service.outbound import Outbound
from tests.tokens import JWKS, Signer, client_of, private_key, public_jwk, unreachable

EC = public_jwk(private_key("ES384"), kid="one")
RSA = public_jwk(private_key("RS384"), kid="two")


# --- what may be in a set -------------------------------------------------------------


def test_keys_are_found_by_their_ids():
    """
    With what they may verify (SEC-08).
    """
    keys = read_key_set({"keys": [EC, RSA]})

    assert {"one", "two"} == set(keys)
    assert [True, False] == [keys["one"].fits(one) for one in ("ES384", "RS384")]
    assert [False, True, True] == [keys["two"].fits(one) for one in ("ES384", "RS384", "RS256")]


@pytest.mark.parametrize(
    ("algorithm", "fits"), [("ES384", True), ("ES256", False), ("RS384", False), ("HS384", False)]
)
def test_a_key_fits_one_sort_of_signature(algorithm, fits):
    """
    By its kind and curve, and by its own `alg` where it has one (SEC-08, T1).
    """
    keys = read_key_set({"keys": [EC, {**RSA, "alg": "RS256"}]})

    assert fits is keys["one"].fits(algorithm)
    assert [True, False] == [keys["two"].fits(one) for one in ("RS256", "RS384")]


@pytest.mark.parametrize(
    "more",
    [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"key_ops": "verify"}, {"crv": "P-521"}],
    ids=str,
)
def test_keys_for_something_else_are_left_out(more):
    """
    They do no harm to the others (SEC-08).
    """
    assert {"two"} == set(read_key_set({"keys": [{**EC, **more}, RSA]}))


def test_keys_of_another_kind_are_left_out():
    """
    A set may hold more than we know.
    """
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    okp = {**OKPAlgorithm.to_jwk(public, as_dict=True), "kid": "three"}

    assert {"one"} == set(read_key_set({"keys": [okp, {"kty": "new", "kid": "x"}, EC]}))


BROKEN = {
    "no object": [],
    "no list": {"keys": {}},
    "no set": {},
    "no key": {"keys": ["one"]},
    "a symmetric key": {"keys": [EC, {"kty": "oct", "k": "AAAA", "kid": "s"}]},
    "a private EC key": {
        "keys": [{**ECAlgorithm.to_jwk(private_key("ES384"), as_dict=True), "kid": "one"}]
    },
    "a private RSA key": {
        "keys": [{**RSAAlgorithm.to_jwk(private_key("RS384"), as_dict=True), "kid": "two"}]
    },
    "a private part": {"keys": [{**RSA, "dp": "AAAA"}]},
    "a private part of a key of no use": {"keys": [{"kty": "OKP", "d": "AAAA", "kid": "x"}]},
    "one id twice": {"keys": [EC, {**RSA, "kid": "one"}]},
    "a weak key": {"keys": [public_jwk(private_key("RS384", "weak", bits=1024), kid="two")]},
    "a giant key": {"keys": [{**RSA, "n": RSA["n"] * 5}]},
    "an even exponent": {"keys": [{**RSA, "e": "BA"}]},
    "no exponent": {"keys": [{key: one for key, one in RSA.items() if key != "e"}]},
    "a point that is on no curve": {"keys": [{**EC, "x": EC["y"]}]},
    "half a point": {"keys": [{key: one for key, one in EC.items() if key != "y"}]},
    "a number for a point": {"keys": [{**EC, "x": 7}]},
    "no id": {"keys": [{key: one for key, one in EC.items() if key != "kid"}]},
    "an empty id": {"keys": [{**EC, "kid": ""}]},
    "a number for an id": {"keys": [{**EC, "kid": 1}]},
    "a long id": {"keys": [{**EC, "kid": "k" * 129}]},
    "a list of algorithms": {"keys": [{**EC, "alg": ["ES384"]}]},
    "too many": {"keys": [{**EC, "kid": str(one)} for one in range(MOST_KEYS + 1)]},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_set_with_something_wrong_is_refused_whole(name):
    """
    With a place, and nothing of what stands there (T3).
    """
    with pytest.raises(BadKeys) as caught:
        read_key_set(BROKEN[name])

    assert EC["x"] not in str(caught.value)


def test_a_set_may_be_full():
    """
    Twenty keys are taken (T3).
    """
    keys = [{**EC, "kid": str(one)} for one in range(MOST_KEYS)]

    assert MOST_KEYS == len(read_key_set({"keys": keys}))


def test_registered_keys_that_cannot_be_used_are_named():
    """
    By their client, before anything is served.
    """
    with pytest.raises(BadKeys, match=r"client ehr: keys\.0"):
        Keys([client_of(keys=({"kty": "oct"},))], fetch=unreachable, now=lambda: 0.0)


@pytest.mark.parametrize(
    ("algorithm", "family"), [("ES384", "P-384"), ("ES256", "P-256"), ("RS384", "RSA")]
)
def test_a_decoy_can_be_tried(algorithm, family):
    """
    It is of the kind that was asked for, and verifies nothing (T9).
    """
    import jwt  # noqa: PLC0415 - only here

    key = decoy(algorithm)
    signature = jwt.get_algorithm_by_name(algorithm).sign(b"text", private_key(algorithm))

    assert family == key.family
    assert not jwt.get_algorithm_by_name(algorithm).verify(b"text", key.public, signature)


# --- when one is fetched --------------------------------------------------------------


class Address:
    """
    Where a client has its keys, with a clock.
    """

    def __init__(self, *kids):
        self.now = 1000.0
        self.fetched = 0
        self.publish(*kids)
        self.broken = None
        self.keys = Keys([client_of(jwks_url=JWKS)], fetch=self._fetch, now=lambda: self.now)

    def publish(self, *kids):
        """
        Put other keys there.
        """
        self.raw = json.dumps({"keys": [{**EC, "kid": kid} for kid in kids]}).encode()

    async def _fetch(self, client):
        assert JWKS == client.jwks_url
        self.fetched += 1
        await asyncio.sleep(0)
        if self.broken is not None:
            raise self.broken
        return self.raw

    async def find(self, kid):
        """
        Look for a key, and let what was begun come to its end.
        """
        found = await self.keys.find(client_of(jwks_url=JWKS), kid)
        for _ in range(5):
            await asyncio.sleep(0)
        return found is not None


def test_a_set_is_fetched_once():
    """
    And kept (SEC-11).
    """

    async def scene():
        address = Address("a", "b")
        assert [True, True, True] == [await address.find(kid) for kid in "aba"]
        return address.fetched

    assert 1 == asyncio.run(scene())


def test_a_flood_of_key_ids_is_one_fetch():
    """
    A thousand made-up ids in 29 seconds (T3, SEC-11).
    """

    async def scene():
        address = Address("a")
        await address.find("a")
        address.now += 31
        for number in range(1000):
            address.now += 0.029
            assert not await address.find(f"made up {number}")
        return address.fetched, await address.find("a")

    assert (2, True) == asyncio.run(scene())


def test_those_who_come_together_wait_for_one_fetch():
    """
    A hundred calls at a cold start (T3).
    """

    async def scene():
        address = Address("a")
        found = await asyncio.gather(*(address.find("a") for _ in range(100)))
        return all(found), address.fetched

    assert (True, 1) == asyncio.run(scene())


def test_made_up_ids_do_not_hold_every_place():
    """
    While the address is slow a few wait, the others are told to come again (T3, T65).
    """

    async def scene():
        address = Address("a")
        await address.find("a")
        address.now += 31
        asked = (address.find(f"made up {number}") for number in range(40))
        found = await asyncio.gather(*asked, return_exceptions=True)
        return Counter(map(type, found)), await address.find("a"), address.fetched

    assert ({bool: 8, Busy: 32}, True, 2) == asyncio.run(scene())


def test_whoever_gives_up_takes_nothing_from_the_others():
    """
    The fetch goes on for those who wait (T3).
    """

    async def scene():
        address = Address("a")
        first, second = (asyncio.create_task(address.find("a")) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        return await second, address.fetched

    assert (True, 1) == asyncio.run(scene())


def test_a_new_key_is_taken_within_31_seconds():
    """
    Rotation: the old set was fetched just before (T3, SEC-11).
    """

    async def scene():
        address = Address("old")
        await address.find("old")
        address.publish("new", "old")
        found = []
        for _ in range(31):
            address.now += 1
            found.append(await address.find("new"))
        return found, address.fetched

    found, fetched = asyncio.run(scene())

    assert 2 == fetched
    assert [False] * 29 + [True] * 2 == found


def test_a_key_id_that_is_not_there_is_not_asked_for_again():
    """
    For five minutes; then it is (T3).
    """

    async def scene():
        address = Address("a")
        await address.find("a")
        fetched = []
        for seconds in (31, 31, 200, 70):
            address.now += seconds
            await address.find("unknown")
            fetched.append(address.fetched)
        return fetched

    assert [2, 2, 2, 3] == asyncio.run(scene())


def test_few_absent_key_ids_are_remembered():
    """
    128 of them, the last (T3).
    """

    async def scene():
        address = Address("a")
        for number in range(300):
            address.now += 31
            address.publish(str(number))
            await address.find("made up" + str(number))
        return len(address.keys._fetched["ehr"]._absent)

    assert 128 >= asyncio.run(scene())


@pytest.mark.parametrize(
    "broken", [OSError("down"), TimeoutError(), ValueError("?"), NotFetched("timeout")]
)
def test_an_address_that_is_down_is_no_reason_to_refuse(broken):
    """
    The last good set is used for a day, and tried again every 30 seconds at most (T3, SEC-11).
    """

    async def scene():
        address = Address("a")
        assert await address.find("a")
        address.broken = broken
        found = {}
        for hours in (0.1, 1.5, 23.9, 24.1):
            address.now = 1000 + hours * 3600
            found[hours] = await address.find("a")
        before = address.fetched
        address.now += 5
        await address.find("a")
        return found, address.fetched - before

    found, again = asyncio.run(scene())

    assert {0.1: True, 1.5: True, 23.9: True, 24.1: False} == found
    assert 0 == again


def test_an_address_that_is_down_at_first_refuses():
    """
    There is no key to verify with; it is tried again after 30 seconds (SEC-11).
    """

    async def scene():
        address = Address("a")
        address.broken = OSError("down")
        found = [await address.find("a")]
        address.broken = None
        for seconds in (29, 2):
            address.now += seconds
            found.append(await address.find("a"))
        return found

    assert [False, False, True] == asyncio.run(scene())


def test_a_key_that_was_taken_back_is_refused_in_time():
    """
    Behind the back of a call after ten minutes, before it after an hour (SEC-11).
    """

    async def scene():
        found = []
        for seconds in (601, 3601):
            address = Address("a", "b")
            await address.find("a")
            address.publish("b")
            address.now += seconds
            found += [await address.find("a"), await address.find("a")]
        return found

    assert [True, False, False, False] == asyncio.run(scene())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"keys": [], "keys": []}',
        json.dumps({"keys": [EC]}).encode() + b" " * MOST_BYTES,
        json.dumps({"keys": [EC, {"kty": "oct", "k": "AA", "kid": "s"}]}).encode(),
        json.dumps({"keys": [EC, EC]}).encode(),
        json.dumps({"keys": [{**EC, "d": "AA"}]}).encode(),
    ],
    ids=["empty", "html", "list", "twice", "long", "symmetric", "double", "private"],
)
def test_a_document_that_cannot_be_used_changes_nothing(raw):
    """
    The set before stays (T3).
    """

    async def scene():
        address = Address("one")
        assert await address.find("one")
        address.raw = raw
        address.now += 3601
        return await address.find("one"), await address.find("new"), address.fetched

    assert (True, False, 2) == asyncio.run(scene())


def test_a_document_may_be_as_long_as_the_limit():
    """
    64 KiB, and not a byte more (T3).
    """

    async def scene(more):
        address = Address("one")
        address.raw = address.raw.ljust(MOST_BYTES + more)
        return await address.find("one")

    assert [True, False] == [asyncio.run(scene(more)) for more in (0, 1)]


def test_a_signer_is_found_by_the_keys_at_its_address():
    """
    With no key registered (SEC-10).
    """
    signer = Signer()

    async def fetch(_client):
        return json.dumps({"keys": [signer.jwk]}).encode()

    client = client_of(jwks_url=JWKS)
    keys = Keys([client], fetch=fetch, now=lambda: 0.0)

    assert "one" == asyncio.run(keys.find(client, "one")).kid
    assert asyncio.run(keys.find(client_of(name="stranger"), "one")) is None


# --- over the network -----------------------------------------------------------------


@pytest.fixture
def serving():
    """
    A server of key sets on this machine; it says what was asked.
    """
    import http.server  # noqa: PLC0415 - only here
    import threading  # noqa: PLC0415 - only here

    asked = []
    pages = {
        "/keys": (200, {}, json.dumps({"keys": [EC]}).encode()),
        "/moved": (302, {"Location": "/keys"}, b""),
        "/gone": (404, {}, json.dumps({"keys": [EC]}).encode()),
        "/long": (200, {}, json.dumps({"keys": [EC]}).encode().ljust(MOST_BYTES + 1)),
        "/packed": (200, {"Content-Encoding": "gzip"}, json.dumps({"keys": [EC]}).encode()),
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, dict(self.headers)))
            status, headers, body = pages[self.path]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def found_at(url, *, networks=("127.0.0.0/8",), development=True):
    """
    Tell whether a key is found at an address.
    """
    client = client_of(jwks_url=url, private_networks=networks)
    outbound = Outbound(development=development)
    keys = Keys([client], fetch=fetch_over(outbound), now=lambda: 0.0)
    return asyncio.run(keys.find(client, "one")) is not None


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/keys", True), ("/moved", False), ("/gone", False), ("/long", False), ("/packed", False)],
)
def test_a_set_is_fetched_from_its_address_and_no_other(serving, path, expected):
    """
    One request: nothing moved, packed, long or absent is taken (T3, T14, T17).
    """
    base, asked = serving

    assert expected is found_at(base + path)
    assert [path] == [one for one, _ in asked]
    assert not {"Authorization", "Cookie"} & set(asked[0][1])


@pytest.mark.parametrize("how", [{"networks": ()}, {"development": False}])
def test_a_set_is_not_fetched_from_within(serving, how):
    """
    Neither from a network that was not named, nor in production without TLS (T3).
    """
    base, asked = serving

    assert not found_at(f"{base}/keys", **how)
    assert [] == asked


def test_no_proxy_of_the_environment_is_used(serving, monkeypatch):
    """
    What it would be told is nobody's business (T18).
    """
    base, asked = serving
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert found_at(f"{base}/keys")
    assert 1 == len(asked)
