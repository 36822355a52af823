"""
Conditions to flat positive patterns: one rail proves yes, one proves no.

Unknown is what is left when neither rail has spoken, so the engine needs no negation,
no retraction and no priorities. See `docs/decisions/0002-two-rails.md`.

A *term* is a list of patterns that must all match; a rail is a list of terms, any of
which proves it. Small conditions are written out straight; a large one becomes a node
of its own, whose truth is a fact that others can match.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations, product
from math import prod
from typing import Any, Final

from cds.core.rules import (
    All,
    Any_,
    AtLeast,
    BandIs,
    CardFires,
    Case,
    Compare,
    Expr,
    GradeIs,
    Holds,
    Known,
    Limit,
    ListComplete,
    Listed,
    NewerThan,
    Not,
    NotUsedBecause,
    Received,
    Ruleset,
    SexIs,
    StageIs,
    Threshold,
)
from cds.reasoning.questions import Question

__all__ = ["MOST_PRODUCTIONS", "Program", "compile_program"]

Pattern = tuple[tuple[str, str, Any], ...]
Term = tuple[Pattern, ...]
Rail = tuple[Term, ...]

MOST_PRODUCTIONS: Final = 3000
_MOST_TERMS: Final = 12
_MOST_PATTERNS: Final = 12

_PROVED: Rail = ((),)
_NEVER: Rail = ()


@dataclass(slots=True)
class Program:
    """
    What the engine runs.

    *productions* maps a name to its patterns; *effects* says for each name which node
    it proves and which rail. *read_nodes* are the nodes whose truth other productions
    match, *words* the clauses whose answer is worked out before and asserted as a fact,
    *quantities* the concepts whose latest result is compared, *decided* the conditions
    with `ruled_out_if`, *rails* all (node, proves) that were compiled, *groups* the groups
    of people that some threshold tells apart.
    """

    productions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    effects: dict[str, tuple[str, bool]] = field(default_factory=dict)
    read_nodes: set[str] = field(default_factory=set)
    words: dict[str, Expr] = field(default_factory=dict)
    quantities: set[str] = field(default_factory=set)
    decided: set[str] = field(default_factory=set)
    rails: set[tuple[str, bool]] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)


class _Compiler:
    def __init__(self, rules: Ruleset) -> None:
        self.rules = rules
        self.program = Program()
        self._nodes: dict[str, str] = {}

    # --- questions and nodes ------------------------------------------------

    def question(self, one: Question) -> None:
        """Compile the rails of a question that somebody reads."""
        self._nodes.setdefault(one.expr.key, one.name)
        self._rail(one.name, one.expr, proves=True)
        if one.both:
            self._rail(one.name, one.expr, proves=False)

    def _rail(self, node: str, expr: Expr, *, proves: bool) -> None:
        if (node, proves) in self.program.rails:
            return
        self.program.rails.add((node, proves))
        terms = self.terms(expr, proves=proves, top=node)
        for number, term in enumerate(terms):
            name = f"{'+' if proves else '-'}{number}:{node}"
            self.program.effects[name] = (node, proves)
            patterns = term or (_BOOT,)
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

    def terms(self, expr: Expr, *, proves: bool, top: str = "") -> Rail:
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
            rails = [self._small(one, proves=proves) for one in expr.of]
            found: list[Term] = []
            for chosen in combinations(rails, needed):
                found.extend(_cross(chosen))
            return tuple(found)
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
            if len(parts[at]) <= 1:
                break
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
        if isinstance(clause, SexIs):
            other = {"male": "female", "female": "male"}[clause.sex]
            return ((_is("sex", "sex", clause.sex if proves else other),),)
        if isinstance(clause, StageIs):
            labels = [] if self.rules.stages is None else [x.label for x in self.rules.stages.lines]
            return tuple(
                (_is("stage", "stage", label),)
                for label in labels
                if (label in clause.labels) == proves
            )
        if isinstance(clause, Holds):
            return self._holds(clause, proves=proves)
        if isinstance(clause, GradeIs):
            return self._grade(clause, proves=proves)
        if isinstance(clause, BandIs):
            return self._band(clause, proves=proves)
        if isinstance(clause, CardFires):
            return self._card_fires(clause, proves=proves)
        assert isinstance(  # noqa: S101 - the union is closed
            clause, Known | Listed | ListComplete | Received | NewerThan | NotUsedBecause
        )
        self.program.words[clause.key] = clause
        return (((("kind", "=", "word"), ("code", "=", clause.key), ("v", "=", int(proves))),),)

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
        self._rail(name, expr, proves=proves)
        self.program.read_nodes.add(name)
        return ((_truth(name, proves=proves),),)

    def _grade(self, clause: GradeIs, *, proves: bool) -> Rail:
        names = [one.name for one in self.rules.factors[clause.name].grades]
        rank = len(names) - names.index(clause.grade)
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
        card = self.rules.cards[clause.name]
        show = f"{card.id}.show_if"
        if proves:
            rails = [self._truth_of(show, card.show_if, proves=True)]
            for one in card.unless:
                free = self._stop_rail(card.id, one, stops=False)
                rails.append(free)
            return _cross(rails)
        found = [self._truth_of(show, card.show_if, proves=False)]
        found.extend(self._stop_rail(card.id, one, stops=True) for one in card.unless)
        return self._either(found)

    def _stop_rail(self, card: str, one: Any, *, stops: bool) -> Rail:
        """
        Say when an exclusion stops, or does not stop, a card.

        Only hard exclusions without a relevance clause can be asked from elsewhere:
        a soft one that is unknown does not stop, and unknown is no fact of the engine.
        """
        name = f"{card}.unless.{one.id}"
        if one.if_unknown != "hide" or one.relevant is not None:
            msg = f"{one.when.place}: `card {card} fires` needs hard exclusions without `when_relevant`"
            raise NotImplementedError(msg)
        return self._truth_of(name, one.when, proves=stops)

    # --- comparisons ------------------------------------------------------------

    def _compare(self, clause: Compare, *, proves: bool) -> Rail:
        kind = {"concept": "quantity", "reading": "reading", "index": "index", "age": "age"}[
            clause.what
        ]
        if kind == "quantity":
            self.program.quantities.add(clause.name)
        return self._range(
            kind, clause.name, clause.low, clause.high, clause.within, proves=proves
        )

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
        if len(rails) == 1:
            return rails[0]
        return tuple(
            _merged(one, other) for one in rails[0] for other in rails[1] if _fit(one, other)
        )


def _over(
    base: Pattern, limit: Limit, *, above: bool, proves: bool
) -> Iterable[Term]:
    """
    Give the terms that prove a number to be on (or off) one side of a limit.

    One for each kind of patient the threshold tells apart; where sex or age is not
    known, one more with the hardest of the cut-offs that could be meant.
    """
    threshold = limit.threshold
    # To be above (`>=`, `>`) is shown by the low end, not to be above by the high end.
    wants_high_side = above == proves
    groups: dict[str, list[Case]] = {}
    for case in threshold.cases:
        groups.setdefault(case.group, []).append(case)
    for group, cases in groups.items():
        who: list[Pattern] = []
        if len(groups) > 1:
            who = [_is("group", "group", group or "none")]
        for case in cases:
            asks = [*who, *_for_whom(case)]
            for pattern in _sides(base, threshold, limit, case, above=above, proves=proves):
                yield (*asks, pattern)
        if len(cases) > 1:
            pick = max if wants_high_side else min
            alternates = [one.alternate for one in cases if one.alternate is not None]
            hardest = Case(
                value=pick(one.value for one in cases),
                alternate=pick(alternates) if len(alternates) == len(cases) else None,
                alternate_unit=cases[0].alternate_unit,
            )
            for pattern in _sides(base, threshold, limit, hardest, above=above, proves=proves):
                yield (*who, pattern)


def _for_whom(case: Case) -> Iterable[Pattern]:
    if case.sex:
        yield _is("sex", "sex", case.sex)
    if case.age_from is not None:
        yield (("kind", "=", "age"), ("code", "=", "age"), ("lo", ">=", float(case.age_from)))
    if case.age_below is not None:
        yield (("kind", "=", "age"), ("code", "=", "age"), ("hi", "<", float(case.age_below)))


def _sides(
    base: Pattern,
    threshold: Threshold,
    limit: Limit,
    case: Case,
    *,
    above: bool,
    proves: bool,
) -> Iterable[Pattern]:
    """Compare in the canonical unit, in the paired unit, or with the laboratory's own limit."""
    operator, end = _operator(limit, above=above, proves=proves)
    plain = base
    if threshold.or_own:
        own = f"own_{threshold.or_own}"
        # Whether the result is at or above its own limit was worked out with the facts.
        strict = "at" if (limit.inclusive if above else not limit.inclusive) else "over"
        yes_side = above == proves
        yield (*base, (f"{own}_{strict}", "=", 1 if yes_side else 0))
        plain = (*base, (f"{own}_sent", "=", 0))
    if case.alternate is None:
        yield (*plain, (end, operator, float(case.value)))
        return
    yield (*plain, ("unit", "!=", case.alternate_unit), (end, operator, float(case.value)))
    yield (
        *plain,
        ("unit", "=", case.alternate_unit),
        (f"sent_{end}", operator, float(case.alternate)),
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


_BOOT: Pattern = (("kind", "=", "$boot"), ("code", "=", "$boot"))


def _size(parts: list[Rail]) -> int:
    return prod(len(part) for part in parts)


def _cross(rails: Iterable[Rail]) -> Rail:
    found: list[Term] = []
    for chosen in product(*rails):
        term = tuple(dict.fromkeys(pattern for part in chosen for pattern in part))
        found.append(term)
    return tuple(dict.fromkeys(found))


def _fit(one: Term, other: Term) -> bool:
    """Tell whether two terms about one fact can hold together: same people, same unit."""
    who, others = set(one[:-1]), set(other[:-1])
    unit, other_unit = _unit(one[-1]), _unit(other[-1])
    return (who <= others or others <= who) and (
        not unit or not other_unit or unit == other_unit
    )


def _unit(pattern: Pattern) -> tuple[tuple[str, str, Any], ...]:
    return tuple(part for part in pattern if part[0] == "unit" or part[0].startswith("own_"))


def _merged(one: Term, other: Term) -> Term:
    who = dict.fromkeys((*one[:-1], *other[:-1]))
    return (*who, tuple(dict.fromkeys((*one[-1], *other[-1]))))


_WORDS: Final = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


def _condition(pattern: Pattern) -> dict[str, Any]:
    parts = [
        {name: value} if operator == "=" else {_WORDS[operator]: {name: value}}
        for name, operator, value in pattern
    ]
    return parts[0] if len(parts) == 1 else {"$and": parts}


def compile_program(rules: Ruleset, asked: Iterable[Question]) -> Program:
    """Compile every question that is asked, and the nodes they share."""
    compiler = _Compiler(rules)
    for one in asked:
        # Conditions are compiled rail by rail, as somebody reads them.
        if one.owner[0] != "condition":
            compiler.question(one)
    return compiler.program
