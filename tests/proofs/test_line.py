"""
Pieces of a number line.
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.proofs.line import Line

CUTS = [(Decimal("5.7"), False), (Decimal("6.5"), False), (Decimal("6.5"), True)]


def line(*steps, **more):
    """
    A line with these steps.
    """
    return Line(frozenset((Decimal(str(number)), above) for number, above in steps), **more)


def test_pieces_in_words():
    """
    Below, between, on and above.
    """
    found = line(*CUTS)

    assert ["below 5.7", "from 5.7 below 6.5", "6.5", "above 6.5"] == [
        found.says(piece, piece) for piece in range(4)
    ]
    assert ["6.5 or less", "5.7 or more", "any", "from 5.7 to 6.5"] == [
        found.says(*ends) for ends in ((0, 2), (1, 3), (0, 3), (1, 2))
    ]


def test_what_begins_above_a_number():
    """
    The number itself is not in it.
    """
    found = line((5, True), (7, False))

    assert "above 5 below 7" == found.says(1, 1)


def test_examples_stand_next_to_the_cut_off():
    """
    As near as its digits allow, so that a test of them is a test of the cut-off.
    """
    found = line(*CUTS)

    assert ["5.6", "5.7", "6.5", "6.6"] == [str(found.example(piece)) for piece in range(4)]


@pytest.mark.parametrize(
    ("more", "expected"), [({}, 1), ({"low": Decimal(3)}, 3), ({"high": Decimal(9)}, 9)]
)
def test_a_line_without_cut_offs_has_an_example_too(more, expected):
    """
    A plausible one, where something is known of that.
    """
    assert expected == line(**more).example(0)


def test_whole_numbers_have_no_empty_pieces():
    """
    Above one is two or more.
    """
    found = line((1, False), (1, True), (2, False), ("1.5", False), whole=True)

    assert [(Decimal(0), False), (Decimal(1), False), (Decimal(2), False)] != list(found.steps)
    assert ["below 1", "from 1 below 2", "2 or more"] == [found.says(at, at) for at in range(3)]
    assert 2 == found.reached_from((Decimal(1), True))


def test_where_values_can_lie():
    """
    A cut-off outside what is plausible leaves a piece that nothing is in.
    """
    found = line((2, False), (6, False), (30, False), low=Decimal(3), high=Decimal(20))

    assert ("from 3 below 6", "from 6 to 20") == (
        found.says(found.first, found.first),
        found.says(found.last, found.last),
    )


@given(
    st.sets(st.tuples(st.integers(0, 9).map(Decimal), st.booleans()), max_size=5),
    st.integers(0, 18),
)
def test_a_number_is_beyond_the_steps_that_its_piece_has_reached(steps, half):
    """
    Whatever the steps are.
    """
    found = Line(frozenset(steps))
    number = Decimal(half) / 2
    piece = found.piece(number)

    assert all(
        (piece >= found.reached_from(step)) == (number > step[0] or (number, False) == step)
        for step in steps
    )
