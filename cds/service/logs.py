"""
Logs: JSON lines of which nothing can be about a patient.

What may be logged is listed here, events and keys both; anything else is dropped and
counted, and refused in tests (`strict`). Of an exception only its type and where it came
from are written, never its message: messages hold what was being worked on.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, TextIO

import structlog

__all__ = ["EVENTS", "KEYS", "configure", "log", "told_of"]

EVENTS: Final = frozenset(
    {
        "answered",  # one line a request
        "engine_divergence",  # alarm: the two evaluators differ
        "engine_failed",  # alarm: the engine refused
        "engine_unavailable",  # the reference evaluator serves alone
        "failed",  # alarm: a fault of ours
        "foreign_data",  # security: resources of another patient arrived
        "rules_activated",  # another release answers from now on
        "rules_refused",  # alarm: changed rules are not served, the ones before still are
        "serving",  # at start
        "server",  # what the web server says of itself
        "stopped",  # at the end
        "undrafted",  # alarm: a suggestion could not be drafted and was left out
        "would_have_shown",  # cards on trial that this answer would have had
        "unreviewed_rules",  # rules that no clinician has reviewed are active
    }
)

KEYS: Final[Mapping[str, tuple[type, ...]]] = {
    "cards": (int,),
    "count": (int,),
    "dropped": (int,),
    "engine": (str,),
    "environment": (str,),
    "error": (str,),
    "event": (str,),
    "frames": (list,),
    "level": (str,),
    "logger": (str,),
    "ms": (float, int),
    "nodes": (list,),
    "path": (str,),
    "release": (str,),
    "request": (str,),
    "status": (int,),
    "template": (str,),
    "timestamp": (str,),
    "why": (str,),
}
_LONGEST: Final = 200
_MOST: Final = 30

log: Final = structlog.get_logger()


class _AllowList:
    """Lets through what is listed; counts, or with *strict* refuses, the rest."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self.dropped = 0

    def __call__(
        self, _logger: object, _method: str, line: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        extra = [name for name, value in line.items() if not _may_stand(name, value)]
        if line.get("event") not in EVENTS:
            extra.append("event")
        if extra and self._strict:
            raise ValueError(f"not on the list of what may be logged: {', '.join(extra)}")
        if extra:
            self.dropped += len(extra)
            line = {name: value for name, value in line.items() if name not in extra}
            line["dropped"] = self.dropped
        return line


def _may_stand(name: str, value: object) -> bool:
    if not isinstance(value, KEYS.get(name, ())) or isinstance(value, bool):
        return False
    if isinstance(value, list):
        return len(value) <= _MOST and all(
            isinstance(one, str) and len(one) <= _LONGEST for one in value
        )
    return not isinstance(value, str) or len(value) <= _LONGEST


def told_of(error: BaseException) -> dict[str, Any]:
    """Say what kind of error it was and where it came from, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST:]
    return {
        "error": type(error).__name__,
        "frames": [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in frames],
    }


class _FromStandardLibrary(logging.Handler):
    """Takes what uvicorn and other libraries log into the same lines, without arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; the sentence only where it is a constant of the server's."""
        about: dict[str, Any] = {"logger": record.name[:_LONGEST]}
        if record.name.startswith("uvicorn") and isinstance(record.msg, str):
            about["template"] = record.msg.partition("\n")[0][:_LONGEST]
        elif isinstance(record.msg, OSError):
            about |= {"error": type(record.msg).__name__, "why": os.strerror(record.msg.errno or 0)}
        if record.exc_info and record.exc_info[1] is not None:
            about |= told_of(record.exc_info[1])
        level = "error" if record.levelno >= logging.ERROR else "info"
        getattr(log, level)("server", **about)


def configure(stream: TextIO | None = None, *, strict: bool = False) -> None:
    """Send every log line, ours and the libraries', to *stream* (stdout) as JSON."""
    processors: Iterable[Any] = (
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _AllowList(strict=strict),
        structlog.processors.JSONRenderer(),
    )
    structlog.configure(
        processors=list(processors),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stdout),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_FromStandardLibrary()]
    root.setLevel(logging.WARNING)
