"""
`cds watch`: after every save, what became of the answers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cds.cli.console import say_usage
from cds.rulefiles.diagnostics import concise
from cds.rulefiles.source import signature_of
from cds.service.places import default_rules
from cds.workshop.editing.watching import Affected, Changed, Checked, Ran, Saved, Step, Watcher
from cds.workshop.testing.cases import NothingSelected

__all__ = ["watch_rules"]

_SECONDS = 0.1
_INDENT = " " * 10
_LONGEST = 60


def watch_rules(
    wanted: Sequence[str],
    *,
    rules: Path | None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
) -> int:
    """Watch until interrupted; give the exit code."""
    folder = rules or default_rules()
    watcher = Watcher(folder, wanted, as_of=datetime.now(UTC).date())
    try:
        _say(watcher.begin(), clock)
        before = signature_of(folder)
        while True:
            sleep(_SECONDS)
            now = signature_of(folder)
            if now != before:
                before = now
                _say(watcher.look(), clock)
    except NothingSelected as error:
        return say_usage(f"{error}; perhaps {', '.join(error.candidates[:5])}")
    except KeyboardInterrupt:
        sys.stdout.write("\n")
        return 0


def _say(steps: Iterator[Step], clock: Callable[[], datetime]) -> None:
    began = time.perf_counter()
    head = f"{clock():%H:%M:%S}  "
    same: list[str] = []
    for step in steps:
        if isinstance(step, Affected) and not step.failed and not step.changed:
            same.append(f"{step.rule} ({_counted(step)})")
            continue
        seconds = f"{time.perf_counter() - began:.1f} s"
        for line in _lines(step, seconds):
            sys.stdout.write(f"{head}{line}\n")
            head = _INDENT
        sys.stdout.flush()
    if same:
        sys.stdout.write(f"{head}also affected, and as before: {', '.join(same)}\n")
        sys.stdout.flush()


def _lines(step: Step, seconds: str) -> Iterator[str]:
    if isinstance(step, Saved):
        yield "saved: " + "; ".join(step.thresholds or step.files)
    elif isinstance(step, Ran):
        yield f"{_counted(step):<60}  {seconds:>6}"
        yield from _failed(step)
        yield from _changed(step.changed)
    elif isinstance(step, Checked):
        errors, warnings = len(step.errors), len(step.warnings)
        said = f"check: {errors} errors, {warnings} warnings" if errors or warnings else "check ok"
        yield f"{said:<60}  {seconds:>6}"
        yield from (f"  {concise(one)}" for one in (*step.errors, *step.warnings)[:20])
    else:
        yield f"also affected: {step.rule} ({_counted(step)})"
        yield from _failed(step)
        yield from _changed(step.changed)


def _counted(step: Ran | Affected) -> str:
    parts = [f"{step.passed} passed"]
    if step.failed:
        parts.append(f"{len(step.failed)} failed")
    if step.changed:
        parts.append(f"{len(step.changed)} changed")
    return ", ".join(parts)


def _failed(step: Ran | Affected) -> Iterator[str]:
    for one in step.failed:
        yield f"  FAIL  {one.name}  {one.place}"


def _changed(changed: Sequence[Changed]) -> Iterator[str]:
    width = max((len(one.case) for one in changed), default=0)
    for one in changed:
        yield f"  {one.case:<{width}}   {_short(one.before)} -> {_short(one.now)}"


def _short(answer: str) -> str:
    """Cut a long answer: there are those that lack a dozen data."""
    return answer if len(answer) <= _LONGEST else f"{answer[: _LONGEST - 4].rstrip()} ..."
