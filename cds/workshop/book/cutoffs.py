"""
Cut-offs in words, as pages and tables print them.
"""

from __future__ import annotations

from decimal import Decimal

from cds.core.clauses import Case, Threshold
from cds.core.quantity import plain
from cds.hooks.words import unit_shown

__all__ = ["amount", "cut_off"]

_PEOPLE = {"male": "men", "female": "women"}


def amount(value: Decimal, unit: str) -> str:
    """Write a number with its unit as a reader knows it."""
    return f"{plain(value)} {unit_shown(unit)}".rstrip()


def cut_off(threshold: Threshold) -> str:
    """Write a cut-off for everybody whom it tells apart."""
    return " / ".join(_one(case, threshold.unit) for case in threshold.cases)


def _one(case: Case, unit: str) -> str:
    text = amount(case.value, unit)
    if case.alternate is not None:
        text += f" ({amount(case.alternate, case.alternate_unit)})"
    who = [_PEOPLE.get(case.sex, ""), f"{case.group} people" if case.group else ""]
    if case.age_from is not None and case.age_below is not None:
        who.append(f"from {case.age_from} below {case.age_below} years")
    elif case.age_from is not None:
        who.append(f"from {case.age_from} years")
    elif case.age_below is not None:
        who.append(f"below {case.age_below} years")
    words = ", ".join(one for one in who if one)
    return f"{text} for {words}" if words else text
