"""
A formula as an author wrote it, with names or with the numbers that went into it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from cds.core.indices import Binary, Call, FormulaExpr, Index, InputRef, Number, OneIf, Step
from cds.core.quantity import plain

__all__ = ["formula_for", "written_formula"]

Name = Callable[[InputRef | Step | OneIf], str]

_BINDS: Final = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3}
_WHOLE: Final = 4


def formula_for(index: Index, unit: str) -> FormulaExpr | None:
    """Choose the formula for the unit in which the first input was sent."""
    if index.formula_in:
        return index.formula_in.get(unit, next(iter(index.formula_in.values())))
    return index.formula


def written_formula(expr: FormulaExpr, name: Name) -> str:
    """Write a formula; *name* says what stands for an input, a step or a condition."""
    return _written(expr, name)[0]


def _written(expr: FormulaExpr, name: Name) -> tuple[str, int]:
    """Write a part, and say how tightly it holds together."""
    if isinstance(expr, Number):
        return plain(expr.value), _WHOLE if expr.value >= 0 else 0
    if isinstance(expr, InputRef | Step | OneIf):
        text = name(expr)
        return text, _WHOLE if not text.startswith("-") else 0
    if isinstance(expr, Call):
        inner = ", ".join(written_formula(one, name) for one in expr.arguments)
        return f"{expr.function}({inner})", _WHOLE
    if _is_minus(expr):
        right, _ = _written(expr.right, name)
        return f"-{right}", _BINDS["-"]
    binds = _BINDS[expr.op]
    left = _bracketed(_written(expr.left, name), binds + (expr.op == "^"))
    right = _bracketed(_written(expr.right, name), binds + (expr.op in "-/"))
    return f"{left} {expr.op} {right}", binds


def _is_minus(expr: Binary) -> bool:
    """Tell whether a sign was written: the loader reads it as taken from nothing."""
    return (
        expr.op == "-"
        and isinstance(expr.left, Number)
        and expr.left.value == Decimal(0)
        and isinstance(expr.right, Number | InputRef | Step | Call)
    )


def _bracketed(part: tuple[str, int], least: int) -> str:
    text, binds = part
    return text if binds >= least else f"({text})"
