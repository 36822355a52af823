"""
Documents with one thing otherwise.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

__all__ = ["changed"]


def changed(whole: Any, path: Sequence[Any], value: Any) -> Any:
    """Give a copy with one thing put in its place; `KeyError` takes it out."""
    found = copy.deepcopy(whole)
    *way, last = path
    inside = found
    for step in way:
        inside = inside[step]
    if value is KeyError:
        del inside[last]
    else:
        inside[last] = value
    return found
