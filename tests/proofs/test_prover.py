"""
Questions about conditions.
"""

import pytest

from cds.proofs.prover import Proofs, TooLargeError


def test_what_a_condition_can_be(asked):
    """
    By itself, and where something else is given.
    """
    proofs, low, high = asked(low="hba1c < 5.7 %", high="hba1c >= 6.5 %")

    assert [True, True, True] == [proofs.can_be(high, word) for word in ("yes", "no", "unknown")]
    assert not proofs.can_be(high, "yes", [(low, "yes")])
    assert not proofs.can_be(high, "unknown", [(low, "yes")])
    assert proofs.can_be(high, "no", [(low, "not yes")])
    assert not proofs.can_be(low, "yes", [(low, "not yes")])


def test_one_of_several_facts(asked):
    """
    A sequence of facts is one or more of them.
    """
    proofs, low, high, known = asked(
        low="enzyme < 20 U/L", high="enzyme >= 40 U/L", known="enzyme is known"
    )

    assert not proofs.can_be(known, "no", [[(low, "yes"), (high, "yes")]])
    assert proofs.can_be(high, "no", [[(low, "yes"), (high, "yes")]])
    assert not proofs.can_be(high, "unknown", [[(low, "yes"), (high, "yes")]])


def test_what_follows_from_what(asked):
    """
    A younger result is a younger result; the other way round it is not.
    """
    proofs, young, old = asked(
        young="diabetes is present within 42 days", old="diabetes is present"
    )

    assert proofs.implies(young, old)
    assert not proofs.implies(old, young)


def test_two_conditions_that_are_one(asked):
    """
    In all three answers, not only in yes.
    """
    proofs, one, other, third = asked(
        one="{all: [hba1c >= 5 %, hba1c >= 6.5 %]}",
        other="hba1c >= 6.5 %",
        third="{all: [hba1c is known, hba1c >= 6.5 %]}",
    )

    assert proofs.same(one, other)
    assert not proofs.same(other, third)


def test_a_name_is_opened_where_it_matters(asked):
    """
    What a condition holds for is what its rule says.
    """
    proofs, _, both = asked(raised="hba1c >= 6.5 %", both="{all: [raised holds, hba1c < 6 %]}")

    assert not proofs.can_be(both, "yes")
    assert proofs.can_be(both, "no")


def test_a_stage_is_opened_where_it_matters(release):
    """
    A line is reached where it is proved and no earlier one is.
    """
    release.stages(
        "lines:\n"
        "  - {label: HIGH, meaning: H, if: hba1c >= 6.5 %}\n"
        "  - {label: SOME, meaning: S, if: hba1c >= 5.7 %}\n"
        "  - {label: REST, meaning: R, otherwise: true}\n"
    )
    release.condition("some", "holds_if: {all: [stage is SOME, hba1c >= 7 %]}\n")
    release.condition("rest", "holds_if: {all: [stage is REST, hba1c is known]}\n")
    rules = release.load()
    proofs = Proofs(rules)

    assert not proofs.can_be(rules.conditions["some"].holds_if, "yes")
    assert proofs.can_be(rules.conditions["rest"].holds_if, "yes")


def test_what_rules_a_condition_out(release):
    """
    Without it a condition that is not proved is open.
    """
    release.condition("here", "holds_if: diabetes is present\nruled_out_if: age >= 80 years\n")
    release.condition("open", "holds_if: {all: [{not: here holds}, age < 80 years]}\n")
    rules = release.load()

    assert not Proofs(rules).can_be(rules.conditions["open"].holds_if, "yes")


def test_a_card_fires_as_its_logic_says(release):
    """
    Exclusions among it.
    """
    release.card(
        "first",
        "show_if: hba1c >= 6.5 %\n"
        "unless: [{id: known, when: diabetes is present, because: B, if_unknown: hide}]\n",
    )
    release.condition("both", "holds_if: {all: [card first fires, diabetes is present]}\n")
    rules = release.load()

    assert not Proofs(rules).can_be(rules.conditions["both"].holds_if, "yes")


def test_a_number_that_is_not_valid_is_none(release):
    """
    And a count is the count of its criteria.
    """
    release.index(
        "score",
        "not_valid_if:\n"
        "  - {id: d, when: diabetes is present, because: B, if_unknown: compute}\n"
        "count_of: {a: hba1c >= 6 %, b: waist >= 90 cm}\n"
        "bands: [{name: low, below: 2}, {name: high, from: 2}]\n",
    )
    for name, text in {
        "none": "{all: [score is high, diabetes is present]}",
        "half": "{all: [score is high, waist < 90 cm]}",
        "all": "{all: [score is high, waist >= 90 cm]}",
    }.items():
        release.condition(name, f"holds_if: {text}\n")
    rules = release.load()
    proofs = Proofs(rules)

    assert {"none": False, "half": False, "all": True} == {
        name: proofs.can_be(rules.conditions[name].holds_if, "yes")
        for name in ("none", "half", "all")
    }


def test_one_record_that_makes_it_so(asked):
    """
    In words, and as a test has it.
    """
    proofs, one = asked(
        one="{all: [hba1c >= 6.5 %, diabetes is absent, sex is male, age >= 18 years]}"
    )
    found = {seen.name: seen for seen in proofs.witness([(one, "yes")])}

    assert {"sex": "male"} == found["sex"].given
    assert {"age": "18 years"} == found["age"].given
    assert {"hba1c": "6.5 % 10 days ago"} == found["hba1c"].given
    assert "no active entry" == found["diabetes"].says
    assert () == proofs.witness([(one, "yes"), (one, "no")])


def test_the_pieces_of_a_number(asked):
    """
    As the cut-offs of the release have it; of what nobody compares there are none.
    """
    proofs, *_ = asked(one="hba1c >= 6.5 %", other="hba1c < 5.7 %")

    assert ("below 5.7", "from 5.7 below 6.5", "6.5 or more") == proofs.cells("hba1c")
    assert () == proofs.cells("waist")


def test_a_proof_that_needs_too_much_is_not_made(release):
    """
    Whoever asks is told.
    """
    clauses = ", ".join(f"hba1c >= {number} %" for number in range(5, 15))
    release.condition("one", f"holds_if: {{at_least: {{n: 3, of: [{clauses}, sex is male]}}}}\n")
    rules = release.load()

    with pytest.raises(TooLargeError):
        Proofs(rules, most=5).can_be(rules.conditions["one"].holds_if, "yes")


def test_what_could_not_be_read_can_be_anything(asked):
    """
    Nothing is concluded from a file in which something is wrong.
    """
    proofs, _, both = asked(raised="hba1c >= 6.5 %", both="{all: [raised holds, hba1c < 6 %]}")
    broken = Proofs(proofs.rules, broken=frozenset({"rules/conditions/raised.yaml"}))

    assert broken.can_be(both, "yes")
