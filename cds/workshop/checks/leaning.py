"""
What a rule leans on: rules on trial, and data that are not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cds.core.clauses import (
    BandIs,
    CardFires,
    Changed,
    Clause,
    Compare,
    GradeIs,
    Holds,
    Known,
    Listed,
    NotUsedBecause,
    Place,
    Received,
    StageIs,
    clauses_of,
)
from cds.core.concepts import Reading, Search
from cds.core.headers import Rule
from cds.proofs.prover import every_expression
from cds.rulefiles.nodes import Node
from cds.workshop.checks.proving import Proving

__all__ = ["check_leaning"]

_BOUND: Final = re.compile(r"(\d+)[- ]?(day|d\b|week|w\b|month|year|y\b)")
_DAYS: Final = {"d": 1, "w": 7, "m": 30, "y": 365}


def check_leaning(proving: Proving) -> None:
    """Judge what active rules lean on, and whether the searches reach as far as they look."""
    rules = {one.place.path: one for one in proving.sound}
    bounded = any(_bound(one) is not None for one in proving.rules.searches.values())
    for expr in every_expression(proving.rules):
        path = expr.place.path
        for clause in clauses_of(expr):
            if path in rules:
                _check_status(proving, rules[path], clause)
            if bounded and path not in proving.broken:
                for concept, days in _windows(clause):
                    _check_window(proving, concept, days, clause.place, f"`{clause.text}`")
    for reading in proving.rules.readings.values():
        _check_reading(proving, reading)


def _check_reading(proving: Proving, reading: Reading) -> None:
    if reading.between is not None:
        days = reading.between[1]
        _check_window(proving, reading.concept, days, reading.place, f"`{reading.id}`")
    search = _search_of(proving, reading.concept)
    if search is not None and search.count is not None and (reading.last or 0) > search.count:
        proving.report.add(
            "CDS411",
            reading.place,
            f"`{reading.id}` needs more results than are asked for",
            label=f"the last {reading.last}",
            spans=_of_search(proving, search, f"asks for {search.count}"),
            help="raise `count` of the search",
        )


def _search_of(proving: Proving, concept: str) -> Search | None:
    found = proving.rules.concepts.get(concept)
    return None if found is None else proving.rules.searches.get(found.search)


# --- rules on trial ---------------------------------------------------------------------


def _check_status(proving: Proving, rule: Rule, clause: Clause) -> None:
    if rule.status != "active":
        return
    for other in _leans_on(proving, clause):
        if other is not None and other.status == "trial":
            proving.report.add(
                "CDS412",
                clause.place,
                f"`{rule.id}` is active and leans on `{other.id}`, which is on trial",
                label="always unknown",
                spans=[(other.place, "is on trial")],
                notes=["whatever a trial concludes is unknown to active rules"],
                help=f"make `{other.id}` active first, or ask something else",
            )


def _leans_on(proving: Proving, clause: Clause) -> Iterator[Rule | None]:
    rules = proving.rules
    if isinstance(clause, Holds):
        yield rules.conditions.get(clause.name)
    elif isinstance(clause, GradeIs):
        yield rules.factors.get(clause.name)
    elif isinstance(clause, CardFires):
        yield rules.cards.get(clause.name)
    elif isinstance(clause, StageIs):
        yield rules.stages
    elif isinstance(clause, BandIs) or (isinstance(clause, Compare) and clause.what == "index"):
        yield rules.indices.get(clause.name)
    elif isinstance(clause, Known):
        yield from (rules.indices.get(name) for name in clause.names)


# --- data that are not asked for --------------------------------------------------------


def _windows(clause: Clause) -> Iterator[tuple[str, int]]:
    """Give the concepts that a clause looks at, each with how far back."""
    if isinstance(clause, Compare | Known):
        names = (clause.name,) if isinstance(clause, Compare) else clause.names
        whats = (clause.what,) if isinstance(clause, Compare) else clause.whats
        for name, what in zip(names, whats, strict=True):
            if what == "concept" and clause.within is not None:
                yield name, clause.within
    elif isinstance(clause, Changed):
        yield clause.name, clause.within
    elif isinstance(clause, Listed | Received | NotUsedBecause) and clause.within is not None:
        yield from ((name.partition(":")[0], clause.within) for name in clause.names)


def _check_window(proving: Proving, name: str, days: int, place: Place, what: str) -> None:
    search = _search_of(proving, name)
    reach = None if search is None else _bound(search)
    if search is not None and reach is not None and days > reach:
        proving.report.add(
            "CDS411",
            place,
            f"{what} looks further back than the search that brings `{name}`",
            label=f"{days} days",
            spans=_of_search(proving, search, f"asks for {reach} days"),
            notes=["what is older never comes, and counts as not measured"],
            help="let the search reach as far, or shorten the window",
        )


def _bound(search: Search) -> int | None:
    """Read how many days a search reaches back; None where its parameters set no such bound."""
    for name, text in search.parameters.items():
        match = _BOUND.search(text) if "date" in name or text.startswith(("ge", "gt")) else None
        if match is not None:
            return int(match[1]) * _DAYS[match[2][0]]
    return None


def _of_search(proving: Proving, search: Search, label: str) -> list[tuple[Node, str]]:
    for root in proving.context.roots.values():
        for key, _ in root.pairs("searches"):
            if key.text == search.id:
                return [(key, label)]
    return []
