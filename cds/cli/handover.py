"""
`cds handover`: the sheet that the integrator of one client works from.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cds.cli.client.registering import registered
from cds.cli.console import say_rule_error, say_usage
from cds.errors import RuleError
from cds.service.faults import BadSettingsError
from cds.service.handover import sheet_of
from cds.service.release import NotServedError, open_release
from cds.service.settings import read_settings

__all__ = ["hand_over"]


def hand_over(
    name: str, *, folder: Path, out: Path | None, rules: Path | None, profile: str | None
) -> int:
    """Write the sheet of a client to *out*, or print it; give the exit code."""
    try:
        settings = read_settings()
        client = registered(name, folder=folder)
        release = open_release(
            rules or settings.rules, unreviewed=True, profile=profile or settings.profile
        )
    except (BadSettingsError, NotServedError) as error:
        return say_usage(str(error))
    except RuleError as error:
        return say_rule_error(error)
    sheet = sheet_of(release.ruleset, client, settings)
    if out is None:
        sys.stdout.write(sheet)
        return 0
    try:
        out.write_text(sheet, "utf-8")
    except OSError as error:
        return say_usage(f"{out} cannot be written: {error.strerror}")
    sys.stdout.write(f"wrote {out}\n")
    return 0
