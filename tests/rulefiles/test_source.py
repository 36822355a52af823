"""
YAML 1.2 core, and less: what is read, and what is refused.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.core.clauses import Place
from cds.rulefiles import source as source_module
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.nodes import Scalar, Source
from cds.rulefiles.source import MOST_BYTES, MOST_DEPTH, Memory, read_folder, read_source


def read(text):
    """Give the block of a text, and what was reported."""
    report = Report()
    block = read_source(Source("rules/x.yaml", text), report)
    return block, report.sorted()


@pytest.fixture(params=["C", "Python"])
def parser(request, monkeypatch):
    """Run a test with both of PyYAML's parsers."""
    if request.param == "Python":
        monkeypatch.setattr(source_module, "_Loader", source_module.yaml.BaseLoader)


def test_plain_words_stay_text(parser):
    """
    Only a schema turns a word into a number or a flag.
    """
    block, found = read("a: 1.0\nb: 'no'\nc: no\nd: [1e3, ~]\ne: {f: 0x1}\n")

    assert () == found
    assert ["1.0", "no", "no"] == [block.text(key) for key in "abc"]
    assert [False, True, False] == [block.get(key).quoted for key in "abc"]
    assert ("1e3", "~") == block.texts("d")
    assert "0x1" == block.block("e").text("f")


def test_nodes_know_where_they_stand(parser):
    """
    Lines and columns count from one, in characters and not in bytes.
    """
    block, _ = read("é: {ü: µ3, list: [a, bb]}\n")

    assert Place("rules/x.yaml", 1, 8, 2) == block.block("é").get("ü").place
    assert Place("rules/x.yaml", 1, 22, 2) == block.block("é").scalars("list")[1].place


def test_a_duplicate_key_shows_both(parser):
    """
    The first one counts, and the second is marked.
    """
    block, (found,) = read("a: 1\nb: 2\na: [3]\n")

    assert "1" == block.text("a")
    assert ("CDS103", 3) == (found.code, found.place.line)
    assert [("first", "rules/x.yaml:1:1")] == [(one.label, str(one.place)) for one in found.spans]


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        ("a: &x 1\n", "anchors and tags are not used in rule files: `&x`"),
        ("a: &x [1]\n", "anchors and tags are not used in rule files: `&x`"),
        ("a: !!str 1\n", "anchors and tags are not used in rule files: `tag:yaml.org,2002:str`"),
        ("a: !py {b: 1}\n", "anchors and tags are not used in rule files: `!py`"),
        ("a: *x\n", "aliases are not used in rule files"),
        ("*x : a\n", "aliases are not used in rule files"),
        ("a: [*x]\n", "aliases are not used in rule files"),
        ("a: 1\n---\nb: 2\n", "a second document begins here"),
        ("? [a]\n: b\n", "a key must be a text"),
        ("a: {{hole.value}}\n", "`{{` opens two blocks here, not a hole"),
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("- a\n", "the file holds no keys"),
        ("word\n", "the file holds no keys"),
        ("a: \0\n", "a character that YAML does not allow"),
    ],
)
def test_what_rule_files_do_without(parser, text, headline):
    """
    Each is refused with what to write instead.
    """
    _, found = read(text)

    assert ["CDS101"] == [one.code for one in found]
    assert found[0].headline.startswith(headline)
    assert found[0].help


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("a: {{hole.value}} is raised\n", "quote it"),
        (
            "a: {b: 18 u[IU]/mL}\n",
            "quote it: inside { } a plain text ends at a bracket, a brace or a comma",
        ),
        ("a: b: c\n", "quote it: a plain text cannot hold a colon and a blank"),
        ("a:\n\tb: 1\n", "there is a tab on this line: indent with blanks"),
        ("a: [1\n", "close it, or quote the text that begins with it"),
        ("a: @x\n", "check quotes, colons and indentation on this line and the one above"),
    ],
)
def test_invalid_yaml_says_what_was_meant(text, help_):
    """
    The usual traps are named; anything else asks to look at the line.
    """
    block, (found,) = read(text)

    assert block is None
    assert ("CDS101", help_) == (found.code, found.help)


def test_depth_is_bounded(parser):
    """
    A file of nothing but brackets ends early, whatever its size.
    """
    fine, nothing = read("a: " + "[" * (MOST_DEPTH - 1) + "]" * (MOST_DEPTH - 1) + "\n")
    block, found = read("a: " + "[" * 100_000)

    assert fine is not None
    assert () == nothing
    assert block is None
    assert [f"more than {MOST_DEPTH} levels of blocks"] == [one.headline for one in found]


def test_size_is_bounded():
    """
    A rule of 256 KiB is none.
    """
    block, (found,) = read("a: " + "x" * MOST_BYTES)

    assert block is None
    assert "CDS101" == found.code


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path):
    """
    The same files give the same order on every machine.
    """
    for name in ("b.yaml", "a/z.yaml", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a: 1\n")
    report = Report()

    found = [one.path for one, _ in read_folder(tmp_path, report)]

    assert [f"{tmp_path.name}/a/z.yaml", f"{tmp_path.name}/b.yaml"] == found
    assert () == report.sorted()


def test_other_endings_are_told_their_name(tmp_path):
    """
    One ending, so that nobody looks for the other.
    """
    (tmp_path / "a.yml").write_text("a: 1\n")
    report = Report()

    assert [] == read_folder(tmp_path, report)
    assert ["rename it to `a.yaml`"] == [one.help for one in report.sorted()]


@pytest.mark.parametrize("name", ["x.yaml", "x.yml"])
def test_a_folder_that_is_called_like_a_file(tmp_path, name):
    """
    Is refused; what is in it is read.
    """
    (tmp_path / name).mkdir()
    (tmp_path / name / "a.yaml").write_text("a: 1\n")
    report = Report()

    found = read_folder(tmp_path, report)

    assert [False, True] == [root is not None for _, root in found]
    assert ["CDS101 the file cannot be read: it is not a file"] == [
        f"{one.code} {one.headline}" for one in report.sorted()
    ]


def test_a_file_is_utf_8(tmp_path):
    """
    A mark at the beginning is passed over, other encodings are refused.
    """
    (tmp_path / "a.yaml").write_bytes("\ufeffa: µ\n".encode())
    (tmp_path / "b.yaml").write_bytes("a: µ\n".encode("latin-1"))
    report = Report()

    (_, first), (_, second) = read_folder(tmp_path, report)

    assert "µ" == first.text("a")
    assert second is None
    assert ["the file is not UTF-8"] == [one.headline for one in report.sorted()]


def test_a_key_may_be_quoted():
    """
    Codes that look like numbers are keys too.
    """
    block, _ = read("'1': a\n")

    assert isinstance(block.keys["1"], Scalar)


@given(st.text(alphabet=st.sampled_from(list("ab:-?[]{},#&*!|>'\"%@ \n\té~1")), max_size=60))
def test_no_text_is_too_odd_to_be_read(text):
    """
    Whatever is written, it is read or reported.
    """
    block, found = read(text)

    assert (block is None) <= bool(found)


def test_a_buffer_counts_in_place_of_the_file(tmp_path):
    """
    As does one of a file that is not there yet.
    """
    (tmp_path / "b.yaml").write_text("a: saved\n", "utf-8")
    name = tmp_path.name
    buffers = {f"{name}/b.yaml": "a: typed\n", f"{name}/a.yaml": "a: new\n"}
    found = read_folder(tmp_path, Report(), buffers=buffers)

    assert ["new", "typed"] == [block.text("a") for _, block in found]


def test_only_what_changed_is_read_again(tmp_path):
    """
    What was wrong is said again all the same.
    """
    memory = Memory()
    (tmp_path / "a.yaml").write_text("a: 1\na: 2\n", "utf-8")
    (tmp_path / "b.yaml").write_text("b: 1\n", "utf-8")
    first = read_folder(tmp_path, before := Report(), memory=memory)
    (tmp_path / "b.yaml").write_text("b: 2\n", "utf-8")
    second = read_folder(tmp_path, after := Report(), memory=memory)

    assert before.sorted() == after.sorted()
    assert first[0][1] is second[0][1]
    assert "2" == second[1][1].text("b")


@pytest.mark.parametrize("opened", ["[", "{"])
def test_what_is_not_closed_is_shown_where_it_was_opened(opened):
    """
    And where that was noticed, lines later.
    """
    _, (found,) = read(f"a: 1\nb: {opened}x\nc: 2\n")

    assert f"this `{opened}` is never closed" == found.headline
    assert (2, 4) == (found.place.line, found.place.column)
    assert [3] == [one.place.line for one in found.spans]
