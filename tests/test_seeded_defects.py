"""
Mistakes sown into the shipped rules are found: the right code, on the right line.
"""

from collections import Counter

import pytest

from cds.rulefiles.source import Memory
from cds.workshop.checks.checking import check_folder
from tests.seeded_defects import AS_OF, OPERATORS, RULES, missed, seeds

SHARE = 0.95


def found_share(sown):
    """
    Sow them one by one: the share that is found, and what is not.
    """
    memory = Memory()
    lost = {}
    for one in sown:
        why = missed(one, memory)
        if why:
            lost.setdefault(one.operator, []).append(f"{one.path}: {why}")
    return 1 - sum(map(len, lost.values())) / len(sown), lost


def a_few(sown, most):
    """
    Take up to *most* of each operator, from files far apart.
    """
    by_operator = {}
    for one in sown:
        by_operator.setdefault(one.operator, []).append(one)
    return [
        one for every in by_operator.values() for one in every[:: max(1, len(every) // most)][:most]
    ]


def test_the_shipped_rules_are_clean():
    """
    Or a finding would prove nothing: only the marks of pending reviews.
    """
    found = check_folder(RULES, as_of=AS_OF).findings

    assert {"CDS611"} == {one.code for one in found}


def test_there_are_many_ways_to_be_wrong():
    """
    Each fits somewhere.
    """
    fits = Counter(one.operator for one in seeds())

    assert len(OPERATORS) >= 50
    assert [] == [name for name in OPERATORS if not fits[name]]


def test_every_operator_is_found_where_it_was_tried():
    """
    One of each; all of them are sown by night.
    """
    share, lost = found_share(a_few(seeds(), 1))

    assert share >= SHARE, lost


@pytest.mark.nightly
def test_all_that_is_sown_is_found():
    """
    Every operator in every file where it fits.
    """
    share, lost = found_share(seeds())

    assert share >= SHARE, lost
