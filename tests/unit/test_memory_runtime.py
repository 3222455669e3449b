"""What the runtime in memory has for itself; what it shares with the others is in `tests/contract`."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loom_weaver.errors import BadRequest, RuntimeFailure
from loom_weaver.lifetime import utc_now
from loom_weaver.models import CreateWeaver
from loom_weaver.runtimes.memory import MemoryRuntime
from tests.contract.probes import House, eventually, long_sleep, processes, spec_of


@asynccontextmanager
async def opened(**options: Any) -> AsyncIterator[House]:
    runtime = MemoryRuntime(**options)
    await runtime.start()
    try:
        yield House(runtime)
    finally:
        await runtime.stop()


@contextmanager
def no_more_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where weavers have their homes, nobody else's among them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return str(tmp_path)


def request(**fields: Any) -> CreateWeaver:
    org_id = "550e8400-e29b-41d4-a716-446655440000"
    return CreateWeaver.model_validate({"image": "shell", "org_id": org_id, **fields})


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"resources": {"memory_limit": "1025Mi"}}, "resources.memory_limit"),
        ({"resources": {"cpu_limit": "2001m"}}, "resources.cpu_limit"),
        ({"workdir": "/proc/no/such/folder"}, "workdir"),
    ],
)
def test_more_than_there_is_is_refused(fields: dict[str, Any], field: str) -> None:
    runtime = MemoryRuntime(max_memory="1Gi", max_cpu="2")
    with pytest.raises(BadRequest) as refused:
        runtime.check_caps(request(**fields))
    assert refused.value.details[0].field == field


def test_what_there_is_is_not_refused() -> None:
    limits = {"memory_limit": "1Gi", "cpu_limit": "2"}
    MemoryRuntime(max_memory="1Gi", max_cpu="2").check_caps(request(resources=limits, workdir="/"))
    MemoryRuntime().check_caps(request(resources={"memory_limit": "1Ti", "cpu_limit": "999"}))


async def test_the_clock_says_when_a_lifetime_is_over() -> None:
    hours = 0

    def clock() -> datetime:
        return utc_now() + timedelta(hours=hours)

    async with opened(clock=clock) as house:
        seconds = long_sleep()
        weaver_id = await house.create("sleep", seconds, lifetime_hours=3)
        await house.until(weaver_id, "running")
        hours = 2
        await house.runtime.extend(weaver_id, 2)
        weaver = await house.over(weaver_id)
        assert (weaver.reason, weaver.exit_code) == ("Expired", 129)
        assert weaver.finished_at is not None
        assert weaver.finished_at - weaver.created_at >= timedelta(hours=2)
        assert not processes(seconds)


async def test_what_is_over_before_it_starts_never_starts() -> None:
    async with opened(clock=lambda: utc_now() + timedelta(hours=2)) as house:
        weaver = await house.over(await house.create("touch", "/tmp/never", lifetime_hours=1))
        assert (weaver.reason, weaver.exit_code, weaver.started_at) == ("Expired", None, None)
        assert (await house.log(weaver.id)).end is not None


async def test_a_stop_ends_every_weaver(homes: str) -> None:
    seconds = long_sleep()
    async with opened() as house:
        for _ in range(5):
            await house.sh(f"trap '' TERM HUP; sleep {seconds} & echo on; wait")
        await eventually(lambda: len(processes(seconds)) == 5, "the programs to run")
        assert len(os.listdir(homes)) == 5
    assert not processes(seconds)
    assert list(house.runtime.list()) == []
    assert os.listdir(homes) == []


async def test_a_program_ignores_no_signal_that_the_server_ignores() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        async with opened() as house:
            weaver_id = await house.sh("exec cat /proc/self/status")
            await house.over(weaver_id)
            texts = (await house.log(weaver_id)).texts
    finally:
        signal.signal(signal.SIGHUP, before)
    assert {"SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"} <= set(texts)


async def test_a_create_that_fails_leaves_nothing(homes: str) -> None:
    async with opened() as house:
        with no_more_descriptors(), pytest.raises(RuntimeFailure):
            await house.runtime.create(spec_of("true"))
        assert list(house.runtime.list()) == []
        assert house.runtime.changes.last == 0
        assert os.listdir(homes) == []
        weaver = await house.over(await house.sh("true"))
        assert weaver.status == "succeeded"


async def test_a_delete_does_not_wait_for_viewers() -> None:
    async with opened() as house:
        weaver_id = await house.sh("read x; yes")
        async with house.view(weaver_id, paused=True) as viewer:
            await viewer.type(b"\n")
            await eventually(_held_back(house), "the flood to be held back")
            await house.runtime.delete(weaver_id)
            async with asyncio.timeout(8):
                await house.gone(weaver_id)


def _held_back(house: House) -> Callable[[], bool]:
    """As the terminal says of itself."""
    assert isinstance(house.runtime, MemoryRuntime)
    (holder,) = house.runtime._holders.values()
    return lambda: "held back" in repr(holder.terminal)
