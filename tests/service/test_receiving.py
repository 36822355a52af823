"""
Connections on a real socket: each ends by itself, and what is ambiguous is refused.
"""

import json
import re
import socket
import struct
import threading
import time
from contextlib import ExitStack, suppress

import pytest

from cds.service.app import create_app
from cds.service.clients import Client, Clients
from cds.service.logs import configure
from cds.service.receiving import MOST_HEAD, MOST_HEADERS
from cds.service.server import Server, configuration
from cds.service.settings import Settings
from tests.service.fakes import Fake, Told

SECONDS = 0.3
SERVICE = b"/cds-services/metabolic-patient-view"
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
POST = b"POST " + SERVICE + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
LIMIT = 64 * 1024


@pytest.fixture(scope="module")
def serving():
    """
    Start a server with short deadlines in a thread; more settings on request.
    """
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(started(**settings))


class started:  # noqa: N801 - used as a context
    """
    A server in a thread.
    """

    def __init__(self, *, fake=None, origins=(), **settings):
        self.fake = fake or Fake()
        self.clients = Clients([Client(name="page", origins=origins)])
        settings = {"receive_seconds": SECONDS, "max_body": LIMIT, **settings}
        self.settings = Settings(**settings)

    def __enter__(self):
        """
        Give its address.
        """
        configure(strict=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        app = create_app(self.settings, self.fake, clients=self.clients)
        config = configuration(app, self.settings)
        self.server = Server(config, drain_seconds=0)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listening]})
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return self.listening.getsockname()

    def __exit__(self, *_):
        """
        End it.
        """
        self.server.should_exit = True
        self.thread.join()
        self.listening.close()


@pytest.fixture(scope="module")
def address(serving):
    """
    A server for the tests that need nothing special of it.
    """
    return serving()


def exchange(address, *parts, pause=0.0):
    """
    Send the parts, and read until the other side ends it.
    """
    received = b""
    with socket.create_connection(address, timeout=5) as client:
        try:
            for part in parts:
                client.sendall(part)
                time.sleep(pause)
        except ConnectionError:
            pass
        try:
            while data := client.recv(65536):
                received += data
        except ConnectionError:
            return received
    return received


def statuses(answer):
    """
    The statuses of every answer that was received.
    """
    return [int(one) for one in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def outcome_of(answer):
    """
    The OperationOutcome in the only answer.
    """
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/fhir+json" in head
    assert b"x-request-id: " in head
    assert b"cache-control: no-store" in head
    found = json.loads(body)
    assert "OperationOutcome" == found["resourceType"]
    return found


def test_a_request_is_answered(address):
    """
    Twice on one connection; then the connection ends.
    """
    answer = exchange(address, GET + b"\r\n", GET + b"Connection: close\r\n\r\n")

    assert 2 == answer.count(b'{"live":true}')
    assert b"server:" not in answer.lower()


# --- what does not get on is given up (T27) -------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (b"GET /li",),
        (GET,),
        (GET + b"\r\n", b"GET /livez HT"),
        (GET + b"\r\n",),
        (b"\r\n" * 10,),
    ],
    ids=["silence", "half a line", "half a head", "half a second head", "no second", "lines"],
)
def test_a_head_that_does_not_come_is_given_up(address, parts):
    """
    Wherever it stops (T27).
    """
    began = time.monotonic()

    exchange(address, *parts)

    assert time.monotonic() - began < 4


def test_a_head_that_drips_is_given_up(address):
    """
    New bytes do not buy time (T27).
    """
    began = time.monotonic()

    answer = exchange(address, *[bytes([one]) for one in GET * 3], pause=0.05)

    assert b"" == answer
    assert time.monotonic() - began < 5


def test_a_body_that_does_not_come_is_refused(address):
    """
    The deadline of the body is the application's (T27).
    """
    answer = exchange(address, POST + b"Content-Length: 100\r\n\r\n{")

    assert [408] == statuses(answer)
    assert b"OperationOutcome" in answer


def test_a_body_that_drips_is_refused(address):
    """
    New bytes do not buy time here either (T27).
    """
    head = POST + b"Content-Length: 100\r\n\r\n"

    answer = exchange(address, head, *[b" "] * 20, pause=0.05)

    assert [408] == statuses(answer)


@pytest.mark.parametrize(
    "head", [GET, b"POST /nowhere HTTP/1.1\r\nHost: x\r\n", POST[:-18] + b"x\r\n"]
)
def test_a_body_that_nobody_reads_holds_no_connection(address, head):
    """
    Answered at once, and given up although bytes still drip (T27).
    """
    began = time.monotonic()

    answer = exchange(address, head + b"Content-Length: 99\r\n\r\n", *[b" "] * 40, pause=0.05)

    assert 1 == len(statuses(answer))
    assert time.monotonic() - began < 4


def test_an_answer_that_nobody_takes_holds_no_place(serving, monkeypatch):
    """
    Who asks and does not read is cut off (T27).
    """
    monkeypatch.setattr("cds.service.receiving._SECONDS_TO_READ_AN_ANSWER", 0.1)
    size = 30_000_000
    address = serving(
        fake=Fake(Told({"cards": [], "extension": {"a.b": "x" * size}})), receive_seconds=5
    )
    received = 0
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(POST + BODY)
        time.sleep(0.5)
        with suppress(ConnectionError):
            while data := client.recv(1_000_000):
                received += len(data)

    assert received < size


def test_nobody_asks_without_end_before_he_is_answered(serving):
    """
    A few requests may be sent ahead, not as many as fit into memory (T27).
    """
    address = serving()

    few = exchange(address, (GET + b"\r\n") * 8 + GET + b"Connection: close\r\n\r\n")
    many = exchange(address, (GET + b"\r\n") * 5000)

    assert [200] * 9 == statuses(few)
    assert len(statuses(many)) < 50


def test_who_is_silent_longest_gives_way(serving):
    """
    Open connections are counted, and somebody who asks is served (T27).
    """
    address = serving(connections=5, receive_seconds=5)
    with ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(address)) for _ in range(5)]
        time.sleep(0.1)
        answer = exchange(address, GET + b"Connection: close\r\n\r\n")
        silent[0].settimeout(2)
        first = silent[0].recv(1)
        silent[4].sendall(GET + b"Connection: close\r\n\r\n")
        last = silent[4].recv(100)

    assert [200] == statuses(answer)
    assert b"" == first
    assert [200] == statuses(last)


def test_two_hundred_stalled_connections_stop_nobody(serving):
    """
    In all five ways of stalling; figures are for `make stall` (T27).
    """
    address = serving(receive_seconds=2)
    ways = [b"", GET[:9], GET, POST + b"Content-Length: 9\r\n\r\n{", CHUNKED + b"\r\n5\r\n{"]
    with ExitStack() as stack:
        for number in range(200):
            one = stack.enter_context(socket.create_connection(address))
            # Bodies under way are calls under way, of which there is a number.
            one.sendall(ways[number % 5] if number < 50 else ways[number % 3])
        answers = [exchange(address, GET + b"Connection: close\r\n\r\n") for _ in range(20)]
        body = POST + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
        call = exchange(address, body)

    assert 20 == sum(b'{"live":true}' in one for one in answers)
    assert [200] == statuses(call)


# --- how much there may be (T21, table 1.2) -------------------------------------------------


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (GET + b"".join(b"X-%d: x\r\n" % one for one in range(MOST_HEADERS - 2)), 200),
        (GET + b"".join(b"X-%d: x\r\n" % one for one in range(MOST_HEADERS - 1)), 431),
        (GET + b"X: " + b"x" * (MOST_HEAD - 200) + b"\r\n", 200),
        (GET + b"X: " + b"x" * MOST_HEAD + b"\r\n", 431),
        (GET + b"X: " + b"x" * 200_000 + b"\r\n", 431),
        (b"GET /" + b"x" * MOST_HEAD + b" HTTP/1.1\r\nHost: x\r\n", 431),
        (GET + b"X: x\r\n" * MOST_HEAD, 431),
    ],
    ids=["64", "65", "16 KiB", "beyond", "200 KB", "a long address", "very many"],
)
@pytest.mark.parametrize("pieces", [1, 7])
def test_a_head_has_a_limit(address, head, expected, pieces):
    """
    16 KiB and 64 headers, in pieces or at once.
    """
    whole = head + b"Connection: close\r\n\r\n"
    size = len(whole) // pieces + 1

    answer = exchange(address, *[whole[at : at + size] for at in range(0, len(whole), size)])

    assert [expected] == statuses(answer)
    assert expected == 200 or "too-long" == outcome_of(answer)["issue"][0]["code"]


def test_trailers_have_a_limit(address):
    """
    What comes behind the body is counted with the head.
    """
    body = CHUNKED + b"\r\n2\r\n{}\r\n0\r\n" + b"X: x\r\n" * MOST_HEADERS

    assert 200 not in statuses(exchange(address, body + b"\r\n"))


PAGE = "https://ehr.example"
ASKED = b"Origin: " + PAGE.encode() + b"\r\n"
NO_REQUESTS = {
    "no request": (POST + ASKED + b"X: x\r\nno header\r\n\r\n", 400),
    "two lengths": (POST + ASKED + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", 400),
    "a bad chunk": (CHUNKED + ASKED + b"\r\nzz\r\n", 400),
    "no host": (b"GET /livez HTTP/1.1\r\n" + ASKED + b"\r\n", 400),
    "a large header before it": (GET + b"X: " + b"x" * MOST_HEAD + b"\r\n" + ASKED + b"\r\n", 431),
    "many headers before it": (GET + b"X: x\r\n" * MOST_HEADERS + ASKED + b"\r\n", 431),
    "a long address": (b"GET /" + b"x" * MOST_HEAD + b" HTTP/1.1\r\n" + ASKED + b"\r\n", 431),
}


@pytest.fixture(scope="module")
def page(serving):
    """
    A server that one page may call.
    """
    return serving(origins=(PAGE,), public_url="https://cds.example")


@pytest.mark.parametrize(("raw", "expected"), NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_a_page_can_read_why_it_was_not_understood(page, raw, expected):
    """
    What is refused before it is a request has every header that an answer has (ERR-12, ERR-10).
    """
    answer = exchange(page, raw)
    head = answer.partition(b"\r\n\r\n")[0].lower()

    assert [expected] == statuses(answer)
    assert outcome_of(answer)["id"].encode() in head
    assert b"access-control-allow-origin: " + PAGE.encode() in head.splitlines()
    assert b"vary: origin" in head.splitlines()
    assert b"strict-transport-security: " in head


@pytest.mark.parametrize("asked", [b"", b"Origin: https://evil.example\r\n", ASKED * 2])
def test_a_stranger_cannot_read_it(page, asked):
    """
    Nor a page that is two at once (T60).
    """
    answer = exchange(page, POST + asked + b"X: x\r\nno header\r\n\r\n")

    assert [400] == statuses(answer)
    assert b"access-control-allow-origin" not in answer.lower()
    assert b"evil" not in answer


def test_a_page_is_not_taken_for_that_of_an_earlier_request(page):
    """
    A connection may be shared by what stands in front of us (T60).
    """
    answer = exchange(page, GET + ASKED + b"\r\n", b"\0\r\n\r\n", pause=0.1)

    assert [200, 400] == statuses(answer)
    assert 1 == answer.lower().count(b"access-control-allow-origin")


def test_who_finds_no_place_is_told_once_he_asks(serving):
    """
    503 with all that an answer has; who only knocks is let go (ERR-09, ERR-12, T27).
    """
    address = serving(origins=(PAGE,), connections=1, receive_seconds=5)
    with socket.create_connection(address) as client:
        client.sendall(POST + b"Content-Length: 9\r\n\r\n{")
        time.sleep(0.1)
        answer = exchange(address, GET + ASKED + b"\r\n")
        silent = exchange(address)

    assert [503] == statuses(answer)
    assert "throttled" == outcome_of(answer)["issue"][0]["code"]
    assert b"retry-after: 1" in answer
    assert b"access-control-allow-origin: " + PAGE.encode() in answer
    assert b"" == silent


def test_a_head_that_never_ends_is_refused(address):
    """
    One header of any length is not waited for.
    """
    answer = exchange(address, GET + b"X: " + b"x" * MOST_HEAD)

    assert [431] == statuses(answer)


def test_a_head_in_two_pieces_may_bring_a_large_body(address):
    """
    What belongs to the body is not counted for the head.
    """
    body = b" " * (LIMIT - 2) + b"{}"
    rest = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    answer = exchange(address, POST, rest, pause=0.05)

    assert [200] == statuses(answer)


@pytest.mark.parametrize(("size", "expected"), [(LIMIT, 200), (LIMIT + 1, 413), (LIMIT * 40, 413)])
@pytest.mark.parametrize("chunk", [0, 1000, LIMIT * 40])
def test_a_body_has_a_limit(address, size, expected, chunk):
    """
    Counted while it comes, promised or chunked, at the limit and one beyond (T21).
    """
    close = b"Connection: close\r\n"
    if chunk:
        parts = [CHUNKED + close + b"\r\n"]
        for at in range(0, size, chunk):
            part = b" " * min(chunk, size - at)
            parts.append(b"%x\r\n%s\r\n" % (len(part), part))
        parts.append(b"0\r\n\r\n")
    else:
        parts = [POST + close + b"Content-Length: %d\r\n\r\n" % size, b" " * size]

    answer = exchange(address, *parts)

    assert [expected] == statuses(answer)


# --- what two readers could read in two ways (T29) ------------------------------------------

BODY = b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
AMBIGUOUS = {
    "length and chunks": (CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n", 400),
    "chunks and length": (
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", 400),
    "the same length twice": (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    "two lengths in one": (POST + b"Content-Length: 2, 2\r\n\r\n{}", 400),
    "a signed length": (POST + b"Content-Length: +2\r\n\r\n{}", 400),
    "a hexadecimal length": (POST + b"Content-Length: 0x2\r\n\r\n{}", 400),
    "a huge length": (POST + b"Content-Length: 99999999999999999999999\r\n\r\n", 400),
    "an unknown coding": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    "two codings": (CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400),
    "a coding inside": (
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        400,
    ),
    "chunks in HTTP/1.0": (
        CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n2\r\n{}\r\n0\r\n\r\n",
        400,
    ),
    "another version": (GET.replace(b"HTTP/1.1", b"HTTP/2.0") + b"\r\n", 400),
    "chunked is not last": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    "a bad chunk": (CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n", 400),
    "a negative chunk": (CHUNKED + b"\r\n-1\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk that is longer": (CHUNKED + b"\r\n1\r\n{}\r\n0\r\n\r\n", 400),
    "a huge chunk": (CHUNKED + b"\r\nffffffffffffffffff\r\n{}", 400),
    "an absolute target": (b"GET http://evil.example/livez HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "an absolute target of ours": (b"GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "an authority": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "no host": (b"GET /livez HTTP/1.1\r\n\r\n", 400),
    "two hosts": (GET + b"Host: y\r\n\r\n", 400),
    "two types": (POST + b"Content-Type: text/xml\r\n" + BODY, 400),
    "the same type twice": (POST + b"Content-Type: application/json\r\n" + BODY, 400),
    "two origins": (
        POST + b"Origin: https://a.example\r\nOrigin: https://b.example\r\n" + BODY,
        400,
    ),
    "a folded line": (POST + b"X: a\r\n b\r\n" + BODY, 400),
    "a space before the colon": (POST + b"Content-Length : 2\r\n\r\n{}", 400),
    "a NUL": (GET + b"X: \0\r\n\r\n", 400),
    "a bare line feed in a value": (GET + b"X: a\rb\r\n\r\n", 400),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a method nobody knows": (b"BREW /livez HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "bytes that are no ASCII": (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
}


@pytest.mark.parametrize(("raw", "expected"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused(address, raw, expected):
    """
    Once, with an OperationOutcome, and what follows is not read as another call (T29).
    """
    smuggled = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"

    answer = exchange(address, raw, smuggled)

    assert expected == statuses(answer)[0]
    first = answer.partition(b"HTTP/1.1 ")[2].partition(b"HTTP/1.1 ")[0]
    assert b"OperationOutcome" in first
    assert b"evil" not in answer


def test_a_bad_second_request_is_not_answered_in_the_place_of_the_first(serving):
    """
    An answer belongs to its own question, or there is none (T29, T46).
    """
    answer = exchange(serving(), POST + b"Content-Length: 3\r\n\r\n{} \0\0\0 / HTTP/1.1\r\n\r\n")

    assert statuses(answer) in ([], [200], [200, 400])


def test_a_header_behind_the_body_is_not_believed(address):
    """
    A trailer is no header (T29).
    """
    raw = CHUNKED + b"Connection: close\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n"

    assert [200] == statuses(exchange(address, raw))


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c", b"TLS/1.0"])
def test_nothing_is_upgraded(address, upgrade):
    """
    There is one protocol here.
    """
    raw = GET + b"Connection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n\r\n"

    assert [200] == statuses(exchange(address, raw))


def test_a_connection_that_is_torn_down_is_no_fault(address):
    """
    Reset in the middle of a body, and the next caller is served.
    """
    client = socket.create_connection(address)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sendall(POST + b"Content-Length: 100\r\n\r\n{")
    client.close()

    assert [200] == statuses(exchange(address, GET + b"Connection: close\r\n\r\n"))


def test_who_waits_for_permission_gets_it(address):
    """
    `Expect: 100-continue` before the body.
    """
    head = POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"

    answer = exchange(address, head, b"{}", pause=0.05)

    assert [100, 200] == statuses(answer)
