"""
Logs: JSON lines of which nothing can be about a patient.

What may be logged is listed here, events and keys both; anything else is dropped and
counted, and refused in tests (`strict`). What passes and looks like a token or a person all
the same is redacted, with an alarm. Of an exception only its type and where it came
from are written, never its message: messages hold what was being worked on.
"""

from __future__ import annotations

import logging
import os
import re
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
        "feedback",  # one line a call of feedback: counts
        "fetch_refused",  # a caller's FHIR server must not be asked, and why
        "fetched",  # what was asked of it, and how it went
        "foreign_data",  # security: resources of another patient arrived
        "keys_unavailable",  # the key set of a client could not be fetched or used
        "refused_caller",  # security: a call that nobody signed as it must be
        "rules_activated",  # another release answers from now on
        "rules_writable",  # who could change this process could change its rules
        "rules_refused",  # alarm: changed rules are not served, the ones before still are
        "serving",  # at start
        "server",  # what the web server says of itself
        "store_failed",  # alarm: what workers share cannot be read or written
        "stopped",  # at the end
        "undrafted",  # alarm: a suggestion could not be drafted and was left out
        "wrong_grant",  # security: an access token of somebody else, or about somebody else
        "unfit_registration",  # a client is registered for what changed rules do not have
        "unwritten",  # alarm: a card could not be written and says so in its place
        "worker_died",  # alarm: a worker process ended that was to go on
        "worker_ended",  # a worker process has answered enough and is replaced
        "worker_started",  # a worker process begins
        "would_have_shown",  # cards on trial that this answer would have had
        "unreviewed_rules",  # rules that no clinician has reviewed are active
    }
)

KEYS: Final[Mapping[str, tuple[type, ...]]] = {
    "accepted": (int,),
    "asked": (int,),
    "card": (str,),
    "cards": (int,),
    "client": (str,),
    "count": (int,),
    "dropped": (int,),
    "engine": (str,),
    "environment": (str,),
    "error": (str,),
    "event": (str,),
    "failed": (int,),
    "frames": (list,),
    "level": (str,),
    "logger": (str,),
    "lost": (int,),
    "ms": (float, int),
    "nodes": (list,),
    "overridden": (int,),
    "path": (str,),
    "pid": (int,),
    "reason": (str,),
    "redacted": (int,),
    "refused": (int,),
    "reasons": (list,),
    "release": (str,),
    "request": (str,),
    "skipped": (int,),
    "status": (int,),
    "template": (str,),
    "tenant": (str,),
    "timestamp": (str,),
    "why": (str,),
}
_LONGEST: Final = 200
_MOST: Final = 30

_REDACTED: Final = "***"
# Written by ourselves or registered by the operator, from nothing that was sent: digests, ids
# and the names of tenants have digits in a row.
_OURS: Final = frozenset({"client", "event", "level", "release", "request", "tenant", "timestamp"})
_PERSONAL: Final = re.compile(
    r"eyJ[\w-]{8}"  # how every token begins
    r"|(?i:bearer|basic)[ :=]\s?\S"
    r"|[\w.+-]@[\w-]{1,63}\."
    r"|\d{7}"
    r"|\b(?:19|20)\d\d-\d\d-\d\d\b"
    r"|\d{3}[ .-]\d{2}[ .-]\d{4}"
)
# JSON writes them as escapes; nothing of ours has any.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")

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


class _Net:
    """
    Redacts what looks like data of a person or a token, wherever it stands; a second net.

    A line that it touched has `redacted`, which is an alarm: something got past the list.
    With *strict* it refuses.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict

    def __call__(
        self, _logger: object, _method: str, line: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        caught = [
            name for name, value in line.items() if name not in _OURS and _is_suspicious(value)
        ]
        if caught and self._strict:
            raise ValueError(f"looks like data of a person: {', '.join(caught)}")
        for name in caught:
            line[name] = _REDACTED
        if caught:
            line["redacted"] = len(caught)
            line["level"] = "error"
        return line


def _is_suspicious(value: object) -> bool:
    texts = value if isinstance(value, list) else [value]
    return any(
        isinstance(one, str) and (_PERSONAL.search(one) or _UNPRINTABLE.search(one))
        for one in texts
    )


class _Lines:
    """
    Writes lines; one that cannot be written is lost, and with it nothing else.

    A full disk or a reader that has gone must not turn answers into failures. The next
    line that is written says in `lost` how many are missing, which is an alarm.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost = 0

    def __call__(
        self, _logger: object, _method: str, line: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        if self._lost:
            line.update(lost=self._lost, level="error")
        return line

    def msg(self, line: str) -> None:
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: it was closed
            self._lost += 1
        else:
            self._lost = 0

    debug = info = warning = error = critical = msg


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
    lines = _Lines(stream or sys.stdout)
    processors: Iterable[Any] = (
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _AllowList(strict=strict),
        _Net(strict=strict),
        lines,
        structlog.processors.JSONRenderer(),
    )
    structlog.configure(
        processors=list(processors),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_FromStandardLibrary()]
    root.setLevel(logging.WARNING)
