"""Runtimes of which the server knows nothing, for what takes hours or never happens."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from loom_weaver.lifetime import utc_now
from loom_weaver.runtimes.local.runtime import LocalRuntime
from loom_weaver.runtimes.memory import MemoryRuntime
from loom_weaver.runtimes.memory.holder import ISOLATION
from loom_weaver.weaver import Weaver, WeaverSpec

LEFT = timedelta(seconds=5)


def environment(runtime: type) -> dict[str, str]:
    """For a server that is to use `runtime`."""
    return {
        "LOOM_WEAVER_RUNTIME": f"{runtime.__module__}.{runtime.__qualname__}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


class AgedRuntime(LocalRuntime):
    """Its weavers have nearly all of their lifetime behind them."""

    async def create(self, spec: WeaverSpec) -> Weaver:
        born = utc_now() + LEFT - timedelta(hours=spec.lifetime_hours)
        return await super().create(replace(spec, created_at=born))


class BrokenRuntime(MemoryRuntime):
    """Fails as nobody foresaw."""

    def get(self, weaver_id: str) -> Weaver:
        raise RuntimeError(f"no idea where {weaver_id} is")


class SlowRuntime(MemoryRuntime):
    """Its weavers are pulled for a while, and say so, before they start."""

    pulling_seconds = 2.5

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._pulled: dict[str, Weaver] = {}

    async def create(self, spec: WeaverSpec) -> Weaver:
        weaver = replace(Weaver.pending(spec, ISOLATION), reason="Pulling", detail="its image is on the way")
        self._pulled[spec.id] = weaver
        self.changes.publish("added", weaver)
        self._spawn(self._pull(spec))
        return weaver

    async def _pull(self, spec: WeaverSpec) -> None:
        await asyncio.sleep(self.pulling_seconds)
        if self._pulled.pop(spec.id, None) is not None:
            await super().create(spec)

    def get(self, weaver_id: str) -> Weaver:
        return self._pulled.get(weaver_id) or super().get(weaver_id)

    def list(self) -> Collection[Weaver]:
        return [*self._pulled.values(), *super().list()]

    async def delete(self, weaver_id: str, *, seen: Weaver | None = None, reason: str = "Deleted") -> bool:
        pulled = self._pulled.pop(weaver_id, None)
        if pulled is None:
            return await super().delete(weaver_id, seen=seen, reason=reason)
        self.changes.publish("deleted", pulled)
        return True
