"""
No collection while rules are read, and as before afterwards.
"""

import gc
from contextlib import suppress

import pytest

from cds.rulefiles.collecting import uncollected


@pytest.mark.parametrize("before", [True, False])
def test_the_collector_rests_and_is_as_before(before):
    """
    Also where something goes wrong inside.
    """
    was = gc.isenabled()
    (gc.enable if before else gc.disable)()
    try:
        inside = during()
        after = gc.isenabled()
    finally:
        (gc.enable if was else gc.disable)()

    assert not inside
    assert before == after


def during():
    """
    Fail inside, and say whether anything would have been collected there.
    """
    inside = None
    with suppress(ValueError), uncollected():
        inside = gc.isenabled()
        raise ValueError("inside")
    return inside
