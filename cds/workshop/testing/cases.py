"""
Inline cases: what a rule file says of itself, run against the rules as they are.

A case fails where one expectation is not met, or where it expects nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from cds.core.clauses import Place
from cds.core.headers import TestCase
from cds.core.rules import Card, Ruleset
from cds.rulefiles.profiles import DEFAULT
from cds.workshop.testing.expectations import Difference, Rule

__all__ = ["CaseResult", "NothingSelected", "cases_of", "every_rule", "selected"]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """
    One case after its run; without differences it agrees.

    *given* is the patient in the author's words, *why* the reasons of the answer, a line
    each, where it differs.
    """

    rule: str
    name: str
    place: Place
    differences: tuple[Difference, ...]
    todo: bool = False
    given: str = ""
    why: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Tell whether the case may stand: it agrees, or is marked as still to be done."""
        return not self.differences or self.todo

    @property
    def no_longer_to_do(self) -> bool:
        """Tell whether the case is marked as still to be done, and agrees."""
        return self.todo and not self.differences


class NothingSelected(ValueError):
    """What was asked for picks no case; *candidates* are what could have been meant."""

    def __init__(self, sentence: str, candidates: Collection[str]) -> None:
        super().__init__(sentence)
        self.candidates = tuple(sorted(candidates))


def every_rule(rules: Ruleset) -> Iterator[Rule]:
    """Walk indices, conditions, stages, factors and cards, each in the order of ids."""
    tables: tuple[Mapping[str, Rule], ...] = (
        rules.indices,
        rules.conditions,
        {rules.stages.id: rules.stages} if rules.stages is not None else {},
        rules.factors,
        rules.cards,
    )
    for table in tables:
        for name in sorted(table):
            yield table[name]


def cases_of(rules: Ruleset) -> Iterator[tuple[Rule, TestCase]]:
    """Walk every case of every rule; what is retired does not run, not even here."""
    for rule in every_rule(rules):
        if rule.status != "retired":
            for case in rule.tests:
                yield rule, case


def _site_cases_of(rules: Ruleset) -> Iterator[tuple[Rule, TestCase]]:
    """Walk the cases of the profile that counts, each with the rule it names."""
    for case in rules.profile.tests:
        for rule in every_rule(rules):
            if rule.id == case.rule:
                yield rule, case
                break


def selected(
    rules: Ruleset, wanted: Collection[str] = (), *, named: str = ""
) -> list[tuple[Rule, TestCase]]:
    """
    Pick cases: of the rules *wanted* (ids, codes, paths of files or folders), and with
    *named* in their name. Under the profile of a site they are those of the profile.

    Raises `NothingSelected` where a word of *wanted*, or *named*, picks nothing.
    """
    every = list(cases_of(rules) if rules.profile.id == DEFAULT else _site_cases_of(rules))
    for one in wanted:
        if not any(_is_meant(rule, case, one) for rule, case in every):
            raise NothingSelected(_unknown(rules, one), {rule.id for rule, _ in every})
    found = [
        (rule, case)
        for rule, case in every
        if not wanted or any(_is_meant(rule, case, one) for one in wanted)
    ]
    chosen = [(rule, case) for rule, case in found if named.casefold() in case.name.casefold()]
    if named and not chosen:
        names = {case.name.partition(" [")[0] for _, case in found}
        raise NothingSelected(f"no case is called like `{named}`", names)
    return chosen


def _is_meant(rule: Rule, case: TestCase, word: str) -> bool:
    path = case.place.path
    folder = word.rstrip("/")
    return (
        word == rule.id
        or (isinstance(rule, Card) and word == rule.code)
        or path == word
        or path.endswith(f"/{word}")
        or word.endswith(f"/{path}")
        or path.startswith(f"{folder}/")
        or f"/{folder}/" in path
        or f"/{path.rpartition('/')[0]}".endswith(f"/{folder.rpartition('/')[2]}")
    )


def _unknown(rules: Ruleset, word: str) -> str:
    tables = (rules.indices, rules.conditions, rules.factors, rules.cards)
    if any(word in table for table in tables):
        return f"`{word}` has no cases"
    return f"`{word}` is no rule, file or folder with cases"
