"""
Canonical keys.
"""

from decimal import Decimal

from cds.core.clauses import Case, Limit, Threshold
from cds.rulefiles.keys import limit_key, names_key, within_key


def limit(*cases, or_own="", closed=True):
    """Make one end of a range."""
    return Limit(Threshold("t", cases, "1", or_own=or_own), closed)


def test_a_limit_holds_every_case():
    """
    For whom a number holds is part of the question.
    """
    low = limit(
        Case(Decimal("1.30"), sex="male", age_from=35, age_below=65, group="asian"),
        Case(Decimal(100)),
        or_own="lower",
    )

    assert ">= 1.3 male from 35 below 65 asian | 100 own lower" == limit_key(low, None)


def test_both_ends():
    """
    Open and closed ends are told apart.
    """
    low, high = limit(Case(Decimal(1)), closed=False), limit(Case(Decimal(2)))

    assert "> 1 <= 2" == limit_key(low, high)


def test_sets_and_windows():
    """
    Order and repetition do not matter.
    """
    assert "[a, b]" == names_key(["b", "a", "b"])
    assert ["", " within 9"] == [within_key(None), within_key(9)]
