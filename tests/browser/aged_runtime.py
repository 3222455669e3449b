"""A runtime that makes weavers which have lived for a while already."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from loom_weaver.runtimes.local.runtime import LocalRuntime
from loom_weaver.weaver import Weaver, WeaverSpec

AGE = "minutes-old"


class AgedRuntime(LocalRuntime):
    async def create(self, spec: WeaverSpec) -> Weaver:
        age = timedelta(minutes=int(spec.tags.get(AGE, "0")))
        return await super().create(replace(spec, created_at=spec.created_at - age))
