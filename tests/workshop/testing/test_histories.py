"""The history of a case: when its card was shown before, and what became of it."""

import pytest

from cds.core.history import CardHistory, Override
from cds.workshop.testing.histories import Past, past_of
from cds.workshop.testing.patients import CannotRead
from tests.serving import shipped


def past(history):
    """Read a history of one card."""
    return past_of(shipped().rules, "short_sleep", {"history": history})


def test_no_history():
    """Nothing was shown."""
    assert Past() == past_of(shipped().rules, "short_sleep", {})


@pytest.mark.parametrize(
    ("expected", "history"),
    [
        (CardHistory(last_shown=30), {"last_shown": "30 days ago"}),
        (
            CardHistory(overrides=(Override(10, "patient-declined"),)),
            {"override": {"reason": "patient-declined", "ago": "10 days"}},
        ),
        (
            CardHistory(overrides=(Override(1), Override(9, "data-wrong"))),
            {"override": [{"ago": "1 day"}, {"reason": "data-wrong", "ago": "9 days ago"}]},
        ),
        (
            CardHistory(levels={"insulin_resistance": "possible", "homa_ir": "raised"}),
            {"grades then": {"insulin_resistance": "possible", "homa_ir": "raised"}},
        ),
    ],
)
def test_what_was(expected, history):
    """In the words that cases use for data."""
    assert expected == past(history).history.cards["short_sleep"]


def test_how_often():
    """Of everybody together."""
    found = past({"shown": "60 times", "overridden": "50 times"})

    assert (60, 50) == (found.shown, found.overridden)


@pytest.mark.parametrize(
    ("problem", "history"),
    [
        ("history: lately", "lately"),
        ("history: shown_last", {"shown_last": "3 days ago"}),
        ("last_shown: 3 weeks ago", {"last_shown": "3 weeks ago"}),
        ("override: never", {"override": "never"}),
        ("override: ", {"override": {"reason": "x"}}),
        ("override: ", {"override": {"ago": "1 day", "by": "x"}}),
        ("is no grade or band", {"grades then": {"insulin_resistance": "some"}}),
        ("is no grade or band", {"grades then": {"hba1c": "high"}}),
        ("shown: often", {"shown": "often"}),
    ],
)
def test_what_no_history_can_be(problem, history):
    """It is said, not passed over."""
    with pytest.raises(CannotRead, match=problem):
        past(history)
