"""
Findings mended: fixes made in a copy of the folder until nothing is left to mend.

A fix that would leave the folder with an error that it did not have is not made.
"""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cds.rulefiles.diagnostics import Diagnostic
from cds.rulefiles.fixes import Edit, Fix, applied
from cds.workshop.checks.checking import check_folder

__all__ = ["Mended", "differences", "mend", "write"]

_MOST_ROUNDS: Final = 10
_BOM: Final = "\ufeff"

Wanted = Callable[[Diagnostic], bool]


@dataclass(frozen=True, slots=True)
class Mended:
    """
    What files would hold: new texts by path, as diagnostics print paths.

    *before* has the old text of each; a file that moved stands there under its old path,
    and in *after* under its new one. *count* says how many findings were mended.
    """

    before: Mapping[str, str]
    after: Mapping[str, str]
    count: int


def mend(
    folder: Path, wanted: Wanted, *, as_of: date, unsafe: bool, thorough: bool = False
) -> Mended:
    """Mend what *wanted* lets through, in a copy; nothing in *folder* is touched."""
    with TemporaryDirectory(prefix="cds-") as scratch:
        copy = Path(scratch) / folder.name
        shutil.copytree(folder, copy, symlinks=True)
        first = _texts(copy)
        count = 0
        for _ in range(_MOST_ROUNDS):
            checked = check_folder(copy, as_of=as_of, thorough=thorough)
            fixes = [
                (one, one.fix)
                for one in checked.findings
                if one.fix is not None and (one.fix.safe or unsafe) and wanted(one)
            ]
            made = _make(copy, fixes)
            count += made
            if not made:
                break
        last = _texts(copy)
    before = {path: text for path, text in first.items() if last.get(path) != text}
    after = {path: text for path, text in last.items() if first.get(path) != text}
    return Mended(before, after, count)


def _texts(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*.y*ml")):
        try:
            text = path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        found[f"{folder.name}/{path.relative_to(folder).as_posix()}"] = text
    return found


def _make(folder: Path, fixes: Iterable[tuple[Diagnostic, Fix]]) -> int:
    """Make every fix that does not touch what another one of this round changed."""
    edits: dict[str, list[Edit]] = {}
    moved: dict[str, str] = {}
    made = 0
    for found, fix in fixes:
        taken = [
            other for one in fix.edits for other in edits.get(one.path, ()) if _meet(one, other)
        ]
        blocked = fix.rename and (folder.parent / fix.rename).exists()
        if taken or blocked or found.place.path in moved:
            continue
        for one in fix.edits:
            edits.setdefault(one.path, []).append(one)
        if fix.rename:
            moved[found.place.path] = fix.rename
        made += 1
    for path, several in edits.items():
        target = folder.parent / path
        text = target.read_bytes().decode("utf-8")
        mark = _BOM if text.startswith(_BOM) else ""
        text = mark + applied(text.removeprefix(_BOM), several)
        target.write_bytes(text.encode())
    for old, new in moved.items():
        target = folder.parent / new
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder.parent / old).rename(target)
    return made


def _meet(one: Edit, other: Edit) -> bool:
    return one.start == other.start or (one.start < other.end and other.start < one.end)


def write(folder: Path, mended: Mended) -> None:
    """Put the mended texts into the folder itself."""
    for path, text in mended.after.items():
        target = folder.parent / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
    for path in mended.before.keys() - mended.after.keys():
        (folder.parent / path).unlink()


def differences(mended: Mended) -> str:
    """Show what would change, as `diff -u` does."""
    out: list[str] = []
    for path in sorted({*mended.before, *mended.after}):
        old, new = (mended.before.get(path, ""), mended.after.get(path, ""))
        out += difflib.unified_diff(
            old.splitlines(keepends=True), new.splitlines(keepends=True), path, path
        )
    return "".join(line if line.endswith("\n") else line + "\n" for line in out)
