"""
The durable-rules driver: the only module that touches the engine.

It follows the contract of `docs/decisions/0003-engine-driver.md`: the C extension alone (no
`Host`, no `durable.lang`, no threads), one session at a time under one fixed id, a boot
rule that fires first, a sink for facts nobody reads, a sentinel against the extension's
over-read, our own fact ids, every return code looked at, `delete_state` in `finally`.
Nothing of a request reaches the engine but numbers, flags and names of the rule files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from math import inf, nextafter
from typing import Any, Final, cast

from cds.core.clauses import (
    Began,
    Beside,
    Changed,
    Compare,
    Expr,
    InFuture,
    Known,
    ListComplete,
    Listed,
    NewerThan,
    NotUsedBecause,
    Received,
    clauses_of,
)
from cds.core.facts import Entry, Gap, Snapshot
from cds.core.findings import Conclusions, GradeResult, IndexResult, Interval, StageResult
from cds.core.latest import Datum, latest
from cds.core.moment import DAY
from cds.core.rules import Ruleset
from cds.core.truth import NO, YES, Truth, unknown
from cds.errors import EngineFailed
from cds.reasoning.arithmetic import Numbers
from cds.reasoning.comparison import Facing
from cds.reasoning.compile import MOST_PRODUCTIONS, Apart, Program, Word
from cds.reasoning.differences import beside_of, change_of
from cds.reasoning.grading import Grades, stage
from cds.reasoning.questions import Asked, fires

try:
    import durable_rules_engine
except ImportError as problem:  # pragma: no cover - depends on the machine
    durable_rules_engine = None
    UNAVAILABLE: str = f"durable-rules cannot be imported ({type(problem).__name__})"
else:
    UNAVAILABLE = ""

__all__ = ["UNAVAILABLE", "Engine"]

_SESSION: Final = "w"
_MOST_FIRINGS: Final = 10_000
_FAR: Final = 1.0e14
_BOOT: Final = '{"kind":"$boot","code":"$boot","id":"boot","sid":"w"}'
_UNPROVED: Final = unknown()
_MAY_BE_RECEIVED: Final = frozenset(Gap) - {Gap.PREGNANCY, Gap.NOT_FASTING}


class Engine:
    """
    One compiled program in the engine.

    Not thread-safe: the service calls it from one thread. Raises `EngineFailed` where a
    fact, a call or a session is refused; the next evaluation starts clean.
    """

    def __init__(
        self,
        rules: Ruleset,
        program: Program,
        of_indices: Asked,
        of_factors: Asked,
    ) -> None:
        if durable_rules_engine is None:  # pragma: no cover - depends on the machine
            raise EngineFailed(UNAVAILABLE)
        if len(program.productions) > MOST_PRODUCTIONS:
            msg = f"{len(program.productions)} productions are more than {MOST_PRODUCTIONS}"
            raise EngineFailed(msg)
        self._rules = rules
        self._program = program
        self._words = _words_by_time(program)
        self._apart = _apart_by_time(program)
        self._lists_behind = _lists_behind(rules, program)
        self._of_indices = of_indices
        self._of_factors = of_factors
        self._definition = _json(_definition(program))
        try:
            self._handle = durable_rules_engine.create_ruleset("cds", self._definition)
        except durable_rules_engine.error as problem:
            raise EngineFailed(str(problem)) from None
        self._spoiled = False

    def close(self) -> None:
        """Give the engine's memory back; only while no evaluation runs."""
        durable_rules_engine.delete_ruleset(self._handle)

    def conclude(
        self,
        snapshot: Snapshot,
        worked: dict[tuple[str | bool, ...], IndexResult] | None = None,
        graded: dict[tuple[str | bool, ...], GradeResult] | None = None,
    ) -> Conclusions:
        """Evaluate one snapshot; *worked* and *graded* hold what was worked out before."""
        if self._spoiled:
            self._build_again()
        facing = Facing(snapshot.person, snapshot.as_of, self._rules.profile.ethnic_group)
        numbers = Numbers(snapshot, self._rules.concepts, facing, self._of_indices, worked)
        grades = Grades(self._of_factors, graded)
        session = _Session(
            self._rules,
            self._program,
            self._handle,
            self._lists_behind,
            snapshot,
            facing,
            numbers,
            grades,
        )
        offset = self._boot()
        try:
            session.boot(offset)
            return session.run(self._words, self._apart)
        except durable_rules_engine.error as problem:
            # It names a code and nothing of the patient.
            raise EngineFailed(str(problem)) from None
        finally:
            if session.booted:
                durable_rules_engine.delete_state(self._handle, _SESSION)
            else:
                self._spoiled = True

    def _build_again(self) -> None:
        """Put a new engine in the place of one with a session left behind."""
        try:
            fresh = durable_rules_engine.create_ruleset("cds", self._definition)
        except durable_rules_engine.error as problem:
            raise EngineFailed(str(problem)) from None
        durable_rules_engine.delete_ruleset(self._handle)
        self._handle = fresh
        self._spoiled = False

    def _boot(self) -> int:
        """Assert the fact that opens a session; a refusal leaves the engine to be built again."""
        try:
            code, offset = durable_rules_engine.assert_fact(self._handle, _BOOT)
        except durable_rules_engine.error as problem:
            self._spoiled = True
            raise EngineFailed(str(problem)) from None
        if code:
            self._spoiled = True
            msg = "a session was left behind"
            raise EngineFailed(msg)
        return int(offset)


class _Session:
    """One evaluation: facts in, rails out."""

    def __init__(
        self,
        rules: Ruleset,
        program: Program,
        handle: int,
        lists_behind: Mapping[tuple[str, ...], frozenset[str] | None],
        snapshot: Snapshot,
        facing: Facing,
        numbers: Numbers,
        grades: Grades,
    ) -> None:
        self._rules = rules
        self._program = program
        self._handle = handle
        self._offset = 0
        self._lists_behind = lists_behind
        self._snapshot = snapshot
        self._whole = {name for name, state in snapshot.lists.items() if state.complete}
        self._facing = facing
        self._numbers = numbers
        self._grades = grades
        self._data: dict[str, Datum | None] = {}
        self._proved: dict[str, str] = {}
        self._fired = 0
        self._asserted = 0
        self._pending = False
        self.booted = False

    # --- the engine's calls -------------------------------------------------

    def _tell(self, body: str) -> None:
        """Assert one fact; every code but "stored" is a failure."""
        text = f'{{{body},"id":"{self._asserted}","sid":"{_SESSION}"}}'
        self._asserted += 1
        code, self._offset = durable_rules_engine.assert_fact(self._handle, text)
        if code:
            msg = f"fact {self._asserted} was refused with code {code}"
            raise EngineFailed(msg)
        self._pending = True

    def boot(self, offset: int) -> None:
        """Let the boot rule fire: a session must have fired once before it may be deleted."""
        self._offset = offset
        self.fire()

    def fire(self) -> None:
        """Let everything fire that can; each firing proves one rail of one node."""
        found = durable_rules_engine.start_action_for_state(self._handle, self._offset)
        message = found[1] if found else None
        while message:
            name = message[2 : message.index('":{"', 2)]
            self._count()
            if name == "boot":
                self.booted = True
            else:
                self._prove(*self._program.effects[name])
            message = durable_rules_engine.complete_and_start_action(self._handle, self._offset)
        self._pending = False
        if not self.booted:
            msg = "the boot rule did not fire"
            raise EngineFailed(msg)

    def _count(self) -> None:
        self._fired += 1
        if self._fired > _MOST_FIRINGS:
            msg = "rules feed themselves"
            raise EngineFailed(msg)

    def _prove(self, node: str, proves: bool) -> None:  # noqa: FBT001 - a rail is yes or no
        word = "yes" if proves else "no"
        before = self._proved.get(node)
        if before == word:
            return
        if before is not None:
            msg = f"{node} was proved both ways"
            raise EngineFailed(msg)
        self._proved[node] = word
        if node in self._program.read_nodes:
            body = f'"kind":"t.{node.partition(".")[0]}","code":"{node}","v":{int(proves)}'
            text = f'{{{body},"id":"d-{node}","sid":"{_SESSION}"}}'
            code, _ = durable_rules_engine.assert_fact(self._handle, text)
            if code == _DUPLICATE:
                msg = f"{node} was asserted twice"
                raise EngineFailed(msg)

    def ask(self, name: str) -> Truth:
        """Say what is proved of a question, after everything pending has fired."""
        if self._pending:
            self.fire()
        word = self._proved.get(self._program.same_as.get(name, name))
        if word == "yes":
            return YES
        return NO if word == "no" else _UNPROVED

    # --- one evaluation -----------------------------------------------------

    def run(
        self, words: Mapping[str, Mapping[str, list[Word]]], apart: Mapping[str, list[Apart]]
    ) -> Conclusions:
        """Assert the data, then work out numbers, stage and grades in their order."""
        self._tell_person()
        for name in self._program.quantities:
            datum = self._datum(name)
            if datum is not None:
                self._tell_quantity(name, datum)
        self._tell_words(words.get("", {}))
        self._tell_apart(apart.get("", ()))
        found = StageResult("")
        rules = self._rules
        for kind, name in rules.order:
            if kind == "reading":
                self._tell_number("reading", self._numbers.read(rules.readings[name]))
            elif kind == "index":
                self._tell_number("index", self._numbers.compute(rules.indices[name], self.ask))
            elif kind == "condition":
                if name in self._program.decided:
                    self._decide(name)
            elif kind == "stages" and rules.stages is not None:
                found = stage(rules.stages, self.ask)
                self._tell_stage(found.label)
            elif kind == "factor":
                self._tell_grade(name)
            elif kind == "card" and name in self._program.fired:
                self._tell_fires(name)
            if name in words:
                self._tell_words(words[name])
            if name in apart:
                self._tell_apart(apart[name])
        self.fire()
        answers = {
            name: YES if word == "yes" else NO
            for name, node in self._program.same_as.items()
            if (word := self._proved.get(node)) is not None
        }
        return Conclusions(answers, self._numbers.known, found, self._grades.known)

    def _datum(self, concept: str) -> Datum | None:
        if concept not in self._data:
            self._data[concept] = latest(self._snapshot, concept)
        return self._data[concept]

    def _tell_person(self) -> None:
        facing = self._facing
        if facing.sex in {"male", "female"}:
            self._tell(f'"kind":"sex","code":"sex","v":"{facing.sex}"')
        if facing.ages is not None:
            low, high = facing.ages
            self._tell(f'"kind":"age","code":"age","lo":{low}.0,"hi":{high}.0')
        flags = "".join(
            f',"of_{group}":{int(group == facing.group)}' for group in self._program.groups
        )
        if flags:
            self._tell(f'"kind":"group","code":"group"{flags}')

    def _tell_quantity(self, name: str, datum: Datum) -> None:
        low, high = _ends(datum.number)
        body = (
            f'"kind":"quantity","code":"{name}","lo":{low},"hi":{high},"days":{datum.days},'
            f'"unit":"{datum.unit}"'
        )
        if datum.sent != datum.number:
            sent_low, sent_high = _ends(datum.sent)
            body += f',"sent_lo":{sent_low},"sent_hi":{sent_high}'
        else:
            body += f',"sent_lo":{low},"sent_hi":{high}'
        result = datum.result
        for side, own in (
            ("lower", result.own_low if result else None),
            ("upper", result.own_high if result else None),
        ):
            body += f',"own_{side}_sent":{int(own is not None)}'
            if own is not None:
                body += _against_own(side, datum.number, own)
        self._tell(body)

    def _tell_number(self, kind: str, found: IndexResult) -> None:
        if found.name not in self._program.numbers or found.number is None:
            return
        low, high = _ends(found.number)
        # What is made of no dated result is as old as this evaluation.
        days = found.days or 0
        self._tell(f'"kind":"{kind}","code":"{found.name}","lo":{low},"hi":{high},"days":{days}')

    def _tell_apart(self, several: Iterable[Apart]) -> None:
        concepts = self._rules.concepts
        for one in several:
            clause = one.clause
            if isinstance(clause, Changed):
                number = change_of(clause, self._snapshot, concepts).number
            else:
                known = self._numbers.known
                number = beside_of(clause, self._snapshot, concepts, known).number
            if number is not None:
                low, high = _ends(number)
                self._tell(f'"kind":"apart","code":"{one.code}","lo":{low},"hi":{high}')

    def _tell_grade(self, name: str) -> None:
        factor = self._rules.factors[name]
        found = self._grades.grade(factor, self.ask, self._age_of)
        if found.state == "graded" and name in self._program.graded:
            names = [one.name for one in factor.grades]
            ranks = {one: len(names) - at for at, one in enumerate(names)}
            at = ranks.get(found.grade, 0)
            could = max(at, ranks.get(found.could_become, 0))
            self._tell(f'"kind":"grade","code":"{name}","at":{at},"could":{could}')

    def _decide(self, name: str) -> None:
        if self.ask(f"{name}.holds_if").is_yes:
            self._tell(f'"kind":"holds","code":"{name}","v":1')
        elif self.ask(f"{name}.ruled_out_if").is_yes:
            self._tell(f'"kind":"holds","code":"{name}","v":0')

    def _tell_fires(self, name: str) -> None:
        answer = fires(self._rules.cards[name], self.ask)
        if not answer.is_unknown:
            self._tell(f'"kind":"fires","code":"{name}","v":{int(answer.is_yes)}')

    # --- words: clauses that are worked out before the engine sees them -----------

    def _tell_words(self, groups: Mapping[str, list[Word]]) -> None:
        for group, words in groups.items():
            flags = ""
            for one in words:
                known = _WORDS[type(one.clause)](self, one.clause)
                if known is not None:
                    flags += f',"{one.flag}":{int(known)}'
            if flags:
                self._tell(f'"kind":"words","code":"{group}"{flags}')

    def _tell_stage(self, label: str) -> None:
        flags: dict[str, str] = {}
        for labels, (group, flag) in self._program.stage_flags.items():
            flags[group] = flags.get(group, "") + f',"{flag}":{int(label in labels)}'
        for group, text in flags.items():
            self._tell(f'"kind":"stage","code":"{group}"{text}')

    def _known(self, clause: Known) -> bool:
        states = [
            self._is_known(name, what, clause.within)
            for name, what in zip(clause.names, clause.whats, strict=True)
        ]
        return any(states) if clause.quantifier == "any" else all(states)

    def _newer(self, clause: NewerThan) -> bool:
        mine = self._snapshot.results.get(clause.than)
        others = (self._snapshot.results.get(name) for name in clause.names)
        return bool(mine) and any(
            found and found[0].when.end > mine[0].when.end for found in others if mine
        )

    def _complete(self, clause: ListComplete) -> bool:
        return self._whole.issuperset(clause.lists)

    def _not_used(self, clause: NotUsedBecause) -> bool:
        for concept, every in self._snapshot.unusable.items():
            if clause.names and concept not in clause.names:
                continue
            for one in every:
                recent = clause.within is None or (one.days or 0) <= clause.within
                if recent and one.reason in clause.reasons:
                    return True
        return False

    def _listed(self, clause: Listed) -> bool | None:
        on_list = self._snapshot.entries
        if on_list.keys().isdisjoint(clause.names):
            return self._dated(clause, [])
        entries = [
            entry
            for name in clause.names
            if name in on_list
            for entry in on_list[name]
            if (clause.ever or entry.active)
            and (
                entry.act == clause.act
                if clause.ordered == "only"
                else clause.ordered == "also" or not entry.ordered
            )
        ]
        if not clause.routes:
            return self._dated(clause, entries)
        named = [one for one in entries if one.routes is not None]
        wanted = [one for one in named if not set(clause.routes).isdisjoint(one.routes or ())]
        sure = self._dated(clause, wanted)
        # Whatever goes by a route that nobody named could be meant.
        return sure if sure or len(named) == len(entries) else None

    def _dated(self, clause: Listed, entries: list[Entry]) -> bool | None:
        """Say whether one of these entries counts by its date."""
        if not entries:
            return False if clause.on_record else self._none_listed(clause)
        limit = clause.within
        undated = [entry for entry in entries if entry.days is None]
        if limit is None:
            sure = entries
        else:
            sure = [entry for entry in entries if entry.days is not None and entry.days <= limit]
            sure += undated if clause.undated_counts else []
        if sure:
            return True
        if clause.on_record:
            return False
        return None if undated else self._none_listed(clause)

    def _none_listed(self, clause: Listed) -> bool | None:
        """Say whether it is proved that none is listed."""
        if clause.ordered and not self._snapshot.drafts.complete:
            return None
        if clause.ordered == "only":
            return False
        lists = self._lists_behind[clause.names]
        return None if lists is None or not lists <= self._whole else False

    def _began(self, clause: Began) -> bool | None:
        """Say whether the earliest start lies far enough back; a partial date has two ends."""
        after = clause.days * DAY if clause.at_least else (clause.days + 1) * DAY
        line = self._snapshot.as_of - after
        starts = [
            one.when
            for one in self._snapshot.entries.get(clause.name, ())
            if not one.ordered and (clause.ever or one.active)
        ]
        if any(when is not None and when.end <= line for when in starts):
            return True
        if any(when is None or when.start <= line for when in starts):
            return None
        return self._none_of(clause.name, said=bool(starts))

    def _ahead(self, clause: InFuture) -> bool | None:
        name, now = clause.name, self._snapshot.as_of
        dates = [one.when for one in self._snapshot.entries.get(name, ()) if one.when]
        if max((one.start for one in dates), default=now) > now:
            return True
        if max((one.end for one in dates), default=now) > now:
            return None
        return self._none_of(name, said=bool(dates))

    def _none_of(self, name: str, *, said: bool) -> bool | None:
        concept = self._rules.concepts[name]
        proved = said or concept.absent_means != "unknown"
        return False if proved and concept.search in self._whole else None

    def _is_known(self, name: str, what: str, within: int | None) -> bool:
        if what == "age":
            return self._facing.ages is not None
        if what != "concept":
            return self._numbers.known[name].state == "value"
        datum = self._datum(name)
        if datum is None or datum.conflict:
            return False
        limit = self._rules.concepts[name].within if within is None else within
        return limit is None or datum.days <= limit

    def _received(self, clause: Received) -> bool | None:
        limit = inf if clause.within is None else clause.within
        for name in clause.names:
            arrived = [one.days for one in self._snapshot.results.get(name, ())]
            arrived += [
                one.days or 0
                for one in self._snapshot.unusable.get(name, ())
                if one.reason in _MAY_BE_RECEIVED
            ]
            if arrived and min(arrived) <= limit:
                return True
        searches = {self._rules.concepts[name].search for name in clause.names}
        return False if searches <= self._whole else None

    def _age_of(self, expr: Expr) -> int | None:
        """Give the age in days of the newest datum behind a condition."""
        newest: int | None = None
        for clause in clauses_of(expr):
            found: list[int | None] = []
            if isinstance(clause, Listed | Began):
                for name in getattr(clause, "names", ()) or (clause.name,):  # type: ignore[union-attr]
                    found += [one.days for one in self._snapshot.entries.get(name, ())]
            elif isinstance(clause, Changed) or (
                isinstance(clause, Compare | Beside) and clause.what == "concept"
            ):
                datum = self._datum(clause.name)
                found.append(datum.days if datum else None)
            elif getattr(clause, "name", "") in self._numbers.known:
                found.append(self._numbers.known[clause.name].days)  # type: ignore[union-attr]
            for days in found:
                if days is not None and (newest is None or days < newest):
                    newest = days
        return newest


_DUPLICATE: Final = 2
_WORDS = cast(
    "Mapping[type, Callable[[_Session, Any], bool | None]]",
    {
        Listed: _Session._listed,  # noqa: SLF001 - the table belongs to the class
        Known: _Session._known,  # noqa: SLF001
        Began: _Session._began,  # noqa: SLF001
        InFuture: _Session._ahead,  # noqa: SLF001
        Received: _Session._received,  # noqa: SLF001
        NewerThan: _Session._newer,  # noqa: SLF001
        ListComplete: _Session._complete,  # noqa: SLF001
        NotUsedBecause: _Session._not_used,  # noqa: SLF001
    },
)
"""Clauses that are worked out over the snapshot: yes, no, or None for unknown."""


def _against_own(side: str, number: Interval, own: Decimal) -> str:
    """Say where a number lies against the laboratory's own limit, as far as proved."""
    low, high = number.low, number.high
    text = ""
    at: int | None = None
    over: int | None = None
    if low is not None and (low >= own):
        at = 1
        over = 1 if low > own or number.low_open else None
    if high is not None and (high < own or (high == own and number.high_open)):
        at = 0
    if high is not None and high <= own:
        over = 0
    if at is not None:
        text += f',"own_{side}_at":{at}'
    if over is not None:
        text += f',"own_{side}_over":{over}'
    return text


def _ends(number: Interval) -> tuple[str, str]:
    """
    Write the ends of a range so that plain comparisons are right.

    An end that does not belong to the range moves to the next number the engine knows.
    """
    low = -_FAR if number.low is None else float(number.low)
    high = _FAR if number.high is None else float(number.high)
    if number.low_open:
        low = nextafter(low, inf)
    if number.high_open:
        high = nextafter(high, -inf)
    return _write(low), _write(high)


def _write(number: float) -> str:
    """Write a number with a point and without an exponent, as the engine reads it."""
    if not -_FAR <= number <= _FAR:
        msg = "a number is outside what the engine can hold"
        raise EngineFailed(msg)
    text = repr(number)
    return format(Decimal(text), "f") if "e" in text else text


def _json(value: Any) -> str:
    """Write JSON with numbers as the engine reads them."""
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{json.dumps(name)}:{_json(one)}" for name, one in value.items()) + "}"
        )
    if isinstance(value, list):
        return f"[{','.join(_json(one) for one in value)}]"
    return _write(value) if isinstance(value, float) else json.dumps(value)


def _words_by_time(program: Program) -> dict[str, dict[str, list[Word]]]:
    """Sort the words by when they can be told, and by the fact they travel in."""
    found: dict[str, dict[str, list[Word]]] = {}
    for one in program.words.values():
        found.setdefault(one.after, {}).setdefault(one.group, []).append(one)
    return found


def _apart_by_time(program: Program) -> dict[str, list[Apart]]:
    found: dict[str, list[Apart]] = {}
    for one in program.apart.values():
        found.setdefault(one.after, []).append(one)
    return found


def _lists_behind(rules: Ruleset, program: Program) -> dict[tuple[str, ...], frozenset[str] | None]:
    """
    Name the lists that must be whole before it is proved that none of some names is listed.

    None where a list that is whole proves nothing.
    """
    found: dict[tuple[str, ...], frozenset[str] | None] = {}
    for one in program.words.values():
        if isinstance(one.clause, Listed):
            concepts = [rules.concepts[name.partition(":")[0]] for name in one.clause.names]
            proves = all(concept.absent_means != "unknown" for concept in concepts)
            lists = frozenset(concept.search for concept in concepts)
            found[one.clause.names] = lists if proves else None
    return found


def _definition(program: Program) -> dict[str, Any]:
    """Add what every program needs: boot first, then a sink, and the sentinel last."""
    definition: dict[str, Any] = {"boot": {"all": [{"m0": {"kind": "$boot"}}]}}
    for name, patterns in program.productions.items():
        definition[name] = {"all": patterns, "pri": 1}
    definition["sink"] = {
        "all": [{"m0": {"$ex": {"kind": 1}}}, {"m1": {"kind": "$never"}}],
        "pri": 9,
    }
    definition["zz"] = {
        "all": [{"m0": {"$and": [{"kind": "$never"}, {"code": "$never"}]}}],
        "pri": 9,
    }
    return definition
