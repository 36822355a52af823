"""
All checks of logic together.
"""

from datetime import date

from cds.rulefiles.diagnostics import Report
from cds.rulefiles.loader import load
from cds.workshop.checks.context import Context
from cds.workshop.checks.logic import check
from tests.check_pages import ROOT

FILE = "conditions/dysglycaemia.yaml"


def test_the_shipped_rules_are_clean():
    """
    And no proof about them needs too much.
    """
    context = Context(load(ROOT / "rules"), Report(), date(2026, 11, 21))
    check(context)

    assert [] == [str(one) for one in context.report.sorted()]


def test_what_is_amiss_in_one_rule_is_not_repeated_by_others(sample):
    """
    Though a card, a factor and the stages lean on it.
    """
    found = sample.found({FILE: ("  any:\n", "  all:\n    - hba1c < 5 %\n")})

    assert ["CDS401"] == [one[:6] for one in found if one.startswith("CDS4")]


def test_of_concepts_that_could_not_be_read_nothing_is_concluded(sample):
    """
    Every rule leans on them.
    """
    found = sample.found(
        {
            FILE: ("  any:\n", "  all:\n    - hba1c < 5 %\n"),
            "concepts/metabolic.yaml": ("type: quantity", "type: number"),
        }
    )

    assert not [one for one in found if one.startswith("CDS40")]
