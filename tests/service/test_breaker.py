"""
A breaker: five failures, thirty seconds, one probe.
"""

import pytest

from cds.service.breaker import Breaker


@pytest.fixture
def clock():
    """
    Seconds, as one likes.
    """
    return [100.0]


@pytest.fixture
def breaker(clock):
    """
    One that failed five times.
    """
    one = Breaker(now=lambda: clock[0])
    for _ in range(5):
        assert one.admits()
        one.failed()
    return one


def test_four_failures_are_not_five(clock):
    """
    And a success makes them none.
    """
    one = Breaker(now=lambda: clock[0])
    for _ in range(4):
        one.failed()

    assert one.admits()
    one.succeeded()
    for _ in range(4):
        one.failed()
    assert not one.is_open


def test_it_opens_for_thirty_seconds_and_lets_one_in(breaker, clock):
    """
    Not two (T16).
    """
    clock[0] += 29.9

    assert not breaker.admits()
    clock[0] += 0.1
    assert not breaker.is_open
    assert breaker.admits()
    assert breaker.is_open
    assert not breaker.admits()


def test_the_probe_decides(breaker, clock):
    """
    A failure waits as long again; a success ends it.
    """
    clock[0] += 30
    assert breaker.admits()
    breaker.failed()
    clock[0] += 29

    assert not breaker.admits()
    clock[0] += 1
    assert breaker.admits()
    breaker.succeeded()
    assert breaker.admits()
    assert breaker.admits()


def test_an_abandoned_probe_is_no_answer(breaker, clock):
    """
    The next one may ask.
    """
    clock[0] += 30
    assert breaker.admits()
    breaker.abandoned()

    assert breaker.admits()
