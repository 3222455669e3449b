"""Sweeps up weavers whose lifetime is over: by itself every minute, and when an admin asks."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from loom_weaver.errors import LoomError, NotFound
from loom_weaver.lifetime import Clock, utc_now
from loom_weaver.models import CleanupReport
from loom_weaver.runtimes.base import Runtime
from loom_weaver.weaver import Weaver

PERIOD_SECONDS = 60
# Late enough that an admin's dry run right after a restart still names what expired meanwhile.
FIRST_AFTER_SECONDS = 10
# Deletes at once: a backlog of thousands must not crowd out everybody's calls.
PARALLEL_DELETES = 16

log = logging.getLogger(__name__)


def expired(runtime: Runtime, now: datetime) -> list[Weaver]:
    """What a sweep would delete, the longest expired first."""
    over = [w for w in runtime.list() if w.status != "terminating" and w.expires_at <= now]
    return sorted(over, key=lambda weaver: (weaver.expires_at, weaver.id))


async def sweep(runtime: Runtime, clock: Clock = utc_now, *, dry_run: bool = False) -> CleanupReport:
    """Delete what has expired, or only name it. What was extended since the look at it stays."""
    found = expired(runtime, clock())
    if dry_run:
        ids = [weaver.id for weaver in found]
        return CleanupReport(dry_run=True, deleted=None, would_delete=ids, count=len(ids))
    places = asyncio.Semaphore(PARALLEL_DELETES)
    outcomes = await asyncio.gather(*(_delete(runtime, weaver, places) for weaver in found))
    deleted = [weaver.id for weaver, gone in zip(found, outcomes, strict=True) if gone]
    return CleanupReport(dry_run=False, deleted=deleted, would_delete=None, count=len(deleted))


async def sweep_for_ever(runtime: Runtime) -> None:
    await asyncio.sleep(FIRST_AFTER_SECONDS)
    while True:
        # A runtime that cannot be reached now is asked again a minute later.
        report = await sweep(runtime) if runtime.ready else None
        if report is not None and report.count:
            log.info("Deleted %d expired weavers", report.count)
        await asyncio.sleep(PERIOD_SECONDS)


async def _delete(runtime: Runtime, weaver: Weaver, places: asyncio.Semaphore) -> bool:
    """One weaver that cannot be deleted does not keep the others alive; the next sweep tries it again."""
    async with places:
        try:
            return await runtime.delete(weaver.id, seen=weaver, reason="Expired")
        except NotFound:
            return False
        except LoomError as error:
            log.warning("Could not delete the expired weaver %s: %s", weaver.id, error.message)
            return False
