"""
`cds doctor`: Python, the rule engine, the rules; what is wrong and what to do, in a sentence.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cds.cli.console import REFUSED
from cds.core.facts import Person, Snapshot
from cds.core.rules import Ruleset
from cds.errors import CdsError, RuleError
from cds.reasoning.engine import UNAVAILABLE
from cds.reasoning.evaluator import Reasoner
from cds.service.places import default_rules
from cds.service.release import NotServedError, open_release

__all__ = ["examine"]

_PYTHONS: Final = ((3, 11), (3, 14))


def examine(*, rules: Path | None) -> int:
    """Print what was found, one line each; give the exit code."""
    well = True
    for fine, sentence in _findings(rules or default_rules()):
        well = well and fine
        sys.stdout.write(f"{'ok  ' if fine else 'look'}  {sentence}\n")
    return 0 if well else REFUSED


def _findings(folder: Path) -> Iterator[tuple[bool, str]]:
    lowest, beyond = _PYTHONS
    yield lowest <= sys.version_info[:2] < beyond, f"Python {platform.python_version()}"
    yield not UNAVAILABLE, _about_engine()
    try:
        release = open_release(folder, unreviewed=True)
    except RuleError as error:
        count = len(error.diagnostics)
        yield False, f"rules in {folder}: {count} errors; cds check shows them"
        return
    except NotServedError as error:
        yield False, f"rules in {folder}: {error}"
        return
    yield True, f"rules in {folder}: release {release.ruleset.release}"
    yield _trial(release.ruleset)


def _about_engine() -> str:
    """Translate why the engine cannot be had into what to do."""
    if not UNAVAILABLE:
        return "the rule engine can be imported"
    if find_spec("durable_rules_engine") is not None:
        return (
            "the rule engine was built without the flag that this Python needs: "
            "make clean setup (or CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject with pip)"
        )
    if shutil.which(os.environ.get("CC", "cc")) is None:
        return (
            "the rule engine is not installed and there is no C compiler to build it: "
            "install gcc or clang, then make clean setup"
        )
    return "the rule engine is not installed: make clean setup; .venv/engine.log says why it failed"


def _trial(rules: Ruleset) -> tuple[bool, str]:
    """Conclude once about a patient of whom nothing is known."""
    try:
        reasoner = Reasoner(rules)
        reasoner.conclude(Snapshot(as_of=datetime.now(UTC), person=Person("doctor")))
        reasoner.close()
    except CdsError as error:
        return False, f"a first conclusion failed: {error}"
    used = "both evaluators agree" if reasoner.engine == "both" else "the reference evaluator works"
    return True, f"a first conclusion was drawn: {used}"
