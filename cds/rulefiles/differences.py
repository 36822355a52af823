"""
Clauses about two numbers or two dates: how far apart they are, how much one changed.

    body_weight fell by 5 % or more within 365 days
    body_weight at least 5 % below peak_weight          hba1c rose by 0.5 points within 365 days
    hba1c at least 90 days after last_drug

`%` (or `percent`) is a share of what is compared with; other units are those of the
quantity. A quantity that is itself in % has `percent` and `points`, and never a bare `%`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from cds.core.clauses import All, Beside, Changed, Expr, Limit, Place
from cds.core.quantity import Conversion, read_unit
from cds.rulefiles.keys import limit_key, within_key
from cds.rulefiles.names import Scope
from cds.rulefiles.nodes import NUMBER
from cds.rulefiles.questions import Questions
from cds.rulefiles.sentences import Sentence
from cds.rulefiles.thresholds import Target, Written, literal

__all__ = ["AMOUNTS", "DIRECTIONS", "read_beside", "read_changed"]

DIRECTIONS: Final = ("rose", "fell", "changed")
"""The words that begin a change over time."""

AMOUNTS: Final = ("at", "more", "less")
"""The words that begin a difference."""

_SIDES: Final = ("below", "above", "after", "before")
_SHARES: Final = ("%", "percent")
_SIGNS: Final = {
    ("at", "least"): (True, True),
    ("more", "than"): (True, False),
    ("at", "most"): (False, True),
    ("less", "than"): (False, False),
}
_What = Literal["concept", "index", "reading"]
_Said = Mapping[str, Any]


def read_changed(name: str, at: Place, line: Sentence, scope: Scope, said: _Said) -> Expr:
    """Read what follows NAME in `NAME rose by 20 % or more within N days`."""
    line.form = "NAME rose | fell | changed by VALUE [or more] within N days"
    direction = line.take()
    line.expect("by")
    is_low, closed = True, True
    if line.word in AMOUNTS:
        is_low, closed = _sign(line)
    amount = _amount(line, scope)
    if line.accept("or"):
        line.expect("more")
    questions = Questions(scope, said["place"])
    questions.ask(name, at, "quantity", f"`{name}` has no results that could change")
    within = line.within()
    concept = scope.names.concepts.get(name)
    if concept is None or concept.type != "quantity" or amount is None:
        return _nothing(said)
    within = questions.own_within(name, within)
    share, limit = _limit(amount, scope.target(name), scope, closed=closed)
    low, high = (limit, None) if is_low else (None, limit)
    number = f"{name} {direction}{' share' if share else ''}{within_key(within)}"
    return Changed(
        **said,
        key=f"{number} {limit_key(low, high)}",
        name=name,
        direction=cast("Literal['rose', 'fell', 'changed']", direction),
        share=share,
        within=within or 0,
        number=number,
        low=low,
        high=high,
    )


def read_beside(name: str, at: Place, line: Sentence, scope: Scope, said: _Said) -> Expr:
    """Read what follows NAME in `NAME at least 5 % below NAME`."""
    line.form = "NAME at least VALUE below | above NAME, NAME at least N days after | before NAME"
    is_low, closed = _sign(line)
    amount = _amount(line, scope)
    if line.word not in _SIDES:
        line.misread("expected `below`, `above`, `after` or `before`", _SIDES)
    side = cast("Literal['below', 'above', 'after', 'before']", line.take())
    where = line.place
    if not line.word:
        line.misread("expected a name")
    than = line.take()
    within = line.within()
    questions = Questions(scope, said["place"])
    dated = side in {"after", "before"}
    found = [
        _asked(one, place, questions, dated=dated) for one, place in ((name, at), (than, where))
    ]
    if None in found or amount is None:
        return _nothing(said)
    target = _DAYS if dated else scope.target(name)
    if not dated and scope.target(than).unit != target.unit:
        scope.report.add(
            "CDS301",
            where,
            f"`{name}` and `{than}` are kept in different units",
            notes=[f"`{name}` in {target.unit}, `{than}` in {scope.target(than).unit}"],
        )
    share, limit = _limit(amount, target, scope, closed=closed)
    low, high = (limit, None) if is_low else (None, limit)
    whats = [cast("_What", what) for what in found]
    windows = [
        questions.own_within(one, window) if questions.group(one) == "quantity" else None
        for one, window in ((name, within), (than, None))
    ]
    full = [scope.full(one) for one in (name, than)]
    sides = [
        f"{what} {one}{within_key(window)}"
        for what, one, window in zip(whats, full, windows, strict=True)
    ]
    number = f"{sides[0]} {side}{' share' if share else ''} {sides[1]}"
    return Beside(
        **said,
        key=f"{number} {limit_key(low, high)}",
        name=full[0],
        what=whats[0],
        than=full[1],
        than_what=whats[1],
        side=side,
        share=share,
        number=number,
        low=low,
        high=high,
        within=windows[0],
        than_within=windows[1],
    )


_DAYS: Final = Target("days", "days", dict.fromkeys(("days", "day", "d"), Conversion()))
_Amount = tuple[Written, Place]


def _nothing(said: _Said) -> All:
    """Stand in for a clause that could not be read; its file does not load anyway."""
    return All(of=(), key="nothing", place=said["place"])


def _sign(line: Sentence) -> tuple[bool, bool]:
    """Read `at least` and the like: whether the amount is a low end, and belongs to it."""
    for words, sign in _SIGNS.items():
        if line.accept(*words):
            return sign
    line.take()
    return line.misread("expected `at least`, `at most`, `more than` or `less than`")


def _amount(line: Sentence, scope: Scope) -> _Amount | None:
    """Read a number with its unit, or the name of a threshold."""
    at, word = line.place, line.word
    if not word or word in _SIDES or word in {"within", "or", ","}:
        line.misread("expected an amount: a number with its unit, or a threshold")
    if word[0].isdigit() and not NUMBER.fullmatch(word):
        line.misread("expected a number, a blank and its unit")
    line.take()
    if NUMBER.fullmatch(word):
        return literal(word, line.unit(), at), at
    written = scope.written(word, at)
    return None if written is None else (written, at)


def _limit(amount: _Amount, target: Target, scope: Scope, *, closed: bool) -> tuple[bool, Limit]:
    """Fit an amount: a share in percent, or a difference in one of the quantity's units."""
    written, at = amount
    units = {unit: Conversion(way.factor) for unit, way in target.units.items()}
    if "%" in units:
        units["points"] = units.pop("%")
        if written.unit == "%":
            scope.report.add(
                "CDS301",
                at,
                f"`%` can mean two things here: `{target.name}` is itself in %",
                help="write `percent` for a share of it, `points` for a difference",
            )
    share = written.unit in _SHARES
    if share:
        target = Target(f"percent of {target.name}", "%", dict.fromkeys(_SHARES, Conversion()))
    else:
        unit = read_unit("points", is_code=True) if target.unit == "%" else target.unit
        target = Target(f"difference of {target.name}", unit, units)
    return share, scope.limit(written, target, at, closed=closed)


def _asked(name: str, at: Place, questions: Questions, *, dated: bool) -> str | None:
    """Give the kind of a name that has a number, or a date; report one that has none."""
    group = questions.look_up(name, at)
    concept = questions.scope.names.concepts.get(name)
    is_date = concept is not None and concept.type == "date"
    if group in {"quantity", "index", "reading"} or (dated and is_date):
        questions.lean(name, at)
        return "concept" if concept is not None else group
    if group:
        what = "date" if dated else "number"
        questions.wrong(name, at, f"`{name}` has no {what} to compare")
    return None
