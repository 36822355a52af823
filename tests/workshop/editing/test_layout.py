"""
One layout: what is printed, and that nothing but the layout changes.
"""

import json
import re
import textwrap

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cds.rulefiles.diagnostics import Report
from cds.rulefiles.nodes import Source
from cds.rulefiles.source import read_source
from cds.workshop.editing.formatting import first_difference, format_source, is_same
from cds.workshop.editing.layout import WIDTH, is_special, layout, written_inline


def read(text):
    """
    The block of a text that can be read.
    """
    report = Report()
    root = read_source(Source("rules/x.yaml", text), report)
    assert () == report.sorted(), text
    return root


def formatted(text):
    """
    What a text becomes.
    """
    return format_source(Source("rules/x.yaml", textwrap.dedent(text).lstrip("\n"))).text


def lines_of(text, count):
    """
    The first lines of what a text becomes.
    """
    return formatted(text).splitlines()[:count]


LONG = " ".join(["word"] * 30)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("a:   1\nb:  [ x,y ]\n", "a: 1\nb: [x, y]\n", id="spaces"),
        pytest.param("a: 1", "a: 1\n", id="last line"),
        pytest.param("a: 1\r\nb: 2\r\n", "a: 1\nb: 2\n", id="line ends"),
        pytest.param("---\na: 1   \n", "a: 1\n", id="marks of a document"),
        pytest.param("a:\n- x\n- y\n", "a:\n  - x\n  - y\n", id="indentation of a list"),
        pytest.param("a:\n    b:\n        c: 1\n", "a:\n  b:\n    c: 1\n", id="indentation"),
        pytest.param("a:\n  -   b: 1\n      c: 2\n", "a:\n  - b: 1\n    c: 2\n", id="dash"),
        pytest.param("a:\n  - - 1\n    - 2\n", "a:\n  - - 1\n    - 2\n", id="lists in a list"),
        pytest.param("a:\n-\n  b: 1\n-\n", "a:\n  - b: 1\n  -\n", id="lonely dash"),
        pytest.param("a: 1\n\n\n\nb: 2\n\n", "a: 1\n\nb: 2\n", id="blank lines"),
        pytest.param("a:\n\n  b: 1\n", "a:\n  b: 1\n", id="no blank line below a key"),
        pytest.param("a: 'x y'\nb: \"z\"\n", "a: x y\nb: z\n", id="quotes that nothing needs"),
        pytest.param("a: '1.0'\nb: 'no'\n", 'a: "1.0"\nb: "no"\n', id="quotes that are needed"),
        pytest.param(
            "a: 'x: y'\nb: 'he said \"no\"'\n",
            'a: "x: y"\nb: he said "no"\n',
            id="one kind of quotes",
        ),
        pytest.param("a: ['x, y', '{{z}}']\n", 'a: ["x, y", "{{z}}"]\n', id="quotes in brackets"),
        pytest.param("a: {'b c': 1, d: }\n", "a: {b c: 1, d: }\n", id="nothing in brackets"),
        pytest.param("a: {}\nb: [ ]\n", "a: {}\nb: []\n", id="empty brackets"),
        pytest.param("a: {b: [1,\n 2]}\n", "a: {b: [1, 2]}\n", id="short brackets"),
        pytest.param("a: ~\nb:\nc: null\n", "a: ~\nb:\nc: null\n", id="nothing"),
        pytest.param("a: >\n  x\n  y\n\nb: 1\n", "a: |\n  x y\n\nb: 1\n", id="last line end"),
        pytest.param("a: >-\n  x\n  y\n", "a: x y\n", id="short folded text"),
        pytest.param("a: x\n  y\n", "a: x y\n", id="plain text of two lines"),
        pytest.param("a: |-\n  x\n   y\n", "a: |-\n  x\n   y\n", id="text of several lines"),
        pytest.param('a: "x\\ny \\n"\n', 'a: "x\\ny \\n"\n', id="text that no block can hold"),
        pytest.param('a: "\\u0007\\u2028\\\\"\n', 'a: "\\x07\\u2028\\\\"\n', id="escapes"),
        pytest.param("a: 'x\\y: \"'\n", "a: 'x\\y: \"'\n", id="single quotes"),
    ],
)
def test_what_is_printed(before, after):
    """
    Each rule of the layout; what is printed stays as it is.
    """
    assert after == formatted(before)
    assert after == formatted(after)


def test_a_long_text_is_folded():
    """
    At the width, in a key and in a list; a text without a blank cannot be.
    """
    found = formatted(f"a: {LONG}\nb:\n  - '{LONG}'\nc: {'x' * 130}\n").splitlines()

    assert ["a: >-", f"  {' '.join(['word'] * 23)}"] == found[:2]
    assert ["b:", "  - >-"] == found[3:5]
    assert f"c: {'x' * 130}" == found[-1]
    assert WIDTH >= max(len(line) for line in found[:-1])


def test_brackets_that_do_not_fit_are_broken():
    """
    Into lines of their own; a list of short words is filled instead.
    """
    words = ", ".join(f"w{number:02}" for number in range(40))
    pairs = ", ".join(f"k{number:02}: [a, b]" for number in range(12))
    short = ", ".join(f"k{number}: a word" for number in range(12))

    assert (
        "a: [\n  " + ", ".join(f"w{number:02}" for number in range(23)) + ",\n"
        "  " + ", ".join(f"w{number:02}" for number in range(23, 40)) + "\n]\n"
    ) == formatted(f"a: [{words}]\n")
    assert ["a:", "  k00: [a, b]", "  k01: [a, b]"] == lines_of(f"a: {{{pairs}}}\n", 3)
    assert ["a:", "  - k00: [a, b]", "    k01: [a, b]"] == lines_of(f"a:\n  - {{{pairs}}}\n", 3)
    assert ["a:", "  - ["] == lines_of(f"a:\n  - [{words}]\n", 2)
    assert ["a: {", "  k0: a word, k1: a word, k2: a word,"] == [
        line[:37] for line in lines_of(f"a: {{{short}}}\n", 2)
    ]
    assert ["a:", "  - k0: a word", "    k1: a word"] == lines_of(f"a:\n  - {{{short}}}\n", 3)
    assert ["a:", f"  - {'x ' * 20}y"] == lines_of(f"a: [{'x ' * 20}y, {LONG[:90]}]\n", 2)


def test_the_drawers_have_an_order():
    """
    Header, about, upkeep, the logic as its author ordered it, patients, tests.
    """
    found = formatted("""
        tests: []
        show_if: x
        patients: {}
        thresholds: {}
        upkeep: {review_by: 2027-06-01, owner: me}
        # why
        about: {limits: [], purpose: x}
        code: c
        title: t
        # what
        id: x
        kind: card
    """)

    assert (
        textwrap.dedent("""
        kind: card
        # what
        id: x
        title: t

        # why
        about: {limits: [], purpose: x}

        upkeep: {review_by: 2027-06-01, owner: me}

        show_if: x

        thresholds: {}
        code: c

        patients: {}

        tests: []
    """).lstrip("\n")
        == found
    )


def test_the_keys_of_about_and_upkeep_have_an_order():
    """
    Where they stand in lines; what is not known comes last.
    """
    found = formatted("""
        about:
          evidence: []
          other: 1
          purpose: x
        upkeep:
          review_by: 2027-06-01
          owner: me
    """)

    assert "about:\n  purpose: x\n  evidence: []\n  other: 1\n" in found
    assert "upkeep:\n  owner: me\n  review_by: 2027-06-01\n" in found


COMMENTS = """\
# yaml-language-server: $schema=../schema/card.json

# Of the file.
kind: card # beside a text
id: x   # beside another

about: # beside a block
  # above a key
  purpose: >- # beside a folded text
    one # not a comment
    two

  # above, with a blank line

  limits: [a, b]     # beside brackets
  # closes about
# above lines
lines:
- # behind a dash
  a: 1
# at the dash
- b: "x # y"
  # closes the member
- {c: 1, # in brackets
   # above d
   d: 2
   # closes the brackets
  }
- [ # opens
    e, f ]
# closes the file
"""


def test_comments_stay_with_what_they_are_about():
    """
    Above, beside and at the end of what they were written with.
    """
    expected = """\
# yaml-language-server: $schema=../schema/card.json

# Of the file.
kind: card  # beside a text
id: x  # beside another

about:  # beside a block
  # above a key
  purpose: one # not a comment two

  # above, with a blank line

  limits: [a, b]  # beside brackets
  # closes about

# above lines
lines:
  # behind a dash
  - a: 1
  # at the dash
  - b: "x # y"
    # closes the member
  - c: 1  # in brackets
    # above d
    d: 2
    # closes the brackets
  # opens
  - - e
    - f
# closes the file
"""
    expected = expected.replace(
        "purpose: one # not a comment two",
        'purpose: "one # not a comment two"  # beside a folded text',
    )

    assert expected == formatted(COMMENTS)
    assert expected == formatted(expected)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("a: # one\n  x # two\n", "# one\na: x  # two\n", id="two beside one"),
        pytest.param("a:\n  # c\n  x\nb: 1\n", "# c\na: x\nb: 1\n", id="between key and text"),
        pytest.param("a: []\n  # c\nb: 1\n", "a: []\n# c\nb: 1\n", id="indented for nothing"),
        pytest.param("a: [ # c\n]\n", "a: []  # c\n", id="in empty brackets"),
        pytest.param("a: [\n# c\n]\n", "a: []\n# c\n", id="alone in empty brackets"),
        pytest.param("a:\n  b: 1\n    # c\n", "a:\n  b: 1\n  # c\n", id="at the end"),
        pytest.param("a: 1\n#c\n", "a: 1\n#c\n", id="without a blank"),
        pytest.param("a:\n- - x # c\n", "a:\n  - - x  # c\n", id="beside a member"),
        pytest.param("a:\n- # c\n  - x\n", "a:\n  # c\n  - - x\n", id="above a list in a list"),
        pytest.param("a: |\n  x\n\n# c\nb: 1\n", "a: |\n  x\n\n# c\nb: 1\n", id="below a text"),
        pytest.param("a: 1\n\n\n# c\n", "a: 1\n\n# c\n", id="apart at the end"),
        pytest.param("a: x#y\nb: 'z #'\n", 'a: x#y\nb: "z #"\n', id="none at all"),
        pytest.param("--- # c\na: 1\n", "# c\na: 1\n", id="beside a mark"),
        pytest.param("{a: 1, # c\nb: 2}\n", "a: 1  # c\nb: 2\n", id="a file in brackets"),
        pytest.param(
            "a:\n- # one\n  b: # two\n    1 # three\n",
            "a:\n  # one\n  # two\n  - b: 1  # three\n",
            id="two above a member",
        ),
    ],
)
def test_comments_in_odd_places(before, after):
    """
    They come through, and stay where they then are.
    """
    assert after == formatted(before)
    assert after == formatted(after)


def test_a_member_in_long_brackets_keeps_its_comment():
    """
    Above it, since what was in brackets has lines now.
    """
    pairs = ", ".join(f"k{number:02}: [a, b]" for number in range(12))

    assert ["a:", "  # c", "  - k00: [a, b]"] == lines_of(f"a:\n  - {{{pairs}}} # c\n", 3)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [\n", "CDS101"),
        ("a: 1\na: 2\n", "CDS103"),
        ("a: &x 1\nb: *x\n", "CDS101"),
        (f"? {'x' * 2000}\n: 1\n", "cannot be laid out"),
    ],
)
def test_a_file_that_cannot_be_read_is_left_alone(text, reason):
    """
    With the reason.
    """
    found = format_source(Source("rules/x.yaml", text))

    assert found.text is None
    assert reason in found.reasons[0]


def test_where_a_file_begins_to_differ():
    """
    The first line, or the last one where all are alike.
    """
    source = Source("rules/x.yaml", "a: 1\nb:  2\n")

    assert 2 == first_difference(source, "a: 1\nb: 2\n").line
    assert 2 == first_difference(source, "a: 1\nb:  2\nc: 3\n").line
    assert 1 == first_difference(Source("rules/x.yaml", ""), "a: 1\n").line


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a: 1", "a: '1'"),
        ("a: 1", "a: 2"),
        ("a: 1", "b: 1"),
        ("a: [1]", "a: [1, 1]"),
        ("a: [1]", "a: {b: 1}"),
        ("a: [1]", "a: x"),
        ("a: x", "a: [x]"),
        ("a: {b: 1}", "a: [b]"),
    ],
)
def test_what_is_not_the_same(one, other):
    """
    So that the guard can fail.
    """
    assert not is_same(read(one), read(other))
    assert is_same(read("a: 'x'\nb: 1\n"), read("b: 1\na: x\n"))


# --- laws -------------------------------------------------------------------------------


@given(st.text(max_size=30), st.booleans())
def test_a_text_in_one_line_is_read_back(text, bracketed):
    """
    Whatever it holds, in brackets or not; and what looks like a number stays a text.
    """
    written = written_inline(text, bracketed=bracketed)
    around = f"a: [{written}]\n" if bracketed else f"a: {written}\n"
    value = read(around).scalars("a")[0]

    assert text == value.text
    assert value.quoted or not is_special(text)


WORDS = st.text("abc xyz", min_size=1, max_size=60).map(lambda text: " ".join(text.split()) or "w")
TEXTS = st.one_of(
    WORDS,
    st.lists(WORDS, min_size=3, max_size=12).map(" ".join),
    st.sampled_from(["1", "1.0", "no", "16:8", "x: y", "a #b", "{{h.v}} of", "", "- x", "a\nb\n"]),
    # Beyond that, JSON's escapes are none of YAML's.
    st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=12),
)


@st.composite
def written_texts(draw, indent, bracketed=False):
    """
    A text in some style, as it may stand behind a key.
    """
    text = draw(TEXTS)
    style = draw(st.sampled_from(["double", "single", "plain", "folded"]))
    one_line = text.isprintable()
    if style == "single" and one_line:
        return "'" + text.replace("'", "''") + "'"
    if style == "plain" and written_inline(text, bracketed=bracketed) == text:
        return text
    if style == "folded" and not bracketed and re.fullmatch(r"\w+(?: \w+)*", text):
        return ">-\n" + "\n".join(" " * (indent + 3) + word for word in text.split(" "))
    return json.dumps(text)


@st.composite
def in_brackets(draw):
    """
    A list or block in brackets.
    """
    several = draw(st.lists(written_texts(0, bracketed=True), max_size=12))
    gap = draw(st.sampled_from(["", " ", "  "]))
    if draw(st.booleans()):
        return "[" + gap + f",{gap}".join(several) + gap + "]"
    pairs = [f"p{number}: {one}" for number, one in enumerate(several)]
    return "{" + gap + f",{gap}".join(pairs) + gap + "}"


class Writer:
    """
    Writes blocks as a careless author would; every key of its own is called after a number.
    """

    def __init__(self, draw):
        self.draw = draw
        self.count = 0

    def pick(self, *choices):
        return self.draw(st.sampled_from(choices))

    def comment(self):
        return self.pick(True, False, False, False)

    def block(self, indent, depth, dash=""):
        lines = []
        for _ in range(self.draw(st.integers(1, 4))):
            self.count += 1
            key = f"k{self.count}"
            if not (dash and not lines):
                lines += [""] * self.pick(0, 0, 1, 2)
                if self.comment():
                    lines.append(" " * indent + f"# above {key}")
            lead = dash if dash and not lines else " " * indent
            beside = self.pick(" ", "   ") + f"# beside {key}" if self.comment() else ""
            kind = self.pick("text", "text", "brackets", "block", "list") if depth else "text"
            if kind == "text":
                value = self.draw(written_texts(indent))
                first, *rest = value.split("\n")
                lines += [f"{lead}{key}: {first}{beside}", *rest]
            elif kind == "brackets":
                lines.append(f"{lead}{key}: {self.draw(in_brackets())}{beside}")
            elif kind == "block":
                lines.append(f"{lead}{key}:{beside}")
                lines += self.block(indent + self.pick(1, 2, 4), depth - 1)
            else:
                lines.append(f"{lead}{key}:{beside}")
                inner = indent + self.pick(0, 1, 2)
                for _ in range(self.draw(st.integers(1, 3))):
                    lines += self.block(inner + 2, depth - 1, " " * inner + "- ")
        return lines


@st.composite
def files(draw):
    """
    A whole file.
    """
    return "\n".join(Writer(draw).block(0, 3)) + "\n"


def stands_with(text):
    """
    The comments of a text, each with the key that it stands above or beside.
    """
    found = set()
    for match in re.finditer(r"# (above|beside) (k\d+)$", text, re.MULTILINE):
        if match[1] == "above":
            key = re.search(r"\bk\d+(?=:)", text[match.end() :])
        else:
            key = re.findall(r"\bk\d+(?=:)", text[: match.start()])[-1:]
            key = re.match(r".*", key[0]) if key else None
        found.add((match[0], key[0] if key else ""))
    return found


@given(files())
def test_laws_of_the_layout(text):
    """
    Nodes and comments come through, comments with what they were about; twice is once.
    """
    before = read(text)
    result = format_source(Source("rules/x.yaml", text))

    assert result.text is not None, result.reasons
    assert is_same(before, read(result.text))
    assert stands_with(text) == stands_with(result.text)
    assert result.text == layout(Source("x", result.text), read(result.text))
    assert all(line == line.rstrip() for line in result.text.split("\n"))
    assert yaml.safe_load(result.text) is not None
