"""
`cds fmt`: rule files in the one layout.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from cds.cli.console import REFUSED, say_usage
from cds.rulefiles.nodes import Source
from cds.service.places import default_rules
from cds.workshop.editing.formatting import format_source

__all__ = ["format_files"]


def format_files(what: Sequence[str], *, rules: Path | None, check: bool, diff: bool) -> int:
    """
    Lay out files anew, or only say (*check*) or show (*diff*) what would change.

    Exit code 1: a file is left alone because it cannot be read; with *check* or *diff*
    also where one would change.
    """
    folder = rules or default_rules()
    files = dict(_files_of(what, folder))
    if not files:
        return say_usage(f"no rule file matches {', '.join(what) or folder}")
    changed = refused = 0
    for path, name in files.items():
        old = _read(path)
        done = format_source(Source(name, old)) if old is not None else None
        if done is None or old is None or done.text is None:
            refused += 1
            reasons = done.reasons if done else (f"{name}: is not UTF-8",)
            sys.stdout.write("".join(f"{one}\n" for one in reasons) + f"left alone {name}\n")
        elif done.text.encode() != path.read_bytes():
            changed += 1
            if diff:
                sys.stdout.writelines(_difference(old, done.text, name))
            else:
                sys.stdout.write(f"{'would change' if check else 'formatted'} {name}\n")
            if not (check or diff):
                path.write_bytes(done.text.encode())
    would = "would change" if check or diff else "formatted"
    alone = f", {refused} left alone" if refused else ""
    same = len(files) - changed - refused
    sys.stdout.write(f"{changed} {would}, {same} as they should be{alone}\n")
    return REFUSED if refused or (changed and (check or diff)) else 0


def _files_of(what: Sequence[str], folder: Path) -> Iterator[tuple[Path, str]]:
    """Give each file that is meant, by path or by rule id, with the name to print."""
    for one in what or [str(folder)]:
        given = Path(one)
        if given.is_dir():
            found = sorted(given.rglob("*.yaml"))
        elif given.exists():
            found = [given]
        else:
            found = sorted(folder.rglob(f"{one}.yaml"))
        for path in found:
            yield path.resolve(), _name(path.resolve(), folder.resolve())


def _name(path: Path, folder: Path) -> str:
    if path.is_relative_to(folder):
        return f"{folder.name}/{path.relative_to(folder).as_posix()}"
    return path.as_posix()


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _difference(old: str, new: str, name: str) -> Iterator[str]:
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), name, name
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
