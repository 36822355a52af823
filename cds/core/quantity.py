"""
Decimal quantities: unit spellings, conversion by table, one rounding.

Which units a concept accepts, and the factor for each, are written in the rule
files; this module only knows how UCUM is spelled. No conversion by dimension is
ever made: HbA1c in % and in mmol/mol have no dimension that would know the way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Final

__all__ = ["EXACT", "Conversion", "Quantity", "plain", "read_unit", "round12", "shown"]

EXACT: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
_TWELVE: Final = Context(prec=12, rounding=ROUND_HALF_EVEN)


def round12(number: Decimal) -> Decimal:
    """Round half-even to twelve significant digits: the number both evaluators compare."""
    return _TWELVE.plus(number)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its UCUM unit, as spelled by `read_unit`."""

    value: Decimal
    unit: str

    def __str__(self) -> str:
        return f"{plain(self.value)} {self.unit}" if self.unit != "1" else plain(self.value)


@dataclass(frozen=True, slots=True)
class Conversion:
    """
    How a number in some unit becomes the canonical one: times *factor*, plus *offset*.

    *low* and *high* bound what is plausible in that unit, both inclusive.
    """

    factor: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    low: Decimal | None = None
    high: Decimal | None = None

    def to_canonical(self, number: Decimal) -> Decimal:
        """Convert, unrounded."""
        if self.factor == 1 and not self.offset:
            return number
        return EXACT.fma(number, self.factor, self.offset)

    def from_canonical(self, number: Decimal) -> Decimal:
        """Convert back, unrounded."""
        if self.factor == 1 and not self.offset:
            return number
        return EXACT.divide(EXACT.subtract(number, self.offset), self.factor)

    def is_plausible(self, number: Decimal) -> bool:
        """Tell whether *number*, in this unit, lies inside the plausible range."""
        return (self.low is None or number >= self.low) and (
            self.high is None or number <= self.high
        )


# Spellings that EHRs send for a UCUM unit. Units are not clinical content: which
# of them a concept accepts is written in the rule files.
_ALIASES: Final = {
    "mmhg": "mm[Hg]",
    "mm hg": "mm[Hg]",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "in": "[in_i]",
    "inch": "[in_i]",
    "inches": "[in_i]",
    "uiu/ml": "u[IU]/mL",
    "miu/l": "m[IU]/L",
    "miu/ml": "m[IU]/mL",
    "iu/l": "U/L",
    "k/ul": "10*3/uL",
    "10^3/ul": "10*3/uL",
    "10^9/l": "10*9/L",
    "ml/min/1.73m2": "mL/min/{1.73_m2}",
    "ml/min/1.73 m2": "mL/min/{1.73_m2}",
    "kg/m^2": "kg/m2",
    "percent": "%",
    "hours": "h",
    "hour": "h",
    "hr": "h",
    "hrs": "h",
    "minutes": "min",
    "days": "d",
    "iu/ml": "[IU]/mL",
}
_LITRE: Final = re.compile(r"(?<![A-Za-z\[])([munpfdc]?)l(?![A-Za-z\[_])")
_NOTE: Final = re.compile(r"(?<=[A-Za-z\]%0-9])\{(?!1\.73_m2\})[^{}]*\}")
_AREA: Final = re.compile(r"/(?:1\.73\.?m2|1\.73_m2|\{1\.73\s?m2\})$")


@lru_cache(maxsize=4096)
def read_unit(text: str, *, is_code: bool) -> str:
    """
    Spell a unit one way.

    A UCUM code (*is_code*) keeps its case; only notations that mean the same are
    joined: litre as `l` or `L`, `[iU]` and `[IU]`, an annotation behind an atom,
    the three ways to write 1.73 m2, `/(24.h)` for a day. A human-readable unit is
    compared without regard to case. What cannot be read comes back as it is, and
    then matches no accepted unit.
    """
    unit = text.strip()
    if not is_code:
        unit = unit.replace("\u00b5", "u").replace("\u03bc", "u")
        alias = _ALIASES.get(unit.lower())
        if alias is not None:
            return alias
    if unit.startswith("{") and unit.endswith("}") and unit.count("{") == 1:
        return "1"
    unit = _NOTE.sub("", unit)
    unit = unit.replace("[iU]", "[IU]").replace("/(24.h)", "/d")
    unit = _AREA.sub("/{1.73_m2}", unit)
    unit = _LITRE.sub(r"\1L", unit)
    return unit or "1"


def plain(number: Decimal) -> str:
    """Write a number as it was sent, without an exponent."""
    text = format(number, "f")
    return text if text != "-0" else "0"


def shown(number: Decimal, digits: int) -> str:
    """Write a number for a reader, rounded half-even to *digits* after the point."""
    return format(number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN), "f")
