"""Core values are easiest to make by loading a few lines of YAML."""

import pytest

from tests.reasoning.release import Release


@pytest.fixture
def release(tmp_path):
    """Give a folder with a few concepts and no rules."""
    return Release(tmp_path)
