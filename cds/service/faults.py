"""
What stops the start: settings and registrations that cannot be used.
"""

from __future__ import annotations

from pydantic import ValidationError

__all__ = ["BadSettingsError", "sentence_of"]


class BadSettingsError(Exception):
    """A setting is unknown or cannot be used; the message names it."""


def sentence_of(error: ValidationError) -> str:
    """Name every member that cannot be used and why; never its value."""
    lines = []
    for one in error.errors(include_input=False, include_url=False, include_context=False):
        message = one["msg"].removeprefix("Value error, ")
        name = ".".join(str(part) for part in one["loc"])
        lines.append(f"{name}: {message}" if name else message)
    return "; ".join(lines)
