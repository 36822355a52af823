"""
Nodes: places of words, and getters that never complain.
"""

from decimal import Decimal

import pytest

from cds.core.clauses import Place
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.nodes import Block, Items, Piece, Scalar, Source
from cds.rulefiles.source import read_source


def block_of(text):
    """Read one text."""
    return read_source(Source("x.yaml", text), Report())


def marked(text, word):
    """Give what the place of *word* in the text of `a:` covers."""
    node = block_of(text).get("a")
    first = node.text.index(word)
    place = node.span(first, first + len(word))
    line = text.splitlines()[place.line - 1]
    return line[place.column - 1 : place.column - 1 + place.width]


@pytest.mark.parametrize(
    "text",
    [
        "a: one two three\n",
        "a: 'one two three'\n",
        'a: "one two three"\n',
        "a: one\n  two three\n",
        'a: "one\n  two\n  three"\n',
        "a: >-\n  one\n  two three\n",
        "a: |\n  one\n  two\n  three\n",
    ],
)
def test_a_word_is_found_in_every_style(text):
    """
    A caret stands under the word, however the text was folded.
    """
    assert "two" == marked(text, "two")


def test_a_word_of_an_escaped_text_is_marked_as_a_whole():
    """
    Where counting does not work, the whole text is marked.
    """
    assert '"one \\x74wo"' == marked('a: "one \\x74wo"\n', "two")


def test_a_word_of_a_folded_escaped_text():
    """
    Counting that runs off the end falls back to the beginning.
    """
    node = block_of('a: "\\x74\\x74\\\n  b"\n').get("a")
    long = Scalar(node.source, node.start, node.end, "x" * 40, '"')

    assert node.place == long.span(39, 40)


def test_a_span_is_never_empty():
    """
    The end of a text is marked too.
    """
    node = block_of("a: one\n").get("a")

    assert Place("x.yaml", 1, 7, 1) == node.span(3, 3)


def test_a_block_of_several_lines_is_marked_on_its_first():
    """
    A caret under three lines helps nobody.
    """
    assert Place("x.yaml", 2, 3, 4) == block_of("a:\n  b: 1\n  c: 2\n").get("a").place


def test_a_place_beyond_the_text_is_at_least_one_wide():
    """
    Marks at the end of a file point behind its last line.
    """
    source = Source("x.yaml", "a")
    mark = type("Mark", (), {"line": 7, "column": 0})
    end = type("Mark", (), {"line": 8, "column": 0})

    assert Place("x.yaml", 8, 1, 1) == Piece(source, mark, end).place


def test_getters_read_what_is_there():
    """
    Texts, lists, numbers, flags and days.
    """
    block = block_of(
        "t: word\nl: [a, [b], c]\nn: 5\nd: 1.5\nf: true\nw: 30 days\no: 1 day\n"
        "b: {x: 1}\nm: [{y: 2}, z]\nq: ~\n"
    )

    assert "word" == block.text("t")
    assert ("a", "c") == block.texts("l")
    assert ("word",) == block.texts("t")
    assert (5, None, None) == tuple(block.whole(key) for key in "ndt")
    assert Decimal("1.5") == block.number("d")
    assert block.flag("f")
    assert not block.flag("t")
    assert (30, 1, None) == tuple(block.days(key) for key in "won")
    assert "1" == block.block("b").text("x")
    assert [("x", "1")] == [(key.text, one.text) for key, one in block.pairs("b")]
    assert ["2"] == [one.text("y") for one in block.blocks("m")]
    assert "nothing" == block.text("q", "nothing")
    assert ["a", "c"] == [one.text for one in block.get("l") if isinstance(one, Scalar)]


def test_getters_pass_over_what_has_another_shape():
    """
    It was reported when the shape was checked, and reads as if it were not there.
    """
    block = block_of("a: [x]\nb: {c: d}\n")

    assert "" == block.text("a")
    assert () == block.texts("b")
    assert None is block.block("a")
    assert [] == block.blocks("b")
    assert [] == block.pairs("a")
    assert block.get("z") is None
    assert block is block.at("z")
    assert "z" not in block
    assert isinstance(block.at("a"), Items)
    assert isinstance(block.at("b"), Block)


def test_a_block_scalar_counts_as_quoted():
    """
    Who folds a text does not mean a number.
    """
    assert block_of("a: >-\n  5\n").get("a").quoted
