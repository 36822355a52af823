"""
What many tests share: the real application, and a switch that rewrites golden files.
"""

from __future__ import annotations

import pytest

from tests.calling import Calling, open_service

# Also where the package is not installed: the cases of rule files are collected.
pytest_plugins = ["cds.workshop.testing.pytest_plugin"]


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
