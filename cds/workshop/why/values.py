"""
What was found of a patient, and what a rule needed, in the units and words of the files.

Numbers are written as they were sent; the canonical number follows where it is another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal

from cds.core.clauses import Case, Limit
from cds.core.facts import Entry, Gap, Result, Snapshot
from cds.core.findings import IndexResult, Interval
from cds.core.indices import Band
from cds.core.latest import Datum, latest, range_of, sent_of
from cds.core.quantity import plain, shown
from cds.core.rules import Ruleset
from cds.core.truth import Need
from cds.reasoning.comparison import Facing, possible_cases

__all__ = ["Values", "span"]

_FIVE = Context(prec=5)
_SIXTH = Context(prec=6)
_MOST_RESULTS = 4


def span(number: Interval) -> str:
    """Write a number, or what is known of it."""
    if number.value is not None:
        return _tidy(number.value)
    if number.low is None and number.high is None:
        return "any number"
    if number.high is None:
        return f"{'>' if number.low_open else '>='}{_tidy(number.low or Decimal(0))}"
    if number.low is None or (number.low == 0 and number.high_open):
        return f"{'<' if number.high_open else '<='}{_tidy(number.high)}"
    return f"{_tidy(number.low)} to {_tidy(number.high)}"


def _tidy(number: Decimal) -> str:
    """Write a number that may be the result of a division: no more than six digits."""
    if len(number.as_tuple().digits) <= _SIXTH.prec:
        return plain(number)
    return plain(_SIXTH.plus(number).normalize())


def _rounded(number: Decimal) -> Decimal:
    return number if len(number.as_tuple().digits) <= _FIVE.prec else _FIVE.plus(number).normalize()


def _with_unit(number: str, unit: str) -> str:
    return number if unit in {"", "1"} else f"{number} {unit}"


class Values:
    """What can be said of one patient's data by one release."""

    def __init__(self, rules: Ruleset, snapshot: Snapshot) -> None:
        self._rules = rules
        self._snapshot = snapshot
        self.facing = Facing(snapshot.person, snapshot.as_of, rules.profile.ethnic_group)

    # --- what was found ---------------------------------------------------------

    def age(self) -> str:
        """Write the age in years; "" without a birth date."""
        ages = self.facing.ages
        if ages is None:
            return ""
        return str(ages[0]) if ages[0] == ages[1] else f"{ages[0]} or {ages[1]}"

    def datum(self, concept: str, datum: Datum) -> str:
        """Write the datum that counts: as sent, in the concept's unit, and its date."""
        text = _with_unit(span(datum.sent), datum.unit)
        unit = self._rules.concepts[concept].unit
        if datum.unit != unit and datum.sent != datum.number and not datum.conflict:
            text += f" ({self.canonical(concept, datum.number)})"
        if datum.result is not None:
            return f"{text} on {datum.result.when.day}"
        return f"{text}, {datum.days} days ago"

    def canonical(self, concept: str, number: Interval) -> str:
        """Write a number in the concept's own unit, as exactly as a reader can use."""
        ends = [None if one is None else _rounded(one) for one in (number.low, number.high)]
        rounded = Interval(ends[0], ends[1], number.low_open, number.high_open)
        return _with_unit(span(rounded), self._rules.concepts[concept].unit)

    @staticmethod
    def amount(number: Interval, unit: str) -> str:
        """Write a number with its unit."""
        return _with_unit(span(number), unit)

    def latest(self, concept: str) -> str:
        """Write the newest datum of a concept, however old; "" where there is none."""
        datum = latest(self._snapshot, concept)
        return "" if datum is None else self.datum(concept, datum)

    def result(self, one: Result) -> str:
        """Write one result with its date."""
        datum = Datum(range_of(one.value, one.bound), sent_of(one), one.unit, one.days, one)
        return self.datum(one.concept, datum)

    def results(self, many: Sequence[Result]) -> str:
        """Write several results, the newest first, and how many more there are."""
        texts = [self.result(one) for one in many[:_MOST_RESULTS]]
        if len(many) > _MOST_RESULTS:
            texts.append(f"{len(many) - _MOST_RESULTS} more")
        return "; ".join(texts)

    def number(self, found: IndexResult) -> str:
        """Write the number of an index or a reading, with its unit; "" without one."""
        if found.state != "value" or found.number is None:
            return ""
        index = self._rules.indices.get(found.name)
        reading = self._rules.readings.get(found.name)
        unit = index.unit if index is not None else reading.unit if reading is not None else ""
        exact = found.number.value
        if index is not None and exact is not None:
            rounded = Decimal(shown(exact, index.digits))
            cuts = (one for band in index.bands for one in _cuts(band))
            # Rounding must not carry a number over a cut-off that it does not reach.
            if not any(min(exact, rounded) < cut <= max(exact, rounded) for cut in cuts):
                return _with_unit(plain(rounded), unit)
        return _with_unit(span(found.number), unit)

    def entry(self, concept: str, one: Entry) -> str:
        """Write one listed thing: which, since when, whether it still counts."""
        name = concept.partition(":")[0]
        text = f"{name} since {one.when.day}" if one.when is not None else f"{name}, undated"
        if one.act:
            return f"{name}, {one.act} now"
        if not one.active:
            ended = f" until {one.ended.day}" if one.ended is not None else ""
            return f"{text}{ended}, no longer active"
        return text

    def list_of(self, concept: str) -> str:
        """Name the list that would hold a concept, and say whether it came whole."""
        search = self._rules.concepts[concept.partition(":")[0]].search
        rule = self._rules.searches.get(search)
        name = (rule.lists if rule is not None else "") or search
        state = self._snapshot.state_of(search)
        return f"{name} list complete" if state.complete else f"{name} list: {state.reason}"

    # --- what was needed --------------------------------------------------------

    def needed(self, low: Limit | None, high: Limit | None, *, unit: str = "") -> str:
        """
        Write the cut-offs that applied: for this sex, age and group, or all that might.

        *unit* is that of the result as sent: a pair is compared in it.
        """
        ends = [(word, one) for word, one in _ends(low, high) if one is not None]
        if len(ends) == 1:
            word, limit = ends[0]
            return self._one_end(word, limit, unit)
        whole = [(word, self._numbers(limit, unit)) for word, limit in ends]
        if all(len(numbers) == 1 for _, numbers in whole):
            return " ".join(f"{word} {numbers[0][1]}" for word, numbers in whole)
        return ", ".join(self._one_end(word, limit, unit) for word, limit in ends)

    def by_site(self, owner: str, limits: Iterable[Limit | None]) -> str:
        """Say which of the cut-offs of a rule a site has set, and what the rule says."""
        names = {one.threshold.name for one in limits if one is not None and one.threshold.name}
        said = [
            f"the rules say {one.rule}"
            for one in self._rules.profile.overrides
            if one.key in {f"thresholds.{owner}.{name}" for name in names}
        ]
        return f" (set by {self._rules.profile.id}; {', '.join(said)})" if said else ""

    def _one_end(self, word: str, limit: Limit, unit: str) -> str:
        numbers = self._numbers(limit, unit)
        if not numbers:
            return f"{word} a limit that is not given for this patient"
        return ", ".join(f"{who} {word} {number}".strip() for who, number in numbers)

    def _numbers(self, limit: Limit, unit: str) -> list[tuple[str, str]]:
        """Give (whom, number) of every case of a cut-off that may be this patient's."""
        cases = possible_cases(limit.threshold, self.facing)
        found: dict[tuple[str, str], None] = {}
        for case in cases:
            number = _with_unit(_tidy(case.value), self._unit(limit))
            if case.alternate is not None and case.alternate_unit == unit:
                number = _with_unit(plain(case.alternate), case.alternate_unit)
            found[_whom(case), number] = None
        return list(found)

    @staticmethod
    def _unit(limit: Limit) -> str:
        return limit.threshold.unit

    def own_limit(self, low: Limit | None, high: Limit | None, result: Result | None) -> str:
        """Write the laboratory's own limit where it decided instead of the rule's."""
        for word, limit in _ends(low, high):
            if limit is None or result is None:
                continue
            side = limit.threshold.or_own
            own = {"lower": result.own_low, "upper": result.own_high}.get(side)
            if own is not None:
                number = self.canonical(result.concept, Interval.exactly(own))
                return f"{word} {number}, the laboratory's own {side} limit"
        return ""

    def why_open(self, limits: Iterable[Limit | None]) -> tuple[str, ...]:
        """Name what is not known of the person and leaves several cut-offs possible."""
        cases = [
            case
            for limit in limits
            if limit is not None
            for case in _differing(possible_cases(limit.threshold, self.facing))
        ]
        found = []
        if self.facing.sex == "unknown" and any(case.sex for case in cases):
            found.append("sex")
        if any(case.age_from is not None or case.age_below is not None for case in cases):
            found.append("age")
        return tuple(f"{name} {Gap.NOT_RECORDED}" for name in found)

    def reason(self, need: Need) -> str:
        """Write why something is not known, with the value that is too old."""
        if need.reason == Gap.STALE and need.name in self._rules.concepts:
            old = self.latest(need.name)
            return f"{need.name} {need.reason}" + (f" ({old})" if old else "")
        return f"{need.name} {need.reason}"

    def reasons(self, needs: Iterable[Need], about: str = "") -> str:
        """Write every reason; the name is left out where it is what the clause is about."""
        names: dict[str, list[str]] = {}
        for one in dict.fromkeys(needs):
            text = self.reason(one).removeprefix(f"{one.name} ")
            names.setdefault(text, []).append(one.name)
        return "; ".join(
            text if many == [about] else f"{', '.join(many)} {text}" for text, many in names.items()
        )


def _ends(low: Limit | None, high: Limit | None) -> list[tuple[str, Limit | None]]:
    return [
        ("from" if low is None or low.inclusive else "more than", low),
        ("at most" if high is not None and high.inclusive else "below", high),
    ]


def _cuts(band: Band) -> list[Decimal]:
    limits = [one for one in (band.low, band.high) if one is not None]
    return [case.value for one in limits for case in one.cases]


def _differing(cases: Sequence[Case]) -> Sequence[Case]:
    return cases if len({case.value for case in cases}) > 1 else ()


def _whom(case: Case) -> str:
    words = [case.sex, case.group]
    if case.age_from is not None:
        words.append(f"{case.age_from} years and older")
    if case.age_below is not None:
        words.append(f"younger than {case.age_below} years")
    return " ".join(one for one in words if one)
