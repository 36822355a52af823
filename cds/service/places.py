"""
Where things are: in a checkout beside the package, once installed inside it.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["default_rules"]


def default_rules() -> Path:
    """Find the rules: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).resolve().parent.parent
    beside = package.parent / "rules"
    return beside if beside.is_dir() else package / "_rules"
