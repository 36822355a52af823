"""
`cds new`: the first file of a rule.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from cds.cli.console import say_usage
from cds.rulefiles.loader import load
from cds.service.places import default_rules
from cds.workshop.editing.drafting import CannotDraft, draft_of

__all__ = ["begin_rule"]


def begin_rule(kind: str, name: str, *, title: str, rules: Path | None) -> int:
    """Write a draft that loads, and say what to do next."""
    folder = (rules or default_rules()).resolve()
    today = datetime.now(UTC).date()
    try:
        draft = draft_of(load(folder), kind, name, title, as_of=today)
    except CannotDraft as problem:
        return say_usage(str(problem))
    path = folder.parent / draft.path
    path.parent.mkdir(exist_ok=True)
    # `x`: a file that came there meanwhile, or that cannot be read, is not overwritten.
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(draft.text)
    except FileExistsError:
        return say_usage(f"{draft.path} is there already")
    sys.stdout.write(f"wrote {draft.path}  {draft.holds}\n")
    verb = "check" if kind in {"group", "profile"} else "watch"
    sys.stdout.write(f"next: cds {verb} {name}\n")
    return 0
