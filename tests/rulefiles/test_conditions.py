"""
What joins clauses.
"""

import pytest

from cds.core.clauses import All, Any_, AtLeast, Not
from cds.rulefiles.conditions import first_name


def test_conditions_are_joined(rules):
    """
    By all, any, not and at least.
    """
    both = rules.ask("{all: [pregnant holds, sex is male]}")
    either = rules.ask("{any: [pregnant holds, sex is male]}")
    neither = rules.ask("{not: pregnant holds}")
    two = rules.ask("{at_least: {n: 2, of: [pregnant holds, sex is male]}}")

    assert isinstance(both, All)
    assert isinstance(either, Any_)
    assert isinstance(neither, Not)
    assert isinstance(two, AtLeast)
    assert 2 == two.count
    assert ["pregnant holds", "sex is male"] == [one.text for one in both.of]
    assert "pregnant holds" == neither.of.text
    assert 11 == both.place.column - 1


@pytest.mark.parametrize("word", ["all", "any"])
def test_order_does_not_change_the_key(rules, word):
    """
    Joining asks the same whichever comes first.
    """
    one = rules.ask(f"{{{word}: [pregnant holds, sex is male]}}")
    other = rules.ask(f"{{{word}: [sex is male, pregnant holds]}}")

    assert one.key == other.key
    assert one.of != other.of


def test_what_joins_is_in_the_key(rules):
    """
    All, any and at least two are three questions.
    """
    inner = "[pregnant holds, sex is male]"
    keys = {
        rules.ask(f"{{all: {inner}}}").key,
        rules.ask(f"{{any: {inner}}}").key,
        rules.ask(f"{{at_least: {{n: 1, of: {inner}}}}}").key,
        rules.ask(f"{{at_least: {{n: 2, of: {inner}}}}}").key,
    }

    assert 4 == len(keys)


def test_a_negated_clause_and_not_are_one_question(rules):
    """
    `is absent` and `not: is present` ask the same.
    """
    assert rules.ask("metformin is absent").key == rules.ask("{not: metformin is present}").key


def test_a_block_and_its_members_have_names(rules):
    """
    Texts list the members of a block that were proved, each by its words.
    """
    block = rules.ask(
        "{any: {id: why, of: [{when: pregnant holds, as: pregnant}, sex is male, "
        "{when: {all: [sex is male]}, as: both}, {when: metformin is absent, as: none}, "
        "{when: {not: sex is male}, as: woman}, {when: {any: [sex is male]}, as: any}, "
        "{when: {at_least: {n: 1, of: [sex is male]}}, as: one}]}}"
    )

    assert "why" == block.id
    assert ["pregnant", "", "both", "none", "woman", "any", "one"] == [
        one.label for one in block.of
    ]


@pytest.mark.parametrize(
    ("condition", "code", "headline"),
    [
        ("[sex is male]", "CDS105", "expected a condition, found a list"),
        ("{}", "CDS105", "a condition has one of the keys `all`, `any`, `not`, `at_least`"),
        (
            "{all: [sex is male], any: [sex is male]}",
            "CDS105",
            "a condition has one of the keys `all`, `any`, `not`, `at_least`",
        ),
        ("{al: [sex is male]}", "CDS102", "`al` is not a key of a condition"),
        ("{all: sex is male}", "CDS105", "`all` joins a list of conditions"),
        ("{all: []}", "CDS105", "`all` joins a list of conditions"),
        ("{any: {id: x}}", "CDS105", "`any` joins a list of conditions"),
        ("{any: {id: x, off: [sex is male]}}", "CDS102", "`off` is not a key of `any`"),
        ("{at_least: [sex is male]}", "CDS105", "`at_least` joins a list of conditions"),
        ("{at_least: {of: [sex is male]}}", "CDS104", "`at_least` needs `n`"),
        ("{when: sex is male, ass: man}", "CDS102", "`ass` is not a key of a named clause"),
        (
            "{not: " * 10 + "sex is male" + "}" * 10,
            "CDS105",
            "conditions are nested more than 8 deep",
        ),
    ],
)
def test_what_does_not_join(rules, condition, code, headline):
    """
    Each is said once, where it stands.
    """
    assert (code, headline) in [(one[0], one[2]) for one in rules.misread(condition)]


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        ("{not: pregnant holds}", "pregnant"),
        ("{all: [{any: [metformin is present]}]}", "metformin"),
        ('"any of [hba1c, glucose] is known"', "hba1c"),
        ("sex is male", "sex"),
        ("stage is S2", "stage"),
    ],
)
def test_the_first_name_is_an_id_for_who_wrote_none(rules, condition, name):
    """
    An exclusion is called after what it asks about.
    """
    assert name == first_name(rules.ask(condition))


def test_a_condition_of_nothing_has_a_name_too(rules):
    """
    Nothing fails on the way to a diagnostic.
    """
    empty = rules.ask("{all: [sex is male]}")

    assert "condition" == first_name(All(of=(), key="", place=empty.place))
