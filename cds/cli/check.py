"""
`cds check`: every diagnostic of the rule files, a summary, an exit code.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cds.cli.console import REFUSED, say_usage
from cds.core.rules import Ruleset
from cds.rulefiles.diagnostics import Diagnostic, concise, render
from cds.rulefiles.loader import load
from cds.service.settings import default_rules

__all__ = ["check_files"]


def check_files(paths: Sequence[str], *, rules: Path | None, concise: bool) -> int:
    """
    Check the rule files of one folder; *paths* narrow what is printed.

    A folder given alone that is no part of the rules is checked itself.
    """
    began = time.perf_counter()
    folder = rules or default_rules()
    if rules is None and len(paths) == 1 and _is_another_folder(paths[0], folder):
        folder, paths = Path(paths[0]), []
    if not folder.is_dir():
        return say_usage(f"{folder}: no such folder")
    loaded = load(folder)
    wanted = {place for one in paths for place in _places_of(one, folder)}
    if paths and not wanted:
        return say_usage(f"no rule file matches {', '.join(paths)}")
    found = [one for one in loaded.diagnostics if not paths or one.place.path in wanted]
    for one in found:
        sys.stdout.write(_written(one, loaded.sources, concise=concise) + "\n")
    errors = sum(one.severity == "error" for one in found)
    warnings = len(found) - errors
    files = len(wanted) if paths else len(loaded.sources)
    sys.stdout.write(
        ", ".join(
            [
                _count(files, "file"),
                *_counts_of(loaded.ruleset if not paths else None),
                _count(errors, "error"),
                _count(warnings, "warning"),
            ]
        )
        + f"  {time.perf_counter() - began:.1f} s\n"
    )
    return REFUSED if errors else 0


def _is_another_folder(path: str, folder: Path) -> bool:
    given = Path(path)
    return given.is_dir() and not given.resolve().is_relative_to(folder.resolve())


def _places_of(path: str, folder: Path) -> set[str]:
    """Name the files that a path or a rule id means, as diagnostics print them."""
    given = Path(path)
    root = folder.resolve()
    if given.exists():
        files = given.resolve().rglob("*.yaml") if given.is_dir() else [given.resolve()]
    else:
        files = root.rglob(f"{path}.yaml")
    return {
        f"{folder.name}/{one.relative_to(root).as_posix()}"
        for one in files
        if one.is_relative_to(root)
    }


def _written(one: Diagnostic, sources: object, *, concise: bool) -> str:
    return _concise(one) if concise else render(one, sources) + "\n"  # type: ignore[arg-type]


_concise = concise


def _counts_of(rules: Ruleset | None) -> list[str]:
    if rules is None:
        return []
    every = len(rules.indices) + len(rules.conditions) + len(rules.factors) + len(rules.cards)
    return [_count(every, "rule"), _count(len(rules.concepts), "concept")]


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
