"""
Rules read back in English: generated from what was compiled, never typed.

What a clinician reads here is what both evaluators do. Every sort of clause has its
sentence; whoever adds one without a sentence is stopped by the types and by a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from cds.core.clauses import (
    All,
    Any_,
    AtLeast,
    BandIs,
    Began,
    Beside,
    CardFires,
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
from cds.core.concepts import Reading
from cds.core.rules import Ruleset
from cds.workshop.book.cutoffs import cut_off

__all__ = ["SENTENCES", "Readback"]

_ACTS: Final = {"ordered": "ordered", "added": "being added", "refilled": "being refilled"}


class Readback:
    """
    Says what conditions of one release mean.

    *link* turns the name of something into what stands for it in a text.
    """

    def __init__(self, rules: Ruleset, link: Callable[[str, str], str] | None = None) -> None:
        self._rules = rules
        self._link = link or (lambda _, title: title)

    # --- names ------------------------------------------------------------------------

    def called(self, name: str, kind: str = "") -> str:
        """Say what something is called, by its title where it has one."""
        base = name.partition(":")[0]
        tables: tuple[tuple[str, Any], ...] = (
            ("concept", self._rules.concepts),
            ("index", self._rules.indices),
            ("condition", self._rules.conditions),
            ("factor", self._rules.factors),
            ("card", self._rules.cards),
        )
        for sort, table in tables:
            if base in table and kind in {"", sort}:
                return self._link(base, table[base].title)
        return base.rpartition(".")[2].replace("_", " ")

    def _names(self, names: Sequence[str], joined: str) -> str:
        return _listed([self.called(one) for one in names], joined)

    # --- conditions -------------------------------------------------------------------

    def lines(self, expr: Expr, depth: int = 0) -> Iterator[str]:
        """Write a condition as a list of Markdown, one clause to a line."""
        pad = "  " * depth
        if isinstance(expr, All | Any_ | AtLeast) and expr.of:
            yield f"{pad}- {_head(expr)}"
            for one in expr.of:
                yield from self.lines(one, depth + 1)
        elif isinstance(expr, Not) and isinstance(expr.of, All | Any_ | AtLeast):
            yield f"{pad}- it is not so that"
            yield from self.lines(expr.of, depth + 1)
        else:
            yield f"{pad}- {self.sentence(expr)}"

    def sentence(self, expr: Expr) -> str:
        """Write a condition in one sentence, without its full stop."""
        if isinstance(expr, Not):
            return self._not(expr.of)
        if isinstance(expr, All):
            return _listed([self._part(one) for one in expr.of], "and")
        if isinstance(expr, Any_):
            return _listed([self._part(one) for one in expr.of], "or")
        if isinstance(expr, AtLeast):
            inner = "; ".join(self.sentence(one) for one in expr.of)
            return f"at least {expr.count} of these: {inner}"
        return SENTENCES[type(expr)](self, expr)

    def _part(self, expr: Expr) -> str:
        joined = isinstance(expr, All | Any_ | AtLeast) and len(expr.of) > 1
        return f"({self.sentence(expr)})" if joined else self.sentence(expr)

    def _not(self, expr: Expr) -> str:
        if isinstance(expr, Not):
            return self.sentence(expr.of)
        if isinstance(expr, Listed):
            return self._listed(expr, negative=True)
        if isinstance(expr, Received):
            return self._received(expr, negative=True)
        if isinstance(expr, Known):
            return self._known(expr, negative=True)
        if isinstance(expr, ListComplete):
            return self._complete(expr, negative=True)
        return f"it is not so that {self.sentence(expr)}"

    # --- clauses ----------------------------------------------------------------------

    def compare(self, one: Compare) -> str:
        """Read `NAME >= VALUE`."""
        if one.what == "age":
            return f"the age {self.limits(one.low, one.high)}"
        return f"{self.called(one.name)} {self.limits(one.low, one.high)}{_within(one.within)}"

    def limits(self, low: Limit | None, high: Limit | None, verb: str = "is ") -> str:
        """Read one or two ends of a range."""
        words = []
        if low is not None and high is not None:
            to = "to" if high.inclusive else "to below"
            begin = "from" if low.inclusive else "from above"
            words.append(f"{begin} {_end(low)} {to} {_end(high)}")
        elif low is not None:
            words.append(f"{_end(low)} or more" if low.inclusive else f"above {_end(low)}")
        elif high is not None:
            words.append(f"{_end(high)} or less" if high.inclusive else f"below {_end(high)}")
        own = {end.threshold.or_own for end in (low, high) if end and end.threshold.or_own}
        words += [f"(the laboratory's own {side} limit where it was sent)" for side in sorted(own)]
        return verb + " ".join(words)

    def _known(self, one: Known, *, negative: bool = False) -> str:
        if one.quantifier == "all":
            names = self._names(one.names, "and")
        else:
            names = self._names(one.names, "and" if negative else "or")
        several = len(one.names) > 1
        if negative and several:
            every = one.quantifier == "all"
            verb = "are not all known" if every else "are all not known"
            return f"{names} {verb}{_within(one.within)}"
        if negative:
            return f"{names} is not known{_within(one.within)}"
        are = "are all" if several and one.quantifier == "all" else "is"
        return f"{names} {are} known{_within(one.within)}"

    def _listed(self, one: Listed, *, negative: bool = False) -> str:
        several = negative and len(one.names) > 1
        names = self._names(one.names, "or")
        if several:
            names, negative = f"none of {names}", False
        no = "not " if negative else ""
        if any(name.endswith(":no") for name in one.names):
            verb = f"was {no}answered with no"
        elif one.ordered:
            state = _ACTS[one.act]
            also = "present, or " if one.ordered == "also" else ""
            verb = f"is {no}{also}{state} in this call"
        elif one.on_record:
            verb = f"is {no}on record"
        elif one.ever:
            verb = "was never present" if negative else "is or ever was present"
        else:
            verb = "is absent" if negative else "is present"
        routes = f" by route {_listed(list(one.routes), 'or')}" if one.routes else ""
        undated = ", an entry without a date counts too" if one.undated_counts else ""
        return f"{names} {verb}{routes}{_within(one.within)}{undated}"

    def _began(self, one: Began) -> str:
        what = "ever began" if one.ever else "began"
        many = "at least" if one.at_least else "more than"
        return f"{self.called(one.name)} {what} {many} {one.days} days ago"

    def _in_future(self, one: InFuture) -> str:
        return f"{self.called(one.name)} lies in the future"

    def _changed(self, one: Changed) -> str:
        amount = self.limits(one.low, one.high, verb="by ")
        return f"{self.called(one.name)} {one.direction} {amount}{_within(one.within)}"

    def _beside(self, one: Beside) -> str:
        amount = self.limits(one.low, one.high, verb="")
        than = f"{self.called(one.than)}{_within(one.than_within)}"
        name = f"{self.called(one.name)}{_within(one.within)}"
        return f"{name} lies {amount} {one.side} {than}"

    def _band_is(self, one: BandIs) -> str:
        return f"{self.called(one.name)} is {_listed(list(one.bands), 'or')}"

    def _grade_is(self, one: GradeIs) -> str:
        least = "at least " if one.or_more else ""
        return f"{self.called(one.name, 'factor')} is {least}{one.grade}"

    def _stage_is(self, one: StageIs) -> str:
        return f"the stage is {_listed(list(one.labels), 'or')}"

    def _holds(self, one: Holds) -> str:
        return f"{self.called(one.name, 'condition')} holds"

    def _sex_is(self, one: SexIs) -> str:
        return f"the sex on record is {one.sex}"

    def _complete(self, one: ListComplete, *, negative: bool = False) -> str:
        several = len(one.lists) > 1
        lists = f"the {'lists' if several else 'list'} of {_listed(list(one.lists), 'and')}"
        verb = ("were" if several else "was") + (" not" if negative else "")
        return f"{lists} {verb} received whole"

    def _received(self, one: Received, *, negative: bool = False) -> str:
        names = self._names(one.names, "or")
        if negative and len(one.names) > 1:
            names, negative = f"none of {names}", False
        state = "was not received" if negative else "was received (usable or not)"
        return f"{names} {state}{_within(one.within)}"

    def _newer(self, one: NewerThan) -> str:
        return f"a usable {self._names(one.names, 'or')} is newer than {self.called(one.than)}"

    def _not_used(self, one: NotUsedBecause) -> str:
        of = f" of {self._names(one.names, 'or')}" if one.names else ""
        why = _listed(list(one.reasons), "or")
        return f"some result{of} was not used because of {why}{_within(one.within)}"

    def _fires(self, one: CardFires) -> str:
        return f"the conditions of {self.called(one.name, 'card')} hold too"

    def _on_trial(self, one: OnTrial) -> str:
        return f"it is unknown, for {self.called(one.name)} is on trial"

    # --- readings ---------------------------------------------------------------------

    def reading(self, one: Reading) -> str:
        """Say what number a reading is."""
        of = self.called(one.concept)
        heads = {
            "count days of": f"on how many days {of}",
            "average of last": f"the mean of the last {one.last} results of {of}",
            "mean of": f"the mean of {one.last or 'all'} results of {of}",
            "highest of": f"the highest {of}",
            "lowest of": f"the lowest {of}",
            "first of": f"the first {of}",
            "last end of": f"when {of} last ended",
        }
        words = [heads[one.kind]]
        if one.low is not None or one.high is not None:
            words.append(self.limits(one.low, one.high, verb="was "))
        if one.if_latest:
            words.append("(none counts unless the newest does)")
        if one.different_days:
            words.append("on different days")
        if one.newest_day:
            words.append("on the newest day with a result")
        if one.apart is not None:
            words.append(f"at least {one.apart} days apart")
        if one.drawn_before:
            words.append(f"drawn before {one.drawn_before}")
        if one.between is not None:
            first, last = one.between
            words.append(
                f"in the last {last} days" if not first else f"from {first} to {last} days ago"
            )
        return " ".join(words)


SENTENCES: Final[dict[type, Callable[[Readback, Any], str]]] = {
    Compare: Readback.compare,
    Known: Readback._known,  # noqa: SLF001 - its own
    Listed: Readback._listed,  # noqa: SLF001
    Began: Readback._began,  # noqa: SLF001
    InFuture: Readback._in_future,  # noqa: SLF001
    Changed: Readback._changed,  # noqa: SLF001
    Beside: Readback._beside,  # noqa: SLF001
    BandIs: Readback._band_is,  # noqa: SLF001
    GradeIs: Readback._grade_is,  # noqa: SLF001
    StageIs: Readback._stage_is,  # noqa: SLF001
    Holds: Readback._holds,  # noqa: SLF001
    SexIs: Readback._sex_is,  # noqa: SLF001
    ListComplete: Readback._complete,  # noqa: SLF001
    Received: Readback._received,  # noqa: SLF001
    NewerThan: Readback._newer,  # noqa: SLF001
    NotUsedBecause: Readback._not_used,  # noqa: SLF001
    CardFires: Readback._fires,  # noqa: SLF001
    OnTrial: Readback._on_trial,  # noqa: SLF001
}
"""The sentence of each sort of clause."""


def _head(expr: All | Any_ | AtLeast) -> str:
    if isinstance(expr, All):
        return "all of these:"
    if isinstance(expr, Any_):
        return "one or more of these:"
    return f"at least {expr.count} of these:"


def _end(limit: Limit) -> str:
    return cut_off(limit.threshold)


def _within(days: int | None) -> str:
    return "" if days is None else f" in the last {days} days"


def _listed(words: Sequence[str], joined: str) -> str:
    if len(words) < 2:  # noqa: PLR2004 - one or none: nothing to join
        return "".join(words)
    return f"{', '.join(words[:-1])} {joined} {words[-1]}"
