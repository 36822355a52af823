"""
The database that workers share: SQLite in a file, or PostgreSQL where there are replicas.

Only what is remembered from one call to the next is in it. Calls to it wait, so they are
made from a thread, never from the event loop.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["BUSY_SECONDS", "Lines", "open_database"]

BUSY_SECONDS: Final = 2
"""How long a call waits for a lock, or for an answer of the server."""


def open_database(url: str) -> Engine:
    """
    Make an engine for *url*; nothing is connected yet.

    A SQLite file is created for its owner alone, keeps a write-ahead log, so that who
    reads waits for nobody, and begins every transaction as a writer, so that two workers
    wait for each other instead of failing. Raises what SQLAlchemy raises for an address it
    cannot use.
    """
    from sqlalchemy import create_engine, make_url  # noqa: PLC0415 - where something is shared

    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return create_engine(
            address,
            pool_size=1,
            max_overflow=4,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={
                "connect_timeout": BUSY_SECONDS,
                "options": f"-c statement_timeout={BUSY_SECONDS}s",
                # Of a server that is gone without a word the system would know in minutes.
                "keepalives_idle": BUSY_SECONDS,
                "keepalives_interval": BUSY_SECONDS,
                "keepalives_count": 2,
                "tcp_user_timeout": 2 * BUSY_SECONDS * 1000,
            },
        )
    if address.database and address.database != ":memory:":
        _create(Path(address.database))
    engine = create_engine(address, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
    _set_up(engine)
    return engine


class Lines:
    """The connections of an engine to its server: one that no longer answers can be cut off."""

    def __init__(self, engine: Engine) -> None:
        from sqlalchemy import event  # noqa: PLC0415 - where something is shared

        self._open: WeakSet[Any] = WeakSet()
        event.listen(engine, "connect", self._add)

    def _add(self, connection: Any, _record: Any) -> None:
        if hasattr(connection, "fileno"):  # SQLite has none, and waits for nobody for long
            self._open.add(connection)

    def cut(self) -> None:
        """End them from outside; a thread that waits for an answer gets an error."""
        for one in list(self._open):
            # The driver raises errors of its own where it has closed the connection already.
            with suppress(Exception), socket.socket(fileno=os.dup(one.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)


def _create(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _set_up(engine: Engine) -> None:
    from sqlalchemy import event  # noqa: PLC0415 - the same

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        # The driver begins nothing by itself: see below.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA trusted_schema=OFF")

    @event.listens_for(engine, "begin")
    def _(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
