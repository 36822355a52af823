"""
Where somebody is writing, told from lines that are seldom whole YAML.
"""

import re

import pytest

from cds.rulefiles.kinds import KINDS
from cds.rulefiles.shapes import Either, Grammar, Keys, Many, Named, Text
from cds.workshop.editing.cursor import Cursor, cursor_at, keys_beside, shapes_at, word_at


def at(text):
    """
    The cursor at the bar in a text.
    """
    before, _, after = text.partition("|")
    lines = (before + after).split("\n")
    return cursor_at(lines, before.count("\n"), len(before.rsplit("\n", 1)[-1]))


@pytest.mark.parametrize(
    ("text", "path", "typed", "in_key"),
    [
        ("ki|", "", "ki", True),
        ("kind: |", "kind", "", False),
        ("url: http://x|", "url", "http://x", False),
        ("card:\n  ind|", "card", "ind", True),
        ("card:\n  indicator: in|\n  x: 1", "card indicator", "in", False),
        ("show_if:\n  all:\n    - |", "show_if all -", "", True),
        ("show_if:\n  all:\n    - hba1c >= di|", "show_if all -", "hba1c >= di", True),
        ("a:\n  - all:\n      - x\n    as: |", "a - as", "", False),
        ("tests:\n- name: x\n  expect: {shown: |", "tests - expect shown", "", False),
        ("tests:\n  - name: x\n    expect:\n      sh|", "tests - expect", "sh", True),
        ("a:\n- name: x\n- |", "a -", "", True),
        ('- {id: a, when: "any of [x, y|", z: 1}', "- when", "any of [x, y", False),
        ("x: {a: [b, c], d: |", "x d", "", False),
        ("x: {a: {b: 1}, |", "x", "", True),
        ("x: {a: {b: 1} |", "x a", "", False),
        ("x: [a, |", "x -", "", False),
        ("x: [[a, b], {c: d|", "x - c", "d", False),
        ('x: ["a", \'b|', "x -", "b", False),
        ("words: [\n  a, b,\n  c|", "words -", "c", True),
        ("if: {all: [{not: x ho|", "if all - not", "x ho", False),
        ("a:\n  b: 1\n\n  |", "a", "", True),
        ("a:\n  b: 1\n\n|", "", "", True),
        ("a:\n  # c: 1\n  |", "a", "", True),
        ("a:\n  b:\n    - - x\n      - |", "a b - -", "", True),
        ("|", "", "", True),
    ],
)
def test_where_a_position_is(text, path, typed, in_key):
    """
    Below which keys, what is typed so far, and whether it could be a key.
    """
    found = at(text)

    assert (tuple(path.split()), typed, in_key) == (found.path, found.typed, found.in_key)


def test_a_line_that_is_not_there():
    """
    An editor may ask behind the last one.
    """
    assert Cursor((), "", 0, in_key=True) == cursor_at([], 3, 0)


def test_the_innermost_key():
    """
    Whatever list one is in.
    """
    assert "drivers" == at("drivers: [|").key
    assert "" == at("|").key


def test_keys_beside():
    """
    Those of the same block, whatever stands below them.
    """
    lines = ["a: 1", "b:", "  c: 1", "", "  # d: 1", "  e:", "    f: 1", "  ", "  g: 1", "h: 1"]
    member = ["x:", "  - k: 1", "    l: 2", "    ", "    m: 3", "  - n: 4"]

    assert {"c", "e", "g"} == keys_beside(lines, 7, 2)
    assert {"a", "b", "h"} == keys_beside(lines, 3, 0)
    assert {"k", "l", "m"} == keys_beside(member, 3, 4)


def test_words():
    """
    The one at, or just before, a column.
    """
    assert (2, "hba1c") == word_at("- hba1c >= 3", 7)
    assert (11, "") == word_at("- hba1c >= 3", 11)


SHAPE = Keys(
    "a thing",
    {"list": Many(Text(("a",)))},
    {"names": Named(Text(("b",))), "one": Either(text=Text(("c",)), items=Many(Text(("d",))))},
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("list -", ["a"]),
        ("list x", []),
        ("names x", ["b"]),
        ("names -", []),
        ("one", ["c"]),
        ("one -", ["d"]),
        ("none", []),
    ],
)
def test_what_may_stand_at_a_path(path, expected):
    """
    Step by step through keys, lists and names.
    """
    found = shapes_at(SHAPE, path.split())

    assert expected == [word for one in found if isinstance(one, Text) for word in one.choices]


def test_either_sort_of_profile():
    """
    Which of the two it is may not be written yet.
    """
    found = shapes_at(KINDS["profile"].shape, [])

    assert ["a profile of a site", "the default profile"] == [one.what for one in found]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("show_if", "condition"),
        ("show_if all -", "condition"),
        ("show_if any of - when", "condition"),
        ("unless - when", "condition"),
        ("thresholds x", "threshold"),
        ("show_if any id", ""),
        ("thresholds x cite", ""),
    ],
)
def test_conditions_go_on_inside(path, name):
    """
    As deep as they are nested; a threshold has words of its own.
    """
    (found,) = shapes_at(KINDS["card"].shape, re.split(" ", path))

    assert name == (found.name if isinstance(found, Grammar) else "")
