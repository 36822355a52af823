"""
The table of checks.
"""

from cds.rulefiles.checks import CHECKS, code_of


def test_a_check_is_found_by_code_or_name():
    """
    And by nothing else.
    """
    assert ["CDS101", "CDS101", ""] == [
        code_of(word) for word in ("CDS101", "invalid-yaml", "CDS1")
    ]


def test_the_table_is_in_the_order_of_its_codes():
    """
    So that a code is found where it is looked for.
    """
    assert sorted(CHECKS) == list(CHECKS)
