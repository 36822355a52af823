"""
`cds schema`: JSON Schemas of the rule files, for editors.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from cds.cli.console import say_usage
from cds.rulefiles.diagnostics import did_you_mean
from cds.rulefiles.kinds import KINDS
from cds.rulefiles.schemas import EVERY_KIND, schema_of, schema_of_all
from cds.service.places import default_rules

__all__ = ["schema_texts", "show_schema"]


def show_schema(kind: str | None, *, rules: Path | None, write: bool) -> int:
    """Print the schema of one kind, or of all; with *write* put them into the rules' folder."""
    texts = schema_texts()
    if kind is not None and kind not in texts:
        advice = did_you_mean(kind, texts) or f"kinds: {', '.join(KINDS)}"
        return say_usage(f"`{kind}` is not a kind of rule file; {advice}")
    if not write:
        sys.stdout.write(texts[kind or EVERY_KIND])
        return 0
    folder = (rules or default_rules()) / "schema"
    folder.mkdir(exist_ok=True)
    for name in [kind] if kind is not None else list(texts):
        path = folder / f"{name}.json"
        if not path.exists() or path.read_text("utf-8") != texts[name]:
            path.write_text(texts[name], "utf-8")
            sys.stdout.write(f"wrote {folder.parent.name}/schema/{path.name}\n")
    return 0


def schema_texts() -> Mapping[str, str]:
    """Give what the files in `rules/schema/` hold, by kind; `rule` is for files of any kind."""
    schemas = {kind: schema_of(kind) for kind in KINDS} | {EVERY_KIND: schema_of_all()}
    return {
        name: json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }
