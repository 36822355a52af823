"""
Mutants: small faults put into a rule, one at a time, to see whether a case notices.

Each is the resolved rule with one change, as a slip of the author would have made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from cds.core.clauses import Expr, Not, Place, Threshold, clauses_of
from cds.core.indices import Gate, Index
from cds.core.rules import (
    Evidence,
    Exclusion,
    Guard,
    Ruleset,
    Suggestion,
)
from cds.workshop.testing.expectations import Rule
from cds.workshop.thoroughness.faults import ON_RECORD, faults_at
from cds.workshop.thoroughness.nudges import moved_cases
from cds.workshop.thoroughness.reachable import cannot_be
from cds.workshop.thoroughness.rewriting import Step, changed_at, everywhere, places_in

__all__ = ["Mutant", "mutants_of"]

# Where a sentence or an indicator is chosen only yes counts.
_WORDING: Final = frozenset({"details", "summaries", "indicators", "priorities"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """
    One fault: *name* says what was changed, as `equivalent:` of a rule file repeats it.

    *rule* is the rule with the fault in it. Where only what an unknown answer does was
    changed, *if_unknown_of* is the condition that may be unknown.
    """

    name: str
    place: Place
    rule: Rule
    if_unknown_of: Expr | None = None


def mutants_of(rules: Ruleset, rule: Rule) -> Iterator[Mutant]:
    """Make every mutant of a rule, in the order of its text."""
    seen: dict[str, int] = {}
    for one in _texts(rules, rule):
        seen[one.name] = seen.get(one.name, 0) + 1
        number = f" ({seen[one.name]})" if seen[one.name] > 1 else ""
        yield replace(one, name=one.name + number)


def _texts(rules: Ruleset, rule: Rule) -> Iterator[Mutant]:
    for path, value in places_in(rule):
        place, subject = _place_of(rule, path), _subject_of(rule, path)
        for number, (what, new) in enumerate(faults_at(rules, value)):
            if what == ON_RECORD and _only_yes_counts(rule, path):
                continue
            if what.startswith("if_unknown") and not _matters(rules, rule, value):
                continue
            mark = f"{'.'.join(map(str, path))}#{number}"
            keyed = replace(new, key=f"{new.key}~{mark}") if hasattr(new, "key") else new
            changed = changed_at(rule, path, keyed, mark)
            when = getattr(value, "when", None) if what.startswith("if_unknown") else None
            name = f"{subject}: {what}"
            yield Mutant(name, place, _asked_anew(rule, changed, mark), when)
    yield from _moved_thresholds(rules, rule)


def _only_yes_counts(rule: Rule, path: tuple[Step, ...]) -> bool:
    """Tell whether no and unknown lead to the same here, so that nobody could tell them apart."""
    value: Any = rule
    silent = path[0] in _WORDING or path[0] == "assess_if"
    for step in path:
        if isinstance(value, Not):
            return False
        if isinstance(value, Exclusion | Guard) and step == "when":
            silent = value.if_unknown in {"show", "assess"}
        elif isinstance(value, Gate):
            silent = value.if_unknown == "compute"
        elif isinstance(value, Evidence):
            silent = value.if_missing == "ignore"
        elif isinstance(value, Suggestion) and step == "offer_if":
            silent = True
        value = _at(value, step)
    return silent


def _matters(rules: Ruleset, rule: Rule, value: Any) -> bool:
    """Tell whether it matters what an unknown answer does: one that never is decides nothing."""
    if isinstance(rule, Index) and not rule.formula and not rule.formula_in:
        return False  # a count, or another number, is taken whatever is not known
    when = getattr(value, "when", None)
    return when is None or any("unknown" not in cannot_be(rules, one) for one in clauses_of(when))


def _place_of(rule: Rule, path: tuple[Step, ...]) -> Place:
    found, value = rule.place, rule
    for step in path:
        value = _at(value, step)
        place = getattr(value, "place", None)
        if place is None and hasattr(value, "when"):
            place = getattr(value.when, "place", None)
        if isinstance(place, Place):
            found = place
    return found


def _subject_of(rule: Rule, path: tuple[Step, ...]) -> str:
    """Say in the author's words what stands where *path* leads."""
    names: list[str] = []
    value: Any = rule
    for step in path:
        value = _at(value, step)
        text = getattr(value, "text", "") or ""
        own = getattr(value, "id", "") or getattr(value, "label", "") or getattr(value, "name", "")
        if text:
            names.append(str(text))
        elif isinstance(own, str) and own and not isinstance(value, Threshold):
            names.append(own)
        elif isinstance(step, str):
            names.append(step)
    kept = [one for one in names if one not in {"of", "condition", "when", "low", "high"}]
    return " ".join(kept[-2:]) if kept else rule.id


def _at(value: Any, step: Step) -> Any:
    if isinstance(step, int):
        return value[step]
    return value[step] if isinstance(value, dict) else getattr(value, step, None)


def _moved_thresholds(rules: Ruleset, rule: Rule) -> Iterator[Mutant]:
    """Move each named cut-off, wherever it is used in the rule."""
    for name, written in rule.thresholds.items():
        place = _first_use(rule, name)
        if place is None:
            continue
        for number, (what, moved) in enumerate(moved_cases(rules, written)):
            mark = f"thresholds.{name}#{number}"

            def change(value: Any, moved: Any = moved, name: str = name) -> Any:
                if isinstance(value, Threshold) and value.name == name:
                    return moved(value)
                return value

            changed = everywhere(rule, change, mark)
            asked = _asked_anew(rule, changed, mark)
            yield Mutant(f"threshold {name}: {what}", place, asked)


def _asked_anew(rule: Rule, changed: Rule, mark: str) -> Rule:
    """Give clauses about a reading that changed a key of their own: their answers may differ."""
    before = {one.id: one for one in rule.readings.values()}
    names = {one.id for one in changed.readings.values() if before.get(one.id) != one}
    if not names:
        return changed

    def anew(value: Any) -> Any:
        asked = {getattr(value, "name", ""), getattr(value, "than", "")}
        asked |= set(getattr(value, "names", ()))
        if hasattr(value, "key") and asked & names:
            return replace(value, key=f"{value.key}~{mark}")
        return value

    found: Rule = everywhere(changed, anew, mark)
    return found


def _first_use(rule: Rule, name: str) -> Place | None:
    for path, value in places_in(rule):
        if isinstance(value, Threshold) and value.name == name:
            return _place_of(rule, path)
    return None
