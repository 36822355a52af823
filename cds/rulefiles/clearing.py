"""
Plain words that can be read in more than one way, written as they were meant.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

__all__ = ["clear_amount", "clear_flag", "clear_version", "clear_whole"]

_TRUE: Final = frozenset({"yes", "on", "y", "true"})
_VERSION: Final = re.compile(r"\d+(?:\.\d+)?")
_ODD_AMOUNT: Final = re.compile(
    r"([+-]?(?:\d+,\d{1,2}|\.\d+|\d+\.|\d+(?:_\d+)+|\d+(?:\.\d*)?[eE][+-]?\d{1,2}))(?:\s+(\S.*))?"
)
_MOST_DIGITS: Final = 12


def clear_flag(text: str) -> str:
    """Write the flag that YAML 1.1 would have read."""
    return "true" if text.lower() in _TRUE else "false"


def clear_version(text: str) -> str:
    """Add the numbers that a version lacks."""
    if not _VERSION.fullmatch(text):
        return ""
    return f"{text}.0" if "." in text else f"{text}.0.0"


def clear_whole(text: str) -> str:
    """Write a whole number with its digits; empty where it is none."""
    plain = text.replace("_", "")
    if plain[:2].lower() in {"0x", "0o"}:
        return str(int(plain, 0))
    return _digits(plain) if "," not in plain else ""


def clear_amount(text: str) -> str:
    """Write `1e3 mg/dL` or `5,7 %` with plain digits; empty where it is something else."""
    match = _ODD_AMOUNT.fullmatch(text.strip())
    if match is None:
        return ""
    number = _digits(match[1].replace("_", "").replace(",", "."), whole=False)
    return f"{number} {match[2]}" if number and match[2] else number


def _digits(text: str, *, whole: bool = True) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return ""
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        return ""
    if whole and number != number.to_integral_value():
        return ""
    written = format(number, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written
