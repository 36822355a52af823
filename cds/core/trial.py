"""
Rules on trial: worked out in full, and unknown to every rule that is active.

So a trial can be switched off without changing anything that a clinician sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from cds.core.clauses import All, Any_, AtLeast, Clause, Known, Not, OnTrial
from cds.core.findings import Conclusions, StageResult
from cds.core.indices import Index
from cds.core.reads import named_by
from cds.core.rules import Ruleset

__all__ = ["hidden", "on_trial", "veiled"]

_T = TypeVar("_T")
_Node = tuple[str, str]


def on_trial(rules: Ruleset) -> frozenset[_Node]:
    """Name every rule on trial, as (kind, id); the staging table is ("stages", "")."""
    found: set[_Node] = set()
    tables: Mapping[str, Mapping[str, Any]] = {
        "index": rules.indices,
        "condition": rules.conditions,
        "factor": rules.factors,
        "card": rules.cards,
    }
    for kind, table in tables.items():
        found |= {(kind, name) for name, one in table.items() if one.status == "trial"}
    if rules.stages is not None and rules.stages.status == "trial":
        found.add(("stages", ""))
    return frozenset(found)


def veiled(rules: Ruleset) -> Ruleset:
    """Give the release in which active rules cannot see what rules on trial conclude."""
    trial = on_trial(rules)
    if not trial:
        return rules
    veil = _Veil(trial)
    stages = rules.stages
    return replace(
        rules,
        indices={name: veil.index(one) for name, one in rules.indices.items()},
        conditions={name: veil.rule(one) for name, one in rules.conditions.items()},
        stages=veil.rule(stages) if stages is not None else None,
        factors={name: veil.rule(one) for name, one in rules.factors.items()},
        cards={name: veil.rule(one) for name, one in rules.cards.items()},
        population=veil.inside(rules.population),
    )


def hidden(rules: Ruleset, found: Conclusions) -> Conclusions:
    """Give the conclusions as active cards may print them."""
    trial = on_trial(rules)
    if not trial:
        return found
    return replace(
        found,
        numbers={n: one for n, one in found.numbers.items() if ("index", n) not in trial},
        grades={n: one for n, one in found.grades.items() if ("factor", n) not in trial},
        stage=StageResult("") if ("stages", "") in trial else found.stage,
    )


class _Veil:
    def __init__(self, trial: frozenset[_Node]) -> None:
        self._trial = trial

    def rule(self, rule: _T) -> _T:
        """Veil a rule where it is active."""
        return self.inside(rule) if getattr(rule, "status", "") == "active" else rule

    def index(self, index: Index) -> Index:
        """Veil an index, whose inputs may be indices on trial."""
        if index.status != "active":
            return index
        inputs = tuple(
            replace(one, what="trial") if (one.what, one.source) in self._trial else one
            for one in index.inputs
        )
        first = tuple(one for one in index.first_of if ("index", one) not in self._trial)
        seen: Index = self.inside(index)
        return replace(seen, inputs=inputs, first_of=first)

    def inside(self, value: Any) -> Any:
        """Put what is unknown in the place of every clause that asks about a trial."""
        if isinstance(value, Clause):
            return self._clause(value)
        if isinstance(value, tuple):
            parts = tuple(self.inside(one) for one in value)
            return parts if any(a is not b for a, b in zip(parts, value, strict=True)) else value
        if isinstance(value, Mapping):
            table = {name: self.inside(one) for name, one in value.items()}
            return table if any(table[name] is not value[name] for name in table) else value
        if not is_dataclass(value) or isinstance(value, type):
            return value
        changed = {
            one.name: new
            for one in fields(value)
            if (new := self.inside(old := getattr(value, one.name))) is not old
        }
        if changed and isinstance(value, All | Any_ | Not | AtLeast):
            # Others may ask the same and see the answer.
            changed["key"] = f"veiled {value.key}"
        return replace(value, **changed) if changed else value

    def _clause(self, clause: Clause) -> Clause:
        nodes = tuple(one for one in named_by(clause) if one in self._trial)
        if not nodes:
            return clause
        key = f"on trial {clause.key}"
        if isinstance(clause, Known):
            return self._less(clause, key)
        return OnTrial(
            text=clause.text,
            place=clause.place,
            key=key,
            label=clause.label,
            name=nodes[0][1] or "stage",
        )

    def _less(self, clause: Known, key: str) -> Known:
        """Take nothing of a trial for known: all of several are then not."""
        pairs = [
            (name, what)
            for name, what in zip(clause.names, clause.whats, strict=True)
            if (what, name) not in self._trial
        ]
        if clause.quantifier == "all":
            pairs = []
        return replace(
            clause,
            key=key,
            names=tuple(name for name, _ in pairs),
            whats=tuple(what for _, what in pairs),
            quantifier="any",
        )
