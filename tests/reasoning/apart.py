"""Python in a process of its own, where freed memory is overwritten and a crash shows."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.contract.traffic import python_path

ROOT = Path(__file__).resolve().parents[2]


def apart(code: str, *given: object, seconds: float = 60, **more: str) -> list[str]:
    """Run *code* with *given* as `sys.argv[1:]`; give its lines, or fail with what it said."""
    environment = {**os.environ, "PYTHONPATH": python_path(ROOT), "MALLOC_PERTURB_": "165", **more}
    # A process that is measured apart would only be slow.
    environment = {name: one for name, one in environment.items() if not name.startswith("COV_")}
    found = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code), *map(str, given)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert 0 == found.returncode, f"exit {found.returncode}\n{found.stderr[-3000:]}"
    return found.stdout.splitlines()
