"""
Numbers with units: what a Quantity says in the unit of its concept, or why it says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeGuard

from cds.core.concepts import Concept
from cds.core.facts import Bound, Gap
from cds.core.quantity import Conversion, read_unit, round12

__all__ = ["Measure", "Reading", "number_of"]

_UCUM: Final = frozenset(
    {
        "http://unitsofmeasure.org",
        "https://unitsofmeasure.org",
        "http://unitsofmeasure.org/",
        "urn:oid:2.16.840.1.113883.6.8",
        "2.16.840.1.113883.6.8",
    }
)
_BOUNDS: Final[Mapping[object, Bound]] = {
    None: Bound.EXACT,
    "<": Bound.BELOW,
    "<=": Bound.AT_MOST,
    ">": Bound.ABOVE,
    ">=": Bound.AT_LEAST,
}
_PLAIN: Final = Conversion()
_ZERO: Final = Decimal(0)
_MEMO: Final = 1024
_LONGEST: Final = 64
# Beyond any measurement; arithmetic with exponents of millions would only cost time.
_MOST_DIGITS: Final = 30

Accepted = tuple[str, Conversion]


class Reading(NamedTuple):
    """
    One number: canonical, as sent, with its unit, or the reason why it is none.

    *sent* is kept even then, where unit and number were readable.
    """

    gap: Gap | None
    value: Decimal = _ZERO
    sent: Decimal | None = None
    unit: str = ""
    bound: Bound = Bound.EXACT


def number_of(value: object) -> Decimal | None:
    """Take a JSON number; booleans and texts are none."""
    if type(value) is Decimal:
        return value if value.is_finite() and abs(value.adjusted()) < _MOST_DIGITS else None
    if type(value) is int:
        return Decimal(value) if abs(value) < 10**_MOST_DIGITS else None
    return None


class Measure:
    """How the numbers of one concept are read; made once, used for every result."""

    __slots__ = ("_accepted", "_answers", "_folded", "_memo", "canonical", "concept", "has_no_unit")

    def __init__(self, concept: Concept) -> None:
        self.concept = concept
        unit = read_unit(concept.unit, is_code=True)
        self.has_no_unit = unit == "1"
        accepted = {read_unit(one, is_code=True): way for one, way in concept.units.items()}
        self.canonical = accepted.setdefault(unit, _PLAIN)
        self._accepted = accepted
        folded: dict[str, set[str]] = {}
        for one in accepted:
            folded.setdefault(one.lower(), set()).add(one)
        # A spelling that means two units when case is ignored means none.
        self._folded = {low: ones.pop() for low, ones in folded.items() if len(ones) == 1}
        self._answers = {key.casefold(): answer for key, answer in concept.answers.items()}
        self._memo: dict[tuple[object, object, object], Accepted | None] = {}

    def _by_code(self, code: str) -> Accepted | None:
        unit = read_unit(code, is_code=True)
        way = self._accepted.get(unit)
        return None if way is None else (unit, way)

    def _by_text(self, text: str) -> Accepted | None:
        unit = read_unit(text, is_code=False)
        if unit not in self._accepted:
            unit = self._folded.get(unit.lower(), "")
        way = self._accepted.get(unit)
        return None if way is None else (unit, way)

    def accept(self, quantity: Mapping[str, Any]) -> Accepted | None:
        """
        Find the unit of a Quantity among those the concept accepts.

        A UCUM code decides, in its case; a unit text alone, or a code of no system, is
        read as text. Code and text that convert differently: none.
        """
        key = (quantity.get("system"), quantity.get("code"), quantity.get("unit"))
        try:
            return self._memo[key]
        except KeyError:
            found = self._choose(*key)
        except TypeError:  # a list where a text should stand
            return None
        if all(one is None or (type(one) is str and len(one) <= _LONGEST) for one in key):
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            self._memo[key] = found
        return found

    def _choose(self, system: object, code: object, unit: object) -> Accepted | None:
        if code is None and unit is None:
            return ("1", self.canonical) if self.has_no_unit else None
        by_text = self._by_text(unit) if _is_short(unit) else None
        if not _is_short(code):
            return by_text if code is None or code == "" else None
        is_ucum = type(system) is str and system in _UCUM
        by_code = self._by_code(code) if is_ucum else self._by_text(code)
        if by_code is None:
            return None if is_ucum else by_text
        if by_text is not None and _differs(by_code[1], by_text[1]):
            return None
        return by_code

    def quantity(self, quantity: Any) -> Reading:
        """Read a Quantity."""
        if type(quantity) is not dict:
            return Reading(Gap.NO_VALUE)
        sent = number_of(quantity.get("value"))
        if sent is None:
            return Reading(Gap.NO_VALUE)
        accepted = self.accept(quantity)
        if accepted is None:
            return Reading(Gap.UNIT)
        unit, way = accepted
        comparator = quantity.get("comparator")
        bound = _BOUNDS.get(comparator) if comparator is None or type(comparator) is str else None
        if bound is None:
            return Reading(Gap.COMPARATOR, sent=sent, unit=unit)
        return self._reading(sent, unit, way, bound)

    def _reading(self, sent: Decimal, unit: str, way: Conversion, bound: Bound) -> Reading:
        value = round12(way.to_canonical(sent))
        # A unit with a range of its own is judged by that, any other after conversion.
        if way.low is None and way.high is None:
            plausible = self.canonical.is_plausible(value)
        else:
            plausible = way.is_plausible(sent)
        return Reading(None if plausible else Gap.IMPLAUSIBLE, value, sent, unit, bound)

    def integer(self, value: Any) -> Reading:
        """Read a valueInteger: a number without a unit."""
        sent = number_of(value)
        if sent is None:
            return Reading(Gap.NO_VALUE)
        way = self._accepted.get("1")
        if way is None:
            return Reading(Gap.UNIT)
        return self._reading(sent, "1", way, Bound.EXACT)

    def word(self, codes: tuple[str, ...], texts: tuple[str, ...]) -> Reading:
        """Read an answer that stands for a number: by code, else by its words."""
        for one in (*codes, *texts):
            answer = self._answers.get(one.strip().casefold())
            if answer is not None:
                sent = Decimal(answer)
                return self._reading(sent, "1", self.canonical, Bound.EXACT)
        return Reading(Gap.NO_VALUE)

    def limit(self, limit: Any, unit: str) -> Decimal | None:
        """Convert one end of a reference range, where it is in the unit of the result."""
        if type(limit) is not dict:
            return None
        number = number_of(limit.get("value"))
        accepted = self.accept(limit)
        if number is None or accepted is None or accepted[0] != unit:
            return None
        return round12(accepted[1].to_canonical(number))


def _is_short(text: object) -> TypeGuard[str]:
    return type(text) is str and 0 < len(text) <= _LONGEST


def _differs(one: Conversion, other: Conversion) -> bool:
    return one.factor != other.factor or one.offset != other.offset
