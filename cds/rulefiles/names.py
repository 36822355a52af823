"""
The names that rule files declare, and what may be asked of each.

`Names` knows the whole folder; a `Scope` adds what one rule file declares for itself
and notes everything the rule leans on, so that the order of work comes for free.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from cds.core.clauses import Limit, Place
from cds.core.concepts import Concept, Reading, Search
from cds.core.hooks import Act
from cds.core.quantity import Conversion
from cds.rulefiles.diagnostics import Report, a, listed, nearest
from cds.rulefiles.thresholds import Target, Written

__all__ = ["AGE", "Declared", "Key", "Names", "Scope", "order_of"]

AGE: Final = Target("age", "years", dict.fromkeys(("years", "year", "a"), Conversion()))
_COUNTED: Final = dict.fromkeys(("1", "days", "day", "d"), Conversion())


@dataclass(frozen=True, slots=True)
class Declared:
    """
    A name that a file declares, before the file itself is read.

    *words* are the bands of an index, the grades of a factor, the labels of stages.
    """

    kind: str
    id: str
    place: Place
    unit: str = "1"
    words: tuple[str, ...] = ()


@dataclass(slots=True)
class Names:
    """
    Every name of the folder, by what it names; *results* by the action that brings them.

    *aliases* lead from codes, short names and titles of concepts to the names.
    """

    report: Report
    operands: dict[str, Declared] = field(default_factory=dict)
    concepts: dict[str, Concept] = field(default_factory=dict)
    searches: dict[str, Search] = field(default_factory=dict)
    systems: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stages: dict[str, Declared] = field(default_factory=dict)
    cards: dict[str, Declared] = field(default_factory=dict)
    actions: dict[str, Declared] = field(default_factory=dict)
    groups: dict[str, Declared] = field(default_factory=dict)
    sources: dict[str, Declared] = field(default_factory=dict)
    reasons: dict[str, Declared] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    groups_of_people: dict[str, None] = field(default_factory=dict)
    people_extension: str = ""

    def declare(self, table: dict[str, Declared], one: Declared) -> bool:
        """Enter a name; one that is taken is reported, and the first stays."""
        earlier = table.setdefault(one.id, one)
        if earlier is one:
            return True
        self.report.add(
            "CDS203",
            one.place,
            f"`{one.id}` is already the name of {a(earlier.kind)}",
            label="again",
            spans=[(earlier.place, "first")],
            help="rename one of the two",
        )
        return False

    def missing(
        self, what: str, word: str, at: Place, known: Iterable[str], code: str = "CDS201"
    ) -> None:
        """Report a name that nothing has."""
        if self.report.is_crowded(at.path):
            self.report.missing(what, at, word, (), code=code)
            return
        choices = set(known)
        also = {word: name for word, name in self.aliases.items() if name in choices}
        self.report.missing(what, at, word, choices, code=code, also=also)

    def begins_something(self, name: str) -> bool:
        """Tell whether an episode begins with *name*; such a date may lie ahead."""
        return any(name in one.begins for one in self.concepts.values())

    @property
    def labels(self) -> tuple[str, ...]:
        """Give the labels of the staging table."""
        return tuple(word for one in self.stages.values() for word in one.words)


class Scope:
    """What one rule file can name, and what it turned out to lean on."""

    def __init__(
        self,
        names: Names,
        rule: str,
        *,
        thresholds: Mapping[str, Written] | None = None,
    ) -> None:
        self.names = names
        self.report = names.report
        self.rule = rule
        self.thresholds = dict(thresholds or {})
        self.readings: dict[str, Reading] = {}
        self.inputs: dict[str, Target] = {}
        self.blocks: set[str] = set()
        self.acts: list[tuple[Act, Place]] = []
        self.leans: dict[tuple[str, str], Place] = {}

    def kind(self, name: str) -> str:
        """Say what *name* is: concept, index, reading, condition, factor, age, or nothing."""
        if name in self.readings:
            return "reading"
        if name == "age":
            return "age"
        declared = self.names.operands.get(name)
        if declared is not None:
            return declared.kind
        return "input" if name in self.inputs else ""

    def known(self) -> list[str]:
        """Give every word that can stand at the beginning of a clause."""
        own = [*self.readings, *self.inputs]
        return [*self.names.operands, *own, "age", "sex", "stage", "card"]

    def full(self, name: str) -> str:
        """Give the name by which the ruleset knows *name*."""
        reading = self.readings.get(name)
        return reading.id if reading else name

    def lean(self, kind: str, name: str, at: Place) -> None:
        """Note that the rule needs *name* to be worked out first."""
        if kind in {"index", "condition", "factor", "reading", "stages", "card"}:
            self.leans.setdefault((kind, name), at)

    def target(self, name: str) -> Target:
        """Say how a number is compared with the quantity *name*."""
        if name == "age":
            return AGE
        reading = self.readings.get(name)
        if reading is not None:
            if reading.kind == "count days of" or reading.dated:
                return Target(name, "1", _COUNTED)
            concept = self.names.concepts.get(reading.concept)
            return Target(name, reading.unit, concept.units if concept else {})
        concept = self.names.concepts.get(name)
        if concept is not None:
            return Target(name, concept.unit or "1", concept.units)
        unit = self.names.operands[name].unit
        return Target(name, unit, {unit: Conversion()})

    def written(self, name: str, at: Place) -> Written | None:
        """Find a threshold of this file by name."""
        found = self.thresholds.get(name)
        if found is None:
            near = nearest(name, self.thresholds)
            self.report.add(
                "CDS202",
                at,
                f"`{name}` is not a threshold of this file",
                notes=[f"thresholds: {listed(self.thresholds)}"] if self.thresholds else [],
                help=f"did you mean `{near}`?"
                if near
                else f"declare it: `thresholds: {{{name}: {{value: …, cite: …}}}}`",
                fix=self.report.rewriting(at, near),
            )
        return found

    def limit(self, written: Written, target: Target, at: Place, *, closed: bool) -> Limit:
        """Make one end of a range from a threshold."""
        return Limit(written.fit(target, at, self.report), closed)


Key = tuple[str, str]


def order_of(
    leans: Mapping[Key, Mapping[Key, Place]], places: Mapping[Key, Place], report: Report
) -> tuple[Key, ...]:
    """
    Put everything after what it leans on; report each cycle with its path.

    *leans* is read in its own order, so equal files give an equal order. Cards come
    last whatever leans on what: nothing but a card may ask about one.
    """
    done: list[Key] = []
    state: dict[Key, int] = {}

    def visit(key: Key, path: list[Key]) -> None:
        state[key] = 1
        path.append(key)
        for needed in leans[key]:
            if needed not in leans:
                continue
            seen = state.get(needed, 0)
            if seen == 1:
                _report_cycle([*path[path.index(needed) :], needed])
            elif seen == 0:
                visit(needed, path)
        path.pop()
        state[key] = 2
        done.append(key)

    def _report_cycle(path: list[Key]) -> None:
        report.add(
            "CDS210",
            places[path[0]],
            " -> ".join(name for _, name in path),
            label="leans on itself",
            spans=[
                (leans[one][other], f"`{one[1]}` asks for `{other[1]}`")
                for one, other in pairwise(path)
            ],
            help="take one of these names out of the other's conditions",
        )

    for key in sorted(leans, key=lambda one: one[0] == "card"):
        if key not in state:
            visit(key, [])
    return tuple(done)
