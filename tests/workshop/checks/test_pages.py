"""
The pages about checks, found and read.
"""

from cds.workshop.checks.pages import page_of, pages, what_it_does


def test_a_page_is_found_by_its_code():
    """
    In a checkout beside the package.
    """
    assert page_of("CDS101").startswith("# CDS101 invalid-yaml\n")
    assert ("docs", "checks") == pages().parts[-2:]


def test_a_page_that_is_not_there():
    """
    Is empty, and says nothing.
    """
    assert ("", "") == (page_of("CDS000"), what_it_does("CDS000"))


def test_what_a_check_does_is_one_line():
    """
    For those who list them.
    """
    assert "Finds keys that nothing reads." == what_it_does("CDS102")
