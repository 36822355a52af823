"""
Pieces of text put in the place of others.
"""

import pytest

from cds.core.clauses import Place
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.fixes import Edit, applied, put, put_at, taken_out
from cds.rulefiles.nodes import Source
from cds.rulefiles.source import read_source

TEXT = """\
# head
flow: {a: 1, b: 2}
list: [x, y, z]
items:
  - name: one
    use: p
  # about the second
  - name: two
    deep:
      - last

block:
  first: |
    text

  second: >-
    more
end: here
"""


def read(text):
    """
    A file as nodes.
    """
    return read_source(Source("rules/x.yaml", text), Report())


def without(text, *path):
    """
    The text without what the path of keys and numbers leads to.
    """
    parent, node = None, read(text)
    for step in path:
        parent = node
        node = node.items[step] if isinstance(step, int) else node.values[step]
    child = parent.keys[path[-1]] if isinstance(path[-1], str) else node
    return applied(text, [taken_out(parent, child)])


@pytest.mark.parametrize(
    ("path", "gone", "left"),
    [
        (("flow", "a"), "a: 1, ", ""),
        (("flow", "b"), ", b: 2", ""),
        (("list", 0), "x, ", ""),
        (("list", 2), ", z", ""),
        (("items", 0), "  - name: one\n    use: p\n", ""),
        (("items", 1), "  - name: two\n    deep:\n      - last\n", ""),
        (("items", 0, "name"), "name: one\n    use", "use"),
        (("items", 0, "use"), "    use: p\n", ""),
        (("items", 1, "deep"), "    deep:\n      - last\n", ""),
        (("block",), "block:\n  first: |\n    text\n\n  second: >-\n    more\n", ""),
        (("block", "first"), "  first: |\n    text\n", ""),
        (("block", "second"), "  second: >-\n    more\n", ""),
        (("end",), "end: here\n", ""),
        (("flow",), "flow: {a: 1, b: 2}\n", ""),
    ],
)
def test_a_member_is_taken_out(path, gone, left):
    """
    With its line in block style, with its comma in flow style; nothing else moves.
    """
    assert TEXT.replace(gone, left) == without(TEXT, *path)


def test_the_only_member_leaves_an_empty_list():
    """
    It is for the caller to take the whole out.
    """
    assert "list: []\n" == without("list: [x]\n", "list", 0)


def test_the_last_line_may_have_no_end():
    """
    Files that were never finished with a line end.
    """
    assert "a: 1\n" == without("a: 1\nb: 2", "b")


def test_edits_are_made_from_the_end():
    """
    So that none moves the next.
    """
    edits = [Edit("x", 0, 1, "AA"), Edit("x", 2, 3, ""), Edit("x", 3, 3, "!")]

    assert "AAb!" == applied("abc", edits)


def test_a_node_and_a_place_can_be_replaced():
    """
    By offsets that follow the text, wide letters and all.
    """
    text = "a: \u00e4\u6f22\nkey: some words\n"
    root = read(text)
    source = root.source

    assert "a: x\nkey: some words\n" == applied(text, [put(root.values["a"], "x")])
    assert "a: \u00e4\u6f22\nkey: some other\n" == applied(
        text, [put_at(Place("rules/x.yaml", 2, 11, 5), "other", source)]
    )
    assert (2, 11) == source.position(source.offset(2, 11))
