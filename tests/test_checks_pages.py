"""
Every check has a page, and what the page shows is so.
"""

import pytest

from tests import check_pages
from tests.check_pages import PAGES, checked, fragments, output, section, shown

WRITTEN = sorted(path.stem for path in PAGES.glob("CDS*.md"))
HEADINGS = ["What it does", "Why", "Avoid", "Instead", "Fix", "Related"]


def text_of(code):
    """
    A page.
    """
    return (PAGES / f"{code}.md").read_text("utf-8")


def test_the_sample_is_clean():
    """
    Or no example would mean anything.
    """
    assert "\n" == shown(checked(""))


def test_the_index_lists_the_pages():
    """
    As `python -m tests.check_pages` writes it.
    """
    assert check_pages.index() == (PAGES / "README.md").read_text("utf-8")


def test_every_check_has_its_page():
    """
    And every page its check.
    """
    assert sorted(check_pages.CHECKS) == WRITTEN


@pytest.mark.parametrize("code", WRITTEN)
def test_a_page_has_the_form_of_all(code):
    """
    So that one knows where to look.
    """
    page = text_of(code)
    name, severity = check_pages.CHECKS[code].name, check_pages.CHECKS[code].severity
    found = [line[3:] for line in page.splitlines() if line.startswith("## ")]

    assert page.startswith(f"# {code} {name}\n\nA{'n' * (severity == 'error')} {severity}")
    assert found == HEADINGS


@pytest.mark.parametrize("code", WRITTEN)
def test_what_to_avoid_is_found_as_the_page_shows(code):
    """
    That code, nothing else, and exactly so.
    """
    text = section(text_of(code), "Avoid")
    found = checked(text)

    assert {code} == {one.code for one in found.findings}
    assert output(text) == shown(found)


@pytest.mark.parametrize("code", WRITTEN)
def test_what_to_write_instead_is_clean(code):
    """
    The advice itself is not refused.
    """
    text = section(text_of(code), "Instead")

    assert list(fragments(text))
    assert "\n" == shown(checked(text))
