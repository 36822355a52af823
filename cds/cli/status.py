"""
`cds status`: what would be served here.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from cds import __version__
from cds.cli.console import say_rule_error, say_usage
from cds.errors import RuleError
from cds.reasoning.engine import UNAVAILABLE
from cds.service.release import NotServedError, open_release
from cds.service.settings import chosen_profile, default_rules

__all__ = ["show_status"]


def show_status(*, rules: Path | None, profile: str | None) -> int:
    """Print release, rules, reviews and engine; give the exit code."""
    folder = rules or default_rules()
    try:
        release = open_release(folder, unreviewed=True, profile=profile or chosen_profile())
    except RuleError as error:
        return say_rule_error(error)
    except NotServedError as error:
        return say_usage(str(error))
    lines = {
        "version": __version__,
        "release": release.ruleset.release,
        "profile": release.ruleset.profile.id,
        "rules": ", ".join(f"{count} {kind}" for kind, count in release.counts.items()),
        "reviews": f"{len(release.pending)} pending" if release.pending else "none pending",
        "engine": f"reference evaluator alone: {UNAVAILABLE}" if UNAVAILABLE else "both evaluators",
        "python": platform.python_version(),
        "folder": str(folder),
    }
    for name, text in lines.items():
        sys.stdout.write(f"{name:<8} {text}\n")
    return 0
