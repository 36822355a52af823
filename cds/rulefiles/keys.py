"""
Canonical keys: clauses that ask the same question have the same key.

A key holds what decides the answer (names, limits with every case, windows) and
nothing that does not (threshold names, citations, wording, order in a list).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cds.core.clauses import Case, Expr, Limit

__all__ = ["key_of", "limit_key", "names_key", "within_key"]


def _number(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _case(case: Case) -> str:
    parts = [_number(case.value)]
    if case.alternate is not None:
        parts.append(f"or {_number(case.alternate)} {case.alternate_unit}")
    if case.sex:
        parts.append(case.sex)
    if case.age_from is not None:
        parts.append(f"from {case.age_from}")
    if case.age_below is not None:
        parts.append(f"below {case.age_below}")
    if case.group:
        parts.append(case.group)
    return " ".join(parts)


def limit_key(low: Limit | None, high: Limit | None) -> str:
    """Write the ends of a range."""
    out = []
    for limit, closed, opened in ((low, ">=", ">"), (high, "<=", "<")):
        if limit is not None:
            sign = closed if limit.inclusive else opened
            cases = " | ".join(_case(case) for case in limit.threshold.cases)
            own = limit.threshold.or_own
            out.append(f"{sign} {cases}{' own ' + own if own else ''}")
    return " ".join(out)


def names_key(names: Iterable[str]) -> str:
    """Write a set of names: order and repetition do not matter."""
    return f"[{', '.join(sorted(set(names)))}]"


def within_key(within: int | None) -> str:
    """Write a window, or nothing."""
    return "" if within is None else f" within {within}"


def key_of(word: str, of: Iterable[Expr]) -> str:
    """Build the key of a joined condition from those of its parts."""
    return f"{word}({'; '.join(sorted(one.key for one in of))})"
