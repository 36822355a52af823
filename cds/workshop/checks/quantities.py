"""
Cut-offs without a name: CDS306.
"""

from __future__ import annotations

from cds.core.clauses import Compare
from cds.core.quantity import plain
from cds.workshop.checks.context import Context
from cds.workshop.checks.walking import parts_of

__all__ = ["check"]


def check(context: Context) -> None:
    """Report measured values that are compared with a bare number."""
    for rule in context.sound_rules():
        for one in parts_of(rule):
            if not isinstance(one, Compare) or one.what not in {"concept", "index", "input"}:
                continue
            for limit in (one.low, one.high):
                if limit is None or limit.threshold.name or not limit.threshold.cases:
                    continue
                unit = limit.threshold.unit
                number = plain(limit.threshold.cases[0].value)
                written = number if unit == "1" else f"{number} {unit}"
                context.report.add(
                    "CDS306",
                    one.place,
                    f"`{one.text}` compares with a number that has no name",
                    label=f"{written} is neither cited nor can it be chosen by a site",
                    help=f"name it: `thresholds: {{NAME: {{value: {_quoted(written)}, cite: …}}}}`",
                )


def _quoted(written: str) -> str:
    """Write a value so that it can be pasted between braces."""
    return f'"{written}"' if "{" in written else written
