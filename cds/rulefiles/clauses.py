"""
The clause grammar: one sentence, one question.

    NAME >= VALUE [UNIT] [within N days]          also > < <=
    NAME from VALUE below VALUE [UNIT] [within N days]
    NAME is present | absent | on record | not on record | known | unknown
    any | none | all of [NAMES] is | are ...      was received, is newer than NAME
    NAME is [one of] BAND | [at least] GRADE      stage is LABEL    NAME holds
    age ...   sex is ...   card ID fires          the NAME list is complete
    some result was not used because of [...] within N days

Parsed by hand, so that whatever does not fit is shown at the word that does not fit,
with the nearest form that would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Literal, NoReturn

from cds.core.facts import Gap
from cds.core.rules import (
    All,
    BandIs,
    CardFires,
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
    Place,
    Received,
    SexIs,
    StageIs,
)
from cds.rulefiles.diagnostics import did_you_mean, listed
from cds.rulefiles.keys import limit_key, names_key, within_key
from cds.rulefiles.names import Scope
from cds.rulefiles.source import NUMBER, Scalar
from cds.rulefiles.thresholds import Target, Written, literal
from cds.core.quantity import read_unit

__all__ = ["nothing", "parse_clause"]

# A word may carry brackets of its own: `u[IU]/mL`.
_TOKEN: Final = re.compile(
    r">=|<=|[<>,\]]"
    r"|\["
    r"|[^\s,<>\[\]]+(?:\[[^\]\s]*\][^\s,<>\[\]]*)*"
)
_UNIT: Final = re.compile(r"[^\s,]+")
_SIGNS: Final = frozenset({">=", "<=", ">", "<"})
_LISTABLE: Final = frozenset(
    {"answer", "date", "problem", "medicine", "procedure", "plan", "family", "episode",
     "encounter"}
)  # fmt: skip
_MEASURED: Final = frozenset({"quantity", "answer", "date", "episode"})
_LISTS: Final = ("problems", "medicines")
_REASONS: Final = tuple(gap.value for gap in Gap)

_FORMS: Final = {
    "quantity": "NAME >= VALUE UNIT [within N days], NAME from V below V, NAME is known",
    "list": "NAME is present | absent | on record | not on record",
    "index": "NAME >= VALUE, NAME is BAND, NAME is known",
    "reading": "NAME >= VALUE, NAME is known",
    "condition": "NAME holds",
    "factor": "NAME is GRADE, NAME is at least GRADE",
    "input": "NAME >= VALUE UNIT",
    "age": "age >= 18 years, age from 18 below 75 years, age is known",
}


class _MisreadError(Exception):
    """The sentence stops making sense at these characters."""

    def __init__(self, first: int, last: int, headline: str, label: str, help_: str) -> None:
        super().__init__(headline)
        self.first = first
        self.last = last
        self.headline = headline
        self.label = label
        self.help = help_


def nothing(place: Place) -> All:
    """Stand in for a condition that could not be read; its file does not load anyway."""
    return All(of=(), key="nothing", place=place)


def parse_clause(node: Scalar, scope: Scope, label: str = "") -> Expr:
    """Read one clause; what cannot be read is reported and stands for nothing."""
    parser = _Parser(node, scope, label)
    try:
        return parser.clause()
    except _MisreadError as problem:
        scope.report.add(
            "CDS110",
            node.span(problem.first, problem.last),
            problem.headline,
            label=problem.label,
            help=problem.help,
        )
        return nothing(node.place)


class _Parser:
    """Walks the words of one clause."""

    def __init__(self, node: Scalar, scope: Scope, label: str) -> None:
        self.node = node
        self.scope = scope
        self.label = label
        self.text = node.text
        self.place = node.place
        self.words: list[tuple[str, int, int]] = [
            (match[0], match.start(), match.end()) for match in _TOKEN.finditer(node.text)
        ]
        self.at = 0
        self.form = "see `cds explain CDS110` for the forms of a clause"

    # --- words ------------------------------------------------------------------

    @property
    def word(self) -> str:
        return self.words[self.at][0] if self.at < len(self.words) else ""

    def take(self) -> str:
        word = self.word
        self.at += 1
        return word

    def accept(self, *words: str) -> bool:
        """Pass over these words where they come next."""
        end = self.at + len(words)
        if tuple(one[0] for one in self.words[self.at : end]) == words:
            self.at = end
            return True
        return False

    def expect(self, *words: str) -> None:
        for word in words:
            if self.word != word:
                self.misread(f"expected `{word}`", [word])
            self.at += 1

    def span_of(self, index: int) -> tuple[int, int]:
        if index < len(self.words):
            return self.words[index][1:]
        end = len(self.text.rstrip())
        return max(end - 1, 0), end

    def place_of(self, index: int) -> Place:
        return self.node.span(*self.span_of(index))

    def misread(self, label: str, expected: Sequence[str] = ()) -> NoReturn:
        first, last = self.span_of(self.at)
        word = self.word
        headline = (
            f"`{word}` does not fit here" if word else "the clause ends too early"
        )
        nearest = did_you_mean(word, expected) if word else ""
        raise _MisreadError(first, last, headline, label, nearest or self.form)

    def finish(self) -> None:
        if self.word:
            self.misread("nothing more can follow", ["within"])

    # --- the first word ---------------------------------------------------------

    def clause(self) -> Expr:
        first = self.word
        if not first:
            self.misread("expected a clause")
        reader = _OPENINGS.get(first)
        if reader is not None and self.scope.kind(first) in {"", "age"}:
            found = reader(self)
        else:
            found = self.named()
        self.finish()
        return found

    def sex(self) -> Expr:
        self.form = "sex is male | female"
        self.expect("sex", "is")
        if self.word not in {"male", "female"}:
            self.misread("expected `male` or `female`", ["male", "female"])
        sex = self.take()
        return SexIs(
            text=self.text, place=self.place, key=f"sex is {sex}", label=self.label, sex=sex
        )

    def stage(self) -> Expr:
        self.form = "stage is LABEL | stage is one of [LABEL, LABEL]"
        self.expect("stage", "is")
        labels = self.one_or_more()
        known = self.scope.names.labels
        for label, at in labels:
            if label not in known:
                self.scope.names.missing("a label of the stages", label, at, known)
        for stages in self.scope.names.stages:
            self.scope.lean("stages", stages, self.place)
        chosen = tuple(label for label, _ in labels)
        return StageIs(
            text=self.text,
            place=self.place,
            key=f"stage is {names_key(chosen)}",
            label=self.label,
            labels=chosen,
        )

    def card(self) -> Expr:
        self.form = "card ID fires"
        self.expect("card")
        at = self.place_of(self.at)
        name = self.take()
        self.expect("fires")
        if name not in self.scope.names.cards:
            self.scope.names.missing("a card", name, at, self.scope.names.cards)
        self.scope.lean("card", name, at)
        return CardFires(
            text=self.text, place=self.place, key=f"card {name} fires", label=self.label,
            name=name,
        )  # fmt: skip

    def complete(self) -> Expr:
        self.form = "the medicines list is complete | the problems list is complete"
        self.expect("the")
        names = []
        while True:
            if self.word not in self.scope.names.searches and self.word not in _LISTS:
                known = [*_LISTS, *self.scope.names.searches]
                self.misread("expected the name of a list", known)
            names.append(self.take())
            if not (self.accept(",") or self.accept("and")):
                break
        if not (self.accept("list", "is") or self.accept("lists", "are")):
            self.misread("expected `list is complete`", ["list"])
        self.expect("complete")
        return ListComplete(
            text=self.text,
            place=self.place,
            key=f"complete {names_key(names)}",
            label=self.label,
            lists=tuple(names),
        )

    def some(self) -> Expr:
        self.form = (
            "some result was not used because of [unit, implausible, conflict] "
            "within N days"
        )
        self.expect("some", "result")
        names: tuple[str, ...] = ()
        if self.accept("of"):
            names = tuple(name for name, _ in self.names())
        self.expect("was", "not", "used", "because", "of")
        reasons = []
        for reason, at in self.bracketed():
            if reason not in _REASONS:
                self.scope.names.missing("a reason", reason, at, _REASONS)
            reasons.append(reason)
        within = self.within()
        if within is None:
            self.unbounded("a result that was not used")
        return NotUsedBecause(
            text=self.text,
            place=self.place,
            key=f"not used {names_key(reasons)} of {names_key(names)}{within_key(within)}",
            label=self.label,
            reasons=tuple(reasons),
            within=within,
            names=names,
        )

    def several(self) -> Expr:
        self.form = "any of [NAME, NAME] is present | is known | was received within N days"
        quantifier = self.take()
        self.expect("of")
        names = self.names()
        kinds = {self.group_of(name, at) for name, at in names}
        chosen = tuple(name for name, _ in names)
        if self.accept("was", "received") or self.accept("were", "received"):
            return self.received(names, quantifier)
        if not (self.accept("is") or self.accept("are")):
            self.misread("expected `is`, `are` or `was received`", ["is", "are", "was"])
        if self.word in {"known", "unknown"}:
            return self.known(names, quantifier)
        if self.word == "newer":
            return self.newer(names, quantifier)
        if quantifier == "all":
            self.form = "all of [NAME, NAME] are known"
            self.misread("expected `known`", ["known"])
        for name, at in names:
            self.ask(name, at, {"list"}, f"`{name}` is not in a list that can hold entries")
        _ = kinds
        return self.listed(chosen, negative=quantifier == "none")

    # --- a name -----------------------------------------------------------------

    def named(self) -> Expr:
        at = self.place_of(self.at)
        name = self.take()
        group = self.group_of(name, at)
        self.form = _FORMS.get(group, self.form)
        word = self.word
        if word in _SIGNS or word == "from":
            return self.compare(name, at, group)
        if word == "holds":
            self.at += 1
            self.ask(name, at, {"condition"}, f"`{name}` is not a condition")
            self.lean(name, at)
            return Holds(
                text=self.text, place=self.place, key=f"{name} holds", label=self.label,
                name=name,
            )  # fmt: skip
        if self.accept("was", "received"):
            return self.received([(name, at)], "any")
        if self.accept("was", "not", "received"):
            return self.received([(name, at)], "none")
        if word != "is":
            expected = ["is", "from", "holds", "was", ">=", "<"]
            self.misread("expected `is`, `from`, `holds` or a comparison", expected)
        self.at += 1
        return self.state(name, at, group)

    def state(self, name: str, at: Place, group: str) -> Expr:
        """Read what follows `NAME is`."""
        word = self.word
        if word in {"known", "unknown"}:
            return self.known([(name, at)], "any")
        if word == "newer":
            return self.newer([(name, at)], "any")
        if group == "index":
            return self.band(name, at)
        if group == "factor":
            return self.grade(name, at)
        if word in {"present", "absent", "on", "not", "ordered", "newly"}:
            self.ask(name, at, {"list"}, f"`{name}` has no entries that could be present")
            negative = self.accept("not")
            if negative and self.word != "on":
                self.misread("expected `on record`", ["on"])
            return self.listed((name,), negative=negative)
        if word == "answered":
            return self.answered(name, at)
        if group in {"list", "quantity", "reading", "condition", "age", "input"}:
            expected = ["present", "absent", "known", "unknown", "on", "not"]
            self.misread(f"`{name}` cannot be this", expected)
        self.at = len(self.words)
        return nothing(self.place)

    def compare(self, name: str, at: Place, group: str) -> Expr:
        if name in self.scope.inputs and name != "age":
            # Inside an index its own name for a result means the chosen one.
            group = "input"
        if group not in {*_COMPARABLE, ""}:
            self.wrong(name, at, f"`{name}` has no number to compare")
        low: tuple[Written, Place] | None = None
        high: tuple[Written, Place] | None = None
        closed_low, closed_high = True, False
        sign = self.take()
        if sign == "from":
            low = self.value()
            self.expect("below")
            high = self.value()
            if low and high and not _unit(low[0]) and not low[0].name:
                low = _with_unit(low[0], _unit(high[0])), low[1]
        elif sign in {">", ">="}:
            low, closed_low = self.value(), sign == ">="
        else:
            high, closed_high = self.value(), sign == "<="
        within = self.within()
        if not group:
            return nothing(self.place)
        if group != "input":
            self.lean(name, at)
        target = self.scope.target(name) if group in _COMPARABLE else None
        ends = [
            self.limit(low, target, closed=closed_low),
            self.limit(high, target, closed=closed_high),
        ]
        if group == "quantity":
            within = self.own_within(name, within)
        what = _WHAT.get(group, "concept")
        full = name if group == "input" else self.scope.full(name)
        return Compare(
            text=self.text,
            place=self.place,
            key=f"{what} {full} {limit_key(*ends)}{within_key(within)}",
            label=self.label,
            name=full,
            what=what,
            low=ends[0],
            high=ends[1],
            within=within,
        )

    def limit(
        self, end: tuple[Written, Place] | None, target: Target | None, *, closed: bool
    ) -> Limit | None:
        if end is None or target is None:
            return None
        return self.scope.limit(end[0], target, end[1], closed=closed)

    def value(self) -> tuple[Written, Place] | None:
        """Read a number with its unit, or the name of a threshold."""
        at = self.place_of(self.at)
        word = self.word
        if not word or word in {"[", "]", ",", "within", "below"} or word in _SIGNS:
            self.misread("expected a number or the name of a threshold")
        self.at += 1
        if not NUMBER.fullmatch(word):
            if word[0].isdigit():
                self.at -= 1
                self.misread("expected a number, a blank and its unit")
            written = self.scope.written(word, at)
            return None if written is None else (written, at)
        return literal(word, self.unit(), at), at

    def unit(self) -> str:
        """Read a unit: all up to the next blank, for `[lb_av]` begins with a bracket."""
        if self.word in {"", ",", "within", "below"}:
            return ""
        match = _UNIT.match(self.text, self.words[self.at][1])
        if match is None:
            return ""
        while self.at < len(self.words) and self.words[self.at][1] < match.end():
            self.at += 1
        return read_unit(match[0], is_code=True)

    def known(self, names: list[tuple[str, Place]], quantifier: str) -> Expr:
        unknown = self.take() == "unknown"
        within = self.within()
        whats = []
        windows = []
        for name, at in names:
            group = self.group_of(name, at)
            if group in {"factor", "condition", "list", "input"} and not self.is_measured(name):
                self.wrong(name, at, f"`is known` cannot be asked of `{name}`")
            whats.append(_WHAT.get(group, "concept"))
            self.lean(name, at)
            if group == "quantity":
                windows.append(self.own_within(name, within))
        if within is None and windows and len(set(windows)) == 1:
            within = windows[0]
        chosen = tuple(self.scope.full(name) for name, _ in names)
        every: Literal["any", "all"] = "all" if quantifier == "all" else "any"
        pairs = [f"{what} {name}" for what, name in zip(whats, chosen, strict=True)]
        clause = Known(
            text=self.text,
            place=self.place,
            key=f"known {every if len(pairs) > 1 else 'any'} {names_key(pairs)}"
            f"{within_key(within)}",
            label=self.label,
            names=chosen,
            whats=tuple(whats),
            quantifier=every,
            within=within,
        )
        return self.negated(clause) if unknown != (quantifier == "none") else clause

    def listed(self, names: tuple[str, ...], *, negative: bool) -> Expr:
        """Read `present`, `absent`, `on record` or `ordered`, and the suffixes."""
        on_record = False
        ordered: Literal["", "also", "only"] = ""
        if self.accept("on", "record"):
            on_record = True
        elif self.accept("absent"):
            negative = not negative
        elif self.accept("newly", "ordered") or self.accept("ordered"):
            ordered = "only"
        elif not self.accept("present"):
            expected = ["present", "absent", "on", "known", "newer"]
            self.misread("expected `present`, `absent` or `on record`", expected)
        within: int | None = None
        ever = undated = False
        while self.word:
            self.accept(",")
            if self.accept("ever"):
                ever = True
            elif self.accept("undated", "counts") or self.accept("undated", "count"):
                undated = True
            elif self.accept("or", "ordered"):
                ordered = "also"
            elif self.word == "within":
                within = self.within()
            else:
                expected = ["ever", "undated", "within", "or"]
                label = "expected `within`, `ever`, `undated counts` or `or ordered`"
                self.misread(label, expected)
        marks = [
            word
            for word, said in (
                ("ever", ever),
                ("undated", undated),
                ("on record", on_record),
                (f"ordered {ordered}", bool(ordered)),
            )
            if said
        ]
        clause = Listed(
            text=self.text,
            place=self.place,
            key=f"listed {names_key(names)}{within_key(within)} {' '.join(marks)}".strip(),
            label=self.label,
            names=names,
            ever=ever,
            within=within,
            undated_counts=undated,
            on_record=on_record,
            ordered=ordered,
        )
        return self.negated(clause) if negative else clause

    def answered(self, name: str, at: Place) -> Expr:
        """Read `NAME is answered yes|no`: what was said, not what is missing."""
        self.form = "NAME is answered yes | no [within N days]"
        concept = self.scope.names.concepts.get(name)
        if concept is None or concept.type != "answer":
            self.wrong(name, at, f"`{name}` is not a question with answers")
        self.expect("answered")
        if self.word not in {"yes", "no"}:
            self.misread("expected `yes` or `no`", ["yes", "no"])
        said = name if self.take() == "yes" else f"{name}:no"
        within = self.within()
        return Listed(
            text=self.text,
            place=self.place,
            key=f"listed {names_key([said])}{within_key(within)}",
            label=self.label,
            names=(said,),
            within=within,
        )

    def received(self, names: list[tuple[str, Place]], quantifier: str) -> Expr:
        self.form = "any of [NAME, NAME] was received within N days"
        if quantifier == "all":
            self.at -= 2
            self.misread("only `any of` and `none of` can be received", ["any", "none"])
        for name, at in names:
            self.ask(name, at, {"quantity", "list"}, f"`{name}` is not data that is sent")
        within = self.within()
        chosen = tuple(name for name, _ in names)
        if within is None:
            self.unbounded(listed(chosen))
        clause = Received(
            text=self.text,
            place=self.place,
            key=f"received {names_key(chosen)}{within_key(within)}",
            label=self.label,
            names=chosen,
            within=within,
        )
        return self.negated(clause) if quantifier == "none" else clause

    def newer(self, names: list[tuple[str, Place]], quantifier: str) -> Expr:
        self.form = "any of [NAME, NAME] is newer than NAME"
        if quantifier == "all":
            self.misread("only `any of` and `none of` can be newer")
        self.expect("newer", "than")
        at = self.place_of(self.at)
        if not self.word:
            self.misread("expected a name")
        than = self.take()
        self.group_of(than, at)
        for name, where in [*names, (than, at)]:
            self.ask(name, where, {"quantity", "list"}, f"`{name}` is no dated result")
            self.lean(name, where)
        chosen = tuple(self.scope.full(name) for name, _ in names)
        clause = NewerThan(
            text=self.text,
            place=self.place,
            key=f"newer {names_key(chosen)} than {than}",
            label=self.label,
            names=chosen,
            than=than,
        )
        return self.negated(clause) if quantifier == "none" else clause

    def band(self, name: str, at: Place) -> Expr:
        if self.word in {"present", "absent", "on", "not"}:
            self.wrong(name, at, f"`{name}` is an index: it has bands, not entries")
        chosen = self.one_or_more()
        known = self.scope.names.operands[name].words
        for word, where in chosen:
            if word not in known:
                self.scope.names.missing(f"a band of `{name}`", word, where, known)
        self.lean(name, at)
        bands = tuple(word for word, _ in chosen)
        return BandIs(
            text=self.text,
            place=self.place,
            key=f"{name} is {names_key(bands)}",
            label=self.label,
            name=name,
            bands=bands,
        )

    def grade(self, name: str, at: Place) -> Expr:
        or_more = self.accept("at", "least")
        where = self.place_of(self.at)
        known = (*self.scope.names.operands[name].words, "undetermined")
        if not self.word:
            self.misread("expected a grade", known)
        grade = self.take()
        if grade not in known:
            self.scope.names.missing(f"a grade of `{name}`", grade, where, known)
        self.lean(name, at)
        return GradeIs(
            text=self.text,
            place=self.place,
            key=f"{name} is {'at least ' if or_more else ''}{grade}",
            label=self.label,
            name=name,
            grade=grade,
            or_more=or_more,
        )

    # --- parts of sentences -------------------------------------------------------

    def within(self) -> int | None:
        """Read `within N days`, after a comma or not."""
        if self.word == "," and self.at + 1 < len(self.words):
            self.at += self.words[self.at + 1][0] == "within"
        if not self.accept("within"):
            return None
        if not self.word.isdigit():
            self.misread("expected a number of days")
        days = int(self.take())
        if self.word not in {"days", "day"}:
            self.form = "windows are counted in days: within 365 days"
            self.misread("expected `days`", ["days"])
        self.at += 1
        return days

    def names(self) -> list[tuple[str, Place]]:
        """Read names in brackets."""
        return self.bracketed()

    def bracketed(self) -> list[tuple[str, Place]]:
        """Read `[a, b]`; an item may have several words."""
        self.expect("[")
        found: list[tuple[str, Place]] = []
        while True:
            first = self.at
            while self.word not in {",", "]", "[", ""}:
                self.at += 1
            if self.at == first:
                self.misread("expected a word")
            start, end = self.words[first][1], self.words[self.at - 1][2]
            found.append((self.text[start:end], self.node.span(start, end)))
            if self.accept("]"):
                return found
            if not self.accept(","):
                self.misread("expected `,` or `]`")

    def one_or_more(self) -> list[tuple[str, Place]]:
        """Read `WORD`, or `one of [WORD, WORD]`; a label may have several words."""
        if self.accept("one", "of"):
            return self.bracketed()
        if not self.word:
            self.misread("expected a word")
        at = self.place_of(self.at)
        return [(self.take(), at)]

    # --- names --------------------------------------------------------------------

    def group_of(self, name: str, at: Place) -> str:
        """Sort a name by what can be asked of it; one that is nothing is reported."""
        kind = self.scope.kind(name)
        if kind == "concept":
            type_ = self.scope.names.concepts[name].type
            return "list" if type_ in _LISTABLE else "quantity"
        if not kind:
            self.scope.names.missing(
                "a concept, an index, a reading, a condition or a factor",
                name,
                at,
                self.scope.known(),
            )
        return kind

    def is_measured(self, name: str) -> bool:
        concept = self.scope.names.concepts.get(name)
        return concept is not None and concept.type in _MEASURED

    def ask(self, name: str, at: Place, allowed: set[str], headline: str) -> None:
        """Report a question that *name* cannot answer."""
        kind = self.scope.kind(name)
        if kind == "concept":
            type_ = self.scope.names.concepts[name].type
            kind = "list" if type_ in _LISTABLE else "quantity"
        if kind and kind not in allowed:
            self.wrong(name, at, headline)

    def wrong(self, name: str, at: Place, headline: str) -> None:
        kind = self.scope.kind(name)
        concept = self.scope.names.concepts.get(name)
        form = kind
        if concept is not None and kind == "concept":
            kind = f"concept of type {concept.type}"
            form = "list" if concept.type in _LISTABLE else "quantity"
        self.scope.report.add(
            "CDS205",
            at,
            headline,
            notes=[f"`{name}` is a {kind}"],
            help=_FORMS.get(form, "").replace("NAME", name),
        )

    def lean(self, name: str, at: Place) -> None:
        self.scope.lean(self.scope.kind(name), self.scope.full(name), at)

    def own_within(self, name: str, within: int | None) -> int | None:
        """Give the window of the clause, else the concept's own."""
        if within is not None:
            return within
        own = self.scope.names.concepts[name].within
        if own is None:
            self.unbounded(f"`{name}`")
        return own

    def unbounded(self, what: str) -> None:
        self.scope.report.add(
            "CDS410",
            self.place,
            f"{what} may be of any age here",
            label="no window",
            help="write `within N days`, or give the concept a `within:` of its own",
        )

    def negated(self, clause: Expr) -> Not:
        return Not(of=clause, key=f"not({clause.key})", place=self.place, label=self.label)


_COMPARABLE: Final = frozenset({"quantity", "index", "reading", "age", "input"})
_WHAT: Final[dict[str, Literal["concept", "index", "reading", "age", "input"]]] = {
    "quantity": "concept",
    "index": "index",
    "reading": "reading",
    "age": "age",
    "input": "input",
}
_OPENINGS: Final[dict[str, Callable[[_Parser], Expr]]] = {
    "sex": _Parser.sex,
    "stage": _Parser.stage,
    "card": _Parser.card,
    "the": _Parser.complete,
    "some": _Parser.some,
    "any": _Parser.several,
    "none": _Parser.several,
    "all": _Parser.several,
}


def _unit(written: Written) -> str:
    return written.cases[0].unit if written.cases else ""


def _with_unit(written: Written, unit: str) -> Written:
    return literal(str(written.cases[0].value), unit, written.place)
