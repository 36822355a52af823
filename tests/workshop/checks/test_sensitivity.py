"""
Cases that notice no fault of their rule.
"""

from cds.rulefiles.diagnostics import Report
from cds.rulefiles.loader import load_ruleset
from cds.workshop.checks.sensitivity import check_score
from cds.workshop.testing.lab import Lab
from cds.workshop.thoroughness.mutation import score_of

HIGH = "cards/high_glucose.yaml"
IDLE = """\
  - name: not measured
    given: {age: 50 years}
    expect: {shown: unknown}
"""


def found(sample):
    """
    What is said of the cases of one card.
    """
    lab = Lab(load_ruleset(sample.folder), engine="reference")
    report = Report()
    check_score(score_of(lab, lab.rules.cards["high_glucose"]), report)
    lab.close()
    return [str(one) for one in report.sorted()]


def test_a_case_that_notices_nothing(sample):
    """
    Is named where it stands; those beside it notice the cut-off.
    """
    text = (sample.folder / HIGH).read_text("utf-8")
    line = text.count("\n") + 1
    headline = "no mutant of `high_glucose` makes the case `not measured` fail"
    place = f"rules/{HIGH}:{line}:5"

    assert [] == found(sample)
    assert [f"{place}: warning[CDS706] insensitive-test: {headline}"] == found(
        sample.put({HIGH: text + IDLE})
    )
