"""
Trees of reasons on a page: columns that stand below each other, in any width and script.
"""

import pytest
from rich.cells import cell_len

from cds.core.clauses import Place
from cds.workshop.why.reasons import Reason, as_json, written

HERE = Place("rules/cards/a.yaml", 7, 3)
THERE = Place("rules/conditions/b.yaml", 9, 3)
CLAUSE = Reason("egfr < low", "no", "35 mL/min on 2026-05-22", "below 30", place=HERE)


def test_a_no_says_what_it_would_need():
    """
    A yes only which cut-off applied.
    """
    yes = Reason("egfr < low", "yes", "20", "below 30")

    assert ("35 mL/min on 2026-05-22, needs below 30", "20, below 30") == (CLAUSE.note, yes.note)


@pytest.mark.parametrize(
    ("reason", "note"),
    [
        (Reason("x", "unknown", why="never measured"), "never measured"),
        (Reason("x", "unknown", "95 cm", "from 94", "sex"), "95 cm, from 94: sex"),
        (Reason("x", "unknown", why="not sent", then="hide"), "not sent -> hide"),
        (Reason("x", "yes", then="stops"), "-> stops"),
        (Reason("x", "yes"), ""),
    ],
)
def test_a_note_is_one_sentence(reason, note):
    """
    Found, needed, not known, and what follows.
    """
    assert note == reason.note


def test_marks_points_and_lines_have_columns():
    """
    What is below something stands below its words.
    """
    tree = Reason(
        "A card 1.0.0",
        found="NOT SHOWN",
        place=Place("rules/cards/a.yaml", 2, 1),
        of=(
            Reason(
                "show_if, all of",
                "no",
                heading=True,
                place=HERE,
                of=(
                    CLAUSE,
                    Reason(
                        "raised holds",
                        "unknown",
                        place=HERE,
                        of=(
                            Reason("one", "yes", "1", points=12, place=THERE),
                            Reason("two", "held", points=3, place=THERE),
                        ),
                    ),
                ),
            ),
        ),
    )

    assert [
        "A card 1.0.0             NOT SHOWN",
        "  show_if, all of                                                 line 7",
        "    no   egfr < low      35 mL/min on 2026-05-22, needs below 30  line 7",
        "    ?    raised holds    [b.yaml]                                 line 7",
        "           yes  12  one  1                                        line 9",
        "           held  3  two                                           line 9",
    ] == list(written(tree, width=120))


def test_lines_can_be_left_out():
    """
    Where they have been said already.
    """
    assert ["no   egfr < low  35 mL/min on 2026-05-22, needs below 30"] == list(
        written(CLAUSE, lines=False)
    )


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("word", ["clause", "Klausel\u00fc", "\u6761\u6b3e"])
def test_no_row_is_wider_than_it_may_be(width, word):
    """
    Words are broken between, not within; wide characters count double.
    """
    row = Reason(f"{word} " * 20, "yes", f"{word} " * 20, place=HERE)
    lines = list(written(Reason("rule", of=(row,)), width=width))

    assert max(cell_len(line) for line in lines) <= width
    assert 40 == sum(line.count(word) for line in lines)


def test_a_long_word_stands_alone():
    """
    It cannot be broken, so it sticks out.
    """
    (first, second) = list(written(Reason(f"short {'x' * 60}", "yes"), width=40))

    assert ("yes  short", f"     {'x' * 60}") == (first, second)


def test_values_leave_out_what_is_empty():
    """
    A reader of JSON takes absent as empty.
    """
    tree = Reason("all of", "no", of=(CLAUSE,))

    assert {
        "text": "all of",
        "answer": "no",
        "of": [
            {
                "text": "egfr < low",
                "answer": "no",
                "found": "35 mL/min on 2026-05-22",
                "needed": "below 30",
                "file": "rules/cards/a.yaml",
                "line": 7,
            }
        ],
    } == as_json(tree)
