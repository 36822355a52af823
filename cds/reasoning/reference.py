"""
The direct evaluator: walks the conditions of the rule files and keeps every reason.

It is a full second implementation beside the engine, the owner of the trace, and what
answers where the engine cannot be had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from decimal import Decimal
from typing import Any, TypeGuard, cast

from cds.core.clauses import (
    All,
    Any_,
    AtLeast,
    BandIs,
    Began,
    Beside,
    CardFires,
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
    clauses_of,
)
from cds.core.facts import Entry, Gap, Snapshot
from cds.core.findings import Conclusions, GradeResult, IndexResult, Interval, StageResult
from cds.core.latest import Datum, gap_of, latest
from cds.core.moment import DAY
from cds.core.rules import Ruleset
from cds.core.truth import (
    NO,
    YES,
    Need,
    Truth,
    all_of,
    any_of,
    at_least,
    known,
    negate,
    unknown,
)
from cds.reasoning.arithmetic import Numbers
from cds.reasoning.comparison import Facing, compare
from cds.reasoning.differences import Difference, beside_of, change_of
from cds.reasoning.grading import Grades, stage
from cds.reasoning.questions import Asked, Question, asked_by, fires, questions_about

__all__ = ["Decide", "Reference", "Run"]

Decide = Callable[[str, Truth], Truth]


class Reference:
    """Evaluates snapshots against one release; holds nothing of any patient."""

    def __init__(self, rules: Ruleset, asked: tuple[Question, ...]) -> None:
        self._rules = rules
        self._asked = {one.name: one.expr for one in asked}
        self._of_indices = asked_by("index", asked)
        self._of_factors = asked_by("factor", asked)

    def start(self, snapshot: Snapshot, decide: Decide | None = None) -> Run:
        """
        Evaluate one snapshot; questions of cards are answered when they are asked.

        *decide* may put another evaluator's answer in the place of ours.
        """
        return Run(self._rules, self._asked, self._of_indices, self._of_factors, snapshot, decide)


class Run:
    """
    One evaluation.

    Readings, indices, conditions, stage and factors are worked out in order; every
    answer is kept, so `answers` is the trace; *worked* and *graded* hold numbers and
    grades by what was answered.
    """

    def __init__(
        self,
        rules: Ruleset,
        asked: Mapping[str, Expr],
        of_indices: Asked,
        of_factors: Asked,
        snapshot: Snapshot,
        decide: Decide | None = None,
    ) -> None:
        self._decide = decide
        self._rules = rules
        self._asked = asked
        self._snapshot = snapshot
        self._facing = Facing(snapshot.person, snapshot.as_of, rules.profile.ethnic_group)
        self.worked: dict[tuple[str | bool, ...], IndexResult] = {}
        self._numbers = Numbers(snapshot, rules.concepts, self._facing, of_indices, self.worked)
        self._memo: dict[str, Truth] = {}
        self._latest: dict[str, Datum | None] = {}
        self._absences: dict[str, Truth] = {}
        self._stage = StageResult("")
        self.graded: dict[tuple[str | bool, ...], GradeResult] = {}
        self._grades = Grades(of_factors, self.graded)
        self.answers: dict[str, Truth] = {}
        self._leaves_stage_open = False
        self._opened: Run | None = None
        self._work_out(rules.order)

    def _work_out(self, order: Iterable[tuple[str, str]]) -> None:
        rules = self._rules
        for kind, name in order:
            if kind == "reading":
                self._numbers.read(rules.readings[name])
            elif kind == "index":
                self._numbers.compute(rules.indices[name], self.ask)
            elif kind == "condition":
                self._holds_now(name)
            elif kind == "stages" and rules.stages is not None:
                self._stage = stage(rules.stages, self.ask)
            elif kind == "factor":
                self._grades.grade(rules.factors[name], self.ask, self._age_of)

    def instead(self, rules: Ruleset, kind: str, name: str) -> Run:
        """
        Evaluate the same snapshot with another text of one rule, and nothing else again.

        Nothing that this run has worked out may lean on the rule: it is the top of the
        order, as with `leaned_on`. A condition of the other text that asks something else
        needs a key of its own.
        """
        asked = questions_about(rules, kind, name)
        other = self._with_text(rules, asked, name)
        if self._opened is not None:
            other._opened = self._opened._with_text(rules, asked, name)  # noqa: SLF001
        own = [one for one in rules.order if one[0] == "reading" and one[1].startswith(f"{name}.")]
        other._work_out([*own, (kind, name)])  # noqa: SLF001 - a copy of our own
        return other

    def _with_text(self, rules: Ruleset, asked: tuple[Question, ...], name: str) -> Run:
        other = copy(self)
        other._rules = rules  # noqa: SLF001 - a copy of our own
        other._asked = {**self._asked, **{one.name: one.expr for one in asked}}  # noqa: SLF001
        other._numbers = self._numbers.again(asked_by("index", asked))  # noqa: SLF001
        other._grades = self._grades.again(asked_by("factor", asked))  # noqa: SLF001
        other.answers = {
            one: answer for one, answer in self.answers.items() if not one.startswith(f"{name}.")
        }
        return other

    @property
    def facing(self) -> Facing:
        """Give whom and when cut-offs are meant for."""
        return self._facing

    def holds(self, name: str) -> Truth:
        """Answer a named condition, with what rules it out."""
        return self._holds_now(name)

    def number_of(self, clause: Compare) -> Interval | None:
        """Give the number that a comparison looks at; None where there is none."""
        if clause.what == "concept":
            datum = self.latest(clause.name)
            return None if datum is None else datum.number
        if clause.what == "age":
            ages = self._facing.ages
            return None if ages is None else Interval(Decimal(ages[0]), Decimal(ages[1]))
        return self._numbers.known[clause.name].number

    @property
    def snapshot(self) -> Snapshot:
        """Give what was evaluated."""
        return self._snapshot

    def conclude(self) -> Conclusions:
        """Give everything found so far."""
        return Conclusions(self.answers, self._numbers.known, self._stage, self._grades.known)

    def might(self, expr: Expr) -> Truth:
        """
        Answer a condition as it would be with the stage left open.

        The label is what was proved; a line that was passed because something is not
        known could still be the patient's. For saying what is undecided, never for
        deciding.
        """
        if not self._stage.could_be:
            return self.answer(expr)
        if self._opened is None:
            self._opened = self._with_stage_open()
        return self._opened.answer(expr)

    def _with_stage_open(self) -> Run:
        other = copy(self)
        other.answers = {}
        other._memo = {}  # noqa: SLF001 - a copy of our own
        other._leaves_stage_open = True  # noqa: SLF001
        return other

    def ask(self, name: str) -> Truth:
        """Answer a question by its name."""
        found = self.answers.get(name)
        if found is None:
            found = self.answer(self._asked[name])
            if self._decide is not None:
                found = self._decide(name, found)
            self.answers[name] = found
        return found

    def latest(self, concept: str) -> Datum | None:
        """Give the datum of a concept that counts, worked out once."""
        if concept not in self._latest:
            self._latest[concept] = latest(self._snapshot, concept)
        return self._latest[concept]

    def answer(self, expr: Expr) -> Truth:
        """Answer a condition; equal conditions are worked out once."""
        found = self._memo.get(expr.key)
        if found is None:
            found = self._memo[expr.key] = _ANSWERS[type(expr)](self, expr)
        return found

    # --- joins ----------------------------------------------------------------

    def _all(self, expr: All) -> Truth:
        return all_of(self.answer(one) for one in expr.of)

    def _any(self, expr: Any_) -> Truth:
        return any_of(self.answer(one) for one in expr.of)

    def _not(self, expr: Not) -> Truth:
        return negate(self.answer(expr.of))

    def _at_least(self, expr: AtLeast) -> Truth:
        return at_least(expr.count, [self.answer(one) for one in expr.of])

    # --- clauses ----------------------------------------------------------------

    def _compare(self, clause: Compare) -> Truth:
        if clause.what == "concept":
            return self._compare_concept(clause)
        if clause.what == "age":
            ages = self._facing.ages
            if ages is None:
                return unknown(Need("age", Gap.NOT_RECORDED))
            span = Interval(Decimal(ages[0]), Decimal(ages[1]))
            return compare(
                span, clause.low, clause.high, self._facing, needs=[Need("age", "date not exact")]
            )
        found = self._numbers.known[clause.name]
        if found.state != "value" or found.number is None:
            return unknown(*self._needs_of(clause.name))
        if clause.within is not None and (found.days or 0) > clause.within:
            return unknown(Need(clause.name, Gap.STALE))
        needs = found.needs or (Need(clause.name, "known within bounds only"),)
        return compare(found.number, clause.low, clause.high, self._facing, needs=needs)

    def _compare_concept(self, clause: Compare) -> Truth:
        datum = self.latest(clause.name)
        if datum is None or (clause.within is not None and datum.days > clause.within):
            return unknown(Need(clause.name, self._gap(clause.name, clause.within)))
        reason = Gap.CONFLICT if datum.conflict else "known within bounds only"
        return compare(
            datum.number,
            clause.low,
            clause.high,
            self._facing,
            sent=datum.sent,
            unit=datum.unit,
            result=datum.result,
            needs=[Need(clause.name, reason)],
        )

    def _gap(self, concept: str, within: int | None) -> str:
        search = self._rules.concepts[concept].search
        return gap_of(self._snapshot, concept, search, within)

    def _needs_of(self, name: str) -> tuple[Need, ...]:
        found = self._numbers.known[name]
        if found.state == "not valid":
            return found.needs or (Need(name, Gap.NOT_VALID),)
        return found.needs

    def _known(self, clause: Known) -> Truth:
        answers = (
            self._is_known(name, what, clause.within)
            for name, what in zip(clause.names, clause.whats, strict=True)
        )
        return known(any(answers) if clause.quantifier == "any" else all(answers))

    def _is_known(self, name: str, what: str, within: int | None) -> bool:
        if what == "age":
            return self._facing.ages is not None
        if what == "concept":
            datum = self.latest(name)
            window = within if within is not None else self._rules.concepts[name].within
            return (
                datum is not None
                and not datum.conflict
                and (window is None or datum.days <= window)
            )
        return self._numbers.known[name].state == "value"

    def _listed(self, clause: Listed) -> Truth:
        return any_of(self._one_listed(name, clause) for name in clause.names)

    def _one_listed(self, name: str, clause: Listed) -> Truth:
        undated = unrouted = False
        for entry in self._snapshot.entries.get(name, ()):
            if not (entry.active or clause.ever) or not _ordered(entry, clause):
                continue
            if clause.routes and entry.routes is None:
                unrouted = True
            elif clause.routes and not set(clause.routes) & set(entry.routes or ()):
                continue
            elif clause.within is None or (entry.days is None and clause.undated_counts):
                return YES
            elif entry.days is None:
                undated = True
            elif entry.days <= clause.within:
                return YES
        if clause.on_record and not unrouted:
            return NO
        if undated or unrouted:
            return unknown(Need(name, Gap.ROUTE if unrouted else Gap.UNDATED))
        drafts = self._snapshot.drafts
        if clause.ordered and not drafts.complete:
            return unknown(Need(name, drafts.reason))
        if clause.ordered == "only":
            return NO
        return self._absent(name)

    def _absent(self, name: str) -> Truth:
        """Say whether what is not listed is proved absent; worked out once."""
        found = self._absences.get(name)
        if found is None:
            concept = self._rules.concepts[name.partition(":")[0]]
            state = self._snapshot.state_of(concept.search)
            if concept.absent_means == "unknown":
                found = unknown(Need(name, Gap.NOT_RECORDED))
            else:
                found = NO if state.complete else unknown(Need(name, state.reason))
            self._absences[name] = found
        return found

    def _began(self, clause: Began) -> Truth:
        as_of = self._snapshot.as_of
        limit = clause.days if clause.at_least else clause.days + 1
        counted = 0
        needs: list[Need] = []
        for entry in self._snapshot.entries.get(clause.name, ()):
            if entry.ordered or not (entry.active or clause.ever):
                continue
            counted += 1
            if entry.when is None:
                needs.append(Need(clause.name, Gap.UNDATED))
            elif (as_of - entry.when.end) // DAY >= limit:
                return YES
            elif (as_of - entry.when.start) // DAY >= limit:
                needs.append(Need(clause.name, "date not exact"))
        return unknown(*needs) if needs else self._not_listed(clause.name, counted)

    def _in_future(self, clause: InFuture) -> Truth:
        as_of = self._snapshot.as_of
        entries = self._snapshot.entries.get(clause.name, ())
        dates = [one.when for one in entries if one.when is not None]
        if any(when.start > as_of for when in dates):
            return YES
        if any(when.end > as_of for when in dates):
            return unknown(Need(clause.name, "date not exact"))
        return self._not_listed(clause.name, len(dates))

    def _not_listed(self, name: str, counted: int) -> Truth:
        """Answer no where the list is whole, and says anything of the matter at all."""
        concept = self._rules.concepts[name]
        if not counted and concept.absent_means == "unknown":
            return unknown(Need(name, gap_of(self._snapshot, name, concept.search, None)))
        state = self._snapshot.state_of(concept.search)
        return NO if state.complete else unknown(Need(name, state.reason))

    def _changed(self, clause: Changed) -> Truth:
        return self._differs(change_of(clause, self._snapshot, self._rules.concepts), clause)

    def _beside(self, clause: Beside) -> Truth:
        known = self._numbers.known
        return self._differs(beside_of(clause, self._snapshot, self._rules.concepts, known), clause)

    def _differs(self, found: Difference, clause: Changed | Beside) -> Truth:
        if found.number is None:
            return unknown(*found.needs)
        return compare(found.number, clause.low, clause.high, self._facing, needs=found.needs)

    def _band(self, clause: BandIs) -> Truth:
        index = self._rules.indices[clause.name]
        found = self._numbers.known[clause.name]
        if found.state != "value" or found.number is None:
            return unknown(*self._needs_of(clause.name))
        number = found.number
        needs = found.needs or (Need(clause.name, "between bands"),)
        answers = []
        for band in index.bands:
            if band.name in clause.bands:
                low = _limit(band.low, inclusive=True)
                high = _limit(band.high, inclusive=False)
                answers.append(compare(number, low, high, self._facing, needs=needs))
        return any_of(answers)

    def _grade(self, clause: GradeIs) -> Truth:
        found = self._grades.known[clause.name]
        if found.state != "graded":
            return unknown(*(found.needs or (Need(clause.name, found.state),)))
        names = [one.name for one in self._rules.factors[clause.name].grades]
        ranks = {name: len(names) - at for at, name in enumerate(names)}
        at = ranks.get(found.grade, 0)
        could = max(at, ranks.get(found.could_become, 0))
        wanted = ranks.get(clause.grade, 0)
        needs = found.needs or (Need(clause.name, Gap.NOT_DECIDED),)
        if clause.or_more:
            if at >= wanted:
                return YES
            return NO if could < wanted else unknown(*needs)
        if at == could:
            return known(at == wanted)
        return unknown(*needs) if at <= wanted <= could else NO

    def _stage_is(self, clause: StageIs) -> Truth:
        if self._stage.label in clause.labels:
            return YES
        open_ = [name for name in self._stage.could_be if name in clause.labels]
        if self._leaves_stage_open and open_ and self._rules.stages is not None:
            table = self._rules.stages.id
            return unknown(*(need for name in open_ for need in self.ask(f"{table}.{name}").needs))
        return NO

    def _holds(self, clause: Holds) -> Truth:
        return self._holds_now(clause.name)

    def _holds_now(self, name: str) -> Truth:
        holds = self.ask(f"{name}.holds_if")
        condition = self._rules.conditions[name]
        if condition.ruled_out_if is None or holds.is_yes:
            return holds
        if self.ask(f"{name}.ruled_out_if").is_yes:
            return NO
        needs = holds.needs or (Need(name, Gap.NOT_RECORDED),)
        return unknown(*needs)

    def _sex(self, clause: SexIs) -> Truth:
        sex = self._facing.sex
        if sex == "unknown":
            return unknown(Need("sex", Gap.NOT_RECORDED))
        return known(sex == clause.sex)

    def _complete(self, clause: ListComplete) -> Truth:
        return known(all(self._snapshot.state_of(name).complete for name in clause.lists))

    def _received(self, clause: Received) -> Truth:
        return any_of(self._one_received(name, clause.within) for name in clause.names)

    def _one_received(self, name: str, within: int | None) -> Truth:
        for result in self._snapshot.results.get(name, ()):
            if within is None or result.days <= within:
                return YES
        for one in self._snapshot.unusable.get(name, ()):
            if one.reason in {Gap.PREGNANCY, Gap.NOT_FASTING}:
                continue
            if within is None or one.days is None or one.days <= within:
                return YES
        state = self._snapshot.state_of(self._rules.concepts[name].search)
        return NO if state.complete else unknown(Need(name, state.reason))

    def _newer(self, clause: NewerThan) -> Truth:
        than = self._snapshot.results.get(clause.than, ())
        if not than:
            return NO
        when = than[0].when.end
        return known(
            any(
                found[0].when.end > when
                for name in clause.names
                if (found := self._snapshot.results.get(name, ()))
            )
        )

    def _not_used(self, clause: NotUsedBecause) -> Truth:
        names = clause.names or tuple(self._snapshot.unusable)
        return known(
            any(
                one.reason in clause.reasons
                and (clause.within is None or one.days is None or one.days <= clause.within)
                for name in names
                for one in self._snapshot.unusable.get(name, ())
            )
        )

    def _on_trial(self, clause: OnTrial) -> Truth:
        return unknown(Need(clause.name, Gap.ON_TRIAL))

    def _card_fires(self, clause: CardFires) -> Truth:
        return fires(self._rules.cards[clause.name], self.ask)

    def _age_of(self, expr: Expr) -> int | None:
        """Give the age of the newest datum that a condition asks about."""
        ages: list[int] = []
        for clause in clauses_of(expr):
            if _is_of_concept(clause):
                datum = self.latest(clause.name)
                if datum is not None:
                    ages.append(datum.days)
            elif (
                isinstance(clause, Compare | BandIs | Beside) and clause.name in self._numbers.known
            ):
                days = self._numbers.known[clause.name].days
                if days is not None:
                    ages.append(days)
            elif isinstance(clause, Listed | Began):
                names = clause.names if isinstance(clause, Listed) else (clause.name,)
                ages.extend(
                    entry.days
                    for name in names
                    for entry in self._snapshot.entries.get(name, ())
                    if entry.days is not None
                )
        return min(ages, default=None)


def _is_of_concept(clause: Expr) -> TypeGuard[Compare | Beside | Changed]:
    """Tell whether a clause asks about the latest result of a concept."""
    if isinstance(clause, Compare | Beside):
        return clause.what == "concept"
    return isinstance(clause, Changed)


def _ordered(entry: Entry, clause: Listed) -> bool:
    if clause.ordered == "only":
        return entry.act == clause.act
    return not entry.ordered or clause.ordered == "also"


def _limit(threshold: Threshold | None, *, inclusive: bool) -> Limit | None:
    return None if threshold is None else Limit(threshold, inclusive)


_ANSWERS = cast(
    "Mapping[type, Callable[[Run, Any], Truth]]",
    {
        All: Run._all,  # noqa: SLF001 - the table belongs to the class
        Any_: Run._any,  # noqa: SLF001
        Not: Run._not,  # noqa: SLF001
        AtLeast: Run._at_least,  # noqa: SLF001
        Compare: Run._compare,  # noqa: SLF001
        Known: Run._known,  # noqa: SLF001
        Listed: Run._listed,  # noqa: SLF001
        Began: Run._began,  # noqa: SLF001
        InFuture: Run._in_future,  # noqa: SLF001
        Changed: Run._changed,  # noqa: SLF001
        Beside: Run._beside,  # noqa: SLF001
        BandIs: Run._band,  # noqa: SLF001
        GradeIs: Run._grade,  # noqa: SLF001
        StageIs: Run._stage_is,  # noqa: SLF001
        Holds: Run._holds,  # noqa: SLF001
        SexIs: Run._sex,  # noqa: SLF001
        ListComplete: Run._complete,  # noqa: SLF001
        Received: Run._received,  # noqa: SLF001
        NewerThan: Run._newer,  # noqa: SLF001
        NotUsedBecause: Run._not_used,  # noqa: SLF001
        CardFires: Run._card_fires,  # noqa: SLF001
        OnTrial: Run._on_trial,  # noqa: SLF001
    },
)
