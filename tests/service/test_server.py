"""
The server on a real socket: it serves, and gives up on those who do not get on.
"""

import socket
import threading
import time

import pytest
import uvicorn

from cds.service.app import create_app
from cds.service.logs import configure
from cds.service.server import MOST_HEAD, configuration
from cds.service.settings import Settings
from tests.service.fakes import Fake

SECONDS = 0.3


@pytest.fixture
def address():
    """
    A server with a short deadline.
    """
    configure(strict=True)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings = Settings(receive_seconds=SECONDS)
        config = configuration(create_app(settings, Fake()), settings)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()
        server.should_exit = True
        thread.join()


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
            while data := client.recv(65536):
                received += data
        except ConnectionError:
            return received
    return received


GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"


def test_a_request_is_answered(address):
    """
    Twice on one connection; then the connection ends.
    """
    answer = exchange(address, GET + b"\r\n", GET + b"Connection: close\r\n\r\n")

    assert 2 == answer.count(b'{"live":true}')
    assert b"server:" not in answer.lower()


@pytest.mark.parametrize(
    "parts",
    [(), (b"GET /li",), (GET,), (GET + b"\r\n", b"GET /livez HT")],
    ids=["silence", "half a line", "half a head", "half a second head"],
)
def test_a_head_that_does_not_come_is_given_up(address, parts):
    """
    Wherever it stops.
    """
    began = time.monotonic()

    exchange(address, *parts)

    assert time.monotonic() - began < 4


def test_a_head_that_drips_is_given_up(address):
    """
    New bytes do not buy time.
    """
    began = time.monotonic()

    answer = exchange(address, *[bytes([one]) for one in GET * 3], pause=0.05)

    assert b"" == answer
    assert time.monotonic() - began < 5


def test_a_head_that_never_ends_is_given_up(address):
    """
    16 KiB are enough, in pieces or at once.
    """
    without_end = exchange(address, GET + b"X: " + b"x" * MOST_HEAD)
    whole = exchange(address, GET + b"X: x\r\n" * MOST_HEAD + b"\r\n")

    assert b" 200 " not in without_end + whole


def test_a_body_that_does_not_come_is_refused(address):
    """
    The deadline of the body is the application's.
    """
    head = b"POST /cds-services/metabolic-patient-view HTTP/1.1\r\nHost: x\r\n"
    head += b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"

    answer = exchange(address, head)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"OperationOutcome" in answer
