"""
`cds docs`: a page for each rule, an index, a graph.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cds.cli.console import say_rule_error, say_usage
from cds.errors import RuleError
from cds.rulefiles.loader import load
from cds.service.settings import chosen_profile, default_rules
from cds.workshop.book.rulebook import pages_of

__all__ = ["write_pages"]


def write_pages(*, out: Path, rules: Path | None, profile: str | None) -> int:
    """Write the pages below *out*; what changed is written, what is gone is left."""
    folder = rules or default_rules()
    loaded = load(folder, profile or chosen_profile())
    if loaded.ruleset is None:
        return say_rule_error(
            RuleError([one for one in loaded.diagnostics if one.severity == "error"])
        )
    pages = pages_of(loaded, folder)
    try:
        for path, text in pages.items():
            target = out / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_file() or target.read_text("utf-8") != text:
                target.write_text(text, "utf-8")
    except OSError as error:
        return say_usage(f"{out}: {error.strerror}")
    sys.stdout.write(f"{len(pages)} pages in {out}\n")
    return 0
