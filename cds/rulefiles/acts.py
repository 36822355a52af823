"""
What a clause asks of the call itself: `ordered`, `newly ordered`, `being added`, `by route oral`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from cds.core.clauses import All, Any_, Expr, Listed, Not, Place
from cds.core.hooks import Act
from cds.rulefiles.keys import key_of
from cds.rulefiles.names import Names
from cds.rulefiles.sentences import Sentence

__all__ = ["newly_ordered", "read_act", "read_routes"]

_DONE: Final[dict[str, Act]] = {"added": "added", "refilled": "refilled"}


def read_act(line: Sentence) -> tuple[Act, bool]:
    """Read what is being done, and whether it must be new."""
    if line.accept("being"):
        if line.word not in _DONE:
            line.misread("expected `added` or `refilled`", _DONE)
        return _DONE[line.take()], False
    newly = line.accept("newly")
    line.expect("ordered")
    return "ordered", newly


def read_routes(
    line: Sentence, asked: Iterable[tuple[str, Place]], names: Names
) -> tuple[str, ...]:
    """Read `by route ROUTE [or ROUTE]`, and check that whatever is *asked* has these."""
    line.expect("by", "route")
    concepts = [(name, names.concepts[name]) for name, _ in asked if name in names.concepts]
    found: list[str] = []
    while True:
        at, route = line.place, line.word
        if not route:
            line.misread("expected a route")
        line.take()
        for name, concept in concepts:
            if route not in concept.routes:
                names.missing(f"a route of `{name}`", route, at, concept.routes)
        found.append(route)
        if line.accept("or", "ordered"):
            line.back(2)
            break
        if not line.accept("or"):
            break
    return tuple(sorted(found))


def newly_ordered(
    asked: Iterable[str],
    routes: tuple[str, ...],
    listed: Callable[[str, dict[str, Any], str], Listed],
    place: Place,
    label: str,
) -> Expr:
    """
    Say that one of these is ordered and not present already.

    *listed* makes a clause of one name, its marks and its words.
    """
    by = f" by route {' or '.join(routes)}" if routes else ""
    parts = []
    for name in asked:
        ordered = listed(name, {"ordered": "only", "routes": routes}, f"{name} is ordered{by}")
        present = listed(name, {"routes": routes}, f"{name} is present{by}")
        of = (ordered, Not(of=present, key=key_of("not", [present]), place=place))
        parts.append(All(of=of, key=key_of("all", of), place=place))
    return Any_(of=tuple(parts), key=key_of("any", parts), place=place, label=label)
