"""
The way out: limits, redirects, encodings, pinned addresses, faults of the other side.
"""

import asyncio
import http.server
import resource
import threading
import time
import traceback
from ipaddress import ip_network

import httpcore2
import pytest

from cds.errors import NotFetched
from cds.service.addresses import place_of
from cds.service.outbound import Limits, Outbound
from tests.fhir_server import FhirServer, served

LOOPBACK = (ip_network("127.0.0.0/8"),)
PATIENT = {"resourceType": "Patient", "id": "1"}
SHORT = Limits(connect_seconds=0.6, read_seconds=0.6, total_seconds=0.9)


@pytest.fixture(scope="module")
def server():
    """
    A server that holds one patient.
    """
    with served(FhirServer([PATIENT])) as one:
        yield one


@pytest.fixture(autouse=True)
def _fresh(server):
    server.reset()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """
    A certificate of loopback's, and its key.
    """
    return make_certificate(tmp_path_factory.mktemp("tls"))


def make_certificate(folder):
    """
    Write a certificate for `ehr.example`, signed by itself.
    """
    import datetime as dt  # noqa: PLC0415 - only here

    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ehr.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("ehr.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "certificate.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = folder / "key.pem"
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(pem), str(secret)


class Connecting(httpcore2.AsyncNetworkBackend):
    """
    Says where it was told to connect, and connects to loopback at most.
    """

    def __init__(self):
        self.told = []

    async def connect_tcp(
        self,
        host,
        port,
        timeout=None,  # noqa: ASYNC109
        local_address=None,
        socket_options=None,
    ):
        self.told.append((host, port))
        if host != "127.0.0.1":
            raise httpcore2.ConnectError
        return await httpcore2.AnyIOBackend().connect_tcp(host, port, timeout=timeout)


def resolving(*answers):
    """
    A resolver that gives these answers one after the other, and counts.
    """
    left = list(answers)
    asked = []

    async def resolve(host, port):
        asked.append((host, port))
        return left.pop(0)

    resolve.asked = asked
    return resolve


def get(url, *, limits=None, networks=LOOPBACK, headers=None, **options):
    """
    Get one address in a loop of its own.
    """
    outbound = Outbound(**{"development": True, **options})
    return asyncio.run(outbound.get(url, headers=headers, limits=limits, networks=networks))


def refusal(url, **options):
    """
    Why it was not got.
    """
    with pytest.raises(NotFetched) as caught:
        get(url, **options)
    return caught.value.reason


def test_an_answer_is_status_media_and_bytes(server):
    """
    Asked for as it is, with our headers and no others.
    """
    answer = get(f"{server.base}/Patient/1", headers={"Accept": "application/fhir+json"})

    assert (200, "application/fhir+json") == (answer.status, answer.media)
    assert b'"Patient"' in answer.body
    assert "Patient" not in repr(answer)
    assert {
        "host": server.origin.removeprefix("http://"),
        "accept": "application/fhir+json",
        "accept-encoding": "identity",
        "user-agent": "metabolic-cds",
    } == server.seen[0].headers


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503, 504])
def test_a_status_is_an_answer(server, status):
    """
    What it means is for the caller to say.
    """
    server.fail(str(status))

    assert status == get(f"{server.base}/Patient/1").status


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("301", "redirect"),
        ("302", "redirect"),
        ("303", "redirect"),
        ("307", "redirect"),
        ("308", "redirect"),
        ("redirect loop", "redirect"),
        ("redirect elsewhere", "redirect"),
        ("encoded", "encoded"),
        ("huge", "too large"),
        ("endless", "too large"),
        ("trickle", "timeout"),
        ("silent", "timeout"),
        ("half a head", "timeout"),
        ("hang up", "protocol"),
        ("too short", "protocol"),
        ("no answer of http", "protocol"),
        ("long header", "protocol"),
    ],
)
def test_what_a_server_may_do_ends_in_a_reason(server, fault, reason):
    """
    One request, one word, in time (T14, T16).
    """
    server.fail(fault)
    began = time.monotonic()

    assert reason == refusal(f"{server.base}/Patient/1", limits=SHORT)
    assert 1 == len(server.seen)
    assert 4 > time.monotonic() - began


def test_a_bomb_is_not_unpacked(server):
    """
    200 MiB in 200 KiB: refused at its head, memory stays (T17).
    """
    server.fail("bomb")
    # Made once before, so that only what the client takes is measured.
    limits = Limits(read_seconds=10, total_seconds=10)
    refusal(f"{server.base}/Patient/1", limits=limits)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert "encoded" == refusal(f"{server.base}/Patient/1", limits=limits)
    assert 20 * 1024 > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


@pytest.mark.parametrize("fault", ["plain json", "chunked"])
@pytest.mark.parametrize(("size", "fits"), [(100, True), (101, False)])
def test_bodies_are_counted(server, size, fits, fault):
    """
    The limit itself still fits; whether a length is promised or not.
    """
    server.fail(fault)
    text = "x" * (size - len('{"resourceType":"Patient","id":"2","language":""}'))
    server.hold([{"resourceType": "Patient", "id": "2", "language": text}, PATIENT])
    limits = Limits(most_bytes=100)
    url = f"{server.base}/Patient/2"

    if fits:
        assert size == len(get(url, limits=limits).body)
    else:
        assert "too large" == refusal(url, limits=limits)


@pytest.mark.parametrize("fault", ["plain json", "chunked"])
def test_one_line_has_one_sum(server, fault):
    """
    What several requests bring together is bounded too.
    """
    server.fail(fault)

    async def ask():
        place = place_of(f"{server.base}/Patient/1")
        outbound = Outbound(development=True)
        async with outbound.line(place, networks=LOOPBACK, most_bytes=60) as line:
            first = await line.get(place)
            with pytest.raises(NotFetched, match="too large"):
                await line.get(place)
            return first.status

    assert 200 == asyncio.run(ask())


@pytest.mark.parametrize(
    "other", ["http://127.0.0.1:9/", "https://127.0.0.1:{port}/", "http://x.example:{port}/"]
)
def test_a_line_leads_to_one_server(server, other):
    """
    And nowhere else: another port, another scheme, another host (T15).
    """
    url = other.format(port=place_of(server.base).port)

    async def ask():
        place = place_of(server.base)
        async with Outbound(development=True).line(place, networks=LOOPBACK) as line:
            await line.get(place_of(url))

    with pytest.raises(NotFetched, match="address"):
        asyncio.run(ask())
    assert [] == server.seen


# --- names and addresses ---------------------------------------------------------------


def test_a_name_is_resolved_once_and_the_connection_goes_where_it_said(server):
    """
    A name that changes its mind reaches nothing: Host keeps the name (T13).
    """
    port = place_of(server.base).port
    backend = Connecting()
    resolve = resolving(["127.0.0.1"], ["169.254.169.254"])
    answer = get(
        f"http://ehr.example:{port}{server.base_path}/Patient/1", backend=backend, resolve=resolve
    )

    assert 200 == answer.status
    assert [("ehr.example", port)] == resolve.asked
    assert [("127.0.0.1", port)] == backend.told
    assert f"ehr.example:{port}" == server.seen[0].headers["host"]


def test_a_line_is_resolved_once_for_all_its_connections(server):
    """
    Public first, loopback second: no second question, no hit on loopback (T13).
    """
    backend = Connecting()
    resolve = resolving(["93.184.216.34"], ["127.0.0.1"])

    async def ask():
        place = place_of("http://ehr.example/fhir")
        async with Outbound(development=True, backend=backend, resolve=resolve).line(place) as line:
            return await asyncio.gather(
                *(line.get(place) for _ in range(4)), return_exceptions=True
            )

    assert ["connect"] * 4 == [one.reason for one in asyncio.run(ask())]
    assert 1 == len(resolve.asked)
    assert {("93.184.216.34", 80)} == set(backend.told)
    assert [] == server.seen


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["93.184.216.34", "10.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["::127.0.0.1"],
        ["fec0::1"],
        ["224.0.0.1"],
        ["192.0.0.9"],
        ["169.254.169.254"],
    ],
)
def test_one_forbidden_address_spoils_them_all(found):
    """
    No connection to any of them (T13).
    """
    backend = Connecting()

    assert "forbidden address" == refusal(
        "https://ehr.example/fhir", networks=(), backend=backend, resolve=resolving(found)
    )
    assert [] == backend.told


def test_the_next_address_is_tried():
    """
    Where the first refuses.
    """
    backend = Connecting()
    resolve = resolving(["93.184.216.34", "93.184.216.35"])

    assert "connect" == refusal("http://ehr.example/", backend=backend, resolve=resolve)
    assert ["93.184.216.34", "93.184.216.35"] == [host for host, _ in backend.told]


def test_an_address_of_version_6_is_written_as_each_needs_it():
    """
    In brackets in the URL and in Host, without them to connect.
    """
    backend = Connecting()
    networks = (ip_network("::1/128"),)

    assert "connect" == refusal("http://[0:0::1]:9/fhir", networks=networks, backend=backend)
    assert [("::1", 9)] == backend.told


async def _no_such_name(host, port):
    raise OSError


async def _slow_name(host, port):
    await asyncio.sleep(30)


@pytest.mark.parametrize(
    ("resolve", "reason"),
    [(_no_such_name, "name"), (_slow_name, "connect"), (resolving([]), "name")],
)
def test_a_name_may_lead_nowhere(resolve, reason):
    """
    Or take too long.
    """
    limits = Limits(connect_seconds=0.05)

    assert reason == refusal("http://ehr.example/", resolve=resolve, limits=limits)


def test_production_speaks_https_only_and_never_to_itself(server):
    """
    Whatever is named (T12).
    """
    assert "scheme" == refusal(f"{server.base}/Patient/1", development=False)
    assert "forbidden address" == refusal("https://127.0.0.1:9/fhir", development=False)
    assert "forbidden address" == refusal("https://localhost:9/fhir", networks=())
    assert "address" == refusal("https://127.1/fhir")
    assert [] == server.seen


def test_nothing_listens():
    """
    A port of loopback that nobody has.
    """
    assert "connect" == refusal("http://127.0.0.1:9/fhir")


def test_tls_is_checked_against_the_name(certificate):
    """
    The address is loopback's, the certificate `ehr.example`'s; trust decides.
    """
    import ssl  # noqa: PLC0415 - only here

    pem, key = certificate
    trusting = ssl.create_default_context(cafile=pem)
    with served(FhirServer([PATIENT]), certificate=pem, key=key) as server:
        port = place_of(server.base).port
        named = f"https://ehr.example:{port}{server.base_path}/Patient/1"
        other = f"https://other.example:{port}{server.base_path}/Patient/1"

        assert 200 == get(named, tls=trusting, resolve=resolving(["127.0.0.1"])).status
        assert "tls" == refusal(other, tls=trusting, resolve=resolving(["127.0.0.1"]))
        assert "tls" == refusal(named, resolve=resolving(["127.0.0.1"]))
        assert 1 == len(server.seen)


# --- the environment -------------------------------------------------------------------


@pytest.fixture
def trap():
    """
    A proxy that only counts who came.
    """
    came = []

    class Trap(http.server.BaseHTTPRequestHandler):
        def handle_one_request(self):
            came.append(self.client_address)
            self.close_connection = True

    with http.server.HTTPServer(("127.0.0.1", 0), Trap) as one:
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{one.server_port}", came
        one.shutdown()
        thread.join()


def test_proxies_and_passwords_of_the_environment_are_not_used(server, trap, monkeypatch, tmp_path):
    """
    The trap sees nothing, the server no password (T18).
    """
    address, came = trap
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, address)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))

    assert 200 == get(f"{server.base}/Patient/1").status
    assert "authorization" not in server.seen[0].headers
    assert [] == came


def test_a_token_is_in_no_error(server):
    """
    Not even where it cannot be sent (FHIR-04).
    """
    token = "secret-token\r\nx: y"  # noqa: S105
    headers = {"Authorization": f"Bearer {token}"}
    with pytest.raises(NotFetched) as caught:
        get(f"{server.base}/Patient/1", headers=headers)
    told = "".join(traceback.format_exception(caught.value))

    assert "protocol" == caught.value.reason
    assert "secret" not in told
    assert [] == server.seen
