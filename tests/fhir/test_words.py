from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.core.concepts import TextPattern
from cds.fhir.words import Words, is_readable, tokens_of
from tests.fhir import world as w


def words(**pattern):
    return Words([w.concept("it", "medicine", "medicines", text=TextPattern(**pattern))])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Depo-Provera 150 mg/mL", ("depo", "provera", "150", "mg", "ml")),
        ("0.8 mg, 16:8", ("0.8", "mg", "16:8")),
        ("1,800 kcal or 800,1000", ("1,800", "kcal", "or", "800", "1000")),
        ("Met\u200bformin", ("metformin",)),
        ("one.two", ("one", ".", "two")),
        ("ÖSTRADIOL", ("östradiol",)),
    ],
)
def test_a_text_is_split_into_words(text, expected):
    """
    Numbers keep their point and their thousands, words lose their case.
    """
    assert expected == tokens_of(text)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ({"words": ("depo provera",)}, "Depo-Provera", True),
        ({"words": ("depo-provera",)}, "depo provera", True),
        ({"words": ("depo provera",)}, "provera depo", False),
        ({"beginnings": ("predniso",)}, "prednisolone", True),
        ({"beginnings": ("predniso",)}, "methylprednisolone", False),
        ({"beginnings": ("low carb",)}, "very low carbohydrate", True),
        ({"beginnings": ("low carb",)}, "low  fat carbohydrate", False),
        ({"endings": ("gliflozin",)}, "Dapagliflozin 10", True),
        ({"endings": ("gliflozin",)}, "gliflozinate", False),
        ({"words": ("0.8 mg",)}, "bromocriptine 0.8 mg", True),
        ({"words": ("0.8 mg",)}, "bromocriptine 10.8 mg", False),
        ({"words": ("insulin",), "without": ("pump",)}, "insulin pump", False),
        (
            {"words": ("insulin",), "without": ("pump",), "unless": ("u-100",)},
            "insulin U-100 pump",
            True,
        ),
        ({}, "anything", False),
    ],
)
def test_a_pattern_matches_words(pattern, text, expected):
    """
    Whole, or with the parts it says.
    """
    meant, _ = words(**pattern).meant_by((text,))

    assert expected is ("it" in meant)


def test_an_exclusion_holds_across_all_texts_of_one_entry():
    """
    A display may say what the text leaves out.
    """
    meant, excluded = words(words=("insulin",), without=("needle",)).meant_by(
        ("Insulin", "pen needle")
    )

    assert (frozenset(), {"it"}) == (meant, excluded)


@given(st.text())
def test_no_text_raises(text):
    """
    Whatever stands in a record.
    """
    words(words=("insulin",), beginnings=("pre",), endings=("in",)).meant_by((text,), deniable=True)


def test_a_long_near_miss_costs_little():
    """
    The work grows with the text, and the text is cut (T30).
    """
    matcher = words(words=("a a a a a a a a b",), beginnings=("a a a x",))
    started = time.process_time()
    matcher.meant_by(("a " * 50_000,), deniable=True)

    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("text", "expected"), [("Aspirin", True), ("?", False), ("N/A 5", False), ("", False)]
)
def test_a_name_has_letters(text, expected):
    """
    Three in a row.
    """
    assert expected is is_readable(text)
