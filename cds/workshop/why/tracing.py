"""
Why a rule answers as it does: its clauses with the values they met, as a tree of reasons.

The answers are the reference evaluator's own; what is added here is only the words:
the author's clause, the value found, the cut-off that applied, the reason of an unknown
answer, and the line in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from cds.core.clauses import (
    All,
    Any_,
    AtLeast,
    BandIs,
    Began,
    Beside,
    CardFires,
    Changed,
    Clause,
    Compare,
    Expr,
    GradeIs,
    Holds,
    InFuture,
    Known,
    ListComplete,
    Listed,
    NewerThan,
    Not,
    NotUsedBecause,
    OnTrial,
    Received,
    SexIs,
    StageIs,
)
from cds.core.facts import Entry, Gap, Snapshot
from cds.core.findings import GradeResult, IndexResult
from cds.core.latest import latest
from cds.core.rules import Evidence, Factor, Ruleset
from cds.core.truth import Need, Truth, all_of, any_of, at_least, negate, unknown
from cds.reasoning.comparison import compare
from cds.reasoning.differences import beside_of, change_of
from cds.reasoning.formula import Chosen
from cds.reasoning.reference import Run
from cds.workshop.why.reasons import Reason
from cds.workshop.why.values import Values
from cds.workshop.why.workings import Workings

__all__ = ["Tracer", "headed", "is_sentence", "named", "unwrapped"]


class Tracer:
    """
    Gives the reasons of one evaluation.

    A condition, index or factor that a clause names is opened where it decides the
    answer, *depth* levels deep. *inputs* are the chosen inputs of an index, for the gates
    that ask about them.
    """

    def __init__(
        self,
        rules: Ruleset,
        run: Run,
        *,
        depth: int = 1,
        inputs: Mapping[str, Chosen] | None = None,
    ) -> None:
        self.rules = rules
        self.run = run
        self.depth = depth
        self.found = run.conclude()
        self.values = Values(rules, run.snapshot)
        self.workings = Workings(rules, run, self.values)
        self._inputs = inputs or {}

    @property
    def snapshot(self) -> Snapshot:
        """Give what was evaluated."""
        return self.run.snapshot

    # --- answers ----------------------------------------------------------------

    def answer(self, expr: Expr) -> Truth:
        """Answer a condition as the evaluator does, and clauses about chosen inputs."""
        if isinstance(expr, Not):
            return negate(self.answer(expr.of))
        if isinstance(expr, All):
            return all_of(self.answer(one) for one in expr.of)
        if isinstance(expr, Any_):
            return any_of(self.answer(one) for one in expr.of)
        if isinstance(expr, AtLeast):
            return at_least(expr.count, [self.answer(one) for one in expr.of])
        if isinstance(expr, Compare) and expr.what == "input":
            return self._of_input(expr)
        return self.run.answer(expr)

    def _of_input(self, clause: Compare) -> Truth:
        one = self._inputs.get(clause.name)
        if one is None:
            return unknown(Need(clause.name, Gap.NO_PAIR))
        facing = self.values.facing
        return compare(one.number, clause.low, clause.high, facing, sent=one.sent, unit=one.unit)

    # --- conditions -------------------------------------------------------------

    def condition(self, expr: Expr, depth: int | None = None, *, decides: bool = True) -> Reason:
        """Give the reasons of a condition; *decides* tells whether anything hangs on it."""
        left = self.depth if depth is None else depth
        if isinstance(expr, All | Any_ | AtLeast):
            return self._joined(expr, left, decides=decides)
        if isinstance(expr, Not):
            return self._negated(expr, left, decides=decides)
        return self._clause(expr, left, decides=decides)

    def _joined(self, expr: All | Any_ | AtLeast, depth: int, *, decides: bool) -> Reason:
        answer = self.answer(expr)
        # On parts that answer as the whole does the whole hangs; a count on its yes too.
        decisive = {answer.word, "yes"} if isinstance(expr, AtLeast) else {answer.word}
        of = tuple(
            self.condition(one, depth, decides=decides and self.answer(one).word in decisive)
            for one in expr.of
        )
        return Reason(_words_of(expr), answer.word, place=expr.place, of=of)

    def _negated(self, expr: Not, depth: int, *, decides: bool) -> Reason:
        answer = self.answer(expr)
        inner = self.condition(expr.of, depth, decides=decides)
        if is_sentence(expr):
            # The author wrote one sentence: "is absent", "none of [...]".
            return replace(inner, answer=answer.word, of=())
        return Reason("not", answer.word, place=expr.place, of=(inner,))

    def _clause(self, clause: Clause, depth: int, *, decides: bool) -> Reason:
        answer = self.answer(clause)
        say = _SAYS.get(type(clause), Tracer._plainly)
        found, needed, why = say(self, clause, answer)
        if answer.is_unknown and not why:
            names = getattr(clause, "names", None) or (getattr(clause, "name", ""),)
            why = self.values.reasons(answer.needs, names[0] if len(names) == 1 else "")
        if needed and isinstance(clause, Compare | Changed | Beside):
            owner = clause.place.path.rpartition("/")[2].removesuffix(".yaml")
            needed += self.values.by_site(owner, (clause.low, clause.high))
        of = self._opened(clause, depth - 1) if decides and depth > 0 else ()
        return Reason(
            clause.text,
            answer.word,
            found,
            needed,
            why if answer.is_unknown else "",
            place=clause.place,
            of=of,
        )

    def _plainly(self, _clause: Clause, _answer: Truth) -> _Said:
        """Say nothing beyond the answer and its needs: for clauses without a value."""
        return _NOTHING

    # --- what a clause looked at ------------------------------------------------

    def _compare(self, clause: Compare, answer: Truth) -> _Said:
        limits = clause.low, clause.high
        why = "; ".join(self.values.why_open(limits)) if answer.is_unknown else ""
        if clause.what == "age":
            return self.values.age(), self.values.needed(*limits), why
        if clause.what == "input":
            one = self._inputs.get(clause.name)
            if one is None or one.result is None:
                return _NOTHING
            return self.values.result(one.result), self.values.needed(*limits, unit=one.unit), why
        if clause.what != "concept":
            found = self.found.numbers[clause.name]
            needed = self.values.needed(*limits) if found.state == "value" else ""
            return self.workings.say(found), needed, why if found.state == "value" else ""
        datum = latest(self.snapshot, clause.name)
        if datum is None or (clause.within is not None and datum.days > clause.within):
            return _NOTHING
        own = self.values.own_limit(*limits, datum.result)
        needed = own or self.values.needed(*limits, unit=datum.unit)
        return self.values.datum(clause.name, datum), needed, "" if own else why

    def _known(self, clause: Known, _answer: Truth) -> _Said:
        texts = []
        for name, what in zip(clause.names, clause.whats, strict=True):
            text = self._state_of(name, what, clause.within)
            texts.append(text if len(clause.names) == 1 else f"{name} {text}")
        return "; ".join(texts), "", ""

    def _state_of(self, name: str, what: str, within: int | None) -> str:
        if what == "age":
            return self.values.age() or Gap.NOT_RECORDED
        if what != "concept":
            found = self.found.numbers[name]
            return self.workings.say(found) or self.values.reasons(found.needs, name)
        datum = latest(self.snapshot, name)
        window = within if within is not None else self.rules.concepts[name].within
        if datum is not None and (window is None or datum.days <= window):
            clash = f" ({Gap.CONFLICT})" if datum.conflict else ""
            return self.values.datum(name, datum) + clash
        return self.values.reason(Need(name, self._gap(name, window))).removeprefix(f"{name} ")

    def _gap(self, concept: str, within: int | None) -> str:
        return self.workings.gap(concept, within)

    def _listed(self, clause: Listed, answer: Truth) -> _Said:
        entries = [
            (name, one) for name in clause.names for one in self.snapshot.entries.get(name, ())
        ]
        counting = [
            (name, one)
            for name, one in entries
            if (one.active or clause.ever)
            and (
                one.act == clause.act
                if clause.ordered == "only"
                else clause.ordered == "also" or not one.ordered
            )
            and (not clause.routes or set(clause.routes) & set(one.routes or ()))
            and (
                clause.within is None
                or (one.days is None and clause.undated_counts)
                or (one.days is not None and one.days <= clause.within)
            )
        ]
        if answer.is_yes and counting:
            return "; ".join(self.values.entry(name, one) for name, one in counting), "", ""
        lists = dict.fromkeys(self.values.list_of(name) for name in clause.names)
        others = [self.values.entry(name, one) for name, one in entries]
        found = "; ".join((*lists, *others)) if answer.is_no else "; ".join(others)
        if answer.is_no and not others:
            found += ", no entry"
        return found, "", ""

    def _dated(self, clause: Began | InFuture, answer: Truth) -> _Said:
        entries = self.snapshot.entries.get(clause.name, ())
        found = "; ".join(self.values.entry(clause.name, one) for one in entries)
        if not entries and answer.is_no:
            found = f"{self.values.list_of(clause.name)}, no entry"
        return found, "", ""

    def _changed(self, clause: Changed, _answer: Truth) -> _Said:
        number = change_of(clause, self.snapshot, self.rules.concepts).number
        results = [
            one for one in self.snapshot.results.get(clause.name, ()) if one.days <= clause.within
        ]
        if number is None:
            return self.values.results(results), "", ""
        unit = "%" if clause.share else self.rules.concepts[clause.name].unit
        text = f"{clause.direction} by {self.values.amount(number, unit)}"
        needed = self.values.needed(clause.low, clause.high)
        return f"{text} ({self.values.results(results)})", needed, ""

    def _beside(self, clause: Beside, _answer: Truth) -> _Said:
        known = self.found.numbers
        number = beside_of(clause, self.snapshot, self.rules.concepts, known).number
        sides = [
            self._side(clause.name, clause.what),
            self._side(clause.than, clause.than_what),
        ]
        values = " and ".join(one for one in sides if one)
        if number is None:
            return values, "", ""
        unit = "%" if clause.share else "d" if clause.side in _DATES else ""
        text = f"{self.values.amount(number, unit)} {clause.side}"
        return f"{text} ({values})", self.values.needed(clause.low, clause.high), ""

    def _side(self, name: str, what: str) -> str:
        if what != "concept":
            return f"{name} {self.workings.say(self.found.numbers[name])}".strip()
        if self.rules.concepts[name].type == "date":
            entries = self.snapshot.entries.get(name, ())
            return self.values.entry(name, entries[0]) if entries else ""
        value = self.values.latest(name)
        return f"{name} {value}" if value else ""

    def _band(self, clause: BandIs, answer: Truth) -> _Said:
        found = self.found.numbers[clause.name]
        if found.state != "value":
            return self.workings.say(found), "", ""
        bands = [one for one in self.rules.indices[clause.name].bands if one.name in clause.bands]
        needed = " or ".join(self.workings.needed_for(clause.name, one) for one in bands)
        limits = [limit for one in bands for limit in self.workings.limits_of(one)]
        why = "; ".join(self.values.why_open(limits)) if answer.is_unknown else ""
        return self.workings.say(found), needed, why

    def _grade(self, clause: GradeIs, _answer: Truth) -> _Said:
        return self.graded(self.found.grades[clause.name]), "", ""

    def graded(self, found: GradeResult) -> str:
        """Write a grade with its points and domains, and what it could still become."""
        if found.state == "excluded":
            return f"excluded by {found.reason}"
        if found.state == "not assessed":
            return "not assessed"
        factor = self.rules.factors[found.name]
        low, high = found.points
        text = f"{found.grade}, {low} of {high} points"
        domains = len({one.domain for one in factor.evidence_for if one.id in found.because})
        if domains:
            text += f" in {domains} domain" + "s" * (domains != 1)
        if found.could_become != found.grade:
            text += f", could become {found.could_become}"
        return text

    def _stage(self, _clause: StageIs, _answer: Truth) -> _Said:
        stage = self.found.stage
        could = f", could also be {', '.join(stage.could_be)}" if stage.could_be else ""
        return f"stage {stage.label}{could}", "", ""

    def _sex(self, _clause: SexIs, _answer: Truth) -> _Said:
        sex = self.values.facing.sex
        return ("" if sex == "unknown" else sex), "", ""

    def _complete(self, clause: ListComplete, _answer: Truth) -> _Said:
        states = [
            f"{name} complete"
            if self.snapshot.state_of(name).complete
            else f"{name} {self.snapshot.state_of(name).reason}"
            for name in clause.lists
        ]
        return "; ".join(states), "", ""

    def _received(self, clause: Received, answer: Truth) -> _Said:
        texts: list[str] = []
        for name in clause.names:
            texts.extend(
                self.values.result(one)
                for one in self.snapshot.results.get(name, ())
                if clause.within is None or one.days <= clause.within
            )
            texts.extend(
                f"{name}, not used: {one.reason}"
                for one in self.snapshot.unusable.get(name, ())
                if clause.within is None or one.days is None or one.days <= clause.within
            )
        if answer.is_yes:
            return "; ".join(texts[:_MOST]), "", ""
        lists = dict.fromkeys(self.values.list_of(name) for name in clause.names)
        return ("; ".join(lists) + ", nothing received" if answer.is_no else ""), "", ""

    def _newer(self, clause: NewerThan, _answer: Truth) -> _Said:
        texts = [
            f"{name} {self.values.latest(name) or 'never measured'}"
            for name in (*clause.names, clause.than)
        ]
        return "; ".join(texts), "", ""

    def _not_used(self, clause: NotUsedBecause, _answer: Truth) -> _Said:
        texts = [
            f"{one.concept} {one.reason}" + (f" on {one.when.day}" if one.when else "")
            for name in (clause.names or tuple(self.snapshot.unusable))
            for one in self.snapshot.unusable.get(name, ())
            if one.reason in clause.reasons
            and (clause.within is None or one.days is None or one.days <= clause.within)
        ]
        return "; ".join(texts[:_MOST]) or "no such result", "", ""

    def _card(self, clause: CardFires, answer: Truth) -> _Said:
        card = self.rules.cards[clause.name]
        return f"{card.code} {'fires' if answer.is_yes else 'does not fire'}", "", ""

    def _on_trial(self, clause: OnTrial, _: Truth) -> _Said:
        return f"{clause.name} is on trial", "", ""

    # --- what a clause names ----------------------------------------------------

    def _opened(self, clause: Clause, depth: int) -> tuple[Reason, ...]:
        if isinstance(clause, Holds):
            return self.of_condition(clause.name, depth)
        if isinstance(clause, GradeIs):
            return self.of_factor(self.rules.factors[clause.name], depth)
        name = clause.name if isinstance(clause, BandIs | Compare) else ""
        index = self.rules.indices.get(name)
        if index is None:
            return ()
        found = self.found.numbers[name]
        if index.count_of:
            return self.criteria(found, depth)
        return ()

    def of_condition(self, name: str, depth: int) -> tuple[Reason, ...]:
        """Give what a named condition rests on."""
        rule = self.rules.conditions[name]
        holds = self.condition(rule.holds_if, depth)
        parts = unwrapped(holds)
        if rule.ruled_out_if is None or holds.answer == "yes":
            return parts
        return (*parts, headed("ruled_out_if", self.condition(rule.ruled_out_if, depth)))

    def of_factor(self, factor: Factor, depth: int) -> tuple[Reason, ...]:
        """Give the evidence of a factor, for and against, with its points."""
        found = self.found.grades[factor.id]
        if found.state == "not assessed" and factor.assess_if is not None:
            return (headed("assess_if", self.condition(factor.assess_if, depth)),)
        if found.state == "excluded":
            stop = next(one for one in factor.exclude_if if one.id == found.reason)
            return (self.condition(stop.when, depth),)
        every = (*factor.evidence_for, *factor.evidence_against)
        return tuple(self.evidence(factor, one, depth) for one in every)

    def evidence(self, factor: Factor, one: Evidence, depth: int) -> Reason:
        """Give one piece of evidence with its points, floor or ceiling."""
        reason = self.condition(one.when, depth)
        word = self.run.ask(f"{factor.id}.{one.id}").word
        needed = reason.needed
        if one.at_least or one.at_most:
            bound = f"at least {one.at_least}" if one.at_least else f"at most {one.at_most}"
            needed = f"{needed} (grade {bound})".strip()
        sentence = is_sentence(one.when)
        return replace(
            reason,
            text=reason.text if sentence else one.id,
            answer=word,
            needed=needed,
            points=one.points or None,
            of=reason.of if sentence else unwrapped(reason),
        )

    def criteria(self, found: IndexResult, depth: int) -> tuple[Reason, ...]:
        """Give the criteria of a count, each with its answer."""
        index = self.rules.indices[found.name]
        return tuple(
            named(name, expr, self.condition(expr, depth)) for name, expr in index.count_of.items()
        )


_Said = tuple[str, str, str]
_NOTHING: Final[_Said] = ("", "", "")
_MOST: Final = 4
_DATES: Final = frozenset({"after", "before"})
_SAYS: Final = cast(
    "Mapping[type, Callable[[Tracer, Any, Truth], _Said]]",
    {
        Compare: Tracer._compare,  # noqa: SLF001 - the table belongs to the class
        Began: Tracer._dated,  # noqa: SLF001
        InFuture: Tracer._dated,  # noqa: SLF001
        Changed: Tracer._changed,  # noqa: SLF001
        Beside: Tracer._beside,  # noqa: SLF001
        Known: Tracer._known,  # noqa: SLF001
        Listed: Tracer._listed,  # noqa: SLF001
        BandIs: Tracer._band,  # noqa: SLF001
        GradeIs: Tracer._grade,  # noqa: SLF001
        StageIs: Tracer._stage,  # noqa: SLF001
        SexIs: Tracer._sex,  # noqa: SLF001
        ListComplete: Tracer._complete,  # noqa: SLF001
        Received: Tracer._received,  # noqa: SLF001
        NewerThan: Tracer._newer,  # noqa: SLF001
        NotUsedBecause: Tracer._not_used,  # noqa: SLF001
        CardFires: Tracer._card,  # noqa: SLF001
        OnTrial: Tracer._on_trial,  # noqa: SLF001
    },
)


def _words_of(expr: All | Any_ | AtLeast) -> str:
    if isinstance(expr, All):
        text = "all of"
    elif isinstance(expr, Any_):
        text = "any of"
    else:
        text = f"at least {expr.count} of"
    return f"{text} ({expr.id})" if expr.id else text


def is_asked(entry: Entry, clause: Listed) -> bool:
    """Tell whether a clause looks at such an entry: by what the call does with it, by route."""
    if clause.ordered == "only":
        about = entry.act == clause.act
    else:
        about = clause.ordered == "also" or not entry.ordered
    return about and (not clause.routes or bool(set(clause.routes) & set(entry.routes or ())))


def is_sentence(expr: Expr) -> bool:
    """Tell whether the author wrote one sentence: a clause, or one with its own "no"."""
    if isinstance(expr, Not):
        return expr.of.place == expr.place
    return not isinstance(expr, All | Any_ | AtLeast)


def unwrapped(reason: Reason) -> tuple[Reason, ...]:
    """Give the parts of a join that needs no line of its own; else the reason itself."""
    return reason.of if reason.text == "all of" else (reason,)


def headed(heading: str, reason: Reason) -> Reason:
    """Put a reason below the key of the file that it stands under."""
    if reason.of and reason.text.endswith(" of"):
        text = f"{heading}, {reason.text}"
        return replace(reason, text=text, heading=True)
    return Reason(heading, reason.answer, place=reason.place, heading=True, of=(reason,))


def named(name: str, expr: Expr, reason: Reason) -> Reason:
    """Name a reason by its key in the file."""
    if is_sentence(expr):
        return replace(reason, text=f"{name}: {reason.text}")
    return Reason(name, reason.answer, place=reason.place, of=unwrapped(reason))
