"""A weaver's log as numbered lines, from disk, for one reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from loom_weaver.runtimes.base import LogBatch, LogStart
from loom_weaver.runtimes.local.log_reader import LogReader
from loom_weaver.runtimes.log_cursor import LogCursor

if TYPE_CHECKING:
    from loom_weaver.runtimes.local.held_weaver import HeldWeaver


async def batches(
    held: HeldWeaver, start: LogStart, reads: asyncio.Semaphore, *, follow: bool
) -> AsyncGenerator[LogBatch, None]:
    """Reads in a thread, and waits for the holder's word that there is more.

    `reads` bounds how many readers do so at a time: what they bring all at once, the event loop would have to
    pass on in one turn, and each of its own calls would wait for a thread to let go of the interpreter.
    """
    reader = LogReader(held.log_folder)
    held.follow()
    try:
        async with reads:
            cursor = await asyncio.to_thread(LogCursor, reader, start, ended=held.ended, follow=follow)
        while True:
            # Both are looked at before the read, so that what comes meanwhile is not missed.
            seen, ended = held.news_count, held.ended
            async with reads:
                items, more = await asyncio.to_thread(cursor.read, ended=ended)
            if items:
                yield items
            if more:
                continue
            if ended and follow:
                yield cursor.end()
            if ended or not follow:
                return
            await held.news(seen)
    finally:
        held.unfollow()
        reader.close()
