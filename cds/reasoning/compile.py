"""
Conditions to flat positive patterns: one rail proves yes, one proves no.

Unknown is what is left when neither rail has spoken, so the engine needs no negation,
no retraction and no priorities. See `docs/decisions/0002-two-rails.md`.

A *term* is a list of patterns that must all match; a rail is a list of terms, any of
which proves it. Small conditions are written out straight; a large one becomes a node
of its own, whose truth is a fact that others can match.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from math import prod
from typing import Any, Final

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
)
from cds.core.rules import Ruleset
from cds.reasoning.limits import check_pending
from cds.reasoning.questions import Question, fires_by

__all__ = ["MOST_PRODUCTIONS", "Apart", "Program", "Word", "compile_program"]

Pattern = tuple[tuple[str, str, Any], ...]
Term = tuple[Pattern, ...]
Rail = tuple[Term, ...]

MOST_PRODUCTIONS: Final = 3000
_MOST_TERMS: Final = 4
_MOST_PATTERNS: Final = 12

_PROVED: Rail = ((),)
_NEVER: Rail = ()


@dataclass(frozen=True, slots=True)
class Word:
    """
    A clause that is worked out over the snapshot and told to the engine as a flag.

    *after* names the index or reading that must be known before; empty: none.
    """

    clause: Expr
    after: str
    group: str
    flag: str


@dataclass(frozen=True, slots=True)
class Apart:
    """A difference or a change, whose number travels in a fact of its own; *after* as in `Word`."""

    clause: Changed | Beside
    after: str
    code: str


@dataclass(slots=True)
class Program:
    """
    What the engine runs.

    *productions* maps a name to its patterns; *effects* says for each name which node
    it proves and which rail. *read_nodes* are the nodes whose truth other productions
    match, *words* the clauses whose answer is worked out before and told as a flag, *apart*
    the numbers made of two, *stage_flags* the sets of labels that are asked about
    (each with its fact and flag), *quantities* the concepts whose latest result is compared,
    *numbers* the indices and readings and *graded* the factors that are, *decided* the
    conditions with `ruled_out_if`, *fired* the cards that others ask about, *rails* all
    (node, proves) that were compiled, *groups* the groups of people that some threshold tells
    apart, *same_as* the node that answers a question, *after* the order of what is worked
    out.
    """

    productions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    effects: dict[str, tuple[str, bool]] = field(default_factory=dict)
    read_nodes: set[str] = field(default_factory=set)
    words: dict[str, Word] = field(default_factory=dict)
    apart: dict[str, Apart] = field(default_factory=dict)
    stage_flags: dict[frozenset[str], tuple[str, str]] = field(default_factory=dict)
    quantities: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    graded: set[str] = field(default_factory=set)
    decided: set[str] = field(default_factory=set)
    fired: set[str] = field(default_factory=set)
    rails: set[tuple[str, bool]] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    same_as: dict[str, str] = field(default_factory=dict)
    after: Mapping[str, int] = field(default_factory=dict)

    def word(self, clause: Expr) -> tuple[str, str]:
        """
        Give a word its place: the fact it travels in, and its flag there.

        Words that are told at the same time share facts, a couple of dozen to each.
        """
        found = self.words.get(clause.key)
        if found is None:
            after = self._after(clause)
            mates = sum(one.after == after for one in self.words.values())
            group = f"{after}.{mates // _WORDS_IN_FACT}"
            found = Word(clause, after, group, f"w{mates % _WORDS_IN_FACT}")
            self.words[clause.key] = found
        return found.group, found.flag

    def difference(self, clause: Changed | Beside) -> str:
        """Give the code of the fact that a difference travels in."""
        found = self.apart.get(clause.number)
        if found is None:
            found = Apart(clause, self._after(clause), f"d{len(self.apart)}")
            self.apart[clause.number] = found
        return found.code

    def _after(self, clause: Expr) -> str:
        if isinstance(clause, Known):
            pairs = [*zip(clause.names, clause.whats, strict=True)]
        elif isinstance(clause, Beside):
            pairs = [(clause.name, clause.what), (clause.than, clause.than_what)]
        else:
            return ""
        names = [name for name, what in pairs if what in {"index", "reading"}]
        return max(names, key=lambda name: self.after[name], default="")


_WORDS_IN_FACT: Final = 24


class _Compiler:
    def __init__(self, rules: Ruleset) -> None:
        self.rules = rules
        self.program = Program(after={name: at for at, (_, name) in enumerate(rules.order)})
        self._nodes: dict[str, str] = {}
        self.patterns: set[Pattern] = set()

    # --- questions and nodes ------------------------------------------------

    def question(self, one: Question) -> None:
        """Compile the rails of a question that somebody reads; equal questions share them."""
        name = self._nodes.setdefault(one.expr.key, _plain(one.name))
        self.program.same_as[one.name] = name
        self._rail(name, one.expr, proves=True)
        if one.both:
            self._rail(name, one.expr, proves=False)

    def fires(self, asked: Iterable[Question]) -> None:
        """Compile both rails of what decides whether the cards fire that others ask about."""
        for one in asked:
            _, name = one.owner
            decides = name in self.program.fired and one.name in fires_by(self.rules.cards[name])
            if decides:
                self.question(replace(one, both=True))

    def _rail(self, node: str, expr: Expr, *, proves: bool) -> None:
        if (node, proves) in self.program.rails:
            return
        self.program.rails.add((node, proves))
        terms = self.terms(expr, proves=proves)
        for number, term in enumerate(terms):
            name = f"{'+' if proves else '-'}{number}:{node}"
            self.program.effects[name] = (node, proves)
            patterns = tuple(_by_fact(term or (_BOOT,)))
            self.patterns.update(patterns)
            self.program.productions[name] = [
                {f"m{at}": _condition(pattern)} for at, pattern in enumerate(patterns)
            ]

    def _node(self, expr: Expr, *, proves: bool) -> Rail:
        """Make a condition a node of its own and match its truth."""
        name = self._nodes.get(expr.key)
        if name is None:
            name = self._nodes[expr.key] = f"n{len(self._nodes) // 200}.{len(self._nodes)}"
        self._rail(name, expr, proves=proves)
        self.program.read_nodes.add(name)
        return ((_truth(name, proves=proves),),)

    # --- rails ----------------------------------------------------------------

    def terms(self, expr: Expr, *, proves: bool) -> Rail:
        """Write out the terms that prove *expr* to be yes, or to be no."""
        if isinstance(expr, Not):
            return self.terms(expr.of, proves=not proves)
        if isinstance(expr, All | Any_):
            joins = isinstance(expr, All) == proves
            parts = [self.terms(one, proves=proves) for one in expr.of]
            if not joins:
                return self._either(parts)
            return self._together(expr.of, parts, proves=proves)
        if isinstance(expr, AtLeast):
            needed = expr.count if proves else len(expr.of) - expr.count + 1
            if needed <= 0:
                return _PROVED
            rails = [(one, self._small(one, proves=proves)) for one in expr.of]
            return self._either(
                self._together(
                    tuple(one for one, _ in chosen), [rail for _, rail in chosen], proves=proves
                )
                for chosen in combinations(rails, needed)
            )
        return self._clause(expr, proves=proves)

    @staticmethod
    def _either(parts: Iterable[Rail]) -> Rail:
        return tuple(dict.fromkeys(term for part in parts for term in part))

    def _together(self, of: tuple[Expr, ...], parts: list[Rail], *, proves: bool) -> Rail:
        """
        Join rails that must all be proved.

        Where writing out would grow past the limits, the largest parts become nodes.
        """
        parts = list(parts)
        while _size(parts) > _MOST_TERMS:
            at = max(range(len(parts)), key=lambda one: len(parts[one]))
            parts[at] = self._node(of[at], proves=proves)
        terms = _cross(parts)
        if any(len(term) > _MOST_PATTERNS for term in terms):
            return self._split(of, proves=proves)
        return terms

    def _split(self, of: tuple[Expr, ...], *, proves: bool) -> Rail:
        """Fold a long conjunction into nodes of at most a dozen patterns."""
        kind = All if proves else Any_
        half = len(of) // 2
        rails = []
        for part in (of[:half], of[half:]):
            joined = kind(
                of=part,
                key=f"{kind.__name__}({','.join(one.key for one in part)})",
                place=of[0].place,
            )
            rails.append(self._node(joined, proves=proves))
        return _cross(rails)

    def _small(self, expr: Expr, *, proves: bool) -> Rail:
        terms = self.terms(expr, proves=proves)
        return terms if len(terms) == 1 else self._node(expr, proves=proves)

    # --- clauses ----------------------------------------------------------------

    def _clause(self, clause: Expr, *, proves: bool) -> Rail:
        if isinstance(clause, Compare):
            return self._compare(clause, proves=proves)
        if isinstance(clause, Changed | Beside):
            code = self.program.difference(clause)
            return self._range("apart", code, clause.low, clause.high, None, proves=proves)
        if isinstance(clause, SexIs):
            other = {"male": "female", "female": "male"}[clause.sex]
            return ((_is("sex", "sex", clause.sex if proves else other),),)
        if isinstance(clause, StageIs):
            number = len(self.program.stage_flags)
            group, flag = self.program.stage_flags.setdefault(
                frozenset(clause.labels),
                (f"stage{number // _WORDS_IN_FACT}", f"s{number % _WORDS_IN_FACT}"),
            )
            return (((("kind", "=", "stage"), ("code", "=", group), (flag, "=", int(proves))),),)
        if isinstance(clause, Holds):
            return self._holds(clause, proves=proves)
        if isinstance(clause, GradeIs):
            return self._grade(clause, proves=proves)
        if isinstance(clause, BandIs):
            return self._band(clause, proves=proves)
        if isinstance(clause, OnTrial):
            return _NEVER
        if isinstance(clause, CardFires):
            return self._card_fires(clause, proves=proves)
        assert isinstance(  # noqa: S101 - the union is closed
            clause,
            Known
            | Listed
            | Began
            | InFuture
            | ListComplete
            | Received
            | NewerThan
            | NotUsedBecause,
        )
        group, flag = self.program.word(clause)
        return (((("kind", "=", "words"), ("code", "=", group), (flag, "=", int(proves))),),)

    def _holds(self, clause: Holds, *, proves: bool) -> Rail:
        condition = self.rules.conditions[clause.name]
        holds = f"{clause.name}.holds_if"
        if condition.ruled_out_if is None:
            return self._truth_of(holds, condition.holds_if, proves=proves)
        # A patient of whom both rails are proved is a yes: the driver decides between
        # the two and asserts one fact, so that no pattern ever sees a contradiction.
        self._truth_of(holds, condition.holds_if, proves=True)
        self._truth_of(f"{clause.name}.ruled_out_if", condition.ruled_out_if, proves=True)
        self.program.decided.add(clause.name)
        return (((("kind", "=", "holds"), ("code", "=", clause.name), ("v", "=", int(proves))),),)

    def _truth_of(self, name: str, expr: Expr, *, proves: bool) -> Rail:
        asked, name = name, self._nodes.setdefault(expr.key, _plain(name))
        self.program.same_as[asked] = name
        self._rail(name, expr, proves=proves)
        self.program.read_nodes.add(name)
        return ((_truth(name, proves=proves),),)

    def _grade(self, clause: GradeIs, *, proves: bool) -> Rail:
        self.program.graded.add(clause.name)
        names = [one.name for one in self.rules.factors[clause.name].grades]
        rank = len(names) - names.index(clause.grade) if clause.grade in names else 0
        kind = (("kind", "=", "grade"), ("code", "=", clause.name))
        if clause.or_more:
            if proves:
                return (((*kind, ("at", ">=", rank)),),)
            return (((*kind, ("could", "<", rank)),),)
        if proves:
            return (((*kind, ("at", "=", rank), ("could", "=", rank)),),)
        return (((*kind, ("at", ">", rank)),), ((*kind, ("could", "<", rank)),))

    def _band(self, clause: BandIs, *, proves: bool) -> Rail:
        rails = []
        for band in self.rules.indices[clause.name].bands:
            if band.name in clause.bands:
                low = None if band.low is None else Limit(band.low, inclusive=True)
                high = None if band.high is None else Limit(band.high, inclusive=False)
                rails.append(self._range("index", clause.name, low, high, None, proves=proves))
        return self._either(rails) if proves else _cross(rails)

    def _card_fires(self, clause: CardFires, *, proves: bool) -> Rail:
        # A soft exclusion that is unknown does not stop, and unknown is no fact of the
        # engine: the driver joins the answers and asserts one fact.
        self.program.fired.add(clause.name)
        return (((("kind", "=", "fires"), ("code", "=", clause.name), ("v", "=", int(proves))),),)

    # --- comparisons ------------------------------------------------------------

    def _compare(self, clause: Compare, *, proves: bool) -> Rail:
        kind = {"concept": "quantity", "reading": "reading", "index": "index", "age": "age"}[
            clause.what
        ]
        if kind == "quantity":
            self.program.quantities.add(clause.name)
        return self._range(kind, clause.name, clause.low, clause.high, clause.within, proves=proves)

    def _range(
        self,
        kind: str,
        name: str,
        low: Limit | None,
        high: Limit | None,
        within: int | None,
        *,
        proves: bool,
    ) -> Rail:
        if kind in {"index", "reading"}:
            self.program.numbers.add(name)
        base: list[tuple[str, str, Any]] = [("kind", "=", kind), ("code", "=", name)]
        if within is not None and kind != "age":
            base.append(("days", "<=", within))
        rails = [
            tuple(_over(tuple(base), limit, above=above, proves=proves))
            for limit, above in ((low, True), (high, False))
            if limit is not None
        ]
        self.program.groups.update(
            case.group
            for limit in (low, high)
            if limit is not None
            for case in limit.threshold.cases
            if case.group
        )
        if not proves:
            return self._either(rails)
        if not rails:
            return ((tuple(base),),)
        if len(rails) == 1:
            return rails[0]
        pairs = ((one, other) for one in rails[0] for other in rails[1])
        return tuple(_merged(*pair) for pair in pairs if not _contradicts(_merged(*pair)))


def _over(base: Pattern, limit: Limit, *, above: bool, proves: bool) -> Iterable[Term]:
    """
    Give the terms that prove a number to be on (or off) one side of a limit.

    One for each kind of patient the threshold tells apart; where sex or age is not
    known, more with the hardest of the cut-offs that could be meant. The laboratory's
    own limit, where it may be taken, holds for everybody.
    """
    groups: dict[str, list[Case]] = {}
    for case in limit.threshold.cases:
        groups.setdefault(case.group, []).append(case)
    others = [one for one in groups if one]
    told_apart = bool(others)
    own = limit.threshold.or_own
    if own and base[0] == _MEASURED:
        # Whether the result is at or above its own limit was worked out with the facts.
        strict = "at" if (limit.inclusive if above else not limit.inclusive) else "over"
        yield ((*base, (f"own_{own}_{strict}", "=", 1 if above == proves else 0)),)
        base = (*base, (f"own_{own}_sent", "=", 0))
    for group, cases in groups.items():
        # The general cut-off is for whoever belongs to none of the groups that have their own.
        flags = [(f"of_{one}", "=", int(one == group)) for one in ([group] if group else others)]
        who = ((("kind", "=", "group"), ("code", "=", "group"), *flags),) if told_apart else ()
        known: list[tuple[set[Pattern], tuple[Pattern, ...]]] = []
        for asks, possible in _people(cases):
            sides = tuple(_sides(base, limit, possible, above=above, proves=proves))
            # Who asks more and proves no more is left out.
            if any(fewer <= {*asks} and sides == theirs for fewer, theirs in known):
                continue
            known.append(({*asks}, sides))
            for pattern in sides:
                yield (*who, *asks, pattern)


_MEASURED: Final = ("kind", "=", "quantity")


def _people(cases: list[Case]) -> Iterable[tuple[Term, list[Case]]]:
    """
    Give what can be known of sex and age, with the cases that are then possible.

    The least known first. A birth date that is not exact leaves two neighbouring ages,
    so one span of ages, two neighbours, and all of them are what can be known.
    """
    cuts = sorted(
        {cut for one in cases for cut in (one.age_from, one.age_below) if cut is not None}
    )
    ends: list[int | None] = [None, *cuts, None]
    spans = (
        [(0, len(ends) - 1)]
        if not cuts
        else sorted(
            {(0, len(ends) - 1)}
            | {
                (at, to) for at in range(len(cuts) + 1) for to in (at + 1, at + 2) if to < len(ends)
            },
            key=lambda span: span[0] - span[1],
        )
    )
    sexes = ("", *_SEXES) if any(one.sex for one in cases) else ("",)
    for sex, (first, last) in product(sexes, spans):
        possible: dict[Case, None] = {}
        for each, at in product((sex,) if sex else sexes[1:] or ("",), range(first, last)):
            fitting = [one for one in cases if _fits(one, each, ends[at], ends[at + 1])]
            possible.update(dict.fromkeys(fitting))
        yield tuple(_for_whom(sex, ends[first], ends[last])), list(possible)


_SEXES: Final = ("male", "female")


def _fits(case: Case, sex: str, low: int | None, high: int | None) -> bool:
    """Tell whether a case holds for this sex and this span of ages between two cuts."""
    return (
        case.sex in {"", sex}
        and (case.age_from is None or (low is not None and low >= case.age_from))
        and (case.age_below is None or (high is not None and high <= case.age_below))
    )


def _for_whom(sex: str, low: int | None, high: int | None) -> Iterable[Pattern]:
    if sex:
        yield _is("sex", "sex", sex)
    if low is not None:
        yield (("kind", "=", "age"), ("code", "=", "age"), ("lo", ">=", float(low)))
    if high is not None:
        yield (("kind", "=", "age"), ("code", "=", "age"), ("hi", "<", float(high)))


def _sides(
    base: Pattern, limit: Limit, cases: list[Case], *, above: bool, proves: bool
) -> Iterable[Pattern]:
    """
    Compare with the hardest of the cases that are possible.

    In the canonical unit, or in that of a printed pair: only what was measured has one.
    """
    operator, end = _operator(limit, above=above, proves=proves)
    # To be above (`>=`, `>`) is shown by the low end, not to be above by the high end.
    pick = max if above == proves else min
    printed = {one.alternate_unit for one in cases if one.alternate_unit}
    units = sorted(printed) if base[0] == _MEASURED else []
    hardest = float(pick(one.value for one in cases))
    yield (*base, *(("unit", "!=", unit) for unit in units), (end, operator, hardest))
    for unit in units:
        # A case that prints no number in this unit is compared in the canonical one.
        sent = [one.alternate for one in cases if one.alternate_unit == unit and one.alternate]
        other = [one.value for one in cases if one.alternate_unit != unit]
        yield (
            *base,
            ("unit", "=", unit),
            (f"sent_{end}", operator, float(pick(sent))),
            *((end, operator, float(pick(other))) for _ in other[:1]),
        )


def _operator(limit: Limit, *, above: bool, proves: bool) -> tuple[str, str]:
    if above:
        if proves:
            return (">=" if limit.inclusive else ">"), "lo"
        return ("<" if limit.inclusive else "<="), "hi"
    if proves:
        return ("<=" if limit.inclusive else "<"), "hi"
    return (">" if limit.inclusive else ">="), "lo"


def _is(kind: str, code: str, value: str) -> Pattern:
    return (("kind", "=", kind), ("code", "=", code), ("v", "=", value))


def _truth(node: str, *, proves: bool) -> Pattern:
    return (("kind", "=", _kind_of(node)), ("code", "=", node), ("v", "=", int(proves)))


def _kind_of(node: str) -> str:
    """Spread truth facts over kinds: no kind may have over 400 codes."""
    return f"t.{node.partition('.')[0]}"


def _plain(name: str) -> str:
    """Write a name so that it is the same inside and outside of JSON."""
    return re.sub(r"[^\w.()?+ -]", lambda found: f"%{ord(found[0]):x}", name, flags=re.ASCII)


_BOOT: Pattern = (("kind", "=", "$boot"), ("code", "=", "$boot"))


def _size(parts: list[Rail]) -> int:
    return prod(len(part) for part in parts)


def _cross(rails: Iterable[Rail]) -> Rail:
    found: dict[Term, None] = {}
    for chosen in product(*rails):
        term = tuple(dict.fromkeys(pattern for part in chosen for pattern in part))
        if not _contradicts(term):
            found[term] = None
    return tuple(found)


def _contradicts(term: Term) -> bool:
    """Tell whether a term asks one property of one fact for what cannot be together."""
    asked: dict[tuple[Any, ...], Any] = {}
    wanted = [
        ((*pattern[:2], name), operator, value)
        for pattern in term
        for name, operator, value in pattern[2:]
    ]
    if any(
        asked.setdefault(what, value) != value
        for what, operator, value in wanted
        if operator == "="
    ):
        return True
    return any(
        what in asked and asked[what] == value
        for what, operator, value in wanted
        if operator == "!="
    )


def _merged(one: Term, other: Term) -> Term:
    who = dict.fromkeys((*one[:-1], *other[:-1]))
    return (*who, tuple(dict.fromkeys((*one[-1], *other[-1]))))


_WORDS: Final = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


def _by_fact(term: Term) -> Iterable[Pattern]:
    """
    Join what is asked of one fact into one pattern.

    There is one fact of each kind and code, and the engine never binds one fact to two
    patterns of a production.
    """
    joined: dict[Pattern, dict[tuple[str, str, Any], None]] = {}
    for pattern in term:
        joined.setdefault(pattern[:2], {}).update(dict.fromkeys(pattern))
    return (tuple(parts) for parts in joined.values())


def _condition(pattern: Pattern) -> dict[str, Any]:
    parts = [
        {name: value} if operator == "=" else {_WORDS[operator]: {name: value}}
        for name, operator, value in pattern
    ]
    return parts[0] if len(parts) == 1 else {"$and": parts}


def compile_program(
    rules: Ruleset, asked: Iterable[Question], *, besides: Collection[str] = ()
) -> Program:
    """
    Compile every question that is asked, and the nodes they share.

    Conditions are compiled rail by rail, as somebody reads them; those named in
    *besides* whole, though nobody may read them.
    """
    compiler = _Compiler(rules)
    every = tuple(asked)
    for one in every:
        kind, name = one.owner
        if (kind != "condition" or name in besides) and not one.wording:
            compiler.question(one)
    compiler.fires(every)
    check_pending(compiler.patterns)
    return compiler.program
