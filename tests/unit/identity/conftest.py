"""An identity store on a fresh SQLite file, and a clock that tests set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from loom_weaver.identity.store import IdentityStore

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


@pytest.fixture
def store(run: Run, tmp_path: Path, clock: SetClock) -> Iterator[IdentityStore]:
    store = run(IdentityStore.open(tmp_path, clock=clock))
    yield store
    run(store.aclose())


@pytest.fixture
def other(run: Run, store: IdentityStore, tmp_path: Path, clock: SetClock) -> Iterator[IdentityStore]:
    """Another server on the same database."""
    other = run(IdentityStore.open(tmp_path, clock=clock))
    yield other
    run(other.aclose())
