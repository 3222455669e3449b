"""Places in the making, counted by servers that share a database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from loom_weaver.errors import TooManyWeavers
from loom_weaver.identity.places import REMEMBERED, Place
from loom_weaver.identity.store import IdentityStore
from loom_weaver.lifetime import utc_now


def at_most(limit: int) -> Callable[[Sequence[Place]], None]:
    def check(taken: Sequence[Place]) -> None:
        if len(taken) >= limit:
            raise TooManyWeavers("full")

    return check


async def attempt(store: IdentityStore, number: int, limit: int) -> bool:
    try:
        await store.places.take(Place(f"weaver_{number}", "user", "org"), at_most(limit))
    except TooManyWeavers:
        return False
    return True


async def test_two_servers_never_share_the_last_place(tmp_path: Path) -> None:
    async with await IdentityStore.open(tmp_path) as one, await IdentityStore.open(tmp_path) as two:
        taken = await asyncio.gather(*(attempt((one, two)[number % 2], number, 5) for number in range(40)))
        assert taken.count(True) == 5
        await two.places.give_back(f"weaver_{taken.index(True)}")
        again = await asyncio.gather(*(attempt((one, two)[n % 2], 100 + n, 5) for n in range(6)))
        assert again.count(True) == 1


async def test_the_same_weaver_takes_one_place(tmp_path: Path) -> None:
    async with await IdentityStore.open(tmp_path) as store:
        assert await attempt(store, 1, 1)
        assert await attempt(store, 1, 1)
        assert not await attempt(store, 2, 1)


async def test_a_place_that_nobody_gave_back_is_forgotten(tmp_path: Path) -> None:
    now = utc_now()
    async with await IdentityStore.open(tmp_path, clock=lambda: now) as store:
        assert await attempt(store, 1, 1)
        now += REMEMBERED - timedelta(seconds=1)
        assert not await attempt(store, 2, 1)
        now += timedelta(seconds=1)
        assert await attempt(store, 2, 1)
