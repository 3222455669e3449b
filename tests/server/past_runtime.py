"""A runtime that finds weavers from before its start, one of them expired."""

from __future__ import annotations

from datetime import timedelta

from loom_weaver.lifetime import utc_now
from loom_weaver.runtimes.memory import MemoryRuntime
from loom_weaver.weaver import WeaverSpec

EXPIRED, ALIVE = "weaver_expired", "weaver_alive"


class PastRuntime(MemoryRuntime):
    async def start(self) -> None:
        await super().start()
        for weaver_id, hours in ((EXPIRED, 1), (ALIVE, 12)):
            await self.create(
                WeaverSpec(
                    id=weaver_id,
                    owner_user_id="user_of_the_past",
                    org_id="org_of_the_past",
                    image="shell",
                    created_at=utc_now() - timedelta(hours=3),
                    lifetime_hours=hours,
                    command=("sleep", "600"),
                )
            )
