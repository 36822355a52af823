"""
What a condition means: when it is proved yes, when it is proved no, and what else holds then.

Three answers are two diagrams; unknown is what is left. A name is one variable, or, once
opened, what its own rule says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from cds.core.clauses import (
    All,
    Any_,
    AtLeast,
    BandIs,
    Began,
    Beside,
    CardFires,
    Case,
    Changed,
    Compare,
    Expr,
    GradeIs,
    Holds,
    InFuture,
    Known,
    Limit,
    ListComplete,
    Listed,
    NewerThan,
    Not,
    NotUsedBecause,
    OnTrial,
    Received,
    SexIs,
    StageIs,
    Threshold,
)
from cds.core.indices import Band, Index
from cds.core.rules import Ruleset
from cds.proofs.cells import Ages, Answer, Entries, Numbers
from cds.proofs.diagrams import ALWAYS, NEVER, Diagrams
from cds.proofs.subjects import Key, Subjects

__all__ = ["Meaning", "Meanings"]


class Meaning(NamedTuple):
    """
    Where a condition is proved *yes*, where it is proved *no*.

    *world* are conditions that hold of every record, as far as this condition sees them.
    """

    yes: int
    no: int
    world: frozenset[int] = frozenset()


class Meanings:
    """
    Turns conditions into diagrams.

    *opened* names what stands for what its rules say, and is no variable of its own:
    `names` (conditions, cards, the gates and criteria of indices) and `stages`. A clause
    about something in a *broken* file, or on trial, can have any answer.
    """

    def __init__(
        self,
        rules: Ruleset,
        subjects: Subjects,
        diagrams: Diagrams,
        broken: frozenset[str],
        opened: frozenset[str] = frozenset(),
    ) -> None:
        self._broken = broken
        self._rules = rules
        self._subjects = subjects
        self._diagrams = diagrams
        self._opened = opened
        self._found: dict[str, Meaning] = {}
        self._lines: dict[str, Meaning] = {}
        self._valid: dict[str, frozenset[int]] = {}

    def of(self, expr: Expr) -> Meaning:
        """Give the meaning of a condition; equal conditions are worked out once."""
        # The input of an index has the same name in another index, and means another.
        key = f"{expr.key} {expr.place.path}" if "input " in expr.key else expr.key
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._of(expr)
        return found

    def _of(self, expr: Expr) -> Meaning:
        if not all(self._is_readable(one) for one in self._asked(expr)):
            return self._three(("clause", expr.key))
        return _MEANINGS[type(expr)](self, expr)

    def _is_readable(self, one: Any) -> bool:
        """Tell whether a rule says anything here: what is on trial is unknown to others."""
        return (
            one is not None
            and one.place.path not in self._broken
            and getattr(one, "status", "") != "trial"
        )

    def _asked(self, expr: Expr) -> Iterator[object]:
        """Find what a clause asks about; None where it could not be read."""
        rules = self._rules
        tables: dict[str, Mapping[str, object]] = {
            "concept": rules.concepts,
            "index": rules.indices,
            "reading": rules.readings,
        }
        if isinstance(expr, Compare) and expr.what in tables:
            yield tables[expr.what].get(expr.name)
        elif isinstance(expr, Known):
            for name, what in zip(expr.names, expr.whats, strict=True):
                if what in tables:
                    yield tables[what].get(name)
        elif isinstance(expr, Beside):
            yield tables[expr.what].get(expr.name)
            yield tables[expr.than_what].get(expr.than)
        elif isinstance(expr, Began | InFuture | Changed):
            yield rules.concepts.get(expr.name)
        elif isinstance(expr, Listed | Received | NotUsedBecause | NewerThan):
            than = (expr.than,) if isinstance(expr, NewerThan) else ()
            for name in (*expr.names, *than):
                yield rules.concepts.get(name.partition(":")[0])
        elif isinstance(expr, BandIs):
            yield rules.indices.get(expr.name)
        elif isinstance(expr, GradeIs):
            yield rules.factors.get(expr.name)
        elif isinstance(expr, Holds):
            yield rules.conditions.get(expr.name)
        elif isinstance(expr, CardFires):
            yield rules.cards.get(expr.name)
        elif isinstance(expr, StageIs):
            yield rules.stages

    # --- joins --------------------------------------------------------------------------

    def _all(self, expr: All) -> Meaning:
        return self.all_of([self.of(one) for one in expr.of])

    def all_of(self, parts: list[Meaning]) -> Meaning:
        """Join with "and"."""
        join = self._diagrams
        return Meaning(
            join.every([one.yes for one in parts]),
            join.some([one.no for one in parts]),
            _world(parts),
        )

    def _any(self, expr: Any_) -> Meaning:
        return self.any_of([self.of(one) for one in expr.of])

    def any_of(self, parts: list[Meaning]) -> Meaning:
        """Join with "or"."""
        join = self._diagrams
        return Meaning(
            join.some([one.yes for one in parts]),
            join.every([one.no for one in parts]),
            _world(parts),
        )

    def _not(self, expr: Not) -> Meaning:
        found = self.of(expr.of)
        return Meaning(found.no, found.yes, found.world)

    def _at_least(self, expr: AtLeast) -> Meaning:
        parts = [self.of(one) for one in expr.of]
        join = self._diagrams
        return Meaning(
            join.at_least(expr.count, [one.yes for one in parts]),
            join.at_least(len(parts) - expr.count + 1, [one.no for one in parts]),
            _world(parts),
        )

    # --- numbers ------------------------------------------------------------------------

    def _at(self, key: Key) -> tuple[int, Any]:
        level = self._subjects.level(key)
        return level, self._subjects.cells[level]

    def _compare(self, clause: Compare) -> Meaning:
        key = self._subjects.key_of(clause)
        level, cells = self._at(key)
        within = cells.within(clause.within)
        found = self._between(level, cells, within, clause.low, clause.high)
        if clause.what == "reading":
            return self._with_latest(clause.name, level, cells, found)
        if clause.what == "index":
            return self._valid_only(clause.name, found)
        return found

    def _between(
        self, level: int, cells: Numbers | Ages, within: int, low: Limit | None, high: Limit | None
    ) -> Meaning:
        """Join the answers for every sex, group and age that the cut-offs tell apart."""
        cases = [one for end in (low, high) if end is not None for one in end.threshold.cases]
        sexes = (1, 2, 4) if any(one.sex for one in cases) else (7,)
        groups_level, groups = self._at(("group",))
        split = [("", (1 << groups.size) - 1)]
        if any(one.group for one in cases):
            split = [(word, 1 << at) for at, word in enumerate(groups.words)]
        ages_level, ages = self._at(("age",))
        spans: tuple[tuple[int, tuple[int, ...]], ...] = (((1 << ages.size) - 1, (0,)),)
        if any(one.age_from is not None or one.age_below is not None for one in cases):
            spans = ages.ages
        where = self._diagrams.where
        found: dict[Answer, Meaning] = {}
        by_sex: list[tuple[int, Meaning]] = []
        for sex in sexes:
            by_group = []
            for group, members in split:
                by_span = []
                for span, years in spans:
                    lows, highs = (_cases(end, _SEXES_OF[sex], years, group) for end in (low, high))
                    masks = _proved(cells, within, low, lows, high, highs)
                    if masks not in found:
                        found[masks] = Meaning(where(level, masks[0]), where(level, masks[1]))
                    by_span.append((span, found[masks]))
                by_group.append((members, self._split(ages_level, by_span)))
            by_sex.append((sex, self._split(groups_level, by_group)))
        return self._split(self._subjects.level(("sex",)), by_sex)

    def _split(self, level: int, parts: list[tuple[int, Meaning]]) -> Meaning:
        if len(parts) == 1:
            return parts[0][1]
        choose = self._diagrams.choose
        return Meaning(
            choose(level, [(states, one.yes) for states, one in parts]),
            choose(level, [(states, one.no) for states, one in parts]),
        )

    def _with_latest(self, name: str, level: int, cells: Numbers, found: Meaning) -> Meaning:
        """Hold a count to the latest result: one that counts makes it one or more."""
        if not self._subjects.bears_on_latest(name):
            return found
        reading = self._rules.readings[name]
        key: Key = ("concept", reading.concept)
        latest, results = self._at(key)
        within = reading.between[1] if reading.between is not None else None
        young = results.within(within) & results.known
        counts = self._between(latest, results, young, reading.low, reading.high)
        if reading.low is reading.high is None:
            counts = Meaning(self._diagrams.where(latest, young), NEVER)
        join = self._diagrams
        some = join.where(level, cells.from_low(1))
        none = join.negated(join.where(level, cells.from_high(1)))
        world = {join.if_then(counts.yes, some)}
        if reading.if_latest:
            world.add(join.if_then(counts.no, none))
        return found._replace(world=frozenset(world))

    def _known(self, clause: Known) -> Meaning:
        join = self._diagrams
        parts = []
        for name, what in zip(clause.names, clause.whats, strict=True):
            if what == "age":
                level, ages = self._at(("age",))
                yes = join.negated(join.where(level, ages.unknown))
            elif what == "concept":
                level, cells = self._at(("concept", name))
                window = self._subjects.window_of(name, clause.within)
                yes = join.where(level, cells.known & cells.within(window))
            else:
                level, cells = self._at(self._subjects.number_key(what, name))
                yes = join.where(level, cells.there)
            meaning = Meaning(yes, join.negated(yes))
            parts.append(self._valid_only(name, meaning) if what == "index" else meaning)
        found = self.any_of(parts) if clause.quantifier == "any" else self.all_of(parts)
        # Two-valued: what is not known to be there is not there.
        return Meaning(found.yes, join.negated(found.yes), found.world)

    def _band(self, clause: BandIs) -> Meaning:
        level, cells = self._at(("index", clause.name))
        bands = [one for one in self._rules.indices[clause.name].bands if one.name in clause.bands]
        parts = [self._in_band(level, cells, band) for band in bands]
        return self._valid_only(clause.name, self.any_of(parts))

    def _in_band(self, level: int, cells: Numbers, band: Band) -> Meaning:
        low, high = _limit(band.low, inclusive=True), _limit(band.high, inclusive=False)
        return self._between(level, cells, cells.there, low, high)

    def _valid_only(self, name: str, found: Meaning) -> Meaning:
        """Open an index: a number whose gate is proved is none, a count is its criteria."""
        if "names" not in self._opened:
            return found
        valid = self._valid.get(name)
        if valid is None:
            valid = self._valid[name] = self._world_of_index(self._rules.indices[name])
        return Meaning(found.yes, found.no, found.world | valid)

    def _world_of_index(self, index: Index) -> frozenset[int]:
        """Say what holds of every record about an index: its gates, and its count."""
        join = self._diagrams
        level, cells = self._at(("index", index.id))
        there = join.where(level, cells.there)
        world: set[int] = set()
        for gate in index.not_valid_if:
            if "input " in gate.when.key:
                continue
            stops = self.of(gate.when)
            allowed = stops.no if gate.if_unknown == "withhold" else join.negated(stops.yes)
            if index.count_of or index.first_of or index.highest_known_of:
                # These are stopped by what is proved only.
                allowed = join.negated(stops.yes)
            world |= {join.if_then(there, allowed), *stops.world}
        if index.count_of:
            parts = [self.of(one) for one in index.count_of.values()]
            sure, open_ = [one.yes for one in parts], [join.negated(one.no) for one in parts]
            for count in cells.counts:
                for states, of in ((cells.from_low(count), sure), (cells.from_high(count), open_)):
                    same = join.same(join.where(level, states), join.at_least(count, of))
                    world.add(join.if_then(there, same))
            world |= _world(parts)
        return frozenset(world)

    def _difference(self, clause: Changed | Beside) -> Meaning:
        """Compare a change, or a distance: a number of its own for each that is asked about."""
        level, cells = self._at(self._subjects.key_of(clause))
        return self._between(level, cells, cells.there, clause.low, clause.high)

    # --- lists --------------------------------------------------------------------------

    def _listed(self, clause: Listed) -> Meaning:
        return self.any_of([self._one_listed(name, clause) for name in clause.names])

    def _one_listed(self, name: str, clause: Listed) -> Meaning:
        join = self._diagrams
        kinds: list[str] = [clause.act] if clause.ordered == "only" else ["active"]
        if clause.ordered == "also":
            kinds.append("ordered")
        if clause.ever and clause.ordered != "only":
            kinds.append("past")
        found = [self._entries(kind, name, clause) for kind in kinds]
        some = join.some([one.yes for one in found])
        world = _world(found)
        # Unrouted entries leave it open in every case, undated ones do where they may count.
        sure = join.every([join.negated(some), *(one.no for one in found)])
        if clause.on_record:
            return Meaning(some, sure, world)
        undated = [
            join.where(level, cells.undated)
            for level, cells in (self._routed(kind, name, clause) for kind in kinds)
            if clause.within is not None
        ]
        sure = join.both(sure, join.negated(join.some(undated)))
        if clause.ordered:
            sure = join.both(sure, self._complete_is("drafts"))
        if clause.ordered == "only":
            return Meaning(some, sure, world)
        concept = self._rules.concepts[name.partition(":")[0]]
        if concept.absent_means == "unknown":
            return Meaning(some, NEVER, world)
        return Meaning(some, join.both(sure, self._complete_is(concept.search)), world)

    def _routed(self, kind: str, name: str, clause: Listed) -> tuple[int, Entries]:
        """Find the entries of one kind, by the routes that are asked for."""
        routes = ", ".join(sorted(clause.routes))
        return self._at((kind, name, routes) if routes else (kind, name))

    def _entries(self, kind: str, name: str, clause: Listed) -> Meaning:
        """Say where entries of one kind count; *no* where none is of a route not known."""
        join = self._diagrams
        level, cells = self._routed(kind, name, clause)
        yes = join.where(level, self._counting(cells, clause))
        if not clause.routes:
            return Meaning(yes, ALWAYS)
        unrouted = join.where(self._subjects.level(("unrouted", kind, name)), 1)
        # What came by a route came, and an entry of no known route is an entry.
        at, every = self._at((kind, name))
        world = {
            join.if_then(yes, join.where(at, self._counting(every, clause))),
            join.if_then(unrouted, join.where(at, every.any)),
        }
        return Meaning(yes, join.negated(unrouted), frozenset(world))

    @staticmethod
    def _counting(cells: Entries, clause: Listed) -> int:
        if clause.within is None:
            return cells.any
        dated = cells.within(clause.within)
        return dated | cells.undated if clause.undated_counts else dated

    def _began(self, clause: Began) -> Meaning:
        join = self._diagrams
        level, cells = self._at(self._subjects.key_of(clause))
        days = clause.days if clause.at_least else clause.days + 1
        yes = join.where(level, cells.from_low(days))
        no = join.where(level, cells.there & ~cells.from_high(days))
        kinds = ("active", "past") if clause.ever else ("active",)
        entries = []
        for kind in kinds:
            at, listed = self._at((kind, clause.name))
            entries.append(join.where(at, listed.any))
        whole = self._complete_is(self._rules.concepts[clause.name].search)
        return Meaning(
            yes, join.both(no, whole), frozenset({join.if_then(yes, join.some(entries))})
        )

    def _in_future(self, clause: InFuture) -> Meaning:
        found = self._three(("future", clause.name))
        whole = self._complete_is(self._rules.concepts[clause.name].search)
        return Meaning(found.yes, self._diagrams.both(found.no, whole))

    def _complete_is(self, search: str) -> int:
        return self._diagrams.where(self._subjects.level(("complete", search)), 1)

    def _complete(self, clause: ListComplete) -> Meaning:
        yes = self._diagrams.every([self._complete_is(name) for name in clause.lists])
        return Meaning(yes, self._diagrams.negated(yes))

    def _received(self, clause: Received) -> Meaning:
        join = self._diagrams
        parts = []
        for name in clause.names:
            level, cells = self._at(("received", name))
            latest, results = self._at(("concept", name))
            yes = join.either(
                join.where(level, cells.within(clause.within)),
                join.where(latest, results.within(clause.within)),
            )
            complete = self._complete_is(self._rules.concepts[name].search)
            parts.append(Meaning(yes, join.both(join.negated(yes), complete)))
        return self.any_of(parts)

    def _newer(self, clause: NewerThan) -> Meaning:
        join = self._diagrams
        level, than = self._at(("concept", clause.than))
        there = join.where(level, than.there)
        parts = []
        for name in clause.names:
            if name == clause.than:
                continue
            one, other = sorted((name, clause.than))
            pair = self._subjects.level(("newer", one, other))
            latest, results = self._at(("concept", name))
            newer = join.where(pair, 1 if name == one else 2)
            parts.append(join.every([newer, there, join.where(latest, results.there)]))
        yes = join.some(parts)
        return Meaning(yes, join.negated(yes))

    def _not_used(self, clause: NotUsedBecause) -> Meaning:
        join = self._diagrams
        names = clause.names or ("",)
        pairs = [(name, reason) for name in names for reason in clause.reasons]
        if not clause.names:
            # Any result at all: also those of the concepts that other clauses name.
            pairs += [one for one in self._subjects.unused if one[0] and one[1] in clause.reasons]
        parts = []
        for name, reason in pairs:
            level, cells = self._at(("unused", name, reason))
            parts.append(join.where(level, cells.within(clause.within)))
        yes = join.some(parts)
        return Meaning(yes, join.negated(yes))

    def _on_trial(self, clause: OnTrial) -> Meaning:  # noqa: ARG002 - always unknown
        return Meaning(NEVER, NEVER)

    # --- people and conclusions ---------------------------------------------------------

    def _sex(self, clause: SexIs) -> Meaning:
        level, sexes = self._at(("sex",))
        where = self._diagrams.where
        other = {"male", "female"} - {clause.sex}
        return Meaning(where(level, sexes.of({clause.sex})), where(level, sexes.of(other)))

    def _three(self, key: Key) -> Meaning:
        level = self._subjects.level(key)
        where = self._diagrams.where
        return Meaning(where(level, 1), where(level, 2))

    def _grade(self, clause: GradeIs) -> Meaning:
        level, cells = self._at(("factor", clause.name))
        yes, no = cells.is_grade(clause.grade, or_more=clause.or_more)
        where = self._diagrams.where
        return Meaning(where(level, yes), where(level, no))

    def _stage(self, clause: StageIs) -> Meaning:
        if "stages" not in self._opened:
            level, labels = self._at(("stages", ""))
            yes = self._diagrams.where(level, labels.of(clause.labels))
            return Meaning(yes, self._diagrams.negated(yes))
        self.open_stages()
        parts = [self._lines[label] for label in clause.labels if label in self._lines]
        found = self.any_of(parts)
        return Meaning(found.yes, self._diagrams.negated(found.yes), found.world)

    def open_stages(self) -> None:
        """Work out each line of the staging table: proved, and none before it."""
        stages = self._rules.stages
        if self._lines or stages is None or stages.place.path in self._broken:
            return
        join = self._diagrams
        passed, world = ALWAYS, frozenset[int]()
        for line in stages.lines:
            if line.condition is None:
                self._lines[line.label] = Meaning(passed, NEVER, world)
                break
            found = self.of(line.condition)
            world |= found.world
            self._lines[line.label] = Meaning(join.both(passed, found.yes), NEVER, world)
            passed = join.both(passed, join.negated(found.yes))

    def _holds(self, clause: Holds) -> Meaning:
        if "names" not in self._opened:
            return self._three(("condition", clause.name))
        condition = self._rules.conditions[clause.name]
        holds = self.of(condition.holds_if)
        if condition.ruled_out_if is None:
            return holds
        join = self._diagrams
        ruled_out = self.of(condition.ruled_out_if)
        return Meaning(
            holds.yes,
            join.both(join.negated(holds.yes), ruled_out.yes),
            holds.world | ruled_out.world,
        )

    def _fires(self, clause: CardFires) -> Meaning:
        if "names" not in self._opened:
            return self._three(("card", clause.name))
        join = self._diagrams
        card = self._rules.cards[clause.name]
        parts = [self.of(card.show_if)]
        for one in card.unless:
            stop = self.of(one.when)
            if one.if_unknown != "hide":
                # What is not known does not stop it.
                stop = stop._replace(no=join.negated(stop.yes))
            if one.relevant is not None:
                relevant = self.of(one.relevant)
                stop = Meaning(
                    join.both(stop.yes, join.negated(relevant.no)),
                    join.either(stop.no, relevant.no),
                    stop.world | relevant.world,
                )
            parts.append(Meaning(stop.no, stop.yes, stop.world))
        return self.all_of(parts)


_SEXES_OF = {1: ("male",), 2: ("female",), 4: ("male", "female"), 7: ("male", "female")}


def _world(parts: Iterable[Meaning]) -> frozenset[int]:
    return frozenset[int]().union(*(one.world for one in parts))


def _cases(
    limit: Limit | None, sexes: tuple[str, ...], ages: tuple[int, ...], group: str
) -> tuple[Case, ...]:
    """Give the cut-offs that may be meant; none where nothing is said of some of them."""
    if limit is None:
        return ()
    cases = limit.threshold.cases
    if not any(case.group == group for case in cases):
        group = ""
    found: dict[Case, None] = {}
    for sex in sexes:
        for age in ages:
            fitting = [
                case
                for case in cases
                if case.group == group
                and case.sex in {"", sex}
                and (case.age_from is None or age >= case.age_from)
                and (case.age_below is None or age < case.age_below)
            ]
            if not fitting:
                return ()
            found.update(dict.fromkeys(fitting))
    return tuple(found)


def _proved(
    cells: Numbers | Ages,
    within: int,
    low: Limit | None,
    lows: tuple[Case, ...],
    high: Limit | None,
    highs: tuple[Case, ...],
) -> Answer:
    """Say in which states a number is proved to lie between two ends, and where outside."""
    yes, no = within, 0
    if low is not None:
        above, below = _agreed(cells, low, lows, upper=False)
        yes, no = yes & above, no | below
    if high is not None:
        above, below = _agreed(cells, high, highs, upper=True)
        yes, no = yes & below, no | above
    return yes, no & within


def _agreed(cells: Numbers | Ages, limit: Limit, cases: tuple[Case, ...], *, upper: bool) -> Answer:
    """Say where all the cut-offs that may be meant agree; where none may, nothing is proved."""
    if not cases:
        return 0, 0
    yes = no = -1
    for case in cases:
        beyond, short = cells.reach(limit, case, upper=upper)
        yes, no = yes & beyond, no & short
    return yes, no


def _limit(threshold: Threshold | None, *, inclusive: bool) -> Limit | None:
    return None if threshold is None else Limit(threshold, inclusive)


_MEANINGS = cast(
    "Mapping[type, Callable[[Meanings, Any], Meaning]]",
    {
        All: Meanings._all,  # noqa: SLF001 - the table belongs to the class
        Any_: Meanings._any,  # noqa: SLF001
        Not: Meanings._not,  # noqa: SLF001
        AtLeast: Meanings._at_least,  # noqa: SLF001
        Compare: Meanings._compare,  # noqa: SLF001
        Known: Meanings._known,  # noqa: SLF001
        Listed: Meanings._listed,  # noqa: SLF001
        Began: Meanings._began,  # noqa: SLF001
        InFuture: Meanings._in_future,  # noqa: SLF001
        Changed: Meanings._difference,  # noqa: SLF001
        Beside: Meanings._difference,  # noqa: SLF001
        BandIs: Meanings._band,  # noqa: SLF001
        GradeIs: Meanings._grade,  # noqa: SLF001
        StageIs: Meanings._stage,  # noqa: SLF001
        Holds: Meanings._holds,  # noqa: SLF001
        OnTrial: Meanings._on_trial,  # noqa: SLF001
        SexIs: Meanings._sex,  # noqa: SLF001
        ListComplete: Meanings._complete,  # noqa: SLF001
        Received: Meanings._received,  # noqa: SLF001
        NewerThan: Meanings._newer,  # noqa: SLF001
        NotUsedBecause: Meanings._not_used,  # noqa: SLF001
        CardFires: Meanings._fires,  # noqa: SLF001
    },
)
