"""
Ways to another answer: which few wishes about the data would make a condition yes, or no.

The search goes from the answer that is wanted down to single data. It proposes; what it
proposes has to be tried, because one datum may matter in several places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import combinations
from typing import Any, Final, Literal, cast

from cds.core.clauses import (
    All,
    Any_,
    AtLeast,
    BandIs,
    Began,
    CardFires,
    Case,
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
    Received,
    SexIs,
    StageIs,
)
from cds.core.drafted import draft_reason
from cds.core.hooks import ACTS, Act
from cds.core.rules import Card, Evidence, Exclusion, Factor, Ruleset
from cds.reasoning.comparison import Facing, possible_cases
from cds.reasoning.reference import Run
from cds.workshop.why.solving import Solver
from cds.workshop.why.wishes import Range, Way, Wish, joined

__all__ = ["MOST_WISHES", "Wanted", "Ways"]

MOST_WISHES: Final = 3
Wanted = Literal["yes", "no"]
_MOST_WAYS: Final = 120


class Ways:
    """
    Finds ways from the answers of one evaluation to other ones.

    *limits* collects the forms of clauses that it has no wish for; *cut* tells whether
    it left ways aside because there were too many.
    """

    def __init__(self, rules: Ruleset, run: Run, solver: Solver) -> None:
        self._rules = rules
        self._run = run
        self._solver = solver
        self._found = run.conclude()
        self._snapshot = run.snapshot
        self._facing = Facing(run.snapshot.person, run.snapshot.as_of, rules.profile.ethnic_group)
        self._memo: dict[tuple[str, str], list[Way]] = {}
        self.limits: dict[str, None] = {}
        self.cut = False

    def to(self, expr: Expr, want: Wanted) -> list[Way]:
        """Give ways to make a condition *want*; the empty one where it is so already."""
        if self._run.answer(expr).word == want:
            return [()]
        key = expr.key, want
        if key not in self._memo:
            self._memo[key] = self._least(self._to(expr, want))
        return self._memo[key]

    def _to(self, expr: Expr, want: Wanted) -> Iterable[Way]:
        if isinstance(expr, Not):
            return self.to(expr.of, "no" if want == "yes" else "yes")
        if isinstance(expr, All | Any_):
            parts = [self.to(one, want) for one in expr.of]
            together = isinstance(expr, All) == (want == "yes")
            return self.all_of(parts) if together else self.any_of(parts)
        if isinstance(expr, AtLeast):
            many = expr.count if want == "yes" else len(expr.of) - expr.count + 1
            return self.some_of(many, [self.to(one, want) for one in expr.of])
        method = _CLAUSES.get(type(expr))
        if method is None:
            self.limits[expr.text] = None
            return []
        return method(self, expr, want)

    # --- joins --------------------------------------------------------------------

    def all_of(self, parts: Iterable[list[Way]]) -> list[Way]:
        """Join a way of each part with one of every other."""
        found: list[Way] = [()]
        for part in parts:
            pairs = (joined(one, other) for one in found for other in part)
            found = self._least(one for one in pairs if one is not None)
        return found

    def any_of(self, parts: Iterable[list[Way]]) -> list[Way]:
        """Give the ways of every part."""
        return self._least(way for part in parts for way in part)

    def some_of(self, many: int, parts: list[list[Way]]) -> list[Way]:
        """Give ways that take *many* of the parts together."""
        if many <= 0:
            return [()]
        done = [part for part in parts if part == [()]]
        rest = [part for part in parts if part and part != [()]]
        more = many - len(done)
        if more > MOST_WISHES:
            return []
        if more <= 0:
            return [()]
        return self.any_of(self.all_of(chosen) for chosen in combinations(rest, more))

    def _least(self, ways: Iterable[Way]) -> list[Way]:
        """Keep ways of few wishes, none that holds another one; the smallest first."""
        found: list[Way] = []
        for way in sorted(dict.fromkeys(ways), key=len):
            if len(way) > MOST_WISHES:
                break
            wishes = set(way)
            if any(wishes.issuperset(one) for one in found):
                continue
            if len(found) == _MOST_WAYS:
                self.cut = True
                break
            found.append(way)
        return found

    # --- numbers ------------------------------------------------------------------

    def _compare(self, clause: Compare, want: Wanted) -> Iterable[Way]:
        if clause.what == "age":
            if self._facing.ages is None:
                for wanted in self._ranges(clause.low, clause.high, want):
                    yield (Wish("age", range=wanted),)
            return
        for wanted in self._ranges(clause.low, clause.high, want):
            if clause.what == "concept":
                yield from self._measured(clause.name, wanted)
            elif clause.what == "index":
                yield from self.of_index(clause.name, wanted)
            else:
                yield from self._of_reading(clause.name, wanted)
        if self._can_record_sex():
            yield from self._with_sex(clause, want)

    def _can_record_sex(self) -> bool:
        """Tell whether the sex is only missing, not set aside by what governs it."""
        governed = any(
            one.governs and self._snapshot.entries.get(name)
            for name, one in self._rules.concepts.items()
        )
        return self._facing.sex == "unknown" and not governed

    def _with_sex(self, clause: Compare, want: Wanted) -> Iterator[Way]:
        """Where cut-offs differ by sex, to record it may be enough."""
        limits = [one for one in (clause.low, clause.high) if one is not None]
        if any(case.sex for one in limits for case in one.threshold.cases):
            for sex in ("male", "female"):
                yield (Wish("sex", value=sex),)
                for wanted in self._ranges(clause.low, clause.high, want, sex):
                    if clause.what == "concept":
                        for way in self._measured(clause.name, wanted):
                            yield (*way, Wish("sex", value=sex))

    def _measured(self, name: str, wanted: Range, times: int = 1, apart: int = 1) -> Iterator[Way]:
        bounds = self._solver.plausible(name)
        both = wanted.meet(bounds)
        if both is not None and self._rules.concepts[name].type == "quantity":
            yield (Wish("measure", name, range=wanted, times=times, apart=apart),)

    def _ranges(
        self, low: Limit | None, high: Limit | None, want: Wanted, sex: str = ""
    ) -> list[Range]:
        """Give the numbers for which a comparison is *want*, whoever the patient may be."""
        if want == "yes":
            found: Range | None = Range()
            for one in (*self._inside(low, "low", sex), *self._inside(high, "high", sex)):
                found = None if found is None else found.meet(one)
            return [] if found is None else [found]
        outside = []
        for limit, side in ((low, "low"), (high, "high")):
            out: Range | None = Range() if limit is not None else None
            for one in self._inside(limit, side, sex):
                out = None if out is None else out.meet(_beyond(one))
            if out is not None:
                outside.append(out)
        return outside

    def _inside(self, limit: Limit | None, side: str, sex: str) -> Iterator[Range]:
        if limit is None:
            return
        for case in self._cases(limit, sex):
            if side == "low":
                yield Range(low=case.value, low_open=not limit.inclusive)
            else:
                yield Range(high=case.value, high_open=not limit.inclusive)

    def _cases(self, limit: Limit, sex: str) -> tuple[Case, ...]:
        cases = possible_cases(limit.threshold, self._facing)
        return tuple(one for one in cases if not sex or one.sex in {"", sex})

    def _of_reading(self, name: str, wanted: Range) -> Iterable[Way]:
        reading = self._rules.readings[name]
        if reading.kind != "count days of":
            return self._measured(reading.concept, wanted, reading.last or 1, reading.apart or 1)
        counts = self._ranges(reading.low, reading.high, "yes")
        if wanted.low is None:
            # Fewer days than so many: the newest result that does not count says so at best.
            outside = self._ranges(reading.low, reading.high, "no")
            parts = [list(self._measured(reading.concept, one)) for one in outside]
            return self.any_of(parts)
        days = int(wanted.low) + (1 if wanted.low_open else 0)
        ways = [
            list(self._measured(reading.concept, one, max(days, 1), reading.apart or 1))
            for one in counts
        ]
        return self.any_of(ways)

    def _band(self, clause: BandIs, want: Wanted) -> Iterable[Way]:
        bands = [one for one in self._rules.indices[clause.name].bands if one.name in clause.bands]
        parts: list[list[Range]] = []
        for band in bands:
            low = Limit(band.low, inclusive=True) if band.low is not None else None
            high = Limit(band.high, inclusive=False) if band.high is not None else None
            parts.append(self._ranges(low, high, want))
        if want == "yes":
            wanted = [one for part in parts for one in part]
        else:
            wanted = [Range()]
            for part in parts:
                met = (one.meet(other) for one in wanted for other in part)
                wanted = [one for one in met if one is not None]
        for one in wanted:
            yield from self.of_index(clause.name, one)
        if self._can_record_sex() and any(
            case.sex
            for band in bands
            for limit in (band.low, band.high)
            if limit is not None
            for case in limit.cases
        ):
            yield from ((Wish("sex", value=sex),) for sex in ("male", "female"))

    def of_band(self, name: str, band: str) -> list[Way]:
        """Give ways to a band of an index; to any number with `known`."""
        for one in self._rules.indices[name].bands:
            if one.name == band:
                low = Limit(one.low, inclusive=True) if one.low is not None else None
                high = Limit(one.high, inclusive=False) if one.high is not None else None
                ranges = self._ranges(low, high, "yes")
                return self.any_of(self.of_index(name, wanted) for wanted in ranges)
        return self.of_index(name, Range())

    def plausible(self, concept: str) -> Range:
        """Give the numbers that a result of a concept may have."""
        return self._solver.plausible(concept)

    def of_index(self, name: str, wanted: Range) -> list[Way]:
        """Give ways to a number of an index."""
        index = self._rules.indices[name]
        found = self._found.numbers[name]
        gates = [
            self.to(gate.when, "no")
            for gate in index.not_valid_if
            if found.state == "not valid" and gate.id == found.because
        ]
        if gates:
            return self._least(self._past_gates(name, wanted, self.all_of(gates)))
        if index.count_of:
            return self._counted(index.count_of.values(), wanted)
        return self._least(self._solver.ways(name, wanted))

    def _past_gates(self, name: str, wanted: Range, gates: list[Way]) -> Iterator[Way]:
        """Solve an index as it is once nothing makes it not valid any more."""
        for gate in gates:
            solver = self._solver.after(gate)
            if solver.is_in(name, wanted):
                yield gate
                continue
            both = (joined(gate, way) for way in solver.ways(name, wanted))
            yield from (way for way in both if way is not None)

    def _counted(self, criteria: Iterable[Expr], wanted: Range) -> list[Way]:
        every = list(criteria)
        parts = []
        if wanted.low is not None:
            least = int(wanted.low) + (1 if wanted.low_open else 0)
            parts.append(self.some_of(least, [self.to(one, "yes") for one in every]))
        if wanted.high is not None:
            most = int(wanted.high) - (1 if wanted.high_open else 0)
            fewer = len(every) - most
            parts.append(self.some_of(fewer, [self.to(one, "no") for one in every]))
        return self.all_of(parts)

    # --- entries and lists --------------------------------------------------------

    def _listed(self, clause: Listed, want: Wanted) -> Iterable[Way]:
        if want == "yes":
            act: Act = clause.act if clause.ordered == "only" else ""
            if act and self._snapshot.hook not in ACTS:
                return []
            return [(Wish("record", name, act=act, routes=clause.routes),) for name in clause.names]
        return self.all_of([self._absent(name, clause) for name in clause.names])

    def _absent(self, name: str, clause: Listed) -> list[Way]:
        """Give ways to know that nothing of a name is listed."""
        if self._run.answer(replace(clause, names=(name,), key=f"{clause.key} {name}")).is_no:
            return [()]
        concept = self._rules.concepts[name.partition(":")[0]]
        way: list[Wish] = []
        if self._snapshot.entries.get(name):
            way.append(Wish("remove", name))
        if not clause.on_record:
            if concept.absent_means == "unknown":
                return []
            if not self._snapshot.state_of(concept.search).complete:
                way.append(Wish("complete", concept.search))
        return [tuple(way)] if way else []

    def _began(self, clause: Began, want: Wanted) -> Iterable[Way]:
        days = clause.days + (0 if clause.at_least else 1)
        return [(Wish("record", clause.name, days=days if want == "yes" else 0),)]

    def _in_future(self, clause: InFuture, want: Wanted) -> Iterable[Way]:
        return [(Wish("remove", clause.name),)] if want == "no" else []

    def _known(self, clause: Known, want: Wanted) -> Iterable[Way]:
        parts = [
            self._one_known(clause, name, what, want)
            for name, what in zip(clause.names, clause.whats, strict=True)
        ]
        together = (clause.quantifier == "all") == (want == "yes")
        return self.all_of(parts) if together else self.any_of(parts)

    def _one_known(self, clause: Known, name: str, what: str, want: Wanted) -> list[Way]:
        alone = replace(clause, names=(name,), whats=(what,), key=f"{clause.key} {name}")
        if self._run.answer(alone).word == want:
            return [()]
        if want == "no":
            return [(Wish("remove", name),)] if what == "concept" else []
        if what == "age":
            return [(Wish("age"),)]
        if what == "index":
            return self.of_index(name, Range())
        if what == "reading":
            return list(self._measured(self._rules.readings[name].concept, Range()))
        return list(self._measured(name, Range()))

    def _complete(self, clause: ListComplete, want: Wanted) -> Iterable[Way]:
        if want == "no":
            return []
        open_ = [name for name in clause.lists if not self._snapshot.state_of(name).complete]
        return [tuple(Wish("complete", name) for name in open_)]

    def _received(self, clause: Received, want: Wanted) -> Iterable[Way]:
        if want == "yes":
            return self.any_of(list(self._measured(name, Range())) for name in clause.names)
        way: dict[Wish, None] = {}
        for name in clause.names:
            if self._snapshot.results.get(name) or self._snapshot.unusable.get(name):
                way[Wish("remove", name)] = None
            search = self._rules.concepts[name].search
            if not self._snapshot.state_of(search).complete:
                way[Wish("complete", search)] = None
        return [tuple(way)]

    def _newer(self, clause: NewerThan, want: Wanted) -> Iterable[Way]:
        if want == "yes":
            return self.any_of(list(self._measured(name, Range())) for name in clause.names)
        return self._measured(clause.than, Range())

    def _sex(self, clause: SexIs, want: Wanted) -> Iterable[Way]:
        if not self._can_record_sex():
            return []
        other = {"male": "female", "female": "male"}[clause.sex]
        return [(Wish("sex", value=clause.sex if want == "yes" else other),)]

    # --- conclusions --------------------------------------------------------------

    def _holds(self, clause: Holds, want: Wanted) -> Iterable[Way]:
        return self.of_condition(clause.name, want)

    def of_condition(self, name: str, want: Wanted) -> list[Way]:
        """Give ways to a named condition that holds, or does not."""
        rule = self._rules.conditions[name]
        if want == "yes" or rule.ruled_out_if is None:
            return self.to(rule.holds_if, want)
        ruled_out = self.to(rule.ruled_out_if, "yes")
        if not self._run.answer(rule.holds_if).is_yes:
            return ruled_out
        return self.all_of([self.to(rule.holds_if, "no"), ruled_out])

    def _stage_is(self, clause: StageIs, want: Wanted) -> Iterable[Way]:
        if want == "yes":
            return self.any_of(self.of_stage(label) for label in clause.labels)
        return self.leaving_stage()

    def of_stage(self, label: str) -> list[Way]:
        """Give ways to a stage: its line proved, and no line before it."""
        stages = self._rules.stages
        if stages is None:
            return []
        parts: list[list[Way]] = []
        for line in stages.lines:
            if line.label == label:
                return self.all_of(
                    [*parts, [()] if line.condition is None else self.to(line.condition, "yes")]
                )
            if line.condition is not None and self._run.answer(line.condition).is_yes:
                parts.append(self.to(line.condition, "no"))
        return []

    def leaving_stage(self) -> list[Way]:
        """Give ways to another stage than this one, whichever."""
        stages = self._rules.stages
        if stages is None:
            return []
        parts = []
        for line in stages.lines:
            if line.condition is None:
                break
            here = line.label == self._found.stage.label
            parts.append(self.to(line.condition, "no" if here else "yes"))
            if here:
                break
        return self.any_of(parts)

    def _grade_is(self, clause: GradeIs, want: Wanted) -> Iterable[Way]:
        names = [one.name for one in self._rules.factors[clause.name].grades]
        if clause.grade not in names:
            return self.of_grade(clause.name, [one for one in names if want == "no"])
        at = names.index(clause.grade)
        good = set(names[: at + 1] if clause.or_more else [clause.grade])
        return self.of_grade(
            clause.name, [one for one in names if (one in good) == (want == "yes")]
        )

    def of_grade(self, name: str, grades: Iterable[str]) -> list[Way]:
        """Give ways to one of these grades of a factor."""
        factor = self._rules.factors[name]
        gates = [] if factor.assess_if is None else [self.to(factor.assess_if, "yes")]
        gates += [
            self._not_stopped(one, f"{factor.id}.exclude_if.{one.id}") for one in factor.exclude_if
        ]
        ways = [self._graded(factor, grade) for grade in grades]
        return self.all_of([*gates, self.any_of(ways)])

    def _graded(self, factor: Factor, name: str) -> list[Way]:
        grade = next((one for one in factor.grades if one.name == name), None)
        if grade is None:
            return []
        floors = [one for one in factor.evidence_for if one.at_least == name]
        ceilings = [one for one in factor.evidence_against if one.at_most == name]
        parts = [self.to(one.when, "yes") for one in (*floors, *ceilings)]
        if grade.points is not None:
            parts.extend(self._with_points(factor, grade.points))
        if grade.cannot_reach is not None:
            # Everything that could still bring points has to be excluded.
            parts.append(self._without_points(factor, grade.cannot_reach))
        return self.any_of(parts)

    def _with_points(self, factor: Factor, points: int) -> Iterator[list[Way]]:
        """Give ways to so many points, by evidence that is not proved yet."""
        low = self._found.grades[factor.id].points[0]
        open_ = [
            one
            for one in factor.evidence_for
            if one.points and not self._run.answer(one.when).is_yes
        ]
        for many in range(1, MOST_WISHES + 1):
            for chosen in combinations(open_, many):
                if low + sum(one.points for one in chosen) >= points:
                    yield self.all_of([self.to(one.when, "yes") for one in chosen])
        # Points that are one too many for a lower grade are taken away again.
        true = [one for one in factor.evidence_for if self._run.answer(one.when).is_yes]
        if low >= points:
            for many in range(1, MOST_WISHES + 1):
                for chosen in combinations(true, many):
                    yield self.all_of([self.to(one.when, "no") for one in chosen])

    def _without_points(self, factor: Factor, reach: int) -> list[Way]:
        def points(items: Iterable[Evidence]) -> int:
            return sum(one.points for one in items)

        possible = [
            one
            for one in factor.evidence_for
            if not self._run.answer(one.when).is_no
            and (self._run.answer(one.when).is_yes or one.if_missing == "could_be_true")
        ]
        return self.any_of(
            self.all_of([self.to(one.when, "no") for one in chosen])
            for many in range(1, MOST_WISHES + 1)
            for chosen in combinations(possible, many)
            if points(possible) - points(chosen) < reach
        )

    def _card_fires(self, clause: CardFires, want: Wanted) -> Iterable[Way]:
        return self.of_card(self._rules.cards[clause.name], want)

    def of_card(self, card: Card, want: Wanted) -> list[Way]:
        """Give ways to a card that fires, or does not: gates, exclusions and conditions."""
        population = self._rules.population
        stops = [(f"{card.id}.unless.{one.id}", one) for one in card.unless]
        if population is not None:
            stops += [
                (f"population.unless.{one.id}", one)
                for one, exempt in population.unless
                if not any(fnmatchcase(card.code, pattern) for pattern in exempt)
            ]
        if want == "yes":
            parts = [self.to(card.show_if, "yes")]
            if population is not None:
                parts.append(self.to(population.require, "yes"))
            reason = draft_reason(
                card, self._rules.conditions, self._rules.cards, self._rules.concepts
            )
            if reason is not None and self._snapshot.hook in ACTS:
                parts.append(self.to(reason, "yes"))
            parts += [self._not_stopped(one, name) for name, one in stops]
            return self.all_of(parts)
        stopped = [self.to(one.when, "yes") for _, one in stops]
        return self.any_of([self.to(card.show_if, "no"), *stopped])

    def _not_stopped(self, one: Exclusion, name: str) -> list[Way]:
        """Give ways past an exclusion that stops; one that does not needs none."""
        irrelevant = one.relevant is not None and self._run.ask(f"{name}.relevant").is_no
        answer = self._run.answer(one.when)
        stops = answer.is_yes or (answer.is_unknown and one.if_unknown == "hide")
        if irrelevant or not stops:
            return [()]
        ways = [self.to(one.when, "no")]
        if one.relevant is not None:
            ways.append(self.to(one.relevant, "no"))
        return self.any_of(ways)


def _beyond(inside: Range) -> Range:
    """Turn one open-ended range round."""
    if inside.low is not None:
        return Range(high=inside.low, high_open=not inside.low_open)
    return Range(low=inside.high, low_open=not inside.high_open)


_CLAUSES: Final = cast(
    "Mapping[type, Callable[[Ways, Any, Wanted], Iterable[Way]]]",
    {
        Compare: Ways._compare,  # noqa: SLF001 - the table belongs to the class
        BandIs: Ways._band,  # noqa: SLF001
        Listed: Ways._listed,  # noqa: SLF001
        Began: Ways._began,  # noqa: SLF001
        InFuture: Ways._in_future,  # noqa: SLF001
        Known: Ways._known,  # noqa: SLF001
        ListComplete: Ways._complete,  # noqa: SLF001
        Received: Ways._received,  # noqa: SLF001
        NewerThan: Ways._newer,  # noqa: SLF001
        SexIs: Ways._sex,  # noqa: SLF001
        Holds: Ways._holds,  # noqa: SLF001
        StageIs: Ways._stage_is,  # noqa: SLF001
        GradeIs: Ways._grade_is,  # noqa: SLF001
        CardFires: Ways._card_fires,  # noqa: SLF001
    },
)
