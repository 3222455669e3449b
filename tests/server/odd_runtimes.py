"""Runtimes of which the server knows nothing, for what takes hours or never happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from loom_weaver.lifetime import utc_now
from loom_weaver.runtimes.local.runtime import LocalRuntime
from loom_weaver.runtimes.memory import MemoryRuntime
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
