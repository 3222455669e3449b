"""The terminal of a weaver that has ended: its kept scrollback, from disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from loom_weaver.runtimes.base import ReplayStart, Viewer
from loom_weaver.runtimes.local.log_reader import LogReader
from loom_weaver.scrollback import replay_from

if TYPE_CHECKING:
    from loom_weaver.runtimes.local.held_weaver import HeldWeaver

BLOCK = 256 * 1024


class Recording:
    """Implements `Attachment`: replay as far as the log goes, then `ended`."""

    def __init__(self, held: HeldWeaver, viewer: Viewer, start: ReplayStart) -> None:
        self._reader = LogReader(held.log_folder)
        begin, self.live = self._reader.bounds()
        since = start.offset if start.epoch in (None, held.epoch) else -1
        self.offset, self.gap = replay_from(begin, self.live, shown=start.scrollback, since=since)
        self.epoch = held.epoch
        self.size = held.size
        self._next = self.offset
        self._viewer = viewer
        self._going = asyncio.Event()
        self._task = asyncio.create_task(self._play(), name="replay of an ended weaver")

    async def send(self, data: bytes) -> None:
        """Nobody reads it any more."""

    def pause(self) -> None:
        self._going.clear()

    def resume(self) -> None:
        self._going.set()

    def close(self) -> None:
        self._task.cancel()

    async def _play(self) -> None:
        try:
            while self._next < self.live:
                await self._going.wait()
                data = await asyncio.to_thread(
                    self._reader.read, self._next, min(BLOCK, self.live - self._next)
                )
                if data:
                    self._next += len(data)
                    self._viewer.output(memoryview(data))
                else:
                    self._skip_gap()
            await self._going.wait()
            self._viewer.ended()
        finally:
            self._reader.close()

    def _skip_gap(self) -> None:
        kept = self._reader.next_kept(self._next)
        resumed = self.live if kept is None else kept
        self._viewer.gap(resumed - self._next)
        self._next = resumed
