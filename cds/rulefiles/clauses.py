"""
The clause grammar: one sentence, one question.

    NAME >= VALUE [UNIT] [within N days]          also > < <=
    NAME from VALUE below VALUE [UNIT] [within N days]
    NAME is present [or ordered] | absent | on record | not on record | known | unknown
    NAME is ordered | newly ordered | being added | being refilled [by route ROUTE]
    any | none | all of [NAMES] is | are ...      was received, is newer than NAME
    NAME is [one of] BAND | [at least] GRADE      stage is LABEL    NAME holds
    age ...   sex is ...   card ID fires          the NAME list is complete
    some result was not used because of [...] within N days
    NAME rose | fell | changed by VALUE [or more] within N days
    NAME at least VALUE below | above | after | before NAME
    NAME began more than N days ago                 NAME is in the future

Parsed by hand, so that whatever does not fit is shown at the word that does not fit,
with the nearest form that would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from cds.core.clauses import (
    All,
    BandIs,
    Began,
    CardFires,
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
    Place,
    Received,
    SexIs,
    StageIs,
)
from cds.core.facts import Gap
from cds.rulefiles.acts import newly_ordered, read_act, read_routes
from cds.rulefiles.diagnostics import listed
from cds.rulefiles.differences import AMOUNTS, DIRECTIONS, read_beside, read_changed
from cds.rulefiles.keys import key_of, limit_key, names_key, within_key
from cds.rulefiles.names import Scope
from cds.rulefiles.nodes import NUMBER, Scalar
from cds.rulefiles.questions import FORMS, Questions
from cds.rulefiles.sentences import MisreadError, Sentence, is_too_long
from cds.rulefiles.thresholds import Written, literal

__all__ = ["nothing", "parse_clause"]

_Named = tuple[str, Place]
_What = Literal["concept", "index", "reading", "age", "input"]
_End = tuple[Written, Place] | None

_SIGNS: Final = frozenset({">=", "<=", ">", "<"})
_LISTS: Final = ("problems", "medicines")
_REASONS: Final = tuple(gap.value for gap in Gap)
_WHAT: Final[dict[str, _What]] = {
    "quantity": "concept",
    "index": "index",
    "reading": "reading",
    "age": "age",
    "input": "input",
}


def nothing(place: Place) -> All:
    """Stand in for a condition that could not be read; its file does not load anyway."""
    return All(of=(), key="nothing", place=place)


def parse_clause(node: Scalar, scope: Scope, label: str = "") -> Expr:
    """Read one clause; what cannot be read is reported and stands for nothing."""
    if is_too_long(node, scope.report):
        return nothing(node.place)
    parser = _Parser(node, scope, label)
    try:
        return parser.clause()
    except MisreadError as problem:
        scope.report.add(
            "CDS110",
            node.span(problem.first, problem.last),
            problem.headline,
            label=problem.label,
            help=problem.help,
        )
        return nothing(node.place)


class _Parser:
    """Reads one clause: *line* are its words, *names* checks what they are asked."""

    def __init__(self, node: Scalar, scope: Scope, label: str) -> None:
        self.scope = scope
        self.place = node.place
        self.line = Sentence(node)
        self.names = Questions(scope, self.place)
        # What every clause is made with; its key is its own.
        self.said: dict[str, Any] = {"text": node.text, "place": self.place, "label": label}

    def clause(self) -> Expr:
        line = self.line
        first = line.word
        if not first:
            line.misread("expected a clause")
        reader = _OPENINGS.get(first)
        # A name of ours may be a word of the grammar, if anything is called so.
        found = reader(self) if reader and not self.scope.kind(first) else self.named()
        line.finish()
        return found

    def negated(self, clause: Expr, *, negative: bool = True) -> Expr:
        if not negative:
            return clause
        return Not(
            of=clause, key=key_of("not", [clause]), place=self.place, label=self.said["label"]
        )

    # --- clauses that begin with a word of their own --------------------------------

    def sex(self) -> Expr:
        line = self.line
        line.form = "sex is male | female"
        line.expect("sex", "is")
        if line.word not in {"male", "female"}:
            line.misread("expected `male` or `female`", ["male", "female"])
        sex = line.take()
        return SexIs(**self.said, key=f"sex is {sex}", sex=sex)

    def stage(self) -> Expr:
        line, names = self.line, self.scope.names
        line.form = "stage is LABEL | stage is one of [LABEL, LABEL]"
        line.expect("stage", "is")
        labels = line.one_or_more()
        for label, at in labels:
            if label not in names.labels:
                names.missing("a label of the stages", label, at, names.labels)
        for stages in names.stages:
            self.scope.lean("stages", stages, self.place)
        chosen = tuple(label for label, _ in labels)
        return StageIs(**self.said, key=f"stage is {names_key(chosen)}", labels=chosen)

    def card(self) -> Expr:
        line, cards = self.line, self.scope.names.cards
        line.form = "card ID fires"
        line.expect("card")
        at = line.place
        name = line.take()
        line.expect("fires")
        if name not in cards:
            self.scope.names.missing("a card", name, at, cards)
        self.scope.lean("card", name, at)
        return CardFires(**self.said, key=f"card {name} fires", name=name)

    def complete(self) -> Expr:
        line = self.line
        line.form = "the medicines list is complete | the problems list is complete"
        line.expect("the")
        known = (*_LISTS, *self.scope.names.searches)
        lists = []
        while True:
            if line.word not in known:
                line.misread("expected the name of a list", known)
            lists.append(line.take())
            if not (line.accept(",") or line.accept("and")):
                break
        if not (line.accept("list", "is") or line.accept("lists", "are")):
            line.misread("expected `list is complete`", ["list"])
        line.expect("complete")
        return ListComplete(**self.said, key=f"complete {names_key(lists)}", lists=tuple(lists))

    def not_used(self) -> Expr:
        line = self.line
        line.form = (
            "some result was not used because of [unit, implausible, conflict] within N days"
        )
        line.expect("some", "result")
        names = line.bracketed() if line.accept("of") else []
        for name, at in names:
            self.names.look_up(name, at)
            self.names.ask(name, at, "quantity list", f"`{name}` is not data that is sent")
        line.expect("was", "not", "used", "because", "of")
        reasons = line.bracketed()
        for reason, at in reasons:
            if reason not in _REASONS:
                self.scope.names.missing("a reason", reason, at, _REASONS)
        within = line.within()
        if within is None:
            self.names.unbounded("a result that was not used")
        why, of = _words(reasons), _words(names)
        key = f"not used {names_key(why)} of {names_key(of)}{within_key(within)}"
        return NotUsedBecause(**self.said, key=key, reasons=why, within=within, names=of)

    def several(self) -> Expr:
        line = self.line
        line.form = "any of [NAME, NAME] is present | is known | was received within N days"
        quantifier = line.take()
        line.expect("of")
        names = line.bracketed()
        for name, at in names:
            self.names.look_up(name, at)
        if line.accept("was", "received") or line.accept("were", "received"):
            return self.received(names, quantifier)
        if not (line.accept("is") or line.accept("are")):
            line.misread("expected `is`, `are` or `was received`", ["is", "are", "was"])
        if line.word in {"known", "unknown"}:
            return self.known(names, quantifier)
        if line.word == "newer":
            return self.newer(names, quantifier)
        if quantifier == "all":
            line.form = "all of [NAME, NAME] are known"
            line.misread("expected `known`", ["known"])
        return self.listed(names, negative=quantifier == "none")

    # --- clauses that begin with a name ---------------------------------------------

    def named(self) -> Expr:
        line = self.line
        at = line.place
        name = line.take()
        group = self.names.look_up(name, at)
        line.form = FORMS.get(group, line.form)
        if line.word in _SIGNS or line.word == "from":
            found = self.compare(name, at)
        elif line.word in DIRECTIONS:
            found = read_changed(name, at, line, self.scope, self.said)
        elif line.word in AMOUNTS:
            found = read_beside(name, at, line, self.scope, self.said)
        elif line.accept("began"):
            found = self.began(name, at)
        elif line.word == "within":
            found = self.entries([(name, at)], negative=False)
        elif line.accept("holds"):
            found = self.holds(name, at)
        elif line.accept("was", "received"):
            found = self.received([(name, at)], "any")
        elif line.accept("was", "not", "received"):
            found = self.received([(name, at)], "none")
        elif line.accept("is"):
            found = self.state(name, at, group)
        else:
            expected = ["is", "from", "holds", "was", ">=", "<", "rose", "fell", "began", "at"]
            line.misread("expected `is`, `from`, `holds` or a comparison", expected)
        return found

    def state(self, name: str, at: Place, group: str) -> Expr:
        """Read what follows `NAME is`."""
        line = self.line
        word = line.word
        if word in {"known", "unknown"}:
            found = self.known([(name, at)], "any")
        elif word == "newer":
            found = self.newer([(name, at)], "any")
        elif word == "in":
            found = self.ahead(name, at)
        elif word == "answered":
            found = self.answered(name, at)
        elif group == "index":
            found = self.band(name, at)
        elif group == "factor":
            found = self.grade(name, at)
        elif word in {"present", "absent", "on", "not", "ordered", "newly", "being"}:
            negative = line.accept("not")
            if negative and line.word != "on":
                line.misread("expected `on record`", ["on"])
            found = self.listed([(name, at)], negative=negative)
        elif group:
            expected = ["present", "absent", "known", "unknown", "on", "not", "ordered", "being"]
            line.misread(f"`{name}` cannot be this", expected)
        else:
            # What may follow depends on what the name was meant to be.
            line.skip()
            found = nothing(self.place)
        return found

    def holds(self, name: str, at: Place) -> Expr:
        self.names.ask(name, at, "condition", f"`{name}` is not a condition")
        self.names.lean(name, at)
        return Holds(**self.said, key=f"{name} holds", name=name)

    def compare(self, name: str, at: Place) -> Expr:
        line = self.line
        low, high, closed_low, closed_high = self.ends()
        within = line.within()
        own = name in self.scope.inputs and name != "age"
        if not own and not self.names.ask_number(name, at):
            return nothing(self.place)
        # Inside an index its own name for a result means the chosen one.
        group = "input" if own else self.names.group(name)
        if not own:
            self.names.lean(name, at)
        if group == "quantity":
            within = self.names.own_within(name, within)
        target = self.scope.inputs[name] if own else self.scope.target(name)
        limits = [
            None if end is None else self.scope.limit(end[0], target, end[1], closed=closed)
            for end, closed in ((low, closed_low), (high, closed_high))
        ]
        what = _WHAT[group]
        full = name if own else self.scope.full(name)
        return Compare(
            **self.said,
            key=f"{what} {full} {limit_key(*limits)}{within_key(within)}",
            name=full,
            what=what,
            low=limits[0],
            high=limits[1],
            within=within,
        )

    def ends(self) -> tuple[_End, _End, bool, bool]:
        """Read the sign and what follows: low and high end, and whether each is included."""
        line = self.line
        sign = line.take()
        if sign in {">", ">="}:
            return self.value(), None, sign == ">=", False
        if sign in {"<", "<="}:
            return None, self.value(), False, sign == "<="
        low = self.value()
        line.expect("below")
        high = self.value()
        if low and high and not low[0].name and not low[0].unit:
            # `from 18 below 75 years`: the unit behind the second is that of both.
            low = literal(str(low[0].cases[0].value), high[0].unit, low[1]), low[1]
        return low, high, True, False

    def value(self) -> _End:
        """Read a number with its unit, or the name of a threshold."""
        line = self.line
        at, word = line.place, line.word
        if not word or word in {"[", "]", ",", "within", "below"} or word in _SIGNS:
            line.misread("expected a number or the name of a threshold")
        if word[0].isdigit() and not NUMBER.fullmatch(word):
            line.misread("expected a number, a blank and its unit")
        line.take()
        if NUMBER.fullmatch(word):
            return literal(word, line.unit(), at), at
        written = self.scope.written(word, at)
        return None if written is None else (written, at)

    def band(self, name: str, at: Place) -> Expr:
        if self.line.word in {"present", "absent", "on", "not"}:
            self.names.wrong(name, at, f"`{name}` is an index: it has bands, not entries")
        chosen = self.line.one_or_more()
        known = self.scope.names.operands[name].words
        for word, where in chosen:
            if word not in known:
                self.scope.names.missing(f"a band of `{name}`", word, where, known)
        self.names.lean(name, at)
        bands = _words(chosen)
        return BandIs(**self.said, key=f"{name} is {names_key(bands)}", name=name, bands=bands)

    def grade(self, name: str, at: Place) -> Expr:
        line = self.line
        or_more = line.accept("at", "least")
        where = line.place
        known = (*self.scope.names.operands[name].words, "undetermined")
        if not line.word:
            line.misread("expected a grade", known)
        grade = line.take()
        if grade not in known:
            self.scope.names.missing(f"a grade of `{name}`", grade, where, known)
        self.names.lean(name, at)
        key = f"{name} is {'at least ' if or_more else ''}{grade}"
        return GradeIs(**self.said, key=key, name=name, grade=grade, or_more=or_more)

    # --- what is asked of one name or of several -------------------------------------

    def known(self, names: list[_Named], quantifier: str) -> Expr:
        line = self.line
        unknown = line.take() == "unknown"
        within = line.within()
        whats: list[str] = []
        windows: set[int | None] = set()
        for name, at in names:
            self.names.ask_known(name, at)
            self.names.lean(name, at)
            group = self.names.group(name)
            whats.append(_WHAT.get(group, "concept"))
            windows.add(self.names.own_within(name, within) if group == "quantity" else within)
        if len(windows) == 1:
            # Several windows of their own stay unsaid: each concept then keeps its own.
            within = windows.pop()
        # Not known is what is left when not all are: the quantifier turns round.
        turned = (quantifier == "all") != unknown and len(names) > 1
        every: Literal["any", "all"] = "all" if turned else "any"
        chosen = tuple(self.scope.full(name) for name, _ in names)
        pairs = [f"{what} {name}" for what, name in zip(whats, chosen, strict=True)]
        clause = Known(
            **self.said,
            key=f"known {every} {names_key(pairs)}{within_key(within)}",
            names=chosen,
            whats=tuple(whats),
            quantifier=every,
            within=within,
        )
        return self.negated(clause, negative=unknown != (quantifier == "none"))

    def listed(self, names: list[_Named], *, negative: bool) -> Expr:
        """Read `present`, `absent`, `on record` or `ordered`, and the suffixes."""
        line = self.line
        for name, at in names:
            self.names.ask(name, at, "list", f"`{name}` has no entries that could be present")
        marks: dict[str, Any] = {}
        if line.accept("on", "record"):
            marks["on_record"] = True
        elif line.accept("absent"):
            negative = not negative
        elif line.word in {"newly", "ordered", "being"}:
            return self.negated(self.acted(names), negative=negative)
        elif not line.accept("present"):
            expected = ["present", "absent", "on", "known", "newer", "ordered", "newly", "being"]
            line.misread("expected `present`, `absent` or `on record`", expected)
        return self.entries(names, negative=negative, marks=marks)

    def entries(
        self, names: list[_Named], *, negative: bool, marks: dict[str, Any] | None = None
    ) -> Expr:
        """Read the suffixes of a list clause; `NAME within N days` has nothing before them."""
        if marks is None:
            marks = {}
            for name, at in names:
                self.names.ask(name, at, "list", f"`{name}` has no entries that could be present")
        within = self.suffixes(marks, names)
        clause = self._listed(_words(names), within, marks)
        return self.negated(clause, negative=negative)

    def began(self, name: str, at: Place) -> Expr:
        """Read `began more than N days ago`."""
        line = self.line
        line.form = "NAME began more than N days ago [, ever]"
        at_least = line.accept("at", "least")
        if not at_least:
            line.expect("more", "than")
        days = line.days()
        line.expect("ago")
        line.accept(",")
        ever = line.accept("ever")
        self.names.ask(name, at, "list", f"`{name}` has no entries that could have begun")
        key = f"{name} began {'>=' if at_least else '>'} {days}{' ever' if ever else ''}"
        return Began(**self.said, key=key, name=name, days=days, at_least=at_least, ever=ever)

    def ahead(self, name: str, at: Place) -> Expr:
        """Read `is in the future`."""
        line = self.line
        line.form = "NAME is in the future"
        line.expect("in", "the", "future")
        concept = self.scope.names.concepts.get(name)
        if concept is None or concept.type != "date":
            self.names.wrong(name, at, f"`{name}` is not a date that is recorded")
        elif not concept.may_lie_ahead and not self.scope.names.begins_something(name):
            self.names.wrong(name, at, f"`{name}` is not read where it lies ahead")
        return InFuture(**self.said, key=f"{name} in the future", name=name)

    def acted(self, names: list[_Named]) -> Expr:
        """Read `ordered`, `newly ordered`, `being added` or `being refilled`."""
        act, newly = read_act(self.line)
        self.names.act(names, act)
        routes = self.routes(names) if self.line.word == "by" else ()
        if newly:
            return newly_ordered(_words(names), routes, self._one, self.place, self.said["label"])
        return self._listed(_words(names), None, {"ordered": "only", "act": act, "routes": routes})

    def _one(self, name: str, marks: dict[str, Any], text: str) -> Listed:
        return self._listed((name,), None, marks, text)

    def routes(self, names: list[_Named]) -> tuple[str, ...]:
        return read_routes(self.line, names, self.scope.names)

    def suffixes(self, marks: dict[str, Any], names: list[_Named]) -> int | None:
        """Read what qualifies a list clause into *marks*, and give its window."""
        line = self.line
        within = None
        while line.word:
            line.accept(",")
            if line.accept("ever"):
                marks["ever"] = True
            elif line.accept("undated", "counts") or line.accept("undated", "count"):
                marks["undated_counts"] = True
            elif line.accept("or", "ordered"):
                marks["ordered"] = "also"
                self.names.act(names, "ordered")
            elif line.word == "by":
                marks["routes"] = self.routes(names)
            elif line.word == "within":
                within = line.within()
            else:
                label = "expected `within`, `ever`, `undated counts`, `by route` or `or ordered`"
                line.misread(label, ["ever", "undated", "within", "or", "by"])
        return within

    def answered(self, name: str, at: Place) -> Expr:
        """Read `NAME is answered yes|no`: what was said, not what is missing."""
        line = self.line
        line.form = "NAME is answered yes | no [within N days]"
        concept = self.scope.names.concepts.get(name)
        if self.scope.kind(name) and (concept is None or concept.type != "answer"):
            self.names.wrong(name, at, f"`{name}` is not a question with answers")
        line.expect("answered")
        if line.word not in {"yes", "no"}:
            line.misread("expected `yes` or `no`", ["yes", "no"])
        said = name if line.take() == "yes" else f"{name}:no"
        return self._listed((said,), line.within(), {})

    def _listed(
        self, names: tuple[str, ...], within: int | None, marks: dict[str, Any], text: str = ""
    ) -> Listed:
        if within is None and "ever" not in marks:
            within = self.names.answer_within(names)
        words = [f"{name} {value}" for name, value in sorted(marks.items()) if value]
        key = " ".join([f"listed {names_key(names)}{within_key(within)}", *words])
        said = {**self.said, "text": text, "label": ""} if text else self.said
        return Listed(**said, **marks, key=key, names=names, within=within)

    def received(self, names: list[_Named], quantifier: str) -> Expr:
        line = self.line
        line.form = "any of [NAME, NAME] was received within N days"
        if quantifier == "all":
            line.back(2)
            line.misread("only `any of` and `none of` can be received", ["any", "none"])
        for name, at in names:
            self.names.ask(name, at, "quantity list", f"`{name}` is not data that is sent")
        within = line.within()
        chosen = _words(names)
        if within is None:
            self.names.unbounded(listed(chosen))
        key = f"received {names_key(chosen)}{within_key(within)}"
        clause = Received(**self.said, key=key, names=chosen, within=within)
        return self.negated(clause, negative=quantifier == "none")

    def newer(self, names: list[_Named], quantifier: str) -> Expr:
        line = self.line
        line.form = "any of [NAME, NAME] is newer than NAME"
        if quantifier == "all":
            line.misread("only `any of` and `none of` can be newer")
        line.expect("newer", "than")
        at = line.place
        if not line.word:
            line.misread("expected a name")
        than = line.take()
        self.names.look_up(than, at)
        for name, where in [*names, (than, at)]:
            self.names.ask(name, where, "quantity list", f"`{name}` is no dated result")
        chosen = _words(names)
        key = f"newer {names_key(chosen)} than {than}"
        clause = NewerThan(**self.said, key=key, names=chosen, than=than)
        return self.negated(clause, negative=quantifier == "none")


_OPENINGS: Final[dict[str, Callable[[_Parser], Expr]]] = {
    "sex": _Parser.sex,
    "stage": _Parser.stage,
    "card": _Parser.card,
    "the": _Parser.complete,
    "some": _Parser.not_used,
    "any": _Parser.several,
    "none": _Parser.several,
    "all": _Parser.several,
}


def _words(names: list[_Named]) -> tuple[str, ...]:
    return tuple(name for name, _ in names)
