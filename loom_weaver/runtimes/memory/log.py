"""The log of a terminal, as the cursor wants it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from loom_weaver.runtimes.base import LogBatch, LogStart
from loom_weaver.runtimes.log_cursor import LogCursor
from loom_weaver.runtimes.memory.terminal import Terminal


class RingLog:
    """What the ring keeps."""

    def __init__(self, terminal: Terminal) -> None:
        self._ring = terminal.ring
        self._arrivals = terminal.arrivals

    def bounds(self) -> tuple[int, int]:
        return self._ring.start, self._ring.end

    def read(self, offset: int, size: int) -> bytes:
        return b"" if self._ring.missing(offset) else bytes(self._ring.read(offset, size))

    def stamps(self, offset: int, end: int) -> list[tuple[int, int]]:
        return self._arrivals.between(offset, end)

    def offset_since(self, ms: int) -> int:
        offset = self._arrivals.since(ms)
        return self._ring.end if offset is None else max(self._ring.start, offset)

    def next_kept(self, offset: int) -> int | None:
        return self._ring.start if self._ring.missing(offset) else None


async def read_log(terminal: Terminal, start: LogStart, *, follow: bool) -> AsyncGenerator[LogBatch, None]:
    cursor = LogCursor(RingLog(terminal), start, ended=terminal.ended, follow=follow)
    while True:
        ended = terminal.ended
        items, more = cursor.read(ended=ended)
        if items:
            yield items
        if more:
            await asyncio.sleep(0)
            continue
        if ended and follow:
            yield cursor.end()
        if ended or not follow:
            return
        await terminal.news()
