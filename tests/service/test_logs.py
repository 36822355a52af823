"""
Logs: nothing gets through that is not on the list, and never the message of an error.
"""

import errno
import io
import json
import logging

import pytest

from cds.service.logs import configure, log, told_of

MARK = "Zebedee 1961-07-03"


def written(*, strict, action):
    """
    What a stream holds after something was logged.
    """
    stream = io.StringIO()
    configure(stream, strict=strict)
    action()
    return [json.loads(one) for one in stream.getvalue().splitlines()]


def fail():
    """
    Raise something that holds data of a patient.
    """
    name = MARK
    raise KeyError(name)


def test_a_line_is_json_with_time_and_level():
    """
    And with what was given (T59).
    """
    (line,) = written(strict=True, action=lambda: log.info("answered", status=200, ms=1.5))

    assert ("answered", 200, 1.5, "info") == (
        line["event"],
        line["status"],
        line["ms"],
        line["level"],
    )
    assert line["timestamp"].endswith("Z")


class Full(io.StringIO):
    """
    A stream on a disk that may be full.
    """

    fault: Exception | None = None

    def write(self, text):
        """
        Write, or fail as it would.
        """
        if self.fault is not None:
            raise self.fault
        return super().write(text)


@pytest.mark.parametrize(
    "fault",
    [OSError(errno.ENOSPC, "full"), BrokenPipeError(), ValueError("I/O on a closed file")],
    ids=["disk full", "reader gone", "closed"],
)
def test_a_line_that_cannot_be_written_fails_nothing(fault):
    """
    It is lost, and the next one says how many were; an answer never hangs on a disk (T59).
    """
    stream = Full()
    configure(stream, strict=True)
    stream.fault = fault
    log.info("answered", status=200)
    log.error("failed", status=500)
    stream.fault = None
    log.info("answered", status=201)
    log.info("answered", status=202)

    told, after = map(json.loads, stream.getvalue().splitlines())

    assert (201, 2, "error") == (told["status"], told["lost"], told["level"])
    assert (202, "info") == (after["status"], after["level"])
    assert "lost" not in after


def test_a_registered_name_is_nobodys_data():
    """
    Tenants are often numbers; a line is an alarm only for what somebody sent.
    """
    (line,) = written(
        strict=True, action=lambda: log.info("answered", client="a", tenant="20011219")
    )

    assert ("20011219", "info") == (line["tenant"], line["level"])
    assert "redacted" not in line


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        ("answered", {"patient": MARK}),
        (MARK, {}),
        ("answered", {"status": MARK}),
        ("answered", {"status": True}),
        ("answered", {"path": "x" * 201}),
        ("engine_divergence", {"nodes": [1]}),
        ("engine_divergence", {"nodes": ["x"] * 31}),
    ],
)
def test_what_is_not_on_the_list_is_dropped_and_counted(event, keys):
    """
    In tests it is refused.
    """
    (line,) = written(strict=False, action=lambda: log.info(event, **keys))

    assert 1 == line["dropped"]
    assert MARK not in json.dumps(line)
    with pytest.raises(ValueError, match="not on the list"):
        written(strict=True, action=lambda: log.info(event, **keys))


def test_an_error_is_told_without_its_message():
    """
    Its type and where it came from.
    """
    with pytest.raises(KeyError) as caught:
        fail()

    told = told_of(caught.value)

    assert "KeyError" == told["error"]
    assert told["frames"][-1].endswith(" fail")
    assert MARK not in json.dumps(told)


def test_libraries_write_the_same_lines():
    """
    The server's constant sentences without arguments; of others nothing but who it was.
    """

    def action():
        logging.getLogger("uvicorn.error").warning("Invalid request %s", MARK)
        logging.getLogger("asyncio").error(MARK)
        try:
            fail()
        except KeyError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
        logging.getLogger("uvicorn.error").error(OSError(errno.EADDRINUSE, MARK))
        logging.getLogger("somebody").info(MARK)

    lines = written(strict=True, action=action)

    assert ["Invalid request %s", None, "Exception in ASGI application", None] == [
        one.get("template") for one in lines
    ]
    assert "KeyError" == lines[2]["error"]
    assert "Address already in use" == lines[3]["why"]
    assert MARK not in json.dumps(lines)


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOiJFUzM4NCJ9.eyJpc3MiOiJ4In0.c2ln",
        "Authorization: Bearer abc",
        "bearer abc",
        "zebedee@example.org",
        "MRN 00123456",
        "born 1961-07-03",
        "078-05-1120",
        "one\r\ntwo",
        "one\u2028two",
        "\x1b[31mred",
        "\u202etxt",
    ],
)
@pytest.mark.parametrize("as_list", [False, True])
def test_what_looks_like_a_person_is_redacted(text, as_list):
    """
    Under whatever key it got there, and that is an alarm; in tests it is refused (T10, T59).
    """
    keys = {"nodes": ["fine", text]} if as_list else {"why": text}

    (line,) = written(strict=False, action=lambda: log.info("failed", **keys))

    assert ("***", 1, "error") == (line[next(iter(keys))], line["redacted"], line["level"])
    with pytest.raises(ValueError, match="looks like"):
        written(strict=True, action=lambda: log.info("failed", **keys))


def test_ids_and_digests_of_ours_pass_the_net():
    """
    Although they have digits in a row.
    """
    keys = {
        "request": "12345678-1234-4123-8123-123456789012",
        "release": "2026.11 123456789012",
        "path": "/cds-services/{service}",
        "frames": ["app.py:1234 call"],
        "ms": 1234567.5,
        "pid": 1234567,
    }

    (line,) = written(strict=True, action=lambda: log.info("failed", **keys))

    assert keys == {name: line[name] for name in keys}


@pytest.mark.parametrize("sent", ["\r\n", "\u2028", "\x1b[2K", '"}\n{"event": "forged"'])
def test_a_line_stays_one_line(sent):
    """
    Whatever is logged, nothing forges another line (T59).
    """
    stream = io.StringIO()
    configure(stream)
    log.info("failed", why=f"a{sent}b")

    lines = stream.getvalue().splitlines()

    assert 1 == len(lines)
    assert "failed" == json.loads(lines[0])["event"]
    assert stream.getvalue().isascii()
