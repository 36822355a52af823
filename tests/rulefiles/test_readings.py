"""
Readings: numbers from several results.
"""

from decimal import Decimal

import pytest

CARD = "cards/sample.yaml"


def reading(rules, text):
    """Load one reading of the sample card."""
    ruleset = rules.load({CARD: ("{highest of: hba1c, within: 730 days}", text)}).ruleset
    return ruleset.readings["sample.highest"]


def ends(found):
    """Give both limits as value and whether included."""
    return [
        None if one is None else (one.threshold.cases[0].value, one.inclusive)
        for one in (found.low, found.high)
    ]


def test_a_count_of_days(rules):
    """
    A count has no unit, and says which results count.
    """
    found = reading(
        rules,
        "{count days of: hba1c, where: at least raised, if latest: true, drawn: before 11:00, "
        "apart: 14 days, within: 90 days}",
    )

    assert ("count days of", "hba1c", "1", (0, 90)) == (
        found.kind,
        found.concept,
        found.unit,
        found.between,
    )
    assert (True, "11:00", 14) == (found.if_latest, found.drawn_before, found.apart)
    assert [(Decimal("5.7"), True), None] == ends(found)


def test_an_average(rules):
    """
    Of the last few, on different days, in the unit of the concept.
    """
    found = reading(rules, "{average of last: 2, of: hba1c, on: different days, within: 365 days}")

    assert (2, True, "%") == (found.last, found.different_days, found.unit)


def test_a_lowest_between_two_ages(rules):
    """
    From 90 to 730 days ago, both included.
    """
    assert (90, 730) == reading(rules, "{lowest of: hba1c, between: 90 and 730 days ago}").between


def test_without_a_window_the_concept_gives_its_own(rules):
    """
    As for clauses.
    """
    assert (0, 365) == reading(rules, "{highest of: hba1c}").between


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("at least 39 mmol/mol", [(Decimal("5.71972"), True), None]),
        ("above 5 %", [(Decimal(5), False), None]),
        ("at most 5 %", [None, (Decimal(5), True)]),
        ("below raised", [None, (Decimal("5.7"), False)]),
        ("from 5 to 6 %", [(Decimal(5), True), (Decimal(6), True)]),
        ("from 5 % to 6 %", [(Decimal(5), True), (Decimal(6), True)]),
        ("from 5 % below raised", [(Decimal(5), True), (Decimal("5.7"), False)]),
    ],
)
def test_which_results_count(rules, where, expected):
    """
    `to` includes its end, `below` does not.
    """
    changes = f"{{count days of: hba1c, where: {where}, within: 9 days}}"

    loaded = rules.load({CARD: ("{highest of: hba1c, within: 730 days}", changes)})

    assert expected == ends(loaded.ruleset.readings["sample.highest"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{of: hba1c}", "CDS104 the reading `highest` does not say what it is"),
        (
            "{highest of: hba1c, lowest of: hba1c}",
            "CDS104 the reading `highest` does not say what it is",
        ),
        ("{highest of: metformin}", "CDS201 `metformin` is not a concept with numbers"),
        ("{highest of: hb1ac}", "CDS201 `hb1ac` is not a concept with numbers"),
        ("{highest of: waist}", "CDS410 the reading `highest` looks at results of any age"),
        ("{highest of: hba1c, between: 3 days}", "CDS105 expected two ages in days"),
        ("{highest of: hba1c, on: different days}", "CDS105 `on: different days` says nothing"),
        ("{mean of: hba1c, on: newest day}", "CDS105 `on: newest day` says nothing"),
        ("{highest of: hba1c, drawn: early}", "CDS105 expected a time of day"),
        ("{highest of: hba1c, where: over 5 %}", "CDS110 `where` cannot be read"),
        ("{highest of: hba1c, where: from 5 %}", "CDS110 `where` cannot be read"),
        ("{highest of: hba1c, where: at least cut}", "CDS202 `cut` is not a threshold"),
        ("{highest of: hba1c, where: [a]}", "CDS105 expected a text, found a list"),
        ("[a]", "CDS105 expected a block: a reading, found a list"),
    ],
)
def test_what_is_wrong_with_a_reading(rules, text, expected):
    """
    Each is said where it stands.
    """
    found = rules.found({CARD: ("{highest of: hba1c, within: 730 days}", text)})

    assert any(one.startswith(expected) for one in found), found


def test_a_reading_may_not_hide_another_name(rules):
    """
    A clause could not say which it means.
    """
    found = rules.found({CARD: ("highest: {highest of", "hba1c: {highest of")})

    assert "CDS203 `hba1c` is already the name of a concept" in found


@pytest.mark.parametrize(
    ("text", "dated", "between"),
    [
        ("{mean of: hba1c, on: different days, within: 90 days}", False, (0, 90)),
        ("{first of: hba1c}", False, (0, 365)),
        ("{first of: metformin}", True, None),
        ("{last end of: metformin}", True, None),
    ],
)
def test_results_and_entries(rules, text, dated, between):
    """
    What is listed has a first start and a last end; its number is in days.
    """
    found = reading(rules, text)

    assert (dated, between) == (found.dated, found.between)


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        (
            "{highest of: hba1c, where: at least 6 %}",
            "CDS102 `where` says nothing about `highest of`",
        ),
        ("{mean of: hba1c, apart: 14 days}", "CDS102 `apart` says nothing about `mean of`"),
        (
            "{last end of: metformin, within: 9 days}",
            "CDS102 `within` says nothing about `last end of`",
        ),
        ("{first of: metformin, within: 9 days}", "CDS102 `within` says nothing about `first of`"),
        ("{last end of: hba1c}", "CDS201 `hba1c` is not a medicine or another thing with an end"),
        ("{mean of: metformin}", "CDS201 `metformin` is not a concept with numbers"),
    ],
)
def test_what_says_nothing_is_refused(rules, text, headline):
    """
    Each kind has the keys that it acts on, and concepts that fit it.
    """
    changes = {CARD: ("{highest of: hba1c, within: 730 days}", text)}

    assert headline in rules.found(changes)


def test_days_since_a_date_are_compared_in_days(rules):
    """
    A date has no unit of its own.
    """
    changes = {
        "conditions/pregnant.yaml": (
            "holds_if: pregnancy is present",
            "readings: {last: {last end of: metformin}}\nholds_if: last >= 90 days",
        )
    }

    assert [] == rules.found(changes)
