"""
A diagnostic with several places, as its author reads it.
"""

from cds.core.clauses import Place
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.nodes import Source
from cds.rulefiles.rendering import render

PATH = "rules/a.yaml"
TEXT = "one: two three\nsecond\nthird\nfourth\nfifth\nsixth\nseventh\neighth\nninth\ntenth word\n"
SOURCES = {PATH: Source(PATH, TEXT), "rules/b.yaml": Source("rules/b.yaml", "other: words\n")}


def drawn(at, *spans, label="", text=None, help_=""):
    """
    The lines between headline and page.
    """
    report = Report()
    report.add("CDS201", at, "x", label=label, spans=spans, help=help_)
    sources = SOURCES if text is None else {PATH: Source(PATH, text)}
    return render(report.sorted()[0], sources).split("\n")[1:-1]


def test_two_places_of_one_line():
    """
    The label furthest right stands beside its mark, others below theirs.
    """
    found = drawn(Place(PATH, 1, 6, 3), (Place(PATH, 1, 10, 5), "there"), label="here")

    assert [
        " --> rules/a.yaml:1:6",
        "  |",
        "1 | one: two three",
        "  |      ^^^ ----- there",
        "  |      |",
        "  |      here",
    ] == found


def test_three_labels_of_one_line():
    """
    Each hangs on a stem of its own.
    """
    found = drawn(
        Place(PATH, 1, 10, 5),
        (Place(PATH, 1, 1, 3), "first"),
        (Place(PATH, 1, 6, 3), "second"),
    )

    assert [
        " --> rules/a.yaml:1:10",
        "  |",
        "1 | one: two three",
        "  | ---  --- ^^^^^",
        "  | |    |",
        "  | |    second",
        "  | first",
    ] == found


def test_a_label_whose_mark_is_covered_hangs():
    """
    Nothing stands beside a mark that is not the last of its row.
    """
    found = drawn(Place(PATH, 1, 1, 14), (Place(PATH, 1, 6, 3), "inner"), label="whole")

    assert [
        " --> rules/a.yaml:1:1",
        "  |",
        "1 | one: two three",
        "  | ^^^^^^^^^^^^^^",
        "  | |    |",
        "  | |    inner",
        "  | whole",
    ] == found


def test_places_on_lines_that_lie_apart():
    """
    One line between is shown, more are left out.
    """
    found = drawn(
        Place(PATH, 1, 1, 3),
        (Place(PATH, 3, 1, 5), "near"),
        (Place(PATH, 4, 1, 6), "next"),
        (Place(PATH, 10, 7, 4), "far"),
    )

    assert [
        "  --> rules/a.yaml:1:1",
        "   |",
        " 1 | one: two three",
        "   | ^^^",
        " 2 | second",
        " 3 | third",
        "   | ----- near",
        " 4 | fourth",
        "   | ------ next",
        "...",
        "10 | tenth word",
        "   |       ---- far",
    ] == found


def test_a_place_in_another_file():
    """
    It has its own heading.
    """
    found = drawn(Place(PATH, 2, 1, 6), (Place("rules/b.yaml", 1, 8, 5), "and here"))

    assert [
        " --> rules/a.yaml:2:1",
        "  |",
        "2 | second",
        "  | ^^^^^^",
        " ::: rules/b.yaml:1:8",
        "  |",
        "1 | other: words",
        "  |        ----- and here",
    ] == found


def test_help_of_several_lines():
    """
    A piece to paste stands below its sentence.
    """
    found = drawn(Place(PATH, 2, 1, 6), help_="add:\na: 1")

    assert ["  = help: add:", "          a: 1"] == found[-2:]


def test_marks_stand_below_wide_and_invisible_characters():
    """
    Tabs, wide letters, combining accents and zero-width characters move no mark.
    """
    found = drawn(Place(PATH, 1, 7, 1), text="\ta\u6f22e\u0301\u200bx\n")

    assert [
        "1 |     a\u6f22e\u0301\ufffdx",
        "  |          ^",
    ] == found[2:]


def test_a_line_of_a_whole_page_is_cut():
    """
    Around what is marked; nothing prints a screen for one word.
    """
    text = "x" * 500 + "here" + "y" * 500 + "\n"
    found = drawn(Place(PATH, 1, 501, 4), text=text)
    line, marks = found[2:]

    assert line[marks.index("^") :].startswith("here")
    assert 180 > len(line)
    assert (True, True) == (line.startswith("1 | …x"), line.endswith("y…"))


def test_a_long_line_may_be_marked_at_either_end():
    """
    Only what is left out is dotted; a mark beyond the cut ends with it.
    """
    text = "ab" * 200 + "\n"
    first = drawn(Place(PATH, 1, 1, 400), text=text)
    last = drawn(Place(PATH, 1, 400, 1), text=text)

    assert (True, True) == (first[2].startswith("1 | ab"), first[2].endswith("…"))
    assert len(first[3]) <= len(first[2])
    assert (True, True) == (last[2].startswith("1 | …"), last[2].endswith("b"))
    assert len(last[2]) == len(last[3])
