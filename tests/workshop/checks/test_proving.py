"""
What the checks of logic share.
"""

import pytest

from cds.rulefiles.loader import load
from cds.workshop.checks.proving import parts_of, said, stops_not
from tests.check_pages import SAMPLE

LINES = """\
    - type_2_diabetes is absent
    - not: hba1c is known
    - all: [age >= 18 years, sex is male]
    - sex is female
"""


def test_conditions_in_words(sample):
    """
    Clauses as written, blocks by their first.
    """
    sample.put(
        {
            "conditions/dysglycaemia.yaml": (
                "    - hba1c >= raised_a1c\n    - glucose >= raised_glucose\n",
                LINES,
            )
        }
    )
    rules = load(sample.folder).readable
    holds = rules.conditions["dysglycaemia"].holds_if

    assert (
        "`type_2_diabetes is absent` or not `hba1c is known` or "
        "`age >= 18 years` and `sex is male` ..." == said(holds)
    )
    assert 4 == len(parts_of(holds))
    assert 1 == len(parts_of(holds.of[0]))
    assert () == parts_of(holds.of[3])


@pytest.mark.parametrize(("at", "expected"), [(0, "not yes")])
def test_who_passes_an_exclusion(at, expected):
    """
    Whoever it is not yes of, where unknown does not stop.
    """
    card = load(SAMPLE).readable.cards["prediabetes"]

    assert [expected] == [answer for _, answer in stops_not(card.unless[at])]
