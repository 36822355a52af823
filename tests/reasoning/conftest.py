"""What every test of reasoning has at hand."""

import pytest

from tests.reasoning.release import Release


@pytest.fixture
def release(tmp_path):
    """Give a folder with a few concepts and no rules."""
    return Release(tmp_path)
