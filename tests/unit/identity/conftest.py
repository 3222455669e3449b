"""An identity store in a fresh database, on SQLite and on PostgreSQL, and a clock that tests set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine

from loom_weaver.identity.database import sync_engine
from loom_weaver.identity.store import IdentityStore
from loom_weaver.identity.store import database_url as store_url
from tests.postgres import database, postgres

__all__ = ["postgres"]

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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Of a database of the test's own; empty for the SQLite file of the data directory."""
    if request.param == "sqlite":
        yield ""
        return
    url = request.getfixturevalue("postgres")
    with database(url) as own:
        yield own


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
