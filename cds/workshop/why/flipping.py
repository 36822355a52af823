"""
Why not: the smallest changes in the data that would change what became of a rule.

Proposals come from the conditions (`cds.workshop.why.ways`); each is tried with the
reference evaluator, and told only if it changes the answer and no part of it would.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Final

from cds.core.clauses import Clause, GradeIs, StageIs, clauses_of
from cds.core.facts import Snapshot
from cds.core.indices import Index
from cds.core.reads import leaned_on
from cds.core.rules import Card, Condition, Factor, Ruleset, Stages
from cds.reasoning.firing import outcome_of
from cds.reasoning.questions import questions
from cds.reasoning.reference import Reference, Run
from cds.workshop.testing.expectations import kind_of
from cds.workshop.why.explaining import Explained
from cds.workshop.why.reasons import Reason
from cds.workshop.why.solving import Solver
from cds.workshop.why.tracing import Tracer
from cds.workshop.why.ways import MOST_WISHES, Ways
from cds.workshop.why.wishes import Way, Wish, fulfilled, nearest, said

__all__ = ["Flip", "Flips", "NoSuchAnswer", "answers_of", "flips", "state_of", "told"]

_MOST_TOLD: Final = 12
_MOST_TRIED: Final = 240
_MOST_ALONE: Final = 4
_FEW: Final = 4
_ORDER: Final = ("measure", "sex", "age", "complete", "record", "remove")


class NoSuchAnswer(ValueError):
    """A rule has no such answer; the message names those it has."""


@dataclass(frozen=True, slots=True)
class Flip:
    """
    One smallest change: what is changed, the snapshot in which it is, in words.

    *said* puts each wish into words, *then* says what becomes of the numbers in between.
    *like* are other changes that are told together with this one.
    """

    way: Way
    snapshot: Snapshot
    said: tuple[tuple[Wish, str], ...]
    then: tuple[str, ...] = ()
    like: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True)
class Flips:
    """
    What was found: *state* is the answer now, *wanted* the one that was looked for.

    *not_enough* are changes that lead there only together with others. *tried* counts
    the combinations that were evaluated; *more* those that were found and are not told;
    *cut* says that there were too many to try them all; *limits* are clauses for which
    no change is known.
    """

    state: str
    wanted: str
    found: tuple[Flip, ...]
    not_enough: tuple[str, ...]
    tried: int
    more: int = 0
    cut: bool = False
    limits: tuple[str, ...] = ()


def answers_of(rule: Explained) -> tuple[str, ...]:
    """List the answers that a rule can have."""
    if isinstance(rule, Card):
        return ("shown", "not shown")
    if isinstance(rule, Condition):
        return ("yes", "no")
    if isinstance(rule, Factor):
        return tuple(one.name for one in rule.grades)
    if isinstance(rule, Index):
        return (*(one.name for one in rule.bands), "known")
    return tuple(one.label for one in rule.lines)


def state_of(rules: Ruleset, rule: Explained, run: Run) -> str:
    """Give the answer of a rule in one evaluation."""
    if isinstance(rule, Card):
        return "shown" if outcome_of(rule, rules, run).finding is not None else "not shown"
    found = run.conclude()
    if isinstance(rule, Condition):
        answer = run.ask(f"{rule.id}.holds_if")
        if rule.ruled_out_if is None or answer.is_yes:
            return answer.word
        return "no" if run.ask(f"{rule.id}.ruled_out_if").is_yes else "unknown"
    if isinstance(rule, Factor):
        graded = found.grades[rule.id]
        return graded.grade if graded.state == "graded" else graded.state
    if isinstance(rule, Index):
        number = found.numbers[rule.id]
        return (number.band or "known") if number.state == "value" else number.state
    return found.stage.label


def flips(
    rules: Ruleset, rule: Explained, snapshot: Snapshot, wanted: str, usual: Mapping[str, Decimal]
) -> Flips:
    """
    Find the smallest changes after which a rule answers *wanted*.

    *usual* are values to fill in where several measurements are missing at once.
    Raises `NoSuchAnswer`.
    """
    if wanted not in answers_of(rule):
        msg = f"`{wanted}` is no answer of {rule.id}: {', '.join(answers_of(rule))}"
        raise NoSuchAnswer(msg)
    return _Search(rules, rule, snapshot, wanted, usual).run()


class _Search:
    """One search; every snapshot that is tried is evaluated once."""

    def __init__(
        self,
        rules: Ruleset,
        rule: Explained,
        snapshot: Snapshot,
        wanted: str,
        usual: Mapping[str, Decimal],
    ) -> None:
        self._rules = replace(rules, order=leaned_on(rules, kind_of(rule), rule.id))
        self._rule = rule
        self._snapshot = snapshot
        self._wanted = wanted
        self._usual = usual
        self._reference = Reference(self._rules, questions(self._rules))
        self._now = self._reference.start(snapshot)
        self._ways = Ways(self._rules, self._now, Solver(rules, snapshot, usual))
        self._tried: dict[tuple[tuple[Wish, Decimal | None], ...], bool] = {}

    def run(self) -> Flips:
        state = state_of(self._rules, self._rule, self._now)
        if self._fits(state):
            return Flips(state, self._wanted, (), (), 0)
        proposed = self._proposed()
        kept: dict[Way, Mapping[Wish, Decimal]] = {}
        for way in proposed[:_MOST_TRIED]:
            numbers = self._numbers(way)
            least = self._smallest(way, numbers)
            if least is not None:
                kept.setdefault(least, numbers)
        ways = self._widest(kept)
        found = _gathered([self._flip(way, kept[way]) for way in ways])
        # Of many ways the parts would be a list of everything.
        several = [way for way in ways if len(way) > 1] if len(found) <= _FEW else []
        alone = {wish for way in several for wish in way}
        return Flips(
            state=state,
            wanted=self._wanted,
            found=tuple(found[:_MOST_TOLD]),
            not_enough=self._not_enough(alone, {way for way in ways if len(way) == 1}),
            tried=len(self._tried),
            more=len(found[_MOST_TOLD:]),
            cut=self._ways.cut or len(proposed) > _MOST_TRIED,
            limits=tuple(self._ways.limits),
        )

    def _widest(self, kept: Mapping[Way, Mapping[Wish, Decimal]]) -> list[Way]:
        """Keep of changes about the same things the widest that holds for all it says."""
        whole = {way for way in kept if self._open(way, kept[way]) == ()}
        ways = []
        for way in kept:
            others = whole - {way}
            about = {one.variable for one in way}
            if any(_says_more(other, way) for other in others):
                continue
            if way not in whole and any(
                {one.variable for one in other} <= about for other in others
            ):
                continue
            ways.append(way)
        kinds = {"record", "remove"}
        return sorted(ways, key=lambda way: (len(way), sum(one.kind in kinds for one in way)))

    def _open(self, way: Way, numbers: Mapping[Wish, Decimal]) -> Way:
        """Give the wishes of which not every number of the range would do."""
        return tuple(one for one in way if not self._holds_throughout(way, numbers, one))

    # --- what is wanted -----------------------------------------------------------

    def _fits(self, state: str) -> bool:
        if isinstance(self._rule, Index) and self._wanted == "known":
            return state not in {"unknown", "not valid"}
        return state == self._wanted

    def _proposed(self) -> list[Way]:
        rule, ways = self._rule, self._ways
        if isinstance(rule, Card):
            return ways.of_card(rule, "yes" if self._wanted == "shown" else "no")
        if isinstance(rule, Condition):
            return ways.of_condition(rule.id, "yes" if self._wanted == "yes" else "no")
        if isinstance(rule, Factor):
            return ways.of_grade(rule.id, [self._wanted])
        if isinstance(rule, Index):
            return ways.of_band(rule.id, self._wanted)
        return ways.of_stage(self._wanted)

    # --- trying -------------------------------------------------------------------

    def _numbers(self, way: Way) -> dict[Wish, Decimal]:
        return {
            one: nearest(self._rules, self._snapshot, one, self._usual)
            for one in way
            if one.kind in {"measure", "age"}
        }

    def _flips(self, way: Way, numbers: Mapping[Wish, Decimal]) -> bool:
        """Tell whether a change brings the answer that is wanted."""
        key = tuple((one, numbers.get(one)) for one in way)
        if key not in self._tried:
            self._tried[key] = self._fits(
                state_of(self._rules, self._rule, self._start(way, numbers))
            )
        return self._tried[key]

    def _start(self, way: Way, numbers: Mapping[Wish, Decimal]) -> Run:
        return self._reference.start(fulfilled(self._rules, self._snapshot, way, numbers))

    def _smallest(self, way: Way, numbers: Mapping[Wish, Decimal]) -> Way | None:
        """Give the smallest part of a change that is enough; None where all of it is not."""
        for many in range(1, len(way) + 1):
            for part in combinations(way, many):
                if self._flips(part, numbers):
                    return part
        return None

    # --- telling ------------------------------------------------------------------

    def _flip(self, way: Way, numbers: Mapping[Wish, Decimal]) -> Flip:
        examples = self._open(way, numbers)
        words = tuple(
            (
                one,
                said(
                    self._rules,
                    self._snapshot,
                    one,
                    numbers.get(one) if one in examples else None,
                ),
            )
            for one in sorted(way, key=lambda one: _ORDER.index(one.kind))
        )
        changed = fulfilled(self._rules, self._snapshot, way, numbers)
        return Flip(way, changed, words, tuple(self._then(way, changed)))

    def _holds_throughout(self, way: Way, numbers: Mapping[Wish, Decimal], wish: Wish) -> bool:
        """Tell whether other numbers of the range would do as well, as far as tried."""
        if wish.kind != "measure" or wish.example:
            return True
        bounds = self._ways.plausible(wish.name)
        both = wish.range.meet(bounds)
        low, high = (both.low, both.high) if both is not None else (None, None)
        start = numbers[wish]
        ends = (low if low is not None else start / 4, high if high is not None else start * 4)
        points = [(start * (4 - at) + end * at) / 4 for end in ends for at in (1, 3)]
        others = [one for one in points if wish.range.holds(one)]
        return all(self._flips(way, {**numbers, wish: other}) for other in others)

    def _then(self, way: Way, changed: Snapshot) -> list[str]:
        """Say which indices, grades and stages change on the way to the answer."""
        run = self._reference.start(changed)
        before, after = self._now.conclude(), run.conclude()
        tracer = Tracer(self._rules, run)
        between = _mentioned(self._rules, self._rule)
        measured = any(one.kind == "measure" for one in way)
        found = []
        for name in between:
            number, grade = after.numbers.get(name), after.grades.get(name)
            if number is not None and number.band and measured:
                if number.band != before.numbers[name].band:
                    found.append(f"{name} becomes {number.band} ({tracer.workings.say(number)})")
            elif grade is not None and grade.grade != before.grades[name].grade:
                found.append(f"{name} becomes {tracer.graded(grade)}")
        if "stage" in between and after.stage.label != before.stage.label:
            found.append(f"stage becomes {after.stage.label}")
        return found

    def _not_enough(self, alone: Collection[Wish], enough: Collection[Way]) -> tuple[str, ...]:
        """Say what leads there only together with something else."""
        words = [said(self._rules, self._snapshot, one) for one in _in_order(alone)]
        return tuple(dict.fromkeys((*self._short_of(enough), *words[:_MOST_ALONE])))

    def _short_of(self, enough: Collection[Way]) -> Iterator[str]:
        """
        Name evidence that would bring points, but too few of them.

        What brings it may be enough by another way all the same: that is told already.
        """
        variables = {wish.variable for way in enough for wish in way}
        if self._wanted not in {"shown", "yes"}:
            return
        for clause in _asked_of(self._rule):
            if not isinstance(clause, GradeIs) or self._now.answer(clause).is_yes:
                continue
            factor = self._rules.factors[clause.name]
            needed = next((one.points for one in factor.grades if one.name == clause.grade), None)
            low = self._now.conclude().grades[factor.id].points[0]
            for one in factor.evidence_for:
                if needed and one.points and not self._now.answer(one.when).is_yes:
                    points = low + one.points
                    text = getattr(one.when, "text", one.id)
                    ways = self._ways.to(one.when, "yes")
                    told = any(wish.variable in variables for way in ways for wish in way)
                    if points < needed and not told:
                        yield f"{text} ({points} of the {needed} points needed)"


def _says_more(one: Way, other: Way) -> bool:
    """Tell whether a change is a part of another one, or a wider form of it."""
    if one == other:
        return False
    return all(any(wish.covers(its) for its in other) for wish in one)


def _in_order(wishes: Iterable[Wish]) -> list[Wish]:
    """Put wishes into one order."""
    return sorted(wishes, key=lambda one: (one.variable, str(one.range)))


def _gathered(found: list[Flip]) -> list[Flip]:
    """Tell changes together that differ only in which thing is recorded."""
    groups: dict[tuple[object, ...], list[Flip]] = {}
    for one in found:
        records = [wish for wish in one.way if wish.kind == "record"]
        rest = tuple(wish for wish in one.way if wish.kind != "record")
        verb = next((text.partition(" ")[0] for wish, text in one.said if wish in records), "")
        key = (rest, verb) if len(records) == 1 else (one.way,)
        groups.setdefault(key, []).append(one)
    gathered = []
    for many in groups.values():
        first = many[0]
        if len(many) == 1:
            gathered.append(first)
            continue
        names = [text for one in many for wish, text in one.said if wish.kind == "record"]
        verb = names[0].partition(" ")[0]
        joined = f"{verb} any of {', '.join(one.partition(' ')[2] for one in names)}"
        words = tuple(
            (wish, joined if wish.kind == "record" else text) for wish, text in first.said
        )
        gathered.append(replace(first, said=words, like=tuple(one.way for one in many[1:])))
    return gathered


def _asked_of(rule: Explained) -> Iterator[Clause]:
    exprs = (
        [rule.show_if, *(one.when for one in rule.unless)]
        if isinstance(rule, Card)
        else [rule.holds_if]
        if isinstance(rule, Condition)
        else [one.when for one in rule.evidence_for]
        if isinstance(rule, Factor)
        else [one.condition for one in rule.lines if one.condition is not None]
        if isinstance(rule, Stages)
        else list(rule.count_of.values())
    )
    for expr in exprs:
        yield from clauses_of(expr)


def _mentioned(rules: Ruleset, rule: Explained) -> dict[str, None]:
    """Name what stands between a rule and the data, the lowest first."""
    found: dict[str, None] = {}

    def visit(one: Explained) -> None:
        for clause in _asked_of(one):
            if isinstance(clause, StageIs) and rules.stages is not None:
                if "stage" not in found:
                    found["stage"] = None
                    visit(rules.stages)
                continue
            name = getattr(clause, "name", "")
            inner = rules.conditions.get(name) or rules.factors.get(name) or rules.indices.get(name)
            if inner is not None and name not in found:
                visit(inner)
                found[name] = None

    visit(rule)
    return found


def told(found: Flips) -> Iterator[Reason]:
    """Put what was found on the page: the changes, what is not enough, how far it looked."""
    verb = {"shown": "show it", "not shown": "hide it"}.get(found.wanted, f"make it {found.wanted}")
    if found.state == found.wanted:
        yield Reason(f"It is {found.state} already.")
        return
    if found.found:
        rows = [
            Reason("; and ".join(text for _, text in one.said), found="; ".join(one.then))
            for one in found.found
        ]
        yield Reason(f"Smallest changes that would {verb}:", of=tuple(rows))
    else:
        yield Reason(f"No change was found that would {verb}.")
    if found.not_enough:
        rows = [Reason(text) for text in found.not_enough]
        yield Reason("Not enough alone:", of=tuple(rows))
    yield Reason(_how_far(found))
    if found.limits:
        rows = [Reason(text) for text in found.limits]
        yield Reason("No change is known for:", of=tuple(rows))


def _how_far(found: Flips) -> str:
    text = f"Tried {found.tried} combinations of up to {MOST_WISHES} changes"
    if found.more:
        text += f"; {found.more} more were found, none smaller"
    if found.cut:
        text += "; there are others, which were not tried"
    return f"{text}."
