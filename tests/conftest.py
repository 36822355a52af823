"""
What many tests share: the real application, a switch that rewrites golden files, and the
contract that every answer of every test is held to.
"""

from __future__ import annotations

import io
import logging
import os
import tempfile
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from cds.service.frame import Frame
from cds.service.logs import configure
from tests.calling import Calling, open_service
from tests.contract.traffic import Watch
from tests.loading import load_shipped_rules_once, read_files_once

# Also where the package is not installed: the cases of rule files are collected.
pytest_plugins = ["cds.workshop.testing.pytest_plugin"]

# A machine that is busy is no fault of what is tested. What a change broke is red the first
# time: examples are the same until the test changes. New ones are looked for at night.
settings.register_profile("nightly", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("every day", settings.get_profile("nightly"), derandomize=True)
settings.load_profile("every day")

WATCH = Watch()
"""Stands around every application of this process."""


def pytest_configure(config):
    """
    Watch every application, here and in the processes that tests start; load rules once.
    """
    WATCH.install(Frame)
    read_files_once()
    load_shipped_rules_once()
    folder = tempfile.TemporaryDirectory(prefix="contract-")
    config.add_cleanup(folder.cleanup)
    os.environ.update(Watch.environment(Path(folder.name) / "faults.txt"))
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        # Nor is any written beside the sources; but not every process compiles them all again.
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder.name) / "bytecode")


def held_to_the_contract():
    """
    Fail a test whose answers break the contract, in the phase in which they do.
    """
    result = yield
    found = WATCH.drain()
    if found:
        pytest.fail("answers break the contract:\n" + "\n".join(found), pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    return (yield from held_to_the_contract())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from held_to_the_contract())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    return (yield from held_to_the_contract())


def logging_restored():
    """
    Write where the tests around wrote, whatever ran in between had configured.
    """
    before = structlog.get_config()
    libraries = logging.getLogger()
    handlers, level = libraries.handlers[:], libraries.level
    yield
    structlog.configure(**before)
    libraries.handlers[:] = handlers
    libraries.setLevel(level)


@pytest.fixture(scope="session", autouse=True)
def strict_logs():
    """
    What is logged must be on the list, also where no test looks at it.
    """
    configure(io.StringIO(), strict=True)


# Files run in any order, and so do tests: a stream of one is closed when another logs.
around_files = pytest.fixture(scope="module", autouse=True)(logging_restored)
around_tests = pytest.fixture(autouse=True)(logging_restored)


@pytest.fixture(scope="session")
def watch():
    """
    What stands around every application.
    """
    return WATCH


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write golden files and committed figures anew, from what is answered now",
    )


@pytest.fixture(scope="session")
def updates_golden(request):
    """
    Tell whether golden files are to be written, not compared.
    """
    return request.config.getoption("--update-golden")


@pytest.fixture(scope="session")
def service():
    """
    The application that is served, at the instant of the fixtures.
    """
    with open_service() as client:
        yield Calling(client)
