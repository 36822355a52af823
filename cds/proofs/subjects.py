"""
What the conditions of a release ask about: every variable, with the cut-offs that divide it.

Variables come into being when a condition first asks about them, so that those which are
asked together stand together in the diagrams.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from cds.core.clauses import (
    Began,
    Beside,
    Changed,
    Compare,
    Expr,
    Known,
    Limit,
    Listed,
    NotUsedBecause,
    Received,
    clauses_of,
)
from cds.core.concepts import Concept, Reading
from cds.core.hooks import ACTS
from cds.core.quantity import Conversion
from cds.core.rules import Ruleset
from cds.proofs.cells import Ages, Cells, Choice, Entries, Grades, Numbers, Sent, Windows, is_above
from cds.proofs.diagrams import Diagrams
from cds.proofs.line import Line, Step

__all__ = ["THREE", "Key", "Subjects"]

Key = tuple[str, ...]
"""A variable: its sort, and the names that tell it from others."""

THREE = ("yes", "no", "unknown")
"""The answers of a condition that is not opened."""

_NO_WAY = Conversion()


def _signature(reading: Reading) -> Key:
    """Name what decides a reading: two rules that count the same share one variable."""
    ends = (
        f"{limit.threshold.cases} {limit.threshold.or_own} {limit.inclusive}" if limit else ""
        for limit in (reading.low, reading.high)
    )
    rest = (
        reading.if_latest,
        reading.last,
        reading.different_days,
        reading.newest_day,
        reading.apart,
        reading.drawn_before,
        reading.between,
        reading.dated,
    )
    return ("reading", reading.kind, reading.concept, *ends, *(str(one) for one in rest))


class Subjects:
    """
    The variables of a release.

    *exprs* are all the conditions that will ever be asked about: their cut-offs and
    windows say where a variable is divided.
    """

    def __init__(self, rules: Ruleset, diagrams: Diagrams, exprs: Iterable[Expr]) -> None:
        self._rules = rules
        self._diagrams = diagrams
        self._levels: dict[Key, int] = {}
        self.cells: list[Cells] = []
        self._limits: dict[Key, dict[tuple[Limit, bool], None]] = {}
        self._days: dict[Key, set[int]] = {}
        self.unused: dict[tuple[str, str], None] = {}
        self._began: dict[Key, set[Step]] = {}
        self._ages: set[Step] = set()
        self._groups: dict[str, None] = {"": None}
        self._signatures = {name: _signature(one) for name, one in rules.readings.items()}
        for expr in exprs:
            for clause in clauses_of(expr):
                self._note(clause)
        for name, reason in self.unused:
            # Who asks about any result at all asks about those of one concept too.
            if name:
                for days in self._windows(("unused", "", reason)):
                    self._note_days(("unused", name, reason), days)
        for index in rules.indices.values():
            for band in index.bands:
                for threshold, upper in ((band.low, False), (band.high, True)):
                    if threshold is not None:
                        end = Limit(threshold, inclusive=not upper)
                        self._note_limit(("index", index.id), end, upper=upper)
        for name, reading in rules.readings.items():
            if not self.bears_on_latest(name):
                continue
            for limit, upper in ((reading.low, False), (reading.high, True)):
                if limit is not None:
                    self._note_limit(("concept", reading.concept), limit, upper=upper)
                    self._note_days(("concept", reading.concept), _window(reading))
        self.add(("sex",), Choice("sex", ("male", "female", "unknown"), _SEXES))
        tests = tuple({"group": one} if one else {} for one in self._groups)
        self.add(("group",), Choice("group", tuple(self._groups), tests))
        self.add(("age",), Ages(Line(frozenset(self._ages), whole=True)))

    # --- what divides them --------------------------------------------------------------

    def _note(self, clause: object) -> None:
        if isinstance(clause, Compare | Changed | Beside):
            key = self.key_of(clause)
            for limit, upper in ((clause.low, False), (clause.high, True)):
                if limit is not None:
                    self._note_limit(key, limit, upper=upper)
            if isinstance(clause, Compare):
                self._note_days(key, clause.within)
        elif isinstance(clause, Began):
            days = clause.days if clause.at_least else clause.days + 1
            self._began.setdefault(self.key_of(clause), set()).add((Decimal(days), False))
        elif isinstance(clause, Known):
            for name, what in zip(clause.names, clause.whats, strict=True):
                if what == "concept":
                    self._note_days((what, name), self.window_of(name, clause.within))
        elif isinstance(clause, Listed):
            for name in clause.names:
                self._note_days(("entries", name), clause.within)
        elif isinstance(clause, Received):
            for name in clause.names:
                self._note_days(("received", name), clause.within)
                self._note_days(("concept", name), clause.within)
        elif isinstance(clause, NotUsedBecause):
            for reason in clause.reasons:
                for name in clause.names or ("",):
                    self.unused[name, reason] = None
                    self._note_days(("unused", name, reason), clause.within)

    def _note_limit(self, key: Key, limit: Limit, *, upper: bool) -> None:
        for case in limit.threshold.cases:
            for years in (case.age_from, case.age_below):
                if years is not None:
                    self._ages.add((Decimal(years), False))
            if case.group:
                self._groups[case.group] = None
            if key == ("age",):
                self._ages.add((case.value, is_above(limit, upper=upper)))
        if key != ("age",):
            self._limits.setdefault(key, {})[limit, upper] = None

    def _note_days(self, key: Key, days: int | None) -> None:
        if days is not None:
            self._days.setdefault(key, set()).add(days)

    def _windows(self, key: Key) -> tuple[int, ...]:
        return tuple(sorted(self._days.get(key, ())))

    def window_of(self, concept: str, within: int | None) -> int | None:
        """Give the window in which a concept is known: that of the clause, else its own."""
        own = self._rules.concepts.get(concept)
        return within if within is not None or own is None else own.within

    def key_of(self, clause: Compare | Changed | Beside | Began) -> Key:
        """Name the variable that a comparison asks about."""
        if isinstance(clause, Changed | Beside):
            return ("difference", clause.number)
        if isinstance(clause, Began):
            return ("began", clause.name, "ever" if clause.ever else "now")
        if clause.what == "age":
            return ("age",)
        if clause.what == "input":
            return ("input", clause.name, clause.place.path)
        return self.number_key(clause.what, clause.name)

    def number_key(self, what: str, name: str) -> Key:
        """Name the variable of an index or a reading."""
        return self._signatures[name] if what == "reading" else (what, name)

    def bears_on_latest(self, name: str) -> bool:
        """Tell whether a reading counts the latest result, whenever it was drawn."""
        reading = self._rules.readings[name]
        return (
            reading.kind == "count days of"
            and not reading.drawn_before
            and (reading.between is None or reading.between[0] == 0)
        )

    # --- the variables ------------------------------------------------------------------

    def add(self, key: Key, cells: Cells) -> int:
        """Add a variable, behind those that are there."""
        level = self._levels[key] = self._diagrams.variable(cells.size)
        self.cells.append(cells)
        return level

    def knows(self, key: Key) -> bool:
        """Tell whether some condition has a cut-off or a window for it."""
        return key in self._limits or key in self._days

    def level(self, key: Key) -> int:
        """Give the place of a variable, which comes into being when it is first asked about."""
        found = self._levels.get(key)
        return self.add(key, self._made(key)) if found is None else found

    def _made(self, key: Key) -> Cells:
        sort, name = key[0], key[1]
        rules = self._rules
        if sort == "concept":
            return self._quantity(key, rules.concepts[name])
        if sort == "input":
            return self._input(key)
        if sort == "index":
            return self._index(key)
        if sort == "reading":
            return self._reading(key)
        if sort in {"active", "past", *ACTS.values()}:
            route = f" by {key[2]}" if len(key) > 2 else ""  # noqa: PLR2004 - with routes
            return Entries(name, sort + route, self._windows(("entries", name)))
        if sort == "unrouted":
            return Choice(f"{key[2]} with no known route", ("yes", "no"))
        if sort == "received":
            return Windows(f"another result of {name}", self._windows(key))
        if sort == "unused":
            of = f" of {name}" if name else ""
            return Windows(f"a result{of} left out because of {key[2]}", self._windows(key))
        if sort == "complete":
            return Choice(f"the {name} list is complete", ("yes", "no"), ({}, {"not_sent": name}))
        if sort == "newer":
            words = (f"{key[2]} is not dated later", f"{key[2]} is dated later", "neither is")
            return Choice(f"{name} and {key[2]}", words)
        if sort == "factor":
            grades = tuple(one.name for one in rules.factors[name].grades)
            return Grades(name, grades)
        if sort == "stages":
            labels = rules.stages.lines if rules.stages is not None else ()
            return Choice("stage", tuple(one.label for one in labels))
        if sort == "difference":
            return Numbers(name, (self._line(key, "1", _NO_WAY, _NO_WAY),), bounds="any")
        if sort == "began":
            line = Line(frozenset(self._began[key]), whole=True)
            return Numbers(f"days since {name} began", (Sent("1", _NO_WAY, line),), bounds="any")
        sorts = {
            "future": f"{name} is in the future",
            "card": f"card {name} fires",
            "condition": f"{name} holds",
            "clause": name,
        }
        return Choice(sorts[sort], THREE)

    def _line(self, key: Key, sent: str, way: Conversion, bounds: Conversion) -> Sent:
        first = Sent(sent, way, Line(frozenset()))
        steps = {
            first.step(case, above=is_above(limit, upper=upper))
            for limit, upper in self._limits.get(key, ())
            for case in limit.threshold.cases
        }
        low, high = (
            None if end is None else way.to_canonical(end) for end in (bounds.low, bounds.high)
        )
        return Sent(sent, way, Line(frozenset(steps), low=low, high=high))

    def _units(self, key: Key, concept: Concept) -> Iterator[Sent]:
        """Give a line for the concept's own unit, and for each in which cut-offs are printed."""
        own = concept.units.get(concept.unit, _NO_WAY)
        yield self._line(key, concept.unit, Conversion(), own)
        alternates = {
            case.alternate_unit: None
            for limit, _ in self._limits.get(key, ())
            for case in limit.threshold.cases
            if case.alternate is not None and case.alternate_unit != concept.unit
        }
        for unit in alternates:
            way = concept.units.get(unit, _NO_WAY)
            if way.low is None and way.high is None:
                line = self._line(key, unit, way, _NO_WAY).line
                bounded = Line(frozenset(line.steps), low=own.low, high=own.high)
                yield Sent(unit, way, bounded)
            else:
                yield self._line(key, unit, way, way)

    def _owns(self, key: Key) -> frozenset[str]:
        return frozenset(limit.threshold.or_own for limit, _ in self._limits.get(key, ())) - {""}

    def _quantity(self, key: Key, concept: Concept) -> Numbers:
        return Numbers(
            concept.id,
            tuple(self._units(key, concept)),
            self._windows(key),
            conflicts=concept.conflicts,
            owns=self._owns(key),
        )

    def _input(self, key: Key) -> Numbers:
        """Make an input of an index: a result, an age or another number, chosen there."""
        _, name, path = key
        index = next(one for one in self._rules.indices.values() if one.place.path == path)
        source = next(one for one in index.inputs if one.name == name)
        if source.what == "concept":
            sents = tuple(self._units(key, self._rules.concepts[source.source]))
            return Numbers(name, sents)
        return Numbers(name, (self._line(key, "1", _NO_WAY, _NO_WAY),), bounds="any")

    def _index(self, key: Key) -> Numbers:
        index = self._rules.indices[key[1]]
        sent = self._line(key, index.unit, _NO_WAY, _NO_WAY)
        if index.count_of:
            most = Decimal(len(index.count_of))
            line = Line(frozenset(sent.line.steps), high=most, whole=True)
            sent = Sent(index.unit, _NO_WAY, line)
        return Numbers(index.id, (sent,), self._windows(key), bounds="any")

    def _reading(self, key: Key) -> Numbers:
        name = next(one for one, found in self._signatures.items() if found == key)
        reading = self._rules.readings[name]
        steps = self._line(key, reading.unit, _NO_WAY, _NO_WAY).line.steps
        if reading.kind != "count days of":
            sent = Sent(reading.unit, _NO_WAY, Line(frozenset(steps)))
            return Numbers(name, (sent,), self._windows(key), bounds="any")
        line = Line(frozenset((*steps, (Decimal(1), False))), whole=True)
        sent = Sent("1", _NO_WAY, line)
        return Numbers(name, (sent,), self._windows(key), bounds="any", missing=False)


_SEXES: Final[tuple[dict[str, str], ...]] = ({"sex": "male"}, {"sex": "female"}, {})


def _window(reading: Reading) -> int | None:
    return reading.between[1] if reading.between is not None else None
