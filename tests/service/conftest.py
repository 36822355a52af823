"""
What tests of the service share: the log as it is written, and the application with every card.
"""

import io
import json

import pytest

from cds.service.logs import configure
from tests.attacks.good import on_every_hook
from tests.calling import open_service


def opened_log():
    """
    Have the process write into memory; what must not be logged fails.
    """
    stream = io.StringIO()
    configure(stream, strict=True)
    return stream


@pytest.fixture
def written():
    """
    What a test writes, as it is written.
    """
    return opened_log()


@pytest.fixture
def lines(written):
    """
    The lines of that, read.
    """
    return lambda: [json.loads(one) for one in written.getvalue().splitlines()]


@pytest.fixture(scope="module")
def log():
    """
    What the tests of a file write.
    """
    return opened_log()


@pytest.fixture(scope="module")
def client(log, tmp_path_factory):
    """
    The application with every card on every hook.
    """
    rules = on_every_hook(tmp_path_factory.mktemp("every"))
    with open_service(rules=rules) as client:
        yield client
