"""
A while without the collector of cyclic garbage, for work that makes none.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]


@contextmanager
def uncollected() -> Iterator[None]:
    """
    Let nothing be collected inside: what is built there is not garbage before the end.

    Looking for it all the same costs a third of loading and a quarter of checking.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
