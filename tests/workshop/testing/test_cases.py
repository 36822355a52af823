"""Inline cases: which there are, and which are meant."""

import pytest

from cds.core.clauses import Place
from cds.workshop.testing.cases import CaseResult, NothingSelected, cases_of, selected
from cds.workshop.testing.expectations import Difference


def ids_of(found):
    """Name the rules of cases."""
    return {rule.id for rule, _ in found}


def test_cases_of_every_kind_of_rule_are_walked(rules):
    """Indices, conditions, the staging table, factors, cards."""
    assert {"Index", "Condition", "Stages", "Factor", "Card"} == {
        type(rule).__name__ for rule, _ in cases_of(rules)
    }


@pytest.mark.parametrize(
    "word",
    ["short_sleep", "IR-SLP-01", "rules/cards/short_sleep.yaml", "cards/short_sleep.yaml"],
)
def test_a_rule_is_meant_by_id_code_or_file(rules, word):
    """Whichever the author has at hand."""
    assert {"short_sleep"} == ids_of(selected(rules, [word]))


def test_a_folder_means_its_rules(rules):
    """As a path or by its name."""
    wanted = {one for one, card in rules.cards.items() if card.tests}

    assert wanted == ids_of(selected(rules, ["rules/cards/"]))
    assert wanted == ids_of(selected(rules, ["cards"]))


def test_cases_are_picked_by_a_part_of_their_name(rules):
    """Small and capital letters are one."""
    found = selected(rules, ["short_sleep"], named="EDGES")

    assert found
    assert all(case.name.startswith("edges [") for _, case in found)


@pytest.mark.parametrize(
    ("wanted", "named", "said", "candidate"),
    [
        (["shor_sleep"], "", "`shor_sleep` is no rule", "short_sleep"),
        (["short_sleep"], "edgs", "no case is called like `edgs`", "edges"),
    ],
)
def test_what_picks_nothing_is_refused(rules, wanted, named, said, candidate):
    """With what could have been meant."""
    with pytest.raises(NothingSelected, match=said) as problem:
        selected(rules, wanted, named=named)

    assert candidate in problem.value.candidates


def test_a_case_that_is_still_to_be_done_may_fail():
    """And says so when it no longer does."""
    place = Place("rules/cards/x.yaml", 3, 1)
    differs = CaseResult("x", "a", place, (Difference("shown", "true", "no"),), todo=True)
    agrees = CaseResult("x", "b", place, (), todo=True)

    assert (True, False) == (differs.passed, differs.no_longer_to_do)
    assert (True, True) == (agrees.passed, agrees.no_longer_to_do)
