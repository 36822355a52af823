"""
Which tokens were used: a token counts once, whichever worker it is shown to.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTimeError
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cds.errors import StoreFailed
from cds.service.database import BUSY_SECONDS, Lines, open_database

if TYPE_CHECKING:
    from sqlalchemy import Engine, Table

__all__ = ["MOST_TOKENS", "Replays"]

MOST_TOKENS: Final = 500_000
"""How many tokens of one issuer are remembered at a time, before its calls are refused."""
_COUNTED_EVERY: Final = 500
_SECONDS_FULL: Final = 10
"""How long an issuer with too many is refused before they are counted again, which takes long."""
_SKEW: Final = 60
"""Seconds by which the clocks of replicas may differ: what one still takes no other forgets."""
_SECONDS: Final = 2 * BUSY_SECONDS


_Result = TypeVar("_Result")


class Replays:
    """
    The tokens that were used, by issuer and `jti`, until they expire.

    *url* is the database that every worker uses, *now* the time of day in seconds. Opened
    by `open`, or when it is first asked, in the process that asks. Where the database does
    not answer nothing is let through: `StoreFailed`.
    """

    def __init__(self, url: str, *, now: Callable[[], float], most: int = MOST_TOKENS) -> None:
        self._url = url
        self._now = now
        self._most = most
        self._store: tuple[Engine, Table] | None = None
        self._lines: Lines | None = None
        self._claims = itertools.count()
        self._full: dict[str, float] = {}
        self._closed = False
        # One thread: SQLite takes one writer at a time all the same.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="replays")

    async def claim(self, issuer: str, jti: str, until: float) -> bool:
        """
        Tell whether a token is used for the first time, and remember it until *until*.

        Only for tokens whose signature was proved: anybody else's would fill the store, or
        use up the token of somebody.
        """
        return await self._in_thread(self._claim, issuer, jti, until)

    async def open(self) -> None:
        """Open the database, so that the first call need not wait. Raises `StoreFailed`."""
        await self._in_thread(self._opened)

    def close(self) -> None:
        """Close the database; nothing is asked afterwards."""
        if not self._closed:
            self._closed = True
            disposed = self._thread.submit(self._dispose)
            try:
                disposed.result(BUSY_SECONDS)
            except NotInTimeError:
                self._hang_up()
            self._thread.shutdown(wait=True)

    async def _in_thread(self, work: Callable[..., _Result], *arguments: Any) -> _Result:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_SECONDS):
                return await loop.run_in_executor(self._thread, work, *arguments)
        except TimeoutError:
            self._hang_up()
            raise StoreFailed("the database of used tokens does not answer in time") from None

    def _hang_up(self) -> None:
        """Give up on a server that is silent: the one thread must not wait for it for ever."""
        if self._lines is not None:
            self._lines.cut()

    def _claim(self, issuer: str, jti: str, until: float) -> bool:
        engine, table = self._opened()
        from sqlalchemy import delete, insert  # noqa: PLC0415 - where calls are signed
        from sqlalchemy.exc import IntegrityError, SQLAlchemyError  # noqa: PLC0415 - the same

        try:
            self._count(engine, table, issuer)
            with engine.begin() as connection:
                connection.execute(delete(table).where(table.c.until < self._now() - _SKEW))
                connection.execute(insert(table).values(issuer=issuer, jti=jti, until=until))
        except IntegrityError:
            return False
        except SQLAlchemyError as error:
            raise _failed(error) from None
        return True

    def _count(self, engine: Engine, table: Table, issuer: str) -> None:
        """Refuse an issuer of whom too much is remembered already."""
        from sqlalchemy import func, select  # noqa: PLC0415 - the same

        refused = StoreFailed("too many tokens of one issuer are remembered")
        if self._now() < self._full.get(issuer, 0):
            raise refused
        if next(self._claims) % _COUNTED_EVERY == 0 or issuer in self._full:
            count = select(func.count()).select_from(table).where(table.c.issuer == issuer)
            with engine.begin() as connection:
                found = connection.execute(count).scalar_one()
            self._full.pop(issuer, None)
            if found >= self._most:
                self._full[issuer] = self._now() + _SECONDS_FULL
                raise refused

    def _opened(self) -> tuple[Engine, Table]:
        if self._store is None:
            from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - where calls are signed

            try:
                engine = open_database(self._url)
                self._lines = Lines(engine)
                _check(engine)
                self._store = engine, _prepared(engine)
            except (SQLAlchemyError, OSError, ImportError) as error:
                raise _failed(error) from None
        return self._store

    def _dispose(self) -> None:
        if self._store is not None:
            self._store[0].dispose()
            self._store = None


def _failed(error: Exception) -> StoreFailed:
    # The messages of a database hold its address, and what was to be written.
    return StoreFailed(f"the database of used tokens failed: {type(error).__name__}")


def _check(engine: Engine) -> None:
    """Raise `StoreFailed` where a file is damaged: what was lost in it could be used again."""
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
                raise StoreFailed("the database of used tokens is damaged")


def _prepared(engine: Engine) -> Table:
    """Make the table, unless another worker was quicker."""
    from sqlalchemy import (  # noqa: PLC0415 - the same
        BigInteger,
        Column,
        MetaData,
        String,
        Table,
    )
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - the same
    from sqlalchemy.schema import CreateTable  # noqa: PLC0415 - the same

    table = Table(
        "used_tokens",
        MetaData(),
        Column("issuer", String(2048), primary_key=True),
        Column("jti", String(128), primary_key=True),
        Column("until", BigInteger, nullable=False, index=True),
    )
    for last in (False, True):
        try:
            with engine.begin() as connection:
                connection.execute(CreateTable(table, if_not_exists=True))
                for index in table.indexes:
                    index.create(connection, checkfirst=True)
            break
        except DBAPIError:
            # PostgreSQL lets two make one table at once, and refuses the second.
            if last:
                engine.dispose()
                raise
    return table
