"""
Where the command line writes: a rich console that is as wide and colourful as asked.
"""

from __future__ import annotations

import sys
import unicodedata
from typing import TYPE_CHECKING

from cds.errors import RuleError
from cds.rulefiles.diagnostics import concise

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["REFUSED", "USAGE", "clean", "console", "say_rule_error", "say_usage"]

REFUSED = 1
USAGE = 2


def console(*, width: int | None = None, color: bool | None = None) -> Console:
    """Open a console on stdout; None: as wide, and in colour, as the terminal can."""
    from rich.console import Console  # noqa: PLC0415 - half of the verbs write plain text

    return Console(
        width=width,
        force_terminal=True if color else None,
        no_color=True if color is False else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def clean(text: str) -> str:
    """Take out what would steer a terminal: data of a patient may hold anything."""
    return "".join(
        one for one in text if one == "\n" or unicodedata.category(one) not in {"Cc", "Cf", "Co"}
    )


def say_usage(sentence: str) -> int:
    """Say what is wrong with the call, and give its exit code."""
    sys.stderr.write(f"cds: {clean(sentence)}\n")
    return USAGE


def say_rule_error(error: RuleError) -> int:
    """Say why the rules cannot be used, one line for each reason."""
    for one in error.diagnostics:
        sys.stderr.write(f"{concise(one)}\n")  # type: ignore[arg-type]
    sys.stderr.write("cds: these rules cannot be used; see cds check\n")
    return USAGE
