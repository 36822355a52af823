"""
Faults: the slips that an author can make at one place of a rule.

Each is another text of that one place, with what is other in the author's words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from cds.core.clauses import (
    All,
    Any_,
    AtLeast,
    BandIs,
    Began,
    Beside,
    Changed,
    Compare,
    GradeIs,
    Known,
    Limit,
    Listed,
    Not,
    NotUsedBecause,
    Received,
)
from cds.core.concepts import Reading
from cds.core.indices import Binary, Call, Gate, Index, Input, Number, Pair
from cds.core.rules import (
    Card,
    Evidence,
    Exclusion,
    Factor,
    Grade,
    Guard,
    Ruleset,
    Stages,
    Suggestion,
)
from cds.workshop.thoroughness.nudges import is_irrational, moved_literal, step_of

__all__ = ["ON_RECORD", "faults_at"]

# What may be left out of a list of several.
_PARTS: Final = {
    (All, "of"),
    (Any_, "of"),
    (AtLeast, "of"),
    (Listed, "names"),
    (Received, "names"),
    (NotUsedBecause, "reasons"),
    (NotUsedBecause, "names"),
    (BandIs, "bands"),
    (Index, "first_of"),
    (Suggestion, "choices"),
}
# What may be left out altogether.
_WHOLES: Final = {
    (Card, "unless"),
    (Card, "suggestions"),
    (Suggestion, "guards"),
    (Factor, "exclude_if"),
    (Factor, "evidence_for"),
    (Factor, "evidence_against"),
    (Factor, "counts_once"),
    (Index, "not_valid_if"),
    (Index, "same_draw"),
}
_CHOICES: Final = {
    "note": ("hide", "show"),
    "hide": ("note",),
    "show": ("hide",),
    "assess": ("hide",),
    "withhold": ("compute",),
    "compute": ("withhold",),
    "ignore": ("could_be_true",),
    "could_be_true": ("ignore",),
}
_OF_GUARDS: Final = {
    "block": ("show",),
    "instead": ("show",),
    "warn": ("block",),
    "show": ("block",),
}
ON_RECORD: Final = "`is present` read as `is on record`"
_OPERATORS: Final = {"+": "-", "-": "+", "*": "/", "/": "*", "^": "*"}
_CALLS: Final = {"min": "max", "max": "min", "ln": "log10", "log10": "ln"}
_CONFLICTS: Final = ("newest", "trust_against", "say_conflicting")


def faults_at(rules: Ruleset, value: Any) -> Iterator[tuple[str, Any]]:
    """Give every other text of one piece, with what is other."""
    yield from _left_out(value)
    if hasattr(value, "text") and hasattr(value, "key"):
        yield (
            "read as its opposite",
            Not(of=value, key=f"not({value.key})", place=value.place, label=value.label),
        )
    for kind, of_kind in _BY_TYPE:
        if isinstance(value, kind):
            yield from of_kind(value)
    if isinstance(value, Compare | Changed | Beside):
        yield from _of_limits(rules, value)


def _with(value: Any, **changes: Any) -> Any:
    return replace(value, **changes)


def _left_out(value: Any) -> Iterator[tuple[str, Any]]:
    for kind, name in _PARTS | _WHOLES:
        if not isinstance(value, kind):
            continue
        parts = getattr(value, name)
        if len(parts) < (1 if (kind, name) in _WHOLES else 2):
            continue
        for at, one in enumerate(parts):
            yield (
                f"`{_called(one)}` left out",
                _with(value, **{name: (*parts[:at], *parts[at + 1 :])}),
            )


def _called(value: Any) -> str:
    if isinstance(value, Pair):
        return f"same_draw of {', '.join(value.of)}"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    for name in ("text", "id", "label"):
        found = getattr(value, name, "")
        if found:
            return str(found)
    if isinstance(value, Not):
        return _called(value.of)  # the author's words say no already
    if isinstance(value, All | Any_ | AtLeast):
        return f"{_word_of(value)} of {_called(value.of[0])}, ..."
    return str(value)


def _word_of(value: All | Any_ | AtLeast) -> str:
    if isinstance(value, AtLeast):
        return f"at least {value.count}"
    return "all" if isinstance(value, All) else "any"


# --- conditions -----------------------------------------------------------------


def _of_all(value: All) -> Iterator[tuple[str, Any]]:
    if len(value.of) > 1:
        yield f"`all` of {_called(value.of[0])}, ... read as `any`", _joined(Any_, value)


def _of_any(value: Any_) -> Iterator[tuple[str, Any]]:
    if len(value.of) > 1:
        yield f"`any` of {_called(value.of[0])}, ... read as `all`", _joined(All, value)


def _joined(kind: type[All | Any_], value: All | Any_) -> Any:
    key = f"{kind.__name__}~{value.key}"
    return kind(of=value.of, key=key, place=value.place, id=value.id, label=value.label)


def _of_at_least(value: AtLeast) -> Iterator[tuple[str, Any]]:
    for count in (value.count - 1, value.count + 1):
        if 0 < count <= len(value.of):
            yield f"`at least {value.count}` read as {count}", _with(value, count=count)


def _of_limits(rules: Ruleset, value: Compare | Changed | Beside) -> Iterator[tuple[str, Any]]:
    for side in ("low", "high"):
        limit = getattr(value, side)
        if limit is None:
            continue
        if not is_irrational(rules, value):
            other = _with(limit, inclusive=not limit.inclusive)
            yield (
                f"{_sign(side, limit)} read as {_sign(side, other)}",
                _with(value, **{side: other}),
            )
        for what, threshold in moved_literal(value.text, limit.threshold):
            yield what, _with(value, **{side: _with(limit, threshold=threshold)})
    if "within" in value.text and value.within is not None:
        yield from _by_a_day(value, "within")


def _sign(side: str, limit: Limit) -> str:
    sign = ">" if side == "low" else "<"
    return f"`{sign}=`" if limit.inclusive else f"`{sign}`"


def _by_a_day(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    days = getattr(value, name)
    if days is not None:
        for other in (days - 1, days + 1):
            if other >= 0:
                yield f"{name} {days} days read as {other}", _with(value, **{name: other})


def _of_listed(value: Listed) -> Iterator[tuple[str, Any]]:
    if "within" in value.text:
        yield from _by_a_day(value, "within")
    answers = any(":" in name for name in value.names)
    if not value.on_record and not answers:
        yield f"`ever` {'dropped' if value.ever else 'added'}", _with(value, ever=not value.ever)
    if value.within is not None and not answers:
        counts = "dropped" if value.undated_counts else "added"
        yield (
            f"`undated counts` {counts}",
            _with(value, undated_counts=not value.undated_counts),
        )
    if not value.ordered:
        yield ON_RECORD, _with(value, on_record=not value.on_record)


def _of_known(value: Known) -> Iterator[tuple[str, Any]]:
    if "within" in value.text:
        yield from _by_a_day(value, "within")
    if len(value.names) > 1:
        other = "all" if value.quantifier == "any" else "any"
        yield f"`{value.quantifier}` read as `{other}`", _with(value, quantifier=other)
        for at, name in enumerate(value.names):
            yield (
                f"`{name}` left out",
                _with(
                    value,
                    names=(*value.names[:at], *value.names[at + 1 :]),
                    whats=(*value.whats[:at], *value.whats[at + 1 :]),
                ),
            )


def _of_window(value: Any) -> Iterator[tuple[str, Any]]:
    if "within" in value.text:
        yield from _by_a_day(value, "within")


def _of_began(value: Began) -> Iterator[tuple[str, Any]]:
    yield from _by_a_day(value, "days")


def _of_grade_is(value: GradeIs) -> Iterator[tuple[str, Any]]:
    what = "`at least` dropped" if value.or_more else "`at least` added"
    yield what, _with(value, or_more=not value.or_more)


# --- exclusions, guards, evidence -------------------------------------------------


def _of_choice(value: Any) -> Iterator[tuple[str, Any]]:
    word = "if_missing" if isinstance(value, Evidence) else "if_unknown"
    table = _OF_GUARDS if isinstance(value, Guard) else _CHOICES
    for other in table.get(getattr(value, word), ()):
        yield f"{word}: {getattr(value, word)} read as {other}", _with(value, **{word: other})
    if isinstance(value, Exclusion | Guard) and value.relevant is not None:
        yield "`when_relevant` left out", _with(value, relevant=None)


def _of_evidence(value: Evidence) -> Iterator[tuple[str, Any]]:
    if value.points:
        for points in (value.points - 1, value.points + 1):
            yield f"points {value.points} read as {points}", _with(value, points=points)
    for name in ("at_least", "at_most"):
        if getattr(value, name):
            yield f"`{name}` left out", _with(value, **{name: ""})


def _of_grade(value: Grade) -> Iterator[tuple[str, Any]]:
    for name in ("points", "domains", "cannot_reach"):
        number = getattr(value, name)
        if number is None or (name == "domains" and value.points is None):
            continue
        for other in (number - 1, number + 1):
            if other > 0:
                yield f"{name} {number} read as {other}", _with(value, **{name: other})


def _of_factor(value: Factor) -> Iterator[tuple[str, Any]]:
    if value.assess_if is not None:
        yield "`assess_if` left out", _with(value, assess_if=None)
    yield from _of_domains(value)
    floors = any(one.at_least for one in value.evidence_for)
    ceilings = any(one.at_most for one in value.evidence_against)
    if floors and ceilings:
        for other in _CONFLICTS:
            if other != value.if_conflict:
                yield (
                    f"if_conflict: {value.if_conflict} read as {other}",
                    _with(value, if_conflict=other),
                )


def _of_domains(value: Factor) -> Iterator[tuple[str, Any]]:
    """Count a piece of evidence to another's domain, where a grade counts domains."""
    if all(one.domains < 2 for one in value.grades):  # noqa: PLR2004 - one domain is always there
        return
    for at, one in enumerate(value.evidence_for):
        other = next((each.domain for each in value.evidence_for if each.domain != one.domain), "")
        if one.domain and one.points and other:
            moved = _with(one, domain=other)
            rest = (*value.evidence_for[:at], moved, *value.evidence_for[at + 1 :])
            yield f"domain of `{one.id}` read as {other}", _with(value, evidence_for=rest)


# --- numbers ------------------------------------------------------------------------


def _of_number(value: Number) -> Iterator[tuple[str, Any]]:
    step = step_of(value.value)
    for other in (value.value - step, value.value + step):
        yield f"{value.value} read as {other}", Number(other)


def _of_binary(value: Binary) -> Iterator[tuple[str, Any]]:
    other = _OPERATORS[value.op]
    yield f"`{value.op}` read as `{other}`", _with(value, op=other)


def _of_call(value: Call) -> Iterator[tuple[str, Any]]:
    other = _CALLS.get(value.function)
    if other is not None:
        yield f"`{value.function}` read as `{other}`", _with(value, function=other)


def _of_input(value: Input) -> Iterator[tuple[str, Any]]:
    yield from _by_a_day(value, "within")
    if value.optional:
        yield "`optional` dropped", _with(value, optional=False)
    if value.same_collection_as:
        yield "`same_collection_as` dropped", _with(value, same_collection_as="")


def _of_pair(value: Pair) -> Iterator[tuple[str, Any]]:
    yield from _by_a_day(value, "days")


def _of_index(value: Index) -> Iterator[tuple[str, Any]]:
    for name in value.count_of:
        others = {one: expr for one, expr in value.count_of.items() if one != name}
        if others:
            yield f"count_of `{name}` left out", _with(value, count_of=others)
    if len(value.first_of) > 1:
        turned = (*value.first_of[1:], value.first_of[0])
        yield "`first_of` in another order", _with(value, first_of=turned)
    units = tuple(value.formula_in)
    if len(units) > 1:
        for unit in units:
            rest = {one: value.formula_in[one] for one in units if one != unit}
            yield f"formula_in `{unit}` left out", _with(value, formula_in=rest)


def _of_reading(value: Reading) -> Iterator[tuple[str, Any]]:
    if value.between is not None:
        first, last = value.between
        for other in ((first, last - 1), (first, last + 1), (first - 1, last), (first + 1, last)):
            if 0 <= other[0] <= other[1] and (first > 0 or other[0] == first):
                what = f"between {first} and {last} days read as {other[0]} and {other[1]}"
                yield what, _with(value, between=other)
    for name in ("last", "apart"):
        number = getattr(value, name)
        if number is not None:
            for days in (number - 1, number + 1):
                if days > 0:
                    yield f"{name} {number} read as {days}", _with(value, **{name: days})
    if value.drawn_before:
        yield "`drawn before` left out", _with(value, drawn_before="")
    if value.if_latest:
        yield "`if latest` left out", _with(value, if_latest=False)
    if value.different_days:
        yield "`on different days` left out", _with(value, different_days=False)
    if value.newest_day:
        yield "`on newest day` left out", _with(value, newest_day=False)
    for side in ("low", "high"):
        limit = getattr(value, side)
        if limit is not None:
            other = _with(limit, inclusive=not limit.inclusive)
            yield (
                f"{_sign(side, limit)} read as {_sign(side, other)}",
                _with(value, **{side: other}),
            )
            for what, threshold in moved_literal("", limit.threshold):
                yield what, _with(value, **{side: _with(limit, threshold=threshold)})


# --- cards and stages ------------------------------------------------------------------


def _of_card(value: Card) -> Iterator[tuple[str, Any]]:
    for name in ("indicators", "summaries", "priorities"):
        parts = getattr(value, name)
        for at in range(len(parts) - 1):
            rest = (*parts[:at], *parts[at + 1 :])
            yield f"{name}, number {at + 1}, left out", _with(value, **{name: rest})
    if value.needs_offer:
        yield "`needs_offer` dropped", _with(value, needs_offer=False)


def _of_suggestion(value: Suggestion) -> Iterator[tuple[str, Any]]:
    if value.offer_if is not None:
        yield "`offer_if` left out", _with(value, offer_if=None)
    if value.only_instead:
        yield "`only_instead` dropped", _with(value, only_instead=False)


def _of_stages(value: Stages) -> Iterator[tuple[str, Any]]:
    for at, line in enumerate(value.lines[:-1]):
        rest = (*value.lines[:at], *value.lines[at + 1 :])
        yield f"line `{line.label}` left out", _with(value, lines=rest)


_BY_TYPE: Final[tuple[tuple[Any, Any], ...]] = (
    (All, _of_all),
    (Any_, _of_any),
    (AtLeast, _of_at_least),
    (Listed, _of_listed),
    (Known, _of_known),
    (Received | NotUsedBecause, _of_window),
    (Began, _of_began),
    (GradeIs, _of_grade_is),
    (Exclusion | Guard | Gate | Evidence, _of_choice),
    (Evidence, _of_evidence),
    (Grade, _of_grade),
    (Factor, _of_factor),
    (Number, _of_number),
    (Binary, _of_binary),
    (Call, _of_call),
    (Input, _of_input),
    (Pair, _of_pair),
    (Index, _of_index),
    (Reading, _of_reading),
    (Card, _of_card),
    (Suggestion, _of_suggestion),
    (Stages, _of_stages),
)
