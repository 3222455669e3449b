"""The connection to the identity database: SQLite by default, PostgreSQL where several servers share one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Executable, Row, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from loom_weaver.errors import Conflict, Unavailable

# How long a writer waits for one of another process, in seconds.
BUSY_TIMEOUT = 10
# A look-up takes a fifth of a millisecond; the second thread is for when the first waits for the disk.
READERS = 2
BUSY = "the identity database does not take the call now; try again, and see that its disk has space"

Done = TypeVar("Done")


class Database:
    """Reads and writes, off the event loop.

    On SQLite a read is one hop to a thread, and so is what `transact` does: that costs a fraction of what an
    asynchronous transaction does, each of whose steps is a hop. Writers form one queue, as SQLite takes one
    at a time anyway.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._reader: Engine | None = None
        if is_sqlite(url):
            self._reader = sync_engine(url)
            self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="identity-reader")
            self._writer = sync_engine(url)
            event.listen(self._writer, "begin", begin_immediate)
            self._writing = ThreadPoolExecutor(1, thread_name_prefix="identity-writer")
        self._engine = _async_engine(url)

    def __repr__(self) -> str:
        return f"<Database {self._url.render_as_string(hide_password=True)}>"

    async def aclose(self) -> None:
        await self._engine.dispose()
        if self._reader is not None:
            await asyncio.to_thread(self._threads.shutdown)
            await asyncio.to_thread(self._writing.shutdown)
            self._reader.dispose()
            self._writer.dispose()

    async def rows(self, statement: Executable, **values: Any) -> Sequence[Row[Any]]:
        """All rows that a single statement finds."""
        with database_errors():
            if self._reader is not None:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, _read, self._reader, statement, values)
            async with self._engine.connect() as connection:
                return (await connection.execute(statement, values)).all()

    async def transact(self, work: Callable[[Connection], Done]) -> Done:
        """One transaction, in one go; `work` runs in another thread and must not wait for anything else."""
        with database_errors():
            if self._reader is not None:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._writing, _transact, self._writer, work)
            async with self._engine.begin() as connection:
                return await connection.run_sync(work)

    @asynccontextmanager
    async def write(self, *, conflict: str | None = None) -> AsyncIterator[AsyncConnection]:
        """One transaction; what violates a constraint becomes a Conflict with the given message."""
        with database_errors(conflict):
            async with self._engine.begin() as connection:
                yield connection


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def sync_engine(url: URL) -> Engine:
    if not is_sqlite(url):
        return create_engine(url, hide_parameters=True)
    engine = create_engine(
        url.set(drivername="sqlite"),
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT},
        hide_parameters=True,
        pool_size=READERS,
    )
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _async_engine(url: URL) -> AsyncEngine:
    if not is_sqlite(url):
        return create_async_engine(url, hide_parameters=True, pool_pre_ping=True)
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT},
        hide_parameters=True,
        pool_size=1,
        max_overflow=0,
    )
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "begin", begin_immediate)
    return engine


def begin_immediate(connection: Connection) -> None:
    """Take SQLite's write lock first: a transaction that begins by reading may be refused half-way."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # A power cut may undo the last moments, a killed process nothing; FULL would wait for the disk each time.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _read(engine: Engine, statement: Executable, values: dict[str, Any]) -> Sequence[Row[Any]]:
    with engine.connect() as connection:
        return connection.execute(statement, values).all()


def _transact(engine: Engine, work: Callable[[Connection], Done]) -> Done:
    with engine.begin() as connection:
        return work(connection)


@contextmanager
def database_errors(conflict: str | None = None) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if conflict is None:
            raise
        raise Conflict(conflict) from error
    except (DBAPIError, PoolTimeout) as error:
        raise Unavailable(BUSY) from error


async def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run to the end, also when the caller is cancelled meanwhile; the cancellation goes on afterwards."""
    task = asyncio.ensure_future(coroutine)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
