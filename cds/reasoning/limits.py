"""
What the engine can hold, looked at before it runs: how much of one fact can be true at once.

The engine walks the conditions of a fact as a tree, with room for 64 that wait. Where more
could be true together it would refuse the fact, and so the request.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, nextafter
from operator import ge, gt, le, lt
from typing import Any, Final

from cds.errors import RuleError

__all__ = ["MOST_PENDING", "check_pending", "most_pending"]

MOST_PENDING: Final = 64
"""How many conditions of one fact may wait; measured, and the size of the engine's stack."""

_Test = tuple[str, str, Any]
_Tree = dict[_Test, "_Tree"]
_SIGNS: Final = {">=": ge, ">": gt, "<=": le, "<": lt}


def check_pending(patterns: Iterable[tuple[_Test, ...]]) -> None:
    """Raise `RuleError` where a fact could overflow the engine; names what it is about."""
    trees: dict[tuple[str, str], _Tree] = {}
    for (_, _, kind), (_, _, code), *tests in patterns:
        node = trees.setdefault((kind, code), {})
        for test in tests:
            node = node.setdefault(test, {})
    crowded = [
        f"{count} comparisons of the {kind} `{code}` can be true at once, and the rule engine "
        f"holds {MOST_PENDING}: use fewer cut-offs, or name conditions that several rules share"
        for (kind, code), tree in sorted(trees.items())
        if (count := most_pending(tree)) > MOST_PENDING
    ]
    if crowded:
        raise RuleError(crowded)


def most_pending(tree: _Tree) -> int:
    """Count how many conditions of a fact can wait at once, at the worst value it can have."""
    together = sum(_most_true(tests) for tests in _by_property(tree).values())
    below = max((most_pending(one) for one in tree.values() if one), default=0)
    # While one of them is looked into, the others wait.
    return max(together, together - 1 + below)


def _by_property(tree: _Tree) -> dict[str, list[_Test]]:
    """Sort conditions by the property they ask; both ends of a number are one."""
    found: dict[str, list[_Test]] = {}
    for test in tree:
        name = test[0].removesuffix("lo").removesuffix("hi")
        found.setdefault(name, []).append(test)
    return found


def _most_true(tests: list[_Test]) -> int:
    """Count how many conditions of one property can be true of one value."""
    equal = min(1, sum(operator == "=" for _, operator, _ in tests))
    other = sum(operator == "!=" for _, operator, _ in tests)
    ordered = [(_SIGNS[sign], float(cut)) for _, sign, cut in tests if sign in _SIGNS]
    # The answers change at the cut-offs and nowhere else.
    around = (
        value for _, cut in ordered for value in (nextafter(cut, -inf), cut, nextafter(cut, inf))
    )
    most = max((sum(sign(value, cut) for sign, cut in ordered) for value in around), default=0)
    return equal + other + most
