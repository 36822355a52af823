"""
The formula grammar: numbers, inputs, `+ - * / ^`, and a handful of functions.

`^` binds tightest and to the right, then a sign, then `* /`, then `+ -`.
`name[unit]` is that input as a plain number in that unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NoReturn

from cds.core.indices import Binary, Call, FormulaExpr, InputRef, Number, OneIf, Step
from cds.core.quantity import read_unit
from cds.rulefiles.diagnostics import Report, did_you_mean, listed
from cds.rulefiles.nodes import Scalar
from cds.rulefiles.sentences import is_too_long
from cds.rulefiles.thresholds import Target

__all__ = ["Vocabulary", "parse_formula"]

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/^(),\[\]])|(?P<odd>\S))"
)
_ONE: Final = frozenset({"ln", "log10", "exp", "sqrt", "logistic"})
_MANY: Final = frozenset({"min", "max"})
_BARE: Final = frozenset({"ln", "log10", "exp", "logistic"})
_DEEPEST: Final = 40


@dataclass(slots=True)
class Vocabulary:
    """
    What a formula may name.

    *inputs* tell which units each input can be expressed in; *as_sent* names the input
    whose bare name means the unit it was sent in, with that unit.
    """

    inputs: Mapping[str, Target]
    steps: set[str] = field(default_factory=set)
    conditions: set[str] = field(default_factory=set)
    as_sent: tuple[str, str] = ("", "")


class _MisreadError(Exception):
    """The formula stops making sense at these characters."""

    def __init__(self, first: int, last: int, headline: str, help_: str) -> None:
        super().__init__(headline)
        self.first = first
        self.last = last
        self.help = help_


def parse_formula(node: Scalar, words: Vocabulary, report: Report) -> FormulaExpr:
    """Read a formula; one that cannot be read is reported and stands for zero."""
    if is_too_long(node, report):
        return Number(Decimal(0))
    parser = _Parser(node, words, report)
    try:
        return parser.formula()
    except _MisreadError as problem:
        report.add(
            "CDS110",
            node.span(problem.first, problem.last),
            str(problem),
            help=problem.help,
        )
        return Number(Decimal(0))


class _Parser:
    """Walks the words of one formula, precedence by precedence."""

    def __init__(self, node: Scalar, words: Vocabulary, report: Report) -> None:
        self.node = node
        self.words = words
        self.report = report
        self.tokens = [
            (group, match[group], *match.span(group))
            for match in _TOKEN.finditer(node.text)
            if (group := match.lastgroup or "")
        ]
        self.at = 0
        self.depth = 0
        self.inside = ""

    @property
    def word(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def misread(self, help_: str) -> NoReturn:
        if self.at < len(self.tokens):
            _, word, first, last = self.tokens[self.at]
            raise _MisreadError(first, last, f"`{word}` does not fit here", help_)
        end = len(self.node.text)
        raise _MisreadError(max(end - 1, 0), end, "the formula ends too early", help_)

    def expect(self, word: str) -> None:
        if self.word != word:
            self.misread(f"expected `{word}`")
        self.at += 1

    def formula(self) -> FormulaExpr:
        found = self.sum()
        if self.word:
            self.misread("expected `+ - * / ^`")
        return found

    def sum(self) -> FormulaExpr:
        self.depth += 1
        if self.depth > _DEEPEST:
            self.misread("name a part of it in `let:`")
        left = self.product()
        while self.word in {"+", "-"}:
            op = self.word
            self.at += 1
            left = Binary(op, left, self.product())
        self.depth -= 1
        return left

    def product(self) -> FormulaExpr:
        left = self.signed()
        while self.word in {"*", "/"}:
            op = self.word
            self.at += 1
            left = Binary(op, left, self.signed())
        return left

    def signed(self) -> FormulaExpr:
        minus = False
        while self.word in {"-", "+"}:
            minus ^= self.word == "-"
            self.at += 1
        value = self.power()
        if not minus:
            return value
        if isinstance(value, Number):
            return Number(-value.value)
        return Binary("-", Number(Decimal(0)), value)

    def power(self) -> FormulaExpr:
        base = self.atom()
        if self.word != "^":
            return base
        self.at += 1
        self.depth += 1
        if self.depth > _DEEPEST:
            self.misread("name a part of it in `let:`")
        # The exponent may carry a sign, and a further power binds first.
        raised = Binary("^", base, self.signed())
        self.depth -= 1
        return raised

    def atom(self) -> FormulaExpr:
        if self.word == "(":
            self.at += 1
            found = self.sum()
            self.expect(")")
            return found
        if self.at >= len(self.tokens):
            self.misread("expected a number, an input or a function")
        kind, word, first, last = self.tokens[self.at]
        if kind == "number":
            self.at += 1
            return Number(Decimal(word))
        if kind != "name":
            self.misread("expected a number, an input or a function")
        self.at += 1
        if self.word == "(":
            return self.call(word, first, last)
        return self.reference(word, first, last)

    def call(self, word: str, first: int, last: int) -> FormulaExpr:
        self.at += 1
        if word == "one_if":
            _, name, start, end = (
                self.tokens[self.at] if self.word else self.misread("expected a name")
            )
            if name not in self.words.conditions:
                self.unknown("a name of `conditions:`", name, start, end,
                             self.words.conditions)  # fmt: skip
            self.at += 1
            self.expect(")")
            return OneIf(name)
        if word not in _ONE and word not in _MANY:
            known = sorted(_ONE | _MANY | {"one_if"})
            raise _MisreadError(
                first,
                last,
                f"`{word}` is not a function",
                did_you_mean(word, known) or f"functions: {', '.join(known)}",
            )
        outside, self.inside = self.inside, word if word in _BARE else self.inside
        arguments = [self.sum()]
        while self.word == "," and word in _MANY:
            self.at += 1
            arguments.append(self.sum())
        self.inside = outside
        self.expect(")")
        if word in _MANY and len(arguments) == 1:
            raise _MisreadError(first, last, f"`{word}` compares two or more", f"{word}(a, b)")
        return Call(word, tuple(arguments))

    def reference(self, word: str, first: int, last: int) -> FormulaExpr:
        unit = self.bracket() if self.word == "[" else ""
        if word in self.words.steps:
            if unit:
                raise _MisreadError(
                    first, last, f"`{word}` is a plain number and has no unit",
                    "leave out the brackets",
                )  # fmt: skip
            return Step(word)
        target = self.words.inputs.get(word)
        if target is None:
            known = [*self.words.inputs, *self.words.steps, *_ONE, *_MANY]
            self.unknown("an input or a step of this formula", word, first, last, known)
            return InputRef(word, unit)
        if not unit and word == self.words.as_sent[0]:
            return InputRef(word, self.words.as_sent[1])
        if unit and unit not in target.units:
            self.report.add(
                "CDS301",
                self.node.span(first, last),
                f"`{word}` cannot be expressed in {unit}",
                label=f"kept in {target.unit}",
                notes=[f"accepted units: {', '.join(target.units)}"],
            )
        if not unit and self.inside and target.unit != "1" and target.name != "age":
            self.report.add(
                "CDS304",
                self.node.span(first, last),
                f"`{self.inside}` of something with a unit",
                help=f"say which number is meant: `{word}[{target.unit}]`",
            )
        return InputRef(word, unit)

    def bracket(self) -> str:
        """Read `[unit]`, in which brackets may be nested."""
        start = self.tokens[self.at][3]
        open_ = 1
        while open_:
            self.at += 1
            if not self.word:
                self.misread("expected `]`")
            open_ += (self.word == "[") - (self.word == "]")
        end = self.tokens[self.at][2]
        self.at += 1
        return read_unit(self.node.text[start:end], is_code=True)

    def unknown(self, what: str, word: str, first: int, last: int, known: Iterable[str]) -> None:
        choices = sorted(known)
        self.report.add(
            "CDS201",
            self.node.span(first, last),
            f"`{word}` is not {what}",
            notes=[f"known here: {listed(choices)}"] if choices else [],
            help=did_you_mean(word, choices),
        )
