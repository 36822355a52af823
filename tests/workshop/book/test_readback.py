"""
Rules read back in English: every sort of clause, and every way to join them.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from cds.core.clauses import All, Any_, AtLeast, Clause, Known, ListComplete, Not
from cds.rulefiles import load_ruleset
from cds.workshop.book.readback import SENTENCES, Readback
from tests.test_docs import CLAUSES_FILE, EXAMPLES
from tests.workshop.conftest import RULES

GOLDEN = Path(__file__).parent / "pages" / "sentences.txt"


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The shipped rules, with every clause that the reference shows."""
    folder = tmp_path_factory.mktemp("readback") / "rules"
    shutil.copytree(RULES, folder)
    lines = "".join(f'    - "{one}"\n' for one in EXAMPLES)
    path = folder / "conditions" / "clauses_of_a_page.yaml"
    path.write_text(CLAUSES_FILE + lines, "utf-8")
    return load_ruleset(folder)


def test_no_sort_of_clause_is_left_out():
    """A new clause without a sentence stops here."""
    assert set(get_args(Clause)) == set(SENTENCES)


def test_every_clause_of_the_reference_reads_as_it_should(asked, updates_golden):
    """Side by side, for a clinician to look at."""
    read = Readback(asked)
    clauses = asked.conditions["clauses_of_a_page"].holds_if.of
    found = "".join(
        f"{text}\n    {read.sentence(one)}\n" for text, one in zip(EXAMPLES, clauses, strict=True)
    )
    if updates_golden:
        GOLDEN.write_text(found, "utf-8")

    assert GOLDEN.read_text("utf-8") == found


def test_the_opposite_of_every_clause_reads_otherwise(asked):
    """And that of the opposite is the clause again."""
    read = Readback(asked)
    for one in asked.conditions["clauses_of_a_page"].holds_if.of:
        opposite = Not(of=one, key="", place=one.place)

        assert read.sentence(one) != read.sentence(opposite)
        assert read.sentence(one) == read.sentence(Not(of=opposite, key="", place=one.place))


def joined(rules, kind, *ids, **more):
    """Join the conditions of some rules."""
    place = rules.conditions[ids[0]].place
    return kind(
        of=tuple(rules.conditions[one].holds_if for one in ids), key="", place=place, **more
    )


def test_what_is_joined(rules):
    """In a sentence with brackets, and as a list."""
    read = Readback(rules)
    inner = joined(rules, Any_, "pregnant", "on_insulin")
    outer = All(of=(inner, rules.conditions["pregnant"].holds_if), key="", place=inner.place)
    few = joined(rules, AtLeast, "pregnant", "on_insulin", count=2)

    assert "(" in read.sentence(outer)
    assert " and " in read.sentence(outer)
    assert ["- all of these:", "  - one or more of these:"] == list(read.lines(outer))[:2]
    assert read.sentence(few).startswith("at least 2 of these: ")
    assert "- at least 2 of these:" == next(read.lines(few))
    assert "- it is not so that" == next(read.lines(Not(of=outer, key="", place=outer.place)))
    assert "  - all of these:" == list(read.lines(Not(of=outer, key="", place=outer.place)))[1]
    assert ["- "] == list(read.lines(All(of=(), key="", place=outer.place)))


def test_several_that_are_not_known(rules):
    """None of them, or not every one."""
    read = Readback(rules)
    place = rules.stages.place
    said = {"text": "", "place": place, "key": "", "whats": ("concept", "concept")}
    names = ("hba1c", "glucose_2h")

    def sentence(quantifier):
        one = Known(**said, names=names, quantifier=quantifier)
        return read.sentence(Not(of=one, key="", place=place))

    assert "HbA1c and 2-hour glucose (75 g) are all not known" == sentence("any")
    assert "HbA1c and 2-hour glucose (75 g) are not all known" == sentence("all")


def test_a_list_that_is_not_whole(rules):
    """Or several."""
    read = Readback(rules)
    place = rules.stages.place
    one = ListComplete(text="", place=place, key="", lists=("medicines", "problems"))

    assert "the lists of medicines and problems were received whole" == read.sentence(one)
    assert "the lists of medicines and problems were not received whole" == read.sentence(
        Not(of=one, key="", place=place)
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "on how many days HbA1c in the last 365 days"),
        ({"kind": "average of last", "last": 2}, "the mean of the last 2 results of HbA1c in"),
        ({"kind": "mean of", "last": None}, "the mean of all results of HbA1c in"),
        ({"kind": "highest of", "between": (90, 730)}, "the highest HbA1c from 90 to 730 days ago"),
        ({"kind": "lowest of", "apart": 14}, "the lowest HbA1c at least 14 days apart in"),
        ({"kind": "lowest of", "newest_day": True}, "the lowest HbA1c on the newest day with a"),
        ({"kind": "first of", "different_days": True}, "the first HbA1c on different days in"),
        ({"kind": "last end of", "between": None}, "when HbA1c last ended"),
        (
            {"drawn_before": "11:00", "if_latest": True},
            "(none counts unless the newest does) drawn",
        ),
    ],
)
def test_readings(rules, changes, expected):
    """Each kind, with what qualifies it."""
    reading = rules.readings["low_testosterone_unconfirmed.low_days"]
    plain = replace(
        reading,
        concept="hba1c",
        low=None,
        high=None,
        if_latest=False,
        drawn_before="",
        between=(0, 365),
    )

    assert expected in Readback(rules).reading(replace(plain, **changes))
    assert "was below" in Readback(rules).reading(reading)


def test_names_become_links_where_there_are_pages(rules):
    """As the pages make them."""
    read = Readback(rules, lambda name, title: f"<{name}|{title}>")

    assert "<homa_ir|HOMA-IR>" == read.called("homa_ir")
    assert "low days" == read.called("low_testosterone_unconfirmed.low_days")
