"""
The pages about checks: `docs/checks/CDSnnn.md`, in a checkout or inside the package.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["page_of", "pages", "what_it_does"]

_WHAT: Final = re.compile(r"^## What it does\n+(.*?)\n\n", re.MULTILINE | re.DOTALL)


@cache
def pages() -> Path:
    """Find the folder of the pages."""
    package = Path(__file__).resolve().parents[2]
    beside = package.parent / "docs" / "checks"
    return beside if beside.is_dir() else package / "_checks"


def page_of(code: str) -> str:
    """Read the page of a check; empty where there is none."""
    path = pages() / f"{code}.md"
    return path.read_text("utf-8") if path.is_file() else ""


def what_it_does(code: str) -> str:
    """Give the paragraph that says what a check does, in one line."""
    match = _WHAT.search(page_of(code))
    return " ".join(match[1].split()) if match else ""
