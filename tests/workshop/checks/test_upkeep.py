"""
What a rule rests on, who reviewed it, and when again.
"""

from datetime import date

import pytest

COND = "conditions/dysglycaemia.yaml"
CARD = "cards/prediabetes.yaml"
HIGH = "cards/high_glucose.yaml"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (("reviewers: [Rita Reviewer]", "reviewers: [Rita Reviewer, Ann Author]"),
         [("CDS604", "error", "Ann Author reviewed what Ann Author wrote")]),
        (("reviewers: [Rita Reviewer]", "reviewers: [Ann Author]",
          "status: active", "status: trial"),
         [("CDS604", "warning", "Ann Author reviewed what Ann Author wrote")]),
        (("  reviewers: [Rita Reviewer]\n", ""),
         [("CDS604", "error", "a review is on record, and nobody who did it")]),
        (("  reviewers: [Rita Reviewer]\n", "", "by a second person", "pending"),
         [("CDS611", "warning", "no clinician has reviewed `high_glucose` yet")]),
        (("review_by: 2027-06-01", "review_by: 2026-11-20"),
         [("CDS605", "warning", "the review was due 1 day ago")]),
        (("review_by: 2027-06-01", "review_by: 2026-11-11"),
         [("CDS605", "warning", "the review was due 10 days ago")]),
        (("review_by: 2027-06-01", "review_by: 2026-11-21"), []),
        (("review_by: 2027-06-01", "review_by: 2026-02-30"),
         [("CDS105", "error", "`2026-02-30` is not a day")]),
        (("reviewed: 2026-06-01", "reviewed: 2026-12-01"),
         [("CDS605", "warning", "the review is dated in the future")]),
        (("supports: all of it", 'supports: ""'),
         [("CDS603", "warning", "`standards` is cited, and not for what")]),
        ((", grade: B}", "}"), [("CDS609", "warning", "`standards` is cited without a grade")]),
        ((", grade: B}", ", inferred: true}"), []),
        (("status: active", "status: retired\nbecause: Nobody needs it."), []),
        (("status: active", "status: retired\nreplaced_by: prediabets"),
         [("CDS201", "error", "`prediabets` is not a rule")]),
        (("status: active", "status: retired\nreplaced_by: high_glucose"),
         [("CDS612", "error", "`high_glucose` cannot take its own place")]),
        (("status: active", "status: active\nreplaced_by: prediabetes"),
         [("CDS612", "error", "`high_glucose` is active, and says what took its place")]),
    ],
)  # fmt: skip
def test_evidence_review_and_status(sample, changes, expected):
    """
    Each with its neighbour that is in order.
    """
    found = sample.meant({HIGH: changes})

    assert expected == [(one.code, one.severity, one.headline) for one in found]


def test_an_index_needs_no_grade(sample):
    """
    A formula is not a recommendation.
    """
    assert [] == sample.found({"indices/homa_ir.yaml": (", grade: B}", "}")})


def test_the_clock_is_an_argument(sample):
    """
    The same files, a year later.
    """
    found = sample.found(as_of=date(2027, 6, 2))

    assert {"CDS605 the review was due 1 day ago"} == set(found)


def test_links_of_cards_and_sources(sample):
    """
    By https alone; a source without a link is fine, and a link of a card is not read at all.
    """
    link = '  links: [{label: More, url: "http://example.org", type: absolute}]\n  source:'

    assert ["CDS105 expected an https address without holes, found `http://example.org`"] == (
        sample.found({CARD: ("  source:", link)})
    )
    assert ["CDS613 `http://example.org/standards` is not a link that is safe to follow"] == (
        sample.found(
            {
                CARD: ("http://", "https://"),
                "evidence/library.yaml": ("https://example.org/st", "http://example.org/st"),
            }
        )
    )
    assert [] == sample.found(
        {"evidence/library.yaml": ("    url: http://example.org/standards\n", "")}
    )
