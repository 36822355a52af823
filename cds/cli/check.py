"""
`cds check`: every finding about the rule files, mended where asked, and an exit code.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from cds.cli.console import REFUSED, say_usage
from cds.core.rules import Ruleset
from cds.rulefiles.checks import CHECKS, code_of
from cds.rulefiles.diagnostics import Diagnostic, concise, did_you_mean
from cds.rulefiles.rendering import render
from cds.service.places import default_rules
from cds.workshop.checks.checking import THOROUGH, Checked, check_folder
from cds.workshop.checks.findings import as_github, as_json, as_junit, as_sarif
from cds.workshop.editing.mending import differences, mend, write

__all__ = ["check_files"]

_NEVER_FAILS = "CDS611"
"""A review that is still to be done is said aloud and never fails a check."""


def check_files(
    what: Sequence[str],
    *,
    rules: Path | None,
    profile: str | None,
    form: str,
    as_of: date,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    strict: bool,
    thorough: bool,
    select: Sequence[str],
    ignore: Sequence[str],
) -> int:
    """
    Check the rule files of one folder under *profile*, or under each that it holds.

    *what* narrows what is printed.

    A folder given alone that is no part of the rules is checked itself.
    """
    began = time.perf_counter()
    folder = (rules or default_rules()).resolve()
    if rules is None and len(what) == 1 and _is_another_folder(what[0], folder):
        folder, what = Path(what[0]).resolve(), []
    if not folder.is_dir():
        return say_usage(f"{folder}: no such folder")
    if unsafe_fixes and not (fix or diff):
        return say_usage("--unsafe-fixes goes with --fix or --diff")
    if thorough and profile:
        return say_usage("--thorough looks at the rules as they are written, not under a profile")
    for word in (*select, *ignore):
        if not _codes_of(word):
            names = [*CHECKS, *(check.name for check in CHECKS.values())]
            advice = did_you_mean(word, names)
            return say_usage(f"`{word}` is not a check" + (f": {advice}" if advice else ""))
    places = {path for one in what for path in _places_of(one, folder)}
    if what and not places:
        return say_usage(f"no rule file matches {', '.join(what)}")
    codes = {code for word in select for code in _codes_of(word)} or set(CHECKS)
    if codes <= THOROUGH and not thorough:
        return say_usage(f"{', '.join(sorted(codes))}: found with --thorough only")
    codes -= {code for word in ignore for code in _codes_of(word)}

    def is_wanted(one: Diagnostic) -> bool:
        return one.code in codes and (not what or one.place.path in places)

    if fix or diff:
        mended = mend(folder, is_wanted, as_of=as_of, unsafe=unsafe_fixes, thorough=thorough)
        if diff:
            sys.stdout.write(differences(mended))
            return REFUSED if mended.count else 0
        write(folder, mended)
        sys.stdout.write(f"{_count(mended.count, 'finding')} mended\n" if mended.count else "")
    checked = check_folder(folder, as_of=as_of, profile=profile, thorough=thorough)
    found = [one for one in checked.findings if is_wanted(one)]
    paths = sorted(places) if what else list(checked.loaded.sources)
    sys.stdout.write(_written(found, checked, form, paths))
    if form in {"full", "concise"}:
        held_back = {path: checked.held_back[path] for path in paths if path in checked.held_back}
        whole = checked.loaded.ruleset if not what else None
        sys.stdout.write(_drafts(held_back))
        sys.stdout.write(_summary(found, len(paths), whole, time.perf_counter() - began))
    return REFUSED if any(_fails(one, strict=strict) for one in found) else 0


def _fails(one: Diagnostic, *, strict: bool) -> bool:
    return one.severity == "error" or (strict and one.code != _NEVER_FAILS)


def _codes_of(word: str) -> list[str]:
    """Read a code, a name, or the beginning of codes (`CDS4`)."""
    code = code_of(word)
    if code:
        return [code]
    return [one for one in CHECKS if word.startswith("CDS") and one.startswith(word)]


def _is_another_folder(path: str, folder: Path) -> bool:
    given = Path(path)
    return given.is_dir() and not given.resolve().is_relative_to(folder)


def _places_of(path: str, folder: Path) -> set[str]:
    """Name the files that a path or a rule id means, as diagnostics print them."""
    given = Path(path)
    if given.exists():
        files = given.resolve().rglob("*.yaml") if given.is_dir() else [given.resolve()]
    else:
        files = folder.rglob(f"{path}.yaml")
    return {
        f"{folder.name}/{one.relative_to(folder).as_posix()}"
        for one in files
        if one.is_relative_to(folder)
    }


# --- what is printed ------------------------------------------------------------------


def _written(found: list[Diagnostic], checked: Checked, form: str, paths: Sequence[str]) -> str:
    sources = checked.loaded.sources
    if form == "json":
        return as_json(found, sources) + "\n"
    if form == "junit":
        return as_junit(found, paths) + "\n"
    if form == "sarif":
        return as_sarif(found, sources) + "\n"
    if form == "github":
        return "".join(line + "\n" for line in as_github(found).splitlines())
    if form == "concise":
        return "".join(concise(one) + "\n" for one in found)
    return "".join(render(one, sources) + "\n\n" for one in found)


def _drafts(held_back: Mapping[str, Iterable[Diagnostic]]) -> str:
    return "".join(
        f"{path} is a draft, so nothing else is held against it yet "
        f"({', '.join(sorted({one.name for one in several}))})\n"
        for path, several in held_back.items()
    )


def _summary(found: list[Diagnostic], files: int, rules: Ruleset | None, seconds: float) -> str:
    errors = sum(one.severity == "error" for one in found)
    counts = [
        _count(files, "file"),
        *_counts_of(rules),
        _count(errors, "error"),
        _count(len(found) - errors, "warning"),
    ]
    safe = sum(one.fix is not None and one.fix.safe for one in found)
    unsafe = sum(one.fix is not None and not one.fix.safe for one in found)
    mended = [f"{safe} with --fix"] * bool(safe)
    mended += [f"{unsafe}{' more' * bool(safe)} with --fix --unsafe-fixes"] * bool(unsafe)
    advice = f"can be mended: {', '.join(mended)}\n" if mended else ""
    return f"{', '.join(counts)}  {seconds:.1f} s\n{advice}"


def _counts_of(rules: Ruleset | None) -> list[str]:
    if rules is None:
        return []
    every = len(rules.indices) + len(rules.conditions) + len(rules.factors) + len(rules.cards)
    return [_count(every, "rule"), _count(len(rules.concepts), "concept")]


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
