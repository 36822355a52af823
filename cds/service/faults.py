"""
What stops the start: settings and registrations that cannot be used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import ValidationError

from cds.rulefiles.diagnostics import nearest

__all__ = ["BadSettingsError", "because_of", "meant", "sentence_of"]

# What the library says of a value, in the words of somebody who has to mend it.
_BECAUSE: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "path_not_directory": "there is no such folder",
    "literal_error": "must be {expected}",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "string_type": "must be text",
    "string_pattern_mismatch": "must match {pattern}",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "mapping_type": "must be an object",
    "model_type": "must be an object",
}


class BadSettingsError(Exception):
    """A setting is unknown or cannot be used; the message names it."""


def sentence_of(error: ValidationError, *, known: Iterable[str] = ()) -> str:
    """Name every member that cannot be used and why, of those that are *known*; never a value."""
    lines = []
    for one in error.errors(include_input=False, include_url=False):
        message = because_of(one)
        name = ".".join(str(part) for part in one["loc"])
        if one["type"] == "extra_forbidden" and len(one["loc"]) == 1:
            message += meant(name, known)
        lines.append(f"{name}: {message}" if name else message)
    return "; ".join(lines)


def because_of(one: Mapping[str, Any]) -> str:
    """Say of one thing that cannot be used what would do; never its value."""
    said = _BECAUSE.get(one["type"])
    if said is None:
        return str(one["msg"]).removeprefix("Value error, ")
    return said.format_map(one.get("ctx", {}))


def meant(word: str, known: Iterable[str]) -> str:
    """Propose the name that was probably meant, as the end of a sentence; nothing where none is."""
    near = nearest(word, known)
    return f"; is `{near}` meant?" if near else ""
