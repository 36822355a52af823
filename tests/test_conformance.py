"""
`docs/conformance.md` is true, and nothing that must be shown goes unshown.
"""

import shutil

import pytest

from tests.conformance import PAGE, page
from tests.conformance_mutations import MUTATIONS, copied, drawn, status_of
from tests.contract.checklist import LISTS, ROOT, by_id, ids_of, read, shown

TESTS = by_id(shown())
ITEMS = [one for name in LISTS for group in read(name) for one in group.items]


def test_the_page_is_as_generated():
    """
    `make conformance` writes it anew.
    """
    assert page() == PAGE.read_text("utf-8"), "run make conformance"


def test_tests_show_ids_that_there_are():
    """
    A slip of the pen is no evidence.
    """
    assert set() == set(TESTS) - {one.id for one in ITEMS}


def test_an_id_stands_once():
    """
    In all the lists together.
    """
    ids = [one.id for one in ITEMS]

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("item", [one for one in ITEMS if one.is_due], ids=lambda one: one.id)
def test_what_must_be_is_shown(item):
    """
    By a test that names it, whatever else is said.
    """
    assert TESTS.get(item.id), f"no test names {item.id}: {item.does}"


@pytest.mark.parametrize("item", [one for one in ITEMS if not one.is_due], ids=lambda one: one.id)
def test_what_should_be_is_shown_or_explained(item):
    """
    Silence is neither.
    """
    assert TESTS.get(item.id) or item.why or item.level == "info", f"no test names {item.id}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A replay is refused (SEC-16, T4).", {"SEC-16", "T4"}),
        ("All of them (PF-01 to PF-03, DISC-08).", {"PF-01", "PF-02", "PF-03", "DISC-08"}),
        ("Over\n    a line (SEC-16,\n    T4).", {"SEC-16", "T4"}),
        ("Both (T10 and T9).", {"T9", "T10"}),
        ("A model (cds-fb-1, ord-1).", {"cds-fb-1", "ord-1"}),
        ("Not in brackets: SEC-16. (See SEC-16 too.) (T-shirts)", set()),
    ],
)
def test_ids_are_read_from_docstrings(text, expected):
    """
    In brackets that hold nothing else, ranges and line breaks included.
    """
    assert expected == ids_of(text)


def test_clauses_to_break_are_drawn():
    """
    By the seed, whatever it gives.
    """
    assert drawn() == [one.id for one in MUTATIONS]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.id)
def test_a_change_still_fits(mutation):
    """
    Its line is there once, and its test says that it shows the clause.
    """
    text = (ROOT / mutation.file).read_text("utf-8")

    assert 1 == text.count(mutation.old)
    assert mutation.test in {one.node for one in TESTS[mutation.id]}


@pytest.mark.nightly
def test_every_change_turns_its_test_red(tmp_path):
    """
    In a copy, where the same tests are green without it.
    """
    base = copied(tmp_path)

    assert 0 == status_of(base, {one.test for one in MUTATIONS})
    for number, one in enumerate(MUTATIONS):
        there = tmp_path / str(number)
        shutil.copytree(base, there)
        one.apply(there)
        assert 1 == status_of(there, [one.test]), one.id
        shutil.rmtree(there)
