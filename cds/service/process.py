"""
What a process of the service may leave behind, and which signals may not end it.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from contextlib import suppress
from typing import Final

__all__ = ["harden"]

# Taken by `cds.service.activation` as soon as there is something to change.
_TAKEN_LATER: Final = ("SIGHUP", "SIGUSR1")


def harden() -> None:
    """
    Leave no core file and nothing that others may read; think in UTC; do not die of a reload.

    A crash of the engine's C code still says where: frames, never values.
    """
    os.umask(0o077)
    os.environ["TZ"] = "UTC"
    with suppress(AttributeError):  # where there is none
        time.tzset()
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - only some systems have it

        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    with suppress(OSError, ValueError, AttributeError):  # where stderr is no file
        faulthandler.enable()
    for name in _TAKEN_LATER:
        with suppress(AttributeError, ValueError):  # unknown here; not the main thread
            signal.signal(getattr(signal, name), signal.SIG_IGN)
