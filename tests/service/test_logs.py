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
    And with what was given.
    """
    (line,) = written(strict=True, action=lambda: log.info("answered", status=200, ms=1.5))

    assert ("answered", 200, 1.5, "info") == (
        line["event"],
        line["status"],
        line["ms"],
        line["level"],
    )
    assert line["timestamp"].endswith("Z")


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
