"""
Cut-offs beside the ones that were written: one unit in the last place away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from cds.core.clauses import Beside, Case, Changed, Compare, Threshold
from cds.core.indices import Binary, Call, FormulaExpr, Index, InputRef, Number
from cds.core.quantity import plain, round12
from cds.core.rules import Ruleset

__all__ = ["is_irrational", "moved_cases", "moved_literal", "step_of"]

Move = Callable[[Threshold], Threshold]

_IRRATIONAL: Final = frozenset({"ln", "log10", "exp", "sqrt", "logistic"})
_MOST_DIGITS: Final = 6
_NUMBER: Final = re.compile(r"(?<![\w.])[+-]?\d+(?:\.\d+)?(?![\w.]*\])")


def step_of(number: Decimal) -> Decimal:
    """
    Give one unit in the last place that was written: 0.1 of `5.7`, 1 of `140`.

    Of a number with more than six digits, as of a quotient, it is the sixth.
    """
    exponent = number.as_tuple().exponent
    finest = number.adjusted() - _MOST_DIGITS + 1 if number else 0
    return Decimal(1).scaleb(max(exponent, finest) if isinstance(exponent, int) else 0)


def is_irrational(rules: Ruleset, clause: Compare | Changed | Beside) -> bool:
    """
    Tell whether no record can bring the number exactly onto a cut-off.

    That is so of indices made with logarithms, powers and roots: whether their cut-off
    itself is included cannot be observed.
    """
    return clause.name in rules.indices and _is_irrational(rules, clause.name)


def _is_irrational(rules: Ruleset, name: str) -> bool:
    index: Index | None = rules.indices.get(name)
    if index is None:
        return False
    formulas = [*index.formula_in.values(), *index.let.values()]
    if index.formula is not None:
        formulas.append(index.formula)
    inner = [one.source for one in index.inputs] + [*index.first_of]
    return any(map(_has_roots, formulas)) or any(
        _is_irrational(rules, one) for one in inner if one != name
    )


def _has_roots(expr: FormulaExpr) -> bool:
    if isinstance(expr, Call):
        return expr.function in _IRRATIONAL or any(map(_has_roots, expr.arguments))
    if isinstance(expr, Binary):
        if expr.op == "^" and not (
            isinstance(expr.right, Number) and expr.right.value == int(expr.right.value)
        ):
            return True
        return _has_roots(expr.left) or _has_roots(expr.right)
    return isinstance(expr, InputRef) and False


def moved_literal(text: str, threshold: Threshold) -> Iterator[tuple[str, Threshold]]:
    """Move a number that stands in a clause; *text* is the clause as it was written."""
    if threshold.name or not threshold.cases:
        return
    case = threshold.cases[0]
    written = [Decimal(one) for one in _NUMBER.findall(text.partition(" within ")[0])]
    factor, shown = Decimal(1), case.value
    if written and case.value not in written and case.value:
        shown = min(written, key=abs)
        for one in written:
            if one and abs(case.value / one - 1) < abs(case.value / (shown or 1) - 1):
                shown = one
        factor = case.value / shown if shown else Decimal(1)
    step = step_of(shown)
    for other in (shown - step, shown + step):
        moved = replace(case, value=round12(other * factor))
        yield f"{plain(shown)} read as {plain(other)}", replace(threshold, cases=(moved,))


def moved_cases(rules: Ruleset, written: Threshold) -> Iterator[tuple[str, Move]]:
    """
    Move each number of a named threshold, each bound of age, and turn the sexes round.

    Numbers for a group of people that no record of this release can name stay.
    """
    groups = {*rules.groups_of_people.values(), rules.profile.ethnic_group, ""}
    for at, case in enumerate(written.cases):
        if case.group not in groups:
            continue
        for number in (case.value, *([case.alternate] if case.alternate is not None else [])):
            for other in (number - step_of(number), number + step_of(number)):
                yield (
                    f"{_whom(case)}{plain(number)} read as {plain(other)}",
                    _moving(at, number, other),
                )
    cuts = {one for case in written.cases for one in (case.age_from, case.age_below)} - {None}
    for cut in sorted(one for one in cuts if one is not None):
        for years in (cut - 1, cut + 1):
            yield f"{cut} years read as {years}", _aging(cut, years)
    if {"male", "female"} <= {case.sex for case in written.cases}:
        yield "men and women exchanged", _exchanged


def _whom(case: Case) -> str:
    words = [case.sex, case.group]
    if case.age_from is not None:
        words.append(f"from {case.age_from} years")
    if case.age_below is not None:
        words.append(f"below {case.age_below} years")
    return " ".join(one for one in words if one) + " " if any(words) else ""


def _moving(at: int, number: Decimal, other: Decimal) -> Move:
    def move(fitted: Threshold) -> Threshold:
        case = fitted.cases[at]
        if case.alternate is not None and case.alternate == number:
            new = replace(case, alternate=other)
        elif case.value == number or not number:
            new = replace(case, value=other)
        else:
            new = replace(case, value=round12(case.value * other / number))
        return replace(fitted, cases=(*fitted.cases[:at], new, *fitted.cases[at + 1 :]))

    return move


def _aging(cut: int, years: int) -> Move:
    def move(fitted: Threshold) -> Threshold:
        return replace(
            fitted,
            cases=tuple(
                replace(
                    case,
                    age_from=years if case.age_from == cut else case.age_from,
                    age_below=years if case.age_below == cut else case.age_below,
                )
                for case in fitted.cases
            ),
        )

    return move


def _exchanged(fitted: Threshold) -> Threshold:
    other = {"male": "female", "female": "male"}
    return replace(
        fitted,
        cases=tuple(replace(case, sex=other.get(case.sex, "")) for case in fitted.cases),
    )
