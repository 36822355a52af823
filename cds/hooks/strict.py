r"""
JSON read so that no other reader could have understood it differently.

Refused besides what is no JSON at all: a member named twice in one object, NaN and
infinities, a byte order mark, any encoding but UTF-8, half a surrogate pair, an
integer of more than 19 digits, a number of more than 32 characters or with an exponent
beyond 20, more than 64 levels, more than 200,000 objects and arrays, more than 500,000 commas.

`decode` is quick because msgspec reads. What msgspec does not see is found by counting:

* **Doubled members.** msgspec keeps the last of two. Every string of a text costs two
  quotation marks, and a quotation mark inside a string one more (`\"`). What was read
  is written again and counted: a member that got lost took two marks along at least,
  and nothing can bring marks back, except where the text spells one as `\u0022`.
* **Long integers.** Twenty digits in a row that are neither part of a word nor behind
  a decimal point.

* **Levels and containers.** A text without its strings and scalars is brackets alone.

Where counting is not sure, `decode_slowly` decides: the standard library's decoder
with every check written out. Both give the same verdict; a test compares them.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, Final, NoReturn

import msgspec

from cds.errors import BadRequest

__all__ = ["MOST_COMMAS", "MOST_CONTAINERS", "MOST_LEVELS", "decode", "decode_slowly", "encode"]

MOST_LEVELS: Final = 64
MOST_CONTAINERS: Final = 200_000
MOST_COMMAS: Final = 500_000
"""Values take time and memory by their number, however short: no two in a row without one."""
_MOST_DIGITS: Final = 19
_MOST_CHARACTERS: Final = 32
_MOST_EXPONENT: Final = 20

_DIGITS: Final = bytes(ord("0") if chr(one) in "0123456789" else ord(" ") for one in range(256))
_LONG: Final = b"0" * (_MOST_DIGITS + 1)
_BEFORE_A_NUMBER: Final = b" \t\r\n[,:-"
_AS_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_NO_SHAPE: Final = bytes(one for one in range(256) if one not in b'[]{}"')
_CONTAINERS: Final[frozenset[type]] = frozenset({dict, list})
_BYTE: Final = re.compile(r"\(byte (\d+)\)")


class _RefusedError(ValueError):
    """A text that is JSON and is not taken; the message is ours from end to end."""


def _number(text: str) -> Decimal:
    if len(text) > _MOST_CHARACTERS:
        raise _RefusedError("a number has more than 32 characters")
    number = Decimal(text)
    if not -_MOST_EXPONENT <= number.adjusted() <= _MOST_EXPONENT:
        raise _RefusedError("a number has an exponent beyond 20")
    return number


_decoder: Final = msgspec.json.Decoder(float_hook=_number)
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """Write JSON, compact, in UTF-8; Decimal as the number it is."""
    return _encoder.encode(value)


def decode(raw: bytes) -> Any:
    """Read a JSON text; fractions become Decimal, exactly as written."""
    _check_number(raw)
    try:
        value = _decoder.decode(raw)
        again = _encoder.encode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise BadRequest(_sentence(error)) from None
    if raw.count(b'"') != again.count(b'"') or b"\\u0022" in raw or _may_hold_a_long_integer(raw):
        return decode_slowly(raw)
    if not _is_modest(raw):
        _check_shape(value)
    return value


def decode_slowly(raw: bytes) -> Any:
    """Read a JSON text with every check made one by one: the definition of `decode`."""
    _check_number(raw)
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_number,
            parse_int=_integer,
            parse_constant=_constant,
        )
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except (UnicodeError, RecursionError, ValueError) as error:
        raise BadRequest(_sentence(error)) from None
    _check_shape(value)
    return value


def _check_number(raw: bytes) -> None:
    if raw.count(b",") > MOST_COMMAS:
        raise BadRequest("holds more than 500,000 commas")


def _is_modest(raw: bytes) -> bool:
    """
    Say whether a well-formed text surely keeps to the levels and containers.

    Of the text only brackets and quotation marks are kept, and `[]` stands for `{}`. A
    string without brackets is then two marks and goes; where marks are left, a string
    holds brackets and nothing is sure. What remains loses its innermost level with each
    replacement.
    """
    if b"\\" in raw:
        raw = raw.replace(rb"\\", b"").replace(rb"\"", b"")
    left = raw.translate(_AS_SQUARE, _NO_SHAPE).replace(b'""', b"")
    if b'"' in left or left.count(b"[") > MOST_CONTAINERS:
        return False
    for _ in range(MOST_LEVELS):
        if not left:
            return True
        left = left.replace(b"[]", b"")
    return not left


def _check_shape(value: Any) -> None:
    """Count levels and containers, a level at a time."""
    level: list[Any] = [value] if type(value) in _CONTAINERS else []
    containers = 0
    for _ in range(MOST_LEVELS):
        if not level:
            return
        containers += len(level)
        if containers > MOST_CONTAINERS:
            raise BadRequest("holds more than 200,000 objects and arrays")
        inside: list[Any] = []
        for one in level:
            inside.extend(one.values() if type(one) is dict else one)
        level = [one for one in inside if type(one) in _CONTAINERS]
    if level:
        raise BadRequest("is nested deeper than 64 levels")


def _may_hold_a_long_integer(raw: bytes) -> bool:
    digits = raw.translate(_DIGITS)
    at = digits.find(_LONG)
    while at >= 0:
        if at == 0 or raw[at - 1] in _BEFORE_A_NUMBER:
            return True
        behind = digits.find(b" ", at)
        at = -1 if behind < 0 else digits.find(_LONG, behind)
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RefusedError("an object names a member twice")
    return members


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > _MOST_DIGITS:
        raise _RefusedError("an integer has more than 19 digits")
    return int(text)


def _constant(_text: str) -> NoReturn:
    raise _RefusedError("NaN and infinities are no JSON")


def _sentence(error: Exception) -> str:
    """Say what is wrong, with the place where one is known, and nothing of the text."""
    cause = error.__cause__ if isinstance(error, msgspec.ValidationError) else error
    if isinstance(cause, _RefusedError):
        return f"cannot be taken: {cause}"
    if isinstance(error, RecursionError):
        return "is nested deeper than 64 levels"
    if isinstance(error, UnicodeError):
        return "is not UTF-8"
    place = _BYTE.search(str(error))
    return "is not well-formed JSON" + (f" (byte {place.group(1)})" if place else "")
