"""
What the data would have to be: wishes about single data, and snapshots in which they hold.

A wish names one thing somebody could measure, record, take off a list or complete. It
never says that the patient should be otherwise: age and sex can only be put on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Final, Literal

from cds.core.concepts import Concept
from cds.core.facts import Entry, ListState, Result, Snapshot, Source
from cds.core.hooks import Act
from cds.core.moment import Moment
from cds.core.quantity import plain
from cds.core.rules import Ruleset

__all__ = ["Range", "Way", "Wish", "fulfilled", "joined", "nearest", "said"]


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers that would do; None is an open end, and *low_open* leaves the end itself out."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False

    def meet(self, other: Range) -> Range | None:
        """Give what lies in both; None where nothing does."""
        low, low_open = max(
            ((one.low, one.low_open) for one in (self, other) if one.low is not None),
            default=(None, False),
        )
        high, high_closed = min(
            ((one.high, not one.high_open) for one in (self, other) if one.high is not None),
            default=(None, True),
        )
        found = Range(low, high, low_open, not high_closed)
        if low is None or high is None or low < high:
            return found
        return found if low == high and not low_open and high_closed else None

    def holds(self, number: Decimal) -> bool:
        """Tell whether a number lies inside."""
        if self.low is not None and (number < self.low or (self.low_open and number == self.low)):
            return False
        return self.high is None or not (
            number > self.high or (self.high_open and number == self.high)
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """
    One thing that would be otherwise.

    *kind*: `measure` the concept *name* and find a number in *range*, on *times* days,
    in one draw *with* another concept; `record` an entry (now, or *days* ago, by one of
    these *routes*), or with *act* as what the call is about; `remove` every entry;
    `complete` the list *name*; record the `sex` *value*, or an `age` in *range*. An
    *example* is one number of many that would do.
    """

    kind: Literal["measure", "record", "remove", "complete", "sex", "age"]
    name: str = ""
    range: Range = Range()
    times: int = 1
    apart: int = 1
    days: int = 0
    act: Act = ""
    routes: tuple[str, ...] = ()
    value: str = ""
    with_: str = ""
    example: bool = False

    @property
    def variable(self) -> tuple[str, str]:
        """Name what is changed: two wishes about one thing must be one wish."""
        kind = "entry" if self.kind in {"record", "remove"} else self.kind
        return kind, self.name

    def covers(self, other: Wish) -> bool:
        """Tell whether whoever fulfils the *other* wish fulfils this one."""
        same = self.variable == other.variable and self.kind == other.kind
        alike = (self.value, self.act, self.routes) == (other.value, other.act, other.routes)
        enough = self.times <= other.times and self.days <= other.days
        return same and alike and enough and self.range.meet(other.range) == other.range

    def meet(self, other: Wish) -> Wish | None:
        """Give the wish that is both; None where they contradict."""
        if self.kind != other.kind or self.value != other.value or self.act != other.act:
            return None
        both = self.range.meet(other.range)
        if both is None:
            return None
        more = self if self.times >= other.times else other
        return replace(
            more, range=both, days=max(self.days, other.days), with_=self.with_ or other.with_
        )


Way = tuple[Wish, ...]


def joined(one: Way, other: Way) -> Way | None:
    """Give the wishes of both; None where two of them contradict."""
    found = {wish.variable: wish for wish in one}
    for wish in other:
        held = found.get(wish.variable)
        both = wish if held is None else held.meet(wish)
        if both is None:
            return None
        found[wish.variable] = both
    return tuple(found[name] for name in sorted(found))


def nearest(
    rules: Ruleset, snapshot: Snapshot, wish: Wish, usual: Mapping[str, Decimal]
) -> Decimal:
    """
    Give the number that fulfils a wish with the least change.

    That is the end of the range next to what was measured; where nothing was measured
    and the range has no end, a *usual* value.
    """
    wanted = wish.range
    if wish.kind == "age":
        if wanted.low is None and wanted.high is None:
            return usual.get("age", Decimal(1))
        low = wanted.low if wanted.low is not None else (wanted.high or Decimal(0)) - 1
        return low + 1 if wanted.low_open else low
    step = _step(wanted, rules.concepts[wish.name])
    results = snapshot.results.get(wish.name, ())
    now = results[0].value if results else None
    if now is not None and wanted.holds(now):
        return now
    above = now is None or (wanted.low is not None and now <= wanted.low)
    if wanted.low is not None and (above or wanted.high is None):
        return wanted.low + step if wanted.low_open else wanted.low
    if wanted.high is not None:
        return wanted.high - step if wanted.high_open else wanted.high
    return usual.get(wish.name, Decimal(1))


def _step(wanted: Range, concept: Concept) -> Decimal:
    """Give one unit of the last place, one place finer than the end is written."""
    end = wanted.low if wanted.low is not None else wanted.high
    exponent = (end or Decimal(1)).as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    step = Decimal(1).scaleb(-places - 1)
    width = wanted.high - wanted.low if wanted.high is not None and wanted.low is not None else None
    # A count has no tenths, but a narrow range may need finer steps than its ends have.
    return min(step, width / 2) if width else Decimal(1) if concept.unit == "1" else step


def fulfilled(
    rules: Ruleset, snapshot: Snapshot, way: Iterable[Wish], numbers: Mapping[Wish, Decimal]
) -> Snapshot:
    """Give the snapshot in which every wish holds, with the *numbers* that were chosen."""
    results, entries = dict(snapshot.results), dict(snapshot.entries)
    unusable, lists = dict(snapshot.unusable), dict(snapshot.lists)
    person = snapshot.person
    wishes = tuple(way)
    for wish in wishes:
        if wish.kind == "measure":
            results[wish.name] = tuple(
                _result(rules.concepts[wish.name], numbers[wish], snapshot, wish, number)
                for number in range(wish.times)
            )
            unusable.pop(wish.name, None)
        elif wish.kind == "record":
            entries[wish.name] = (_entry(wish, snapshot.as_of), *entries.get(wish.name, ()))
        elif wish.kind == "remove":
            entries.pop(wish.name, None)
            results.pop(wish.name, None)
            unusable.pop(wish.name, None)
        elif wish.kind == "complete":
            lists[wish.name] = ListState(complete=True)
        elif wish.kind == "sex":
            person = replace(person, sex=wish.value)
        else:
            born = snapshot.as_of - timedelta(days=int(numbers[wish] * 36525 / 100) + 100)
            day = Moment(born, born, born.isoformat())
            person = replace(person, born=day)
    return replace(
        snapshot, person=person, results=results, entries=entries, unusable=unusable, lists=lists
    )


_SOURCE = Source("", "wish", "wish")
_MORNING = time(8, 0)


def _result(
    concept: Concept, value: Decimal, snapshot: Snapshot, wish: Wish, number: int
) -> Result:
    """Make a result of now, or of the draw of what it must be together with."""
    company = snapshot.results.get(wish.with_, ())
    days = number * wish.apart
    when = _moment(snapshot.as_of, days)
    if company and wish.times == 1:
        when, days = company[0].when, company[0].days
    return Result(
        concept=concept.id,
        value=value,
        sent=value,
        unit=concept.unit,
        when=when,
        days=days,
        source=_SOURCE,
    )


def _moment(as_of: datetime, days: int) -> Moment:
    when = as_of - timedelta(days=days)
    return Moment(when, when, when.isoformat(), _MORNING)


def _entry(wish: Wish, as_of: datetime) -> Entry:
    return Entry(
        concept=wish.name,
        source=_SOURCE,
        when=_moment(as_of, wish.days),
        days=wish.days,
        act=wish.act,
        routes=wish.routes or None,
    )


# --- words ----------------------------------------------------------------------


def said(rules: Ruleset, snapshot: Snapshot, wish: Wish, number: Decimal | None = None) -> str:
    """
    Say a wish as something that can be done.

    With a *number* that one stands for an example: others of its range may not do.
    """
    name = wish.name
    if wish.kind == "complete":
        return f"send the whole {name} list"
    if wish.kind == "sex":
        return f"record the sex, {wish.value}"
    if wish.kind == "age":
        return f"record a birth date, {_ages(wish.range)}"
    if wish.kind == "remove":
        return f"without {name.partition(':')[0]}"
    if wish.kind == "record":
        return _recorded(rules, wish)
    verb = "measure" if not snapshot.results.get(name) else "find"
    days = f" on {wish.times} days" if wish.times > 1 else ""
    text = _found(wish.range, rules.concepts[name].unit)
    if wish.example:
        number = wish.range.low
    if number is not None:
        text = f"for example {_amount(number, rules.concepts[name].unit)}"
    if verb == "find":
        return f"find {name} at {text}{days}" if text else f"find {name}{days}"
    return f"measure {name}{days}, and find {text}" if text else f"measure {name}{days}"


_ACTS: Final[Mapping[Act, str]] = {"ordered": "order", "added": "add", "refilled": "refill"}


def _recorded(rules: Ruleset, wish: Wish) -> str:
    name, _, answer = wish.name.partition(":")
    ago = f", {wish.days} days ago" if wish.days else ""
    if answer:
        return f"{name} answered {answer}"
    if wish.act:
        return f"{_ACTS[wish.act]} {name}"
    kind = rules.concepts[name].type
    return f"record {name}{ago}" if kind != "medicine" else f"with {name}{ago}"


def _amount(number: Decimal, unit: str) -> str:
    text = plain(number)
    return text if unit in {"", "1"} else f"{text} {unit}"


def _found(wanted: Range, unit: str) -> str:
    low = high = ""
    if wanted.low is not None:
        number = _amount(wanted.low, unit)
        low = f"more than {number}" if wanted.low_open else f"{number} or more"
    if wanted.high is not None:
        number = _amount(wanted.high, unit)
        high = f"less than {number}" if wanted.high_open else f"{number} or less"
    if low and high:
        if wanted.low == wanted.high:
            return _amount(wanted.low or Decimal(0), unit)
        return f"{low}, but {high}"
    return low or high


def _ages(wanted: Range) -> str:
    return f"age {_found(wanted, 'years')}"
