"""
How a diagnostic speaks.
"""

import re

import pytest

from cds.core.clauses import Place
from cds.rulefiles.checks import CHECKS
from cds.rulefiles.diagnostics import Report, a, concise, did_you_mean, listed, nearest
from cds.rulefiles.nodes import Source
from cds.rulefiles.rendering import render

PLACE = Place("rules/cards/x.yaml", 2, 3, 4)
SOURCES = {"rules/cards/x.yaml": Source("rules/cards/x.yaml", "a: 1\n  word here\n")}


def one(**more):
    """Make a report of one diagnostic."""
    report = Report()
    report.add("CDS201", PLACE, "`word` is nothing", **more)
    return report.sorted()[0]


def test_a_diagnostic_in_full():
    """
    Headline, place, line, caret with label, notes, help, page.
    """
    found = one(label="here", notes=["a fact"], help="an action")

    assert (
        "error[CDS201] unknown-name: `word` is nothing\n"
        " --> rules/cards/x.yaml:2:3\n"
        "  |\n"
        "2 |   word here\n"
        "  |   ^^^^ here\n"
        "  = note: a fact\n"
        "  = help: an action\n"
        "  = page: cds explain CDS201"
    ) == render(found, SOURCES)


def test_a_diagnostic_without_its_line():
    """
    A file that is not at hand, or that is shorter, has no line to show.
    """
    bare = (
        "error[CDS201] unknown-name: `word` is nothing\n"
        " --> rules/cards/x.yaml:2:3\n"
        "  = page: cds explain CDS201"
    )

    assert bare == render(one(), {})
    assert bare == render(one(), {"rules/cards/x.yaml": Source("rules/cards/x.yaml", "a")})


def test_a_diagnostic_in_one_line():
    """
    Editors and grep read one line.
    """
    line = "rules/cards/x.yaml:2:3: error[CDS201] unknown-name: `word` is nothing"

    assert line == concise(one())
    assert line == str(one())


def test_a_severity_may_be_lowered():
    """
    One check may weigh differently by circumstance.
    """
    assert "warning" == one(severity="warning").severity


def test_the_same_finding_is_kept_once():
    """
    A threshold that two clauses use is one mistake.
    """
    report = Report()
    report.add("CDS201", PLACE, "twice")
    report.add("CDS201", PLACE, "twice")

    assert 1 == len(report.sorted())


def test_findings_are_sorted_by_place():
    """
    Authors mend a file from top to bottom.
    """
    report = Report()
    for line in (9, 10, 2):
        report.add("CDS201", Place("b", line, 1), "x")
    report.add("CDS102", Place("a", 50, 1), "x")

    assert [50, 2, 9, 10] == [found.place.line for found in report.sorted()]


def test_names_of_checks_can_be_typed():
    """
    They stand after "allow" in rule files and in addresses of pages.
    """
    assert [] == [
        check.name for check in CHECKS.values() if not re.fullmatch("[a-z-]+", check.name)
    ]
    assert len(CHECKS) == len({check.name for check in CHECKS.values()})


def test_the_nearest_word_is_proposed():
    """
    Only where one is near.
    """
    assert "did you mean `hba1c`?" == did_you_mean("hb1ac", ["hba1c", "waist"])
    assert "" == did_you_mean("xyz", ["hba1c"])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("hb1ac", "hba1c"),
        ("hdl", "hdl_cholesterol"),
        ("cholesterol", "hdl_cholesterol"),
        ("4548-4", "hba1c"),
        ("a1c_percent", ""),
        ("FPG", "waist"),
        ("zzz", ""),
    ],
)
def test_the_nearest_by_letters_then_words_then_codes(word, expected):
    """
    Letters go first, then the words in a name, then what else leads to it.
    """
    known = ["hba1c", "hdl_cholesterol", "waist", "total_hdl_cholesterol_ratio"]

    assert expected == nearest(word, known, {"4548-4": "hba1c", "fpg": "waist"})


def test_nothing_is_near_where_nothing_is_known():
    """
    Not even a code.
    """
    assert "" == nearest("hba1c", [])


def test_a_fix_needs_its_file():
    """
    And something to write.
    """
    report = Report(SOURCES)

    assert None is Report().rewriting(PLACE, "x")
    assert None is report.rewriting(PLACE, "")
    assert ("write `x`", False) == (
        report.rewriting(PLACE, "x").title,
        report.rewriting(PLACE, "x").safe,
    )


def test_words_are_joined_for_readers():
    """
    Small things that every message uses.
    """
    assert "`a`, `b`" == listed(["a", "b"])
    assert ["an index", "a card"] == [a("index"), a("card")]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("hdl_cholestrol", "hdl_cholesterol"),
        ("hdl", "hdl_cholesterol"),
        ("polycystic_ovary_syndrome", "pcos"),
        ("order_metformin", ""),
    ],
)
def test_the_nearest_word_is_one_that_means_the_same(word, expected):
    """
    A title leads to it first; half of a word leads nowhere.
    """
    known = ["hdl_cholesterol", "metabolic_syndrome", "pcos", "order_testosterone"]
    also = {"polycystic ovary syndrome": "pcos"}

    assert expected == nearest(word, known, also)
