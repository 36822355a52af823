"""
What cards say: how long it can get, where it can be empty, and what may not be shown.
"""

import pytest

from cds.rulefiles import load
from cds.workshop.checks.texts import longest
from cds.workshop.editing.mending import mend
from tests.check_pages import AS_OF

CARD = "cards/prediabetes.yaml"
HIGH = "cards/high_glucose.yaml"
SUMMARY = 'summary: "Glucose {{glucose.value}}: high"'


def card_of(sample, changes=None):
    """
    The sample card and its rules.
    """
    rules = load(sample.put(changes or {}).folder).readable
    return rules.cards["prediabetes"], rules


@pytest.mark.parametrize(
    ("hole", "expected"),
    [
        ("hba1c.value", "195.99 mmol/mol"),
        ("hba1c.number", "195.99"),
        ("insulin.value", "1000.99 \u00b5IU/mL"),
        ("homa_ir.value", "1000.00"),
        ("homa_ir.band", "expected"),
        ("resistance.grade", "undetermined"),
        ("resistance.points", "99 of 99"),
        ("stage.label", "NOT_STAGED(pregnancy)"),
        ("stage.meaning", "Insulin resistance alone"),
        ("threshold.low", "40 mg/dL (1.0 mmol/L) men / 50 mg/dL (1.3 mmol/L) women, from 18 years"),
        ("threshold.nothing", ""),
        ("as_of.date", "2026-12-31"),
        ("hba1c.date", "2026-12-31"),
        ("hba1c.days", "3650"),
        ("hba1c.gap", "not used: taken during or soon after acute illness"),
        ("patient.id", "2026-12-31"),
        ("unusable.count", "99"),
        ("peak.value", "195.99 mmol/mol"),
        ("days.number", "99"),
        ("met(found)", "a longer label and 1 more"),
        ("met(nothing)", ""),
    ],
)
def test_the_longest_that_a_hole_can_bring(sample, hole, expected):
    """
    From ranges, bands, grades, labels and cut-offs of the files themselves.
    """
    card, rules = card_of(
        sample,
        {
            CARD: (
                "patients:\n",
                (
                    "thresholds:\n"
                    "  low: {male: [40 mg/dL, 1.0 mmol/L], female: {from 18 years: "
                    "[50 mg/dL, 1.3 mmol/L]}, cite: standards}\n"
                    "readings:\n"
                    "  peak: {highest of: hba1c, within: 365 days}\n"
                    "  days: {count days of: hba1c, where: at least 6 %, within: 365 days}\n"
                    "patients:\n"
                ),
                "    - dysglycaemia holds\n",
                (
                    "    - any: {id: found, of: [{when: dysglycaemia holds, as: short}, "
                    "{when: hba1c is known, as: a longer label}]}\n"
                ),
            )
        },
    )

    assert expected == longest(hole, card, rules)


def summary(length):
    """
    A summary of so many characters beside its hole, which can bring 13.
    """
    return 'summary: "{{glucose.value}}' + "x" * length + '"'


def test_exactly_the_limit_fits(sample):
    """
    139 characters with the longest value, and not 140.
    """
    widest = len("800.99 mg/dL")

    assert [] == sample.found({HIGH: (SUMMARY, summary(139 - widest))})
    assert ["CDS501 the summary can reach 140 characters; CDS Hooks wants fewer than 140"] == (
        sample.found({HIGH: (summary(139 - widest), summary(140 - widest))})
    )


def test_what_is_too_long_without_its_holes_is_said_once(sample):
    """
    By the loader.
    """
    found = sample.found({HIGH: (SUMMARY, summary(150))})

    assert ["CDS501"] == [one[:6] for one in found]


@pytest.mark.parametrize(
    ("detail", "count"),
    [
        ('"Glucose {{glucose.value}} of {{glucose.date}}."', 0),
        ('"HbA1c {{hba1c.value}} of {{hba1c.date}}."', 2),
        ('[{say: "HbA1c {{hba1c.value}}.", if: hba1c is known}]', 0),
        ('[{say: "HbA1c {{hba1c.value}}.", if: hba1c >= 5 %}]', 0),
        ('[{say: "HbA1c {{hba1c.value}}.", if: hba1c is known within 730 days}]', 1),
        ('[{say: "HbA1c {{hba1c.value}}.", if: {any: [hba1c is known, glucose is known]}}]', 1),
        ('"HbA1c {{hba1c.gap}}."', 0),
        ('"HOMA {{homa_ir.band}}."', 1),
        ('"Grade {{resistance.grade}}, {{stage.label}}."', 0),
    ],
)
def test_a_hole_that_may_be_empty(sample, detail, count):
    """
    Where nothing that has to be true says that the value is known.
    """
    found = sample.found({HIGH: (SUMMARY, f"{SUMMARY}\n  detail: {detail}")})

    assert count == sum(one.startswith("CDS503") for one in found)


@pytest.mark.parametrize(
    ("detail", "headline"),
    [
        ("'a <b>bold</b> word'", "not every EHR shows HTML as it is meant"),
        ("'see ![x](https://example.org/x.png)'", "not every EHR shows an image as it is meant"),
        ("'see [x](http://example.org)'",
         "not every EHR shows a link without https as it is meant"),
        ('"a\\n| b | c |\\n"', "not every EHR shows a table as it is meant"),
        ("'see [x](https://example.org), **2 < 3**'", None),
    ],
)  # fmt: skip
def test_text_that_is_shown_in_different_ways(sample, detail, headline):
    """
    Plain words, lists and https links are fine.
    """
    found = sample.found({HIGH: (SUMMARY, f"{SUMMARY}\n  detail: {detail}")})

    assert ([] if headline is None else [f"CDS509 {headline}"]) == found


@pytest.mark.parametrize(
    ("char", "name", "left"),
    [
        ("\u00a0", "no-break space", " "),
        ("\u200b", "zero width space", ""),
        ("\u202e", "right-to-left override", ""),
        ("\u202f\u00a0", "narrow no-break space", "  "),
    ],
)
def test_characters_that_cannot_be_seen(sample, char, name, left):
    """
    Are found in any text, and safely written as they look.
    """
    changes = {"groups/sugar.yaml": ("Blood sugar", f"Blood{char}sugar")}
    found = sample.found(changes)
    mended = mend(sample.folder, lambda one: one.code != "CDS108", as_of=AS_OF, unsafe=False)

    assert [f"CDS109 a character that cannot be seen: {name}"] == found
    assert f"title: Blood{left}sugar\n" in mended.after["rules/groups/sugar.yaml"]


def test_letters_of_other_languages_are_letters(sample):
    """
    What can be seen is nobody's business.
    """
    assert [] == sample.found(
        {"groups/sugar.yaml": ("Blood sugar", "Blutzucker \u2013 h\u00f6her")}
    )
