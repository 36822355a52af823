"""
What tests of hostile and made-up requests share: the application, and what it writes.
"""

import io

import pytest

from cds.service.logs import configure
from tests.attacks.good import on_every_hook
from tests.calling import open_service


@pytest.fixture(scope="module")
def log():
    """
    What the process writes.
    """
    stream = io.StringIO()
    configure(stream, strict=True)
    return stream


@pytest.fixture(scope="module")
def client(log, tmp_path_factory):
    """
    The application with every card on every hook.
    """
    rules = on_every_hook(tmp_path_factory.mktemp("every"))
    with open_service(rules=rules) as client:
        yield client
