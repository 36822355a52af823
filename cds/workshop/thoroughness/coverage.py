"""
Coverage: which answers of each clause the cases of a rule have seen.

Answers are counted, not lines: a clause that was never no is as untested as one that was
never asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cds.core.clauses import Clause, Compare, Limit, Place, clauses_of
from cds.core.findings import CardOutcome
from cds.core.indices import Index
from cds.core.rules import Card, Condition, Exclusion, Factor, Grade, Ruleset, Stages
from cds.core.truth import Truth
from cds.proofs.prover import TooLargeError
from cds.reasoning.arithmetic import input_answer
from cds.reasoning.comparison import possible_cases
from cds.reasoning.questions import is_input, questions_about
from cds.reasoning.reference import Run
from cds.workshop.testing.expectations import Rule, kind_of
from cds.workshop.testing.lab import Lab, concluded
from cds.workshop.thoroughness.mutation import Trial, trials_of
from cds.workshop.thoroughness.nudges import step_of
from cds.workshop.thoroughness.reachable import ANSWERS, can_be_yes, cannot_be
from cds.workshop.why.values import Values
from cds.workshop.why.workings import Workings

__all__ = [
    "Coverage",
    "Edge",
    "Row",
    "coverage_of",
    "edge_of",
    "goals_seen",
    "missing_goals",
    "table",
    "wanting",
]

_MARKS: Final = {True: "x", False: "."}


@dataclass(frozen=True, slots=True)
class Row:
    """One clause of a rule: the answers that were *seen*, and those that cannot happen."""

    text: str
    place: Place
    seen: frozenset[str]
    cannot: Mapping[str, str]

    @property
    def missing(self) -> tuple[str, ...]:
        """Give the answers that can happen and that no case has."""
        return tuple(one for one in ANSWERS if one not in self.seen and one not in self.cannot)


@dataclass(frozen=True, slots=True)
class Edge:
    """A cut-off, and the cases nearest to it: *below* and *above* say on which sides one stands."""

    clause: Compare
    limit: Limit
    below: bool
    above: bool
    used: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Give the clause in its author's words."""
        return self.clause.text

    @property
    def place(self) -> Place:
        """Say where the clause stands."""
        return self.clause.place


@dataclass(frozen=True, slots=True)
class Coverage:
    """
    What the cases of one rule have seen.

    *guards* says of each guard and exclusion whether a case saw it block, *reached* of each
    band, grade or label whether a case reached it, *edges* which cut-offs have a case on
    both sides.
    """

    rule: str
    place: Place
    rows: tuple[Row, ...]
    guards: Mapping[str, bool] = field(default_factory=dict)
    reached: Mapping[str, bool] = field(default_factory=dict)
    edges: tuple[Edge, ...] = ()
    says_yes: bool = True
    says_no: bool = True

    @property
    def counts(self) -> tuple[int, int]:
        """Count the answers seen and those that can happen, guards and bands among them."""
        seen = sum(len(row.seen - row.cannot.keys()) for row in self.rows)
        could = sum(len(ANSWERS) - len(row.cannot) for row in self.rows)
        for marks in (self.guards, self.reached):
            seen += sum(marks.values())
            could += len(marks)
        return seen, could

    @property
    def percent(self) -> float:
        """Give the share of what can happen that was seen."""
        seen, could = self.counts
        return 100 * seen / could if could else 100.0


def coverage_of(lab: Lab, rule: Rule) -> Coverage:
    """Look at the answers that every case of a rule brings about."""
    trials = trials_of(lab, rule)
    asked = list(_asked(lab.rules, rule))
    seen: dict[int, set[str]] = {at: set() for at in range(len(asked))}
    for trial in trials:
        for at, answer in enumerate(_answers(lab.rules, rule, asked, trial.run)):
            if answer is not None:
                seen[at].add(answer.word)
    rows = tuple(_row(lab, clause, frozenset(seen[at])) for at, clause in enumerate(asked))
    outcomes = [_outcome(lab.rules, rule, trial) for trial in trials]
    verdicts = {_verdict(lab.rules, rule, trial) for trial in trials}
    return Coverage(
        rule=rule.id,
        place=rule.place,
        rows=rows,
        guards=_guards(lab.rules, rule, trials, outcomes),
        reached=_reached(rule, trials),
        edges=tuple(_edges(asked, trials)),
        says_yes="yes" in verdicts,
        says_no="no" in verdicts,
    )


def wanting(found: Coverage) -> Iterator[str]:
    """Say what an active rule must have been seen to do and was not."""
    if not found.says_yes:
        yield "no case in which it says yes"
    if not found.says_no:
        yield "no case in which it does not"
    for name, seen in found.guards.items():
        if not seen:
            yield f"no case in which `{name}` blocks"


def missing_goals(found: Coverage) -> Iterator[str]:
    """Name everything that can happen and was not seen."""
    for row in found.rows:
        for one in row.missing:
            yield f"{row.text} line {row.place.line}: {one}"
    for name, seen in found.guards.items():
        if not seen:
            yield f"{name} blocks"
    for name, seen in found.reached.items():
        if not seen:
            yield f"{name} reached"


def goals_seen(lab: Lab, rule: Rule, trial: Trial) -> set[str]:
    """Name what one trial sees, in the words of `missing_goals`."""
    asked = list(_asked(lab.rules, rule))
    found = {
        f"{clause.text} line {clause.place.line}: {answer.word}"
        for clause, answer in zip(asked, _answers(lab.rules, rule, asked, trial.run), strict=True)
        if answer is not None
    }
    guards = _guards(lab.rules, rule, [trial], [_outcome(lab.rules, rule, trial)])
    found |= {f"{name} blocks" for name, seen in guards.items() if seen}
    reached = _reached(rule, [trial])
    return found | {f"{name} reached" for name, seen in reached.items() if seen}


def _row(lab: Lab, clause: Clause, seen: frozenset[str]) -> Row:
    """Look at one clause; what was not seen, and cannot be, is no gap."""
    row = Row(clause.text, clause.place, seen, cannot_be(lab.rules, clause))
    if is_input(clause):
        return row
    try:
        proved = {
            one: "cannot happen, by proof"
            for one in row.missing
            if not lab.proofs.can_be(clause, one)
        }
    except TooLargeError:
        return row
    return replace(row, cannot={**row.cannot, **proved}) if proved else row


def _asked(rules: Ruleset, rule: Rule) -> Iterator[Clause]:
    """Give every clause of a rule once for each place where it stands."""
    exprs = [one.expr for one in questions_about(rules, kind_of(rule), rule.id)]
    if isinstance(rule, Index):
        exprs += [gate.when for gate in rule.not_valid_if]
    found: dict[tuple[str, Place], Clause] = {}
    for expr in exprs:
        for clause in clauses_of(expr):
            found.setdefault((clause.key, clause.place), clause)
    yield from sorted(found.values(), key=lambda one: (one.place.line, one.place.column))


def _answers(
    rules: Ruleset, rule: Rule, asked: Iterable[Clause], run: Run
) -> Iterator[Truth | None]:
    chosen = {}
    if isinstance(rule, Index):
        found = run.conclude().numbers[rule.id]
        chosen = Workings(rules, run, Values(rules, run.snapshot)).chosen(rule, found)
    for clause in asked:
        if not is_input(clause):
            yield run.answer(clause)
        elif clause.name in chosen:
            yield input_answer(clause, chosen, run.facing)
        else:
            yield None


def _outcome(rules: Ruleset, rule: Rule, trial: Trial) -> CardOutcome | None:
    if not isinstance(rule, Card):
        return None
    return concluded(rule, rules, trial.run).cards[rule.id]


def _verdict(rules: Ruleset, rule: Rule, trial: Trial) -> str:
    """Say in a word whether a rule said yes: a card shows, a number is there, a grade is given."""
    found = concluded(rule, rules, trial.run)
    if isinstance(rule, Card):
        return "yes" if found.cards[rule.id].state == "fires" else "no"
    if isinstance(rule, Condition):
        return trial.run.holds(rule.id).word
    if isinstance(rule, Index) and rule.count_of:
        number = found.numbers[rule.id].number
        return "yes" if number is not None and number.low else "no"
    if isinstance(rule, Index):
        return "yes" if found.numbers[rule.id].state == "value" else "no"
    if isinstance(rule, Factor):
        grade = found.grades[rule.id]
        top = {one.name for one in rule.grades if one.cannot_reach is None}
        return "yes" if grade.state == "graded" and grade.grade in top else "no"
    return "no" if found.stage.label == rule.lines[-1].label else "yes"


def _guards(
    rules: Ruleset,
    rule: Rule,
    trials: Sequence[Trial],
    outcomes: Sequence[CardOutcome | None],
) -> dict[str, bool]:
    """Say of each guard, exclusion and gate whether a case saw it block."""
    found: dict[str, bool] = {}
    if isinstance(rule, Card):
        found |= {one.id: False for one in rule.unless}
        found |= {f"{one.id}.{guard.id}": False for one in rule.suggestions for guard in one.guards}
        for trial, outcome in zip(trials, outcomes, strict=True):
            if outcome is None:
                continue
            for one in rule.unless:
                if _stops(rule, one, trial, outcome):
                    found[one.id] = True
            for offer in outcome.finding.offers if outcome.finding is not None else ():
                if offer.blocked_by:
                    found[f"{offer.suggestion}.{offer.blocked_by}"] = True
    elif isinstance(rule, Factor):
        found |= {one.id: False for one in rule.exclude_if}
        for trial in trials:
            grade = trial.run.conclude().grades[rule.id]
            if grade.state == "excluded":
                found[grade.reason] = True
    elif isinstance(rule, Index):
        found |= {one.id: False for one in rule.not_valid_if if can_be_yes(rules, one.when)}
        for trial in trials:
            number = trial.run.conclude().numbers[rule.id]
            if number.state == "not valid" and number.because in found:
                found[number.because] = True
    return found


def _stops(rule: Card, one: Exclusion, trial: Trial, outcome: CardOutcome) -> bool:
    """Tell whether an exclusion stopped a card that would have fired, or might have."""
    if outcome.state == "withheld":
        return outcome.because in {one.because, one.id}
    undecided = outcome.state == "no" and trial.run.ask(f"{rule.id}.show_if").is_unknown
    return undecided and trial.run.ask(f"{rule.id}.unless.{one.id}").is_yes


def _reached(rule: Rule, trials: Iterable[Trial]) -> dict[str, bool]:
    """Say of each band, grade or label whether a case reached it."""
    if isinstance(rule, Index):
        names = [one.name for one in rule.bands]
        got = {trial.run.conclude().numbers[rule.id].band for trial in trials}
    elif isinstance(rule, Factor):
        names = [one.name for one in rule.grades if _can_be_graded(rule, one)]
        grades = [trial.run.conclude().grades[rule.id] for trial in trials]
        got = {one.grade for one in grades if one.state == "graded"}
    elif isinstance(rule, Stages):
        names = [one.label for one in rule.lines]
        got = {trial.run.conclude().stage.label for trial in trials}
    else:
        return {}
    return {name: name in got for name in names}


def _can_be_graded(rule: Factor, grade: Grade) -> bool:
    """Tell whether anything can bring a grade about: points, or a floor at its height."""
    by_points = grade.points is not None or grade.cannot_reach is not None
    return by_points or any(one.at_least == grade.name for one in rule.evidence_for)


# --- cut-offs --------------------------------------------------------------------------


def _edges(asked: Iterable[Clause], trials: Iterable[Trial]) -> Iterator[Edge]:
    """Say of each cut-off on which of its sides a case stands, within one unit of it."""
    for clause in asked:
        if not isinstance(clause, Compare) or clause.what == "input":
            continue
        for limit in (clause.low, clause.high):
            if limit is not None:
                yield edge_of(clause, limit, trials)


def edge_of(clause: Compare, limit: Limit, trials: Iterable[Trial]) -> Edge:
    """Say on which sides of one cut-off the trials stand."""
    below = above = False
    used: set[str] = set()
    for trial in trials:
        number = trial.run.number_of(clause)
        if number is None or number.value is None:
            continue
        value = number.value
        used.add(f"{value.normalize():f}")
        for case in possible_cases(limit.threshold, trial.run.facing):
            near = abs(value - case.value) <= step_of(case.value)
            side = value > case.value or (value == case.value and _is_upper(clause, limit))
            above = above or (near and side)
            below = below or (near and not side)
    return Edge(clause, limit, below, above, tuple(sorted(used)))


def _is_upper(clause: Compare, limit: Limit) -> bool:
    """Tell whether the cut-off itself belongs to the upper side."""
    return limit.inclusive if limit is clause.low else not limit.inclusive


# --- words --------------------------------------------------------------------------------


def table(found: Coverage) -> str:
    """Write the coverage of one rule: x seen, . not seen, c cannot happen."""
    lines = [f"{found.rule}", "yes no  ?   clause"]
    for row in found.rows:
        marks = "".join(
            f" {'c' if one in row.cannot else _MARKS[one in row.seen]}  " for one in ANSWERS
        )
        why = "; ".join(f"`{_short(one)}` {reason}" for one, reason in row.cannot.items())
        text = f"{marks}{row.text:<60}  line {row.place.line:<4} {why}"
        lines.append(text.rstrip())
    parts = []
    if found.guards:
        parts.append(f"guards seen to block: {_of(found.guards)}")
    if found.reached:
        word = "all" if all(found.reached.values()) else _of(found.reached)
        parts.append(f"bands and grades reached: {word}")
    if found.edges:
        both = sum(one.below and one.above for one in found.edges)
        parts.append(f"edges on both sides: {both} of {len(found.edges)}")
    seen, could = found.counts
    parts.append(f"{seen} of {could} ({found.percent:.0f} %)")
    lines.append("    ".join(parts))
    missing = [name for marks in (found.guards, found.reached) for name in marks if not marks[name]]
    if missing:
        lines.append(f"not seen: {', '.join(missing)}")
    return "\n".join(lines)


def _short(answer: str) -> str:
    return "?" if answer == "unknown" else answer


def _of(marks: Mapping[str, bool]) -> str:
    return f"{sum(marks.values())} of {len(marks)}"
