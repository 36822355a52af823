"""
The words of a card: holes filled once, from numbers, dates and our own labels only.

No text of a record ever gets here. What a hole can say comes from the rule files
(titles, bands, meanings) or is a number, a unit of our own spelling, or a date.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Final

from cds.core.clauses import BandIs, Compare, Expr, Holds, Threshold, clauses_of
from cds.core.concepts import Concept
from cds.core.facts import Gap, Result, Snapshot
from cds.core.findings import CardFinding, Conclusions, IndexResult, Interval
from cds.core.latest import Datum, gap_of, latest
from cds.core.quantity import plain, shown
from cds.core.rules import Card, Ruleset

__all__ = ["HOLE", "MOST_IN_SUMMARY", "Words", "age", "reason_in_words", "unit_shown"]

HOLE: Final = re.compile(r"\{\{(=?)\s*([^{}]+?)\s*\}\}")
MOST_IN_SUMMARY: Final = 139
_UNITS: Final = {
    "1": "",
    "mm[Hg]": "mmHg",
    "u[IU]/mL": "\u00b5IU/mL",
    "m[IU]/L": "mIU/L",
    "m[IU]/mL": "mIU/mL",
    "[IU]/L": "IU/L",
    "[IU]/mL": "IU/mL",
    "uU/mL": "\u00b5U/mL",
    "[lb_av]": "lb",
    "[in_i]": "in",
    "kg/m2": "kg/m\u00b2",
    "mL/min/{1.73_m2}": "mL/min/1.73 m\u00b2",
    "10*9/L": "\u00d710\u2079/L",
    "10*3/uL": "\u00d710\u00b3/\u00b5L",
    "umol/L": "\u00b5mol/L",
    "ug/dL": "\u00b5g/dL",
    "min/wk": "min/week",
    "d/wk": "days/week",
    "a": "years",
}
_LEAST_DIGITS: Final = 3
_MOST_DECIMALS: Final = 3
_MOST_DIGITS: Final = 4
_SEX_WORDS: Final = {"male": "men", "female": "women"}


def unit_shown(unit: str) -> str:
    """Write a UCUM unit as a clinician reads it."""
    return _UNITS.get(unit, "" if unit.startswith("{") else unit)


def _as_sent(number: Decimal) -> str:
    """
    Write a number as it was sent; one with the many decimals of a machine is cut short.

    Cut, not rounded: that carries no number over a cut-off.
    """
    decimals = -int(number.as_tuple().exponent)
    if decimals <= _MOST_DECIMALS:
        return plain(number)
    digits = min(max(_MOST_DIGITS - 1 - number.adjusted(), 0), decimals)
    return plain(number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_DOWN))


def _joined(number: str, unit: str) -> str:
    text = unit_shown(unit)
    return f"{number} {text}" if text else number


def _span(number: Interval, write: Callable[[Decimal], str]) -> str:
    """Write an exact number, or the bound that is known."""
    if number.value is not None:
        return write(number.value)
    if number.high is not None and (number.low is None or number.low == 0):
        return ("<" if number.high_open else "\u2264") + write(number.high)
    if number.low is not None and number.high is None:
        return (">" if number.low_open else "\u2265") + write(number.low)
    if number.low is not None and number.high is not None:
        return f"{write(number.low)} to {write(number.high)}"
    return "?"


class Words:
    """What can be said about one patient by one release."""

    def __init__(self, rules: Ruleset, snapshot: Snapshot, conclusions: Conclusions) -> None:
        self._rules = rules
        self._snapshot = snapshot
        self._conclusions = conclusions
        self._latest: dict[str, Datum | None] = {}

    # --- what a name is called, and says ----------------------------------------

    def title(self, name: str) -> str:
        """Give the title of a concept, index, factor or condition; else the name in words."""
        base = name.partition(":")[0]
        for table in (
            self._rules.concepts,
            self._rules.indices,
            self._rules.factors,
            self._rules.conditions,
            self._rules.cards,
        ):
            if base in table:
                return table[base].title
        return base.rpartition(".")[2].replace("_", " ")

    def datum(self, concept: str) -> Datum | None:
        """Give the datum that counts inside the concept's own window."""
        if concept not in self._latest:
            found = latest(self._snapshot, concept)
            within = self._rules.concepts[concept].within
            if found is not None and within is not None and found.days > within:
                found = None
            self._latest[concept] = found
        return self._latest[concept]

    def value(self, name: str) -> str:
        """Write the value with its unit as received; "" where it is not known."""
        concept = self._rules.concepts.get(name)
        if concept is not None:
            datum = self.datum(name)
            if datum is None or datum.conflict:
                return ""
            return self._shown(concept, datum)
        number = self.number(name)
        index = self._rules.indices.get(name)
        return _joined(number, index.unit) if number and index is not None else number

    def _shown(self, concept: Concept, datum: Datum) -> str:
        """Write a datum as it was received; before that, in the unit that the site shows."""
        received = _joined(_span(datum.sent, _as_sent), datum.unit)
        unit = self._rules.profile.show_units.get(concept.id, datum.unit)
        how = concept.units.get(datum.unit)
        if unit == datum.unit or how is None:
            return received
        there = concept.units[unit]

        def write(number: Decimal) -> str:
            digits = max(len(number.as_tuple().digits), _LEAST_DIGITS)
            converted = there.from_canonical(how.to_canonical(number))
            return shown(converted, max(digits - 1 - converted.adjusted(), 0))

        # Rounding may carry a number over a cut-off: what was received stands beside it.
        return f"{_joined(_span(datum.sent, write), unit)} (received: {received})"

    def number(self, name: str) -> str:
        """Write the number alone, rounded for a reader."""
        concept = self._rules.concepts.get(name)
        if concept is not None:
            datum = self.datum(name)
            return "" if datum is None or datum.conflict else _span(datum.sent, _as_sent)
        found = self._found(name)
        if found is None or found.state != "value" or found.number is None:
            return ""
        index = self._rules.indices.get(found.name)
        if index is None:
            return _span(found.number, lambda one: plain(one.normalize()))
        return _span(found.number, lambda one: shown(one, index.digits))

    def _found(self, name: str) -> IndexResult | None:
        return self._conclusions.numbers.get(name)

    def when(self, name: str) -> str:
        """Write the date of what a name rests on; of a count, that of the oldest result."""
        if name in self._rules.concepts:
            datum = self.datum(name)
            return datum.result.when.day if datum is not None and datum.result else ""
        found = self._found(name)
        if found is None:
            return ""
        if found.when is not None:
            return found.when.day
        oldest = max(self._behind(name), key=lambda one: one.days, default=None)
        return oldest.when.day if oldest is not None else ""

    def days(self, name: str) -> int | None:
        """Give the age in days of what a name rests on; of a count, that of the oldest."""
        if name in self._rules.concepts:
            datum = self.datum(name)
            return None if datum is None else datum.days
        found = self._found(name)
        if found is None or found.days is not None:
            return None if found is None else found.days
        return max((one.days for one in self._behind(name)), default=None)

    def _behind(self, name: str) -> tuple[Result, ...]:
        """Collect the results that the criteria of a count were answered from."""
        index = self._rules.indices.get(name)
        if index is None:
            return ()
        return tuple(one for expr in index.count_of.values() for one in self._results_of(expr))

    def _results_of(self, expr: Expr) -> Iterator[Result]:
        for clause in clauses_of(expr):
            if isinstance(clause, Holds):
                yield from self._results_of(self._rules.conditions[clause.name].holds_if)
            elif isinstance(clause, Compare) and clause.what == "concept":
                datum = self.datum(clause.name)
                if datum is not None and datum.result is not None:
                    yield datum.result
            elif isinstance(clause, Compare | BandIs):
                found = self._found(clause.name)
                yield from found.results if found is not None else ()

    def gap(self, name: str) -> str:
        """Say why a name has no value."""
        concept = self._rules.concepts.get(name)
        if concept is not None:
            return self._gap_of_concept(concept)
        found = self._found(name)
        if found is None:
            return str(Gap.NOT_DECIDED)
        if found.state == "not valid":
            return f"not valid: {self._gate(name, found.because)}"
        reasons = [f"{self.title(one.name)} {reason_in_words(one.reason)}" for one in found.needs]
        return "; ".join(dict.fromkeys(reasons)) or str(Gap.NOT_DECIDED)

    def _gate(self, name: str, gate: str) -> str:
        index = self._rules.indices[name]
        for one in index.not_valid_if:
            if one.id == gate:
                return one.because.rstrip(".")
        for member in index.first_of:
            if member in self._rules.indices:
                return self._gate(member, gate)
        return gate.replace("_", " ")

    def _gap_of_concept(self, concept: Concept) -> str:
        reason = gap_of(self._snapshot, concept.id, concept.search, concept.within)
        if reason is Gap.NEVER_MEASURED and concept.type != "quantity":
            return str(Gap.NOT_RECORDED)
        if reason is not Gap.STALE:
            return reason_in_words(reason)
        old = latest(self._snapshot, concept.id)
        if old is None or old.result is None:
            return reason_in_words(reason)
        value, day = self._shown(concept, old), old.result.when.day
        return f"last {value} on {day}, {age(old.days)} old: too old to use"

    def threshold(self, rule_id: str, name: str) -> str:
        """Write a cut-off as guidelines print it, for everybody it tells apart."""
        owner, dot, key = name.rpartition(".")
        tables: list[Mapping[str, Threshold]] = []
        for table in (
            self._rules.cards,
            self._rules.indices,
            self._rules.factors,
            self._rules.conditions,
        ):
            rule = table.get(owner if dot else rule_id)
            if rule is not None:
                tables.append(rule.thresholds)
        found = next((table[key] for table in tables if key in table), None)
        return "" if found is None else self._cut_off(found)

    @staticmethod
    def _cut_off(threshold: Threshold) -> str:
        parts = []
        for case in threshold.cases:
            text = _joined(plain(case.value), threshold.unit)
            if case.alternate is not None:
                text += f" ({_joined(plain(case.alternate), case.alternate_unit)})"
            who = [_SEX_WORDS.get(case.sex, ""), case.group.capitalize() if case.group else ""]
            if case.age_from is not None:
                who.append(f"from {case.age_from} years")
            if case.age_below is not None:
                who.append(f"below {case.age_below} years")
            words = ", ".join(one for one in who if one)
            parts.append(f"{text} {words}" if words else text)
        return " / ".join(parts)

    # --- holes ------------------------------------------------------------------

    def fill(self, text: str, card: Card, finding: CardFinding | None = None) -> str:
        """Fill every hole once; what a hole brings in is never read again."""
        return HOLE.sub(lambda match: self.hole(match[2], card, finding), text)

    def summary(self, text: str, card: Card, finding: CardFinding) -> str:
        """Fill a summary and keep it under the limit, shortening its lists first."""
        filled = ""
        for most in range(_MOST_IN_LIST, 0, -1):
            filled = self._shortened(text, card, finding, most)
            if len(filled) <= MOST_IN_SUMMARY:
                return filled
        return filled[: MOST_IN_SUMMARY - 1] + "\u2026"

    def _shortened(self, text: str, card: Card, finding: CardFinding, most: int) -> str:
        return HOLE.sub(lambda match: self.hole(match[2], card, finding, most=most), text)

    def hole(
        self, hole: str, card: Card, finding: CardFinding | None = None, *, most: int = 0
    ) -> str:
        """Say what stands in one hole."""
        if hole.startswith("met(") and finding is not None:
            labels = [
                self.fill(label, card)
                for label in dict.fromkeys(finding.met.get(hole[4:-1].strip(), ()))
            ]
            return _listed(labels, most)
        name, _, part = hole.partition(".")
        if name == "threshold":
            return self.threshold(card.id, part)
        if name == "stage":
            return self._stage(part)
        if name == "unusable":
            return self._unusable(part, most)
        if name == "as_of":
            return self._date(part)
        if name == "patient":
            return self._snapshot.person.id if part == "id" else ""
        if part == "number" or (part == "" and name in self._rules.readings):
            return self.number(self.full_name(name, card))
        if part == "date":
            return self.when(self.full_name(name, card))
        if part == "days":
            return str(self.days(self.full_name(name, card)) or 0)
        if part == "grade":
            grade = self._conclusions.grades.get(name)
            return "" if grade is None else grade.grade
        if part == "points":
            grade = self._conclusions.grades.get(name)
            return "" if grade is None else f"{grade.points[0]} of {grade.points[1]}"
        if part == "band":
            found = self._found(name)
            return "" if found is None else found.band
        if part == "gap":
            return self.gap(self.full_name(name, card))
        return self.value(self.full_name(name, card))

    def full_name(self, name: str, card: Card) -> str:
        """Give a reading of this card its full name."""
        own = f"{card.id}.{name}"
        return own if own in self._conclusions.numbers else name

    def _stage(self, part: str) -> str:
        label = self._conclusions.stage.label
        if part == "label":
            return label
        lines = self._rules.stages.lines if self._rules.stages is not None else ()
        return next((line.meaning for line in lines if line.label == label), "")

    def _date(self, part: str) -> str:
        match = re.fullmatch(r"plus_(\d+)_days", part)
        days = int(match[1]) if match else 0
        return (self._snapshot.as_of + timedelta(days=days)).date().isoformat()

    def _unusable(self, part: str, most: int) -> str:
        found = self.unusable()
        if part == "count":
            return str(len(found))
        # A summary has no room for the reasons; the detail names them.
        things = [
            self.thing(title, value) + ("" if most else f" ({why})") for title, value, why in found
        ]
        if most:
            things = [
                f"{many} \u00d7 {one}" if many > 1 else one for one, many in Counter(things).items()
            ]
        return _listed(things, most)

    def unusable(self) -> list[tuple[str, str, str]]:
        """
        List recent results that were not used for a reason somebody can mend.

        As (title, value or "", reason and date), newest first; a result that several
        concepts would have read is one result.
        """
        found: dict[str, tuple[int, str, str, str]] = {}
        for concept in self._rules.concepts.values():
            for one in self._snapshot.unusable.get(concept.id, ()):
                if one.reason not in _MENDABLE or (one.days or 0) > _RECENT_DAYS:
                    continue
                value = ""
                if one.sent is not None and (one.unit in concept.units or not one.unit):
                    value = _joined(_as_sent(one.sent), one.unit or "1")
                why = _MENDABLE[one.reason]
                if one.when is not None:
                    why = f"{why}; {one.when.day}"
                found.setdefault(one.source.path, (one.days or 0, concept.title, value, why))
        return [(title, value, why) for _, title, value, why in sorted(found.values())]

    @staticmethod
    def thing(title: str, value: str) -> str:
        """Name a result: its title in running text, and its value where it can be read."""
        first = title.partition(" ")[0]
        name = title if first[1:] != first[1:].lower() else title[:1].lower() + title[1:]
        return f"{name} {value}" if value else name

    def holes(self, card: Card) -> Mapping[str, str | Decimal]:
        """Give a mapping that fills the holes of a draft; numbers for `{{=...}}`."""
        return _Holes(self, card)


class _Holes(Mapping[str, "str | Decimal"]):
    """The holes of a draft, filled as they are asked for."""

    def __init__(self, words: Words, card: Card) -> None:
        self._words = words
        self._card = card

    def __getitem__(self, hole: str) -> str | Decimal:
        if hole.startswith("="):
            return Decimal(self._words.hole(hole[1:].strip(), self._card))
        return self._words.hole(hole, self._card)

    def __iter__(self) -> Iterator[str]:  # pragma: no cover - never walked
        return iter(())

    def __len__(self) -> int:  # pragma: no cover - never counted
        return 0


_MOST_IN_LIST: Final = 6
# What somebody can mend: a unit, a typing mistake, two results that contradict.
_MENDABLE: Final = {
    Gap.UNIT: "unit missing or not understood",
    Gap.IMPLAUSIBLE: "not plausible",
    Gap.CONFLICT: "contradicts another result of that day",
}
_RECENT_DAYS: Final = 365
_REASONS: Final[Mapping[str, str]] = {
    Gap.NOT_SENT: "not received",
    Gap.INCOMPLETE: "not all was received",
    Gap.SEARCH_FAILED: "not received: the search failed",
    Gap.STALE: "too old to use",
    Gap.UNIT: "not used: unit missing or not understood",
    Gap.IMPLAUSIBLE: "not used: implausible value",
    Gap.CONFLICT: "not used: results of one day contradict each other",
    Gap.STATUS: "not used: status not final",
    Gap.FUTURE: "not used: dated in the future",
    Gap.UNDATED: "not used: no usable date",
    Gap.COMPARATOR: "not used: comparator not understood",
    Gap.ACUTE: "not used: taken during or soon after acute illness",
    Gap.PREGNANCY: "not used: taken in or soon after pregnancy",
    Gap.NO_VALUE: "not used: no value sent",
    Gap.TOO_FEW: "not used: single days only, too few for a habit",
}


def reason_in_words(gap: Gap | str) -> str:
    """Say to a clinician why something is not known."""
    return _REASONS.get(gap, str(gap))


def _listed(items: list[str], most: int) -> str:
    if most and len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return ", ".join(items)


def age(days: int) -> str:
    """Write an age for a reader."""
    return "1 day" if days == 1 else f"{days} days"
