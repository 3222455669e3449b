"""How long a weaver lives, and who may shorten that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from loom_weaver.errors import Conflict
from loom_weaver.lifetime import utc_now
from tests.contract.conftest import OpenHouse
from tests.contract.probes import spec_of

FOREVER = "while :; do sleep 1; done"


async def test_extending_counts_from_the_creation(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh(FOREVER)
        await house.until(weaver_id, "running")
        before = house.runtime.get(weaver_id)
        weaver = await house.runtime.extend(weaver_id, 48)
        assert weaver.lifetime_hours == 48
        assert weaver.expires_at - weaver.created_at == timedelta(hours=48)
        assert weaver == house.runtime.get(weaver_id)
        assert weaver.version > before.version
        assert weaver.timeline[-1].event == "Extended"
        assert house.changes_of(weaver_id)[-1].weaver == weaver


async def test_what_has_ended_or_is_ending_cannot_be_extended(open_house: OpenHouse) -> None:
    async with open_house() as house:
        ended = await house.sh("true")
        await house.over(ended)
        with pytest.raises(Conflict):
            await house.runtime.extend(ended, 5)
        ending = await house.sh(f"trap '' TERM HUP; {FOREVER}")
        await house.until(ending, "running")
        await house.runtime.delete(ending)
        with pytest.raises(Conflict):
            await house.runtime.extend(ending, 5)


async def test_what_was_extended_since_it_was_seen_is_not_deleted(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh(FOREVER)
        seen = await house.until(weaver_id, "running")
        await house.runtime.extend(weaver_id, 48)
        assert not await house.runtime.delete(weaver_id, seen=seen, reason="Expired")
        assert house.runtime.get(weaver_id).status == "running"
        assert (await house.exec(weaver_id, "echo", "alive")).stdout == b"alive\n"
        assert await house.runtime.delete(weaver_id, seen=house.runtime.get(weaver_id), reason="Expired")
        assert house.runtime.get(weaver_id).reason == "Expired"


async def test_what_only_went_on_since_it_was_seen_is_deleted(open_house: OpenHouse) -> None:
    async with open_house() as house:
        seen = await house.runtime.create(spec_of("true"))
        await house.over(seen.id)
        assert await house.runtime.delete(seen.id, seen=seen)


async def test_a_weaver_ends_with_its_lifetime_and_stays_listed(
    open_house: OpenHouse, needs: Callable[[str], None]
) -> None:
    needs("end weavers by itself")
    async with open_house() as house:
        created_at = utc_now() - timedelta(hours=1) + timedelta(seconds=1)
        weaver_id = await house.sh("echo on; sleep 600", created_at=created_at, lifetime_hours=1)
        async with house.view(weaver_id) as viewer:
            assert await viewer.end() == "ended"
            weaver = house.runtime.get(weaver_id)
        assert (weaver.status, weaver.reason) == ("failed", "Expired")
        assert weaver.finished_at
        assert weaver.finished_at >= weaver.expires_at - timedelta(milliseconds=1)
        log = await house.log(weaver_id)
        assert log.texts[:1] == ["on"]
        assert log.end is not None


async def test_an_extension_moves_the_end(open_house: OpenHouse) -> None:
    async with open_house() as house:
        created_at = utc_now() - timedelta(hours=1) + timedelta(seconds=1)
        weaver_id = await house.sh("sleep 2; echo alive; sleep 600", created_at=created_at, lifetime_hours=1)
        await house.runtime.extend(weaver_id, 2)
        log = await house.log(weaver_id, until=lambda log: "alive" in log.texts)
        assert log.texts == ["alive"]
        assert house.runtime.get(weaver_id).status == "running"


async def test_a_shorter_lifetime_can_be_over_at_once(
    open_house: OpenHouse, needs: Callable[[str], None]
) -> None:
    needs("end weavers by itself")
    async with open_house() as house:
        weaver_id = await house.sh(FOREVER, created_at=utc_now() - timedelta(hours=3), lifetime_hours=5)
        await house.until(weaver_id, "running")
        await house.runtime.extend(weaver_id, 1)
        weaver = await house.over(weaver_id)
        assert weaver.reason == "Expired"
