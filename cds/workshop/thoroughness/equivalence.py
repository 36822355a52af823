"""
Mutants that nobody could notice: proved from the conditions alone.

A fault in a condition changes nothing where the condition has the same answer as before in
every record. Where only yes decides, it is enough that both are yes in the same records;
what is asked only once a card fires is compared only where it fires.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cds.core.clauses import Expr, clauses_of
from cds.core.rules import Card, Ruleset
from cds.proofs.prover import Proofs, TooLargeError
from cds.reasoning.questions import Question, is_input, questions_about
from cds.workshop.testing.expectations import Rule, kind_of
from cds.workshop.thoroughness.mutants import Mutant
from cds.workshop.thoroughness.rewriting import everywhere

__all__ = ["proved_equivalent"]

_ONCE_IT_FIRES = (".indicator.", ".priority.", ".summary.", ".detail.", ".offer_if.", ".guard.")


@dataclass(frozen=True, slots=True)
class _Pair:
    before: Question
    after: Question


def proved_equivalent(
    rules: Ruleset, rule: Rule, mutants: Sequence[Mutant], texts: Sequence[Ruleset]
) -> Iterator[Mutant]:
    """Give the mutants of a rule that are proved to be equivalent; *texts* are their releases."""
    pairs = {}
    for mutant, text in zip(mutants, texts, strict=True):
        found = _pairs(rules, rule, mutant, text)
        if found:
            pairs[mutant.name] = found
    decided = [one for one in mutants if one.if_unknown_of is not None]
    if not pairs and not decided:
        return
    more = [one.after.expr for found in pairs.values() for one in found]
    try:
        proofs = Proofs(rules, more)
    except TooLargeError:
        return
    fires = [(rule.show_if, "yes")] if isinstance(rule, Card) else []
    for mutant in mutants:
        found = pairs.get(mutant.name, [])
        if (
            mutant.if_unknown_of is not None and _is_decided(proofs, mutant.if_unknown_of, fires)
        ) or (found and all(_same(proofs, one, fires) for one in found)):
            yield mutant


def _pairs(rules: Ruleset, rule: Rule, mutant: Mutant, text: Ruleset) -> list[_Pair]:
    """Give the questions that differ; none where something else differs too."""
    kind = kind_of(rule)
    before = questions_about(rules, kind, rule.id)
    after = questions_about(text, kind, rule.id)
    if [one.name for one in before] != [one.name for one in after]:
        return []
    table = {
        two.expr.key: one.expr
        for one, two in zip(before, after, strict=True)
        if one.expr.key != two.expr.key
    }

    def restored(value: object) -> object:
        return table.get(getattr(value, "key", ""), value)

    if everywhere(mutant.rule, restored, "") != rule:
        return []
    return [
        _Pair(one, two)
        for one, two in zip(before, after, strict=True)
        if one.expr.key != two.expr.key
    ]


def _is_decided(proofs: Proofs, expr: Expr, fires: Iterable[tuple[Expr, str]]) -> bool:
    """Tell whether a condition is never unknown where it is asked."""
    if any(map(is_input, clauses_of(expr))):
        return False
    try:
        return not proofs.can_be(expr, "unknown", tuple(fires))
    except TooLargeError:
        return False


def _same(proofs: Proofs, pair: _Pair, fires: Iterable[tuple[Expr, str]]) -> bool:
    asked_late = any(part in pair.before.name for part in _ONCE_IT_FIRES)
    given = tuple(fires) if asked_late else ()
    words = ("yes", "no") if _three_count(pair.before) else ("yes",)
    one, other = pair.before.expr, pair.after.expr
    try:
        return all(
            not proofs.possible([*given, (first, word), (second, f"not {word}")])
            for word in words
            for first, second in ((one, other), (other, one))
        )
    except TooLargeError:
        return False


def _three_count(asked: Question) -> bool:
    """Tell whether no and unknown lead to different ends."""
    if asked.owner[0] == "stages" or asked.name.endswith(".show_if"):
        return True
    return asked.both or ".unless." in asked.name
