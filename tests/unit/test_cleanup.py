"""The sweep, on a clock that the test sets."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from loom_weaver.cleanup import sweep
from loom_weaver.errors import RuntimeFailure
from loom_weaver.lifetime import utc_now
from loom_weaver.models import CleanupReport
from loom_weaver.names import new_id
from loom_weaver.runtimes.memory import MemoryRuntime
from loom_weaver.weaver import Weaver, WeaverSpec


class SetClock:
    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now

    def pass_hours(self, hours: float) -> None:
        self.now += timedelta(hours=hours)


class HeldBackRuntime(MemoryRuntime):
    """Deletes once it is let."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def delete(self, weaver_id: str, *, seen: Weaver | None = None, reason: str = "Deleted") -> bool:
        self.asked.set()
        await self.let.wait()
        return await super().delete(weaver_id, seen=seen, reason=reason)


class StubbornRuntime(MemoryRuntime):
    """Cannot delete the weaver of this id."""

    stubborn = ""

    async def delete(self, weaver_id: str, *, seen: Weaver | None = None, reason: str = "Deleted") -> bool:
        if weaver_id == self.stubborn:
            raise RuntimeFailure("delete failed")
        return await super().delete(weaver_id, seen=seen, reason=reason)


async def create(runtime: MemoryRuntime, clock: SetClock, hours: int) -> Weaver:
    spec = WeaverSpec(
        id=new_id("weaver"),
        owner_user_id="u",
        org_id="o",
        image="shell",
        created_at=clock(),
        lifetime_hours=hours,
        command=("sleep", "600"),
    )
    return await runtime.create(spec)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


async def test_only_the_expired_are_deleted(clock: SetClock) -> None:
    runtime = MemoryRuntime(clock=clock)
    await runtime.start()
    short, long = await create(runtime, clock, 1), await create(runtime, clock, 2)
    nothing = CleanupReport(dry_run=False, deleted=[], would_delete=None, count=0)
    assert await sweep(runtime, clock) == nothing
    clock.pass_hours(1)
    dry = await sweep(runtime, clock, dry_run=True)
    assert dry == CleanupReport(dry_run=True, deleted=None, would_delete=[short.id], count=1)
    assert runtime.get(short.id).status != "terminating"
    done = await sweep(runtime, clock)
    assert done == CleanupReport(dry_run=False, deleted=[short.id], would_delete=None, count=1)
    assert runtime.get(long.id).active
    assert await sweep(runtime, clock) == nothing
    await runtime.stop()


async def test_ttl_2_an_extension_beats_a_decision_made_before(clock: SetClock) -> None:
    runtime = HeldBackRuntime(clock=clock)
    await runtime.start()
    kept, gone = await create(runtime, clock, 2), await create(runtime, clock, 1)
    clock.pass_hours(3)
    sweeping = asyncio.create_task(sweep(runtime, clock))
    await runtime.asked.wait()
    await runtime.extend(kept.id, 48)
    runtime.let.set()
    report = await sweeping
    assert (report.deleted, report.count) == ([gone.id], 1)
    assert runtime.get(kept.id).active
    await runtime.stop()


async def test_one_that_cannot_be_deleted_keeps_no_other_alive(clock: SetClock) -> None:
    runtime = StubbornRuntime(clock=clock)
    await runtime.start()
    first, second = await create(runtime, clock, 1), await create(runtime, clock, 2)
    runtime.stubborn = first.id
    clock.pass_hours(3)
    report = await sweep(runtime, clock)
    assert (report.deleted, report.count) == ([second.id], 1)
    runtime.stubborn = ""
    assert (await sweep(runtime, clock)).deleted == [first.id]
    await runtime.stop()
