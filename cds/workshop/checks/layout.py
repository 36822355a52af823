"""
Files that `cds fmt` would lay out otherwise: CDS108.
"""

from __future__ import annotations

from cds.rulefiles.fixes import Edit, Fix
from cds.workshop.checks.context import Context
from cds.workshop.editing.formatting import first_difference, format_source
from cds.workshop.editing.layout import layout

__all__ = ["check"]

_UNREADABLE = frozenset({"CDS101", "CDS103"})


def check(context: Context) -> None:
    """Report each file that does not have the one layout, at the first line that differs."""
    found = context.loaded.diagnostics
    unreadable = {one.place.path for one in found if one.code in _UNREADABLE}
    for path, root in context.roots.items():
        source = root.source
        # Nearly every file is as it should be, and that is told without reading it again.
        if path in unreadable or layout(source, root) == source.text:
            continue
        text = format_source(source).text
        if text is not None:
            context.report.add(
                "CDS108",
                first_difference(source, text),
                "`cds fmt` would lay this file out otherwise",
                label="from here",
                help=f"run `cds fmt {path}`",
                fix=Fix("lay the file out", (Edit(path, 0, len(source.text), text),)),
            )
