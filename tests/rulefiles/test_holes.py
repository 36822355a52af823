"""
Holes in texts.
"""

import pytest

from cds.rulefiles.holes import static_length

CARD = "cards/sample.yaml"
SUMMARY = '"HbA1c {{hba1c.value}}: {{met(why)}}"'


@pytest.mark.parametrize(
    "hole",
    [
        "hba1c.value",
        "hba1c.number",
        "hba1c.date",
        "hba1c.days",
        "hba1c.gap",
        "homa.band",
        "highest.value",
        "resistance.grade",
        "resistance.points",
        "threshold.raised",
        "stage.label",
        "stage.meaning",
        "met(why)",
        "unusable.count",
        "unusable.list",
        "as_of.date",
        " hba1c.value ",
    ],
)
def test_what_a_text_may_ask_for(rules, hole):
    """
    Whatever was worked out, and nothing that was sent as text.
    """
    assert [] == rules.found({CARD: (SUMMARY, f'"x {{{{{hole}}}}}"')})


@pytest.mark.parametrize(
    ("hole", "headline"),
    [
        ("hb1ac.value", "`{{hb1ac.value}}` names nothing"),
        ("hba1c", "`{{hba1c}}` names nothing"),
        ("hba1c.band", "`hba1c` has no `band` to print"),
        ("homa.grade", "`homa` has no `grade` to print"),
        ("resistance.value", "`resistance` has no `value` to print"),
        ("pregnant.value", "`pregnant` has no `value` to print"),
        ("threshold.raise", "`raise` is not a threshold of this file"),
        ("met(what)", "`what` is not the id of a block of this file"),
        ("as_of.tomorrow", "`{{as_of.tomorrow}}` names nothing"),
        ("", "`{{}}` names nothing"),
    ],
)
def test_what_names_nothing(rules, hole, headline):
    """
    Found when the file is read, not when a card is shown.
    """
    assert [f"CDS502 {headline}"] == rules.found({CARD: (SUMMARY, f'"x {{{{{hole}}}}}"')})


def test_a_hole_is_closed(rules):
    """
    Half a hole would be printed.
    """
    assert ["CDS502 this hole is not closed"] == rules.found(
        {CARD: (SUMMARY, '"{{hba1c.value}} and {{hba1c.value"')}
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('HbA1c {{hba1c.value}}"', 'HbA1c {{nothing.value}}"'),
        ("{{homa.band}} ", "{{nothing.value}} "),
        ("because: On it.", 'because: "{{nothing.value}}"'),
        ("because: Pregnancy.", 'because: "{{nothing.value}}"'),
        ("{{threshold.raised}}", "{{nothing.value}}"),
        ("label: More", 'label: "{{nothing.value}}"'),
    ],
)
def test_every_text_of_a_card_is_looked_at(rules, before, after):
    """
    Labels of clauses, sentences, reasons, logic, links.
    """
    assert "CDS502 `{{nothing.value}}` names nothing" in rules.found({CARD: (before, after)})


def test_a_text_leans_on_what_it_prints(rules):
    """
    A number that is only printed is worked out before the card, too.
    """
    changes = {CARD: ("show_if:\n  all:\n    - stage is S2\n", "show_if:\n  all:\n")}

    order = rules.load(changes).ruleset.order

    assert ("card", "sample") == order[-1]
    assert ("stages", "staging") in order


def test_what_stands_outside_holes_is_counted():
    """
    The length of a summary is at least this.
    """
    assert len("HbA1c : ") == static_length("HbA1c {{hba1c.value}}: {{met(why)}}")
