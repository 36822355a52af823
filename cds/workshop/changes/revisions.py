"""
A folder of rules as it stands, or as it stood in a revision of git.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["NoSuchRulesError", "rules_at"]


class NoSuchRulesError(ValueError):
    """What was named is neither a folder nor a revision; the message says so."""


@contextmanager
def rules_at(where: str, rules: Path) -> Iterator[Path]:
    """
    Give the folder *where*, or the folder *rules* as it stood in the revision *where*.

    What git holds is unpacked beside nothing else and taken away again. Raises
    `NoSuchRulesError`.
    """
    if where and Path(where).is_dir():
        yield Path(where).resolve()
        return
    rules = rules.resolve()
    verified = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{where}^{{commit}}")
    commit = _git(rules, *verified)
    if commit is None:
        raise NoSuchRulesError(f"{where}: neither a folder nor a revision of {rules}")
    # From inside a folder git packs that folder alone.
    packed = _git(rules, "archive", "--format=tar", commit.decode().strip())
    if packed is None:
        raise NoSuchRulesError(f"{where}: there was no {rules.name} then")
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / rules.name
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        yield folder


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Ask git; None where it is not there or has no answer."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the revision is no option
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - whichever git is installed
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
