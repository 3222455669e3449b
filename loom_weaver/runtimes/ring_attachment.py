"""One viewer of a terminal whose output is a ring in memory."""

from __future__ import annotations

import asyncio
from typing import Protocol

from loom_weaver import flow
from loom_weaver.runtimes.base import Viewer
from loom_weaver.scrollback import Scrollback

READ = 64 * 1024
# The loop is everybody's: no viewer gets more than this in one turn of it.
TURN = 256 * 1024


class RingTerminal(Protocol):
    """What an attachment needs of the terminal that it is attached to."""

    ring: Scrollback
    epoch: str
    ended: bool
    size: tuple[int, int]

    def now(self) -> float:
        """The loop's time."""

    async def write(self, data: bytes) -> None: ...

    def detach(self, attached: RingAttachment) -> None: ...

    def look_again(self) -> None:
        """A viewer took something: the source may be read, perhaps."""


class RingAttachment:
    """One viewer's place in the ring; nothing is kept for it but its offset."""

    def __init__(self, terminal: RingTerminal, viewer: Viewer, offset: int, gap: int | None) -> None:
        self.epoch = terminal.epoch
        self.offset = self._at = offset
        self.live = terminal.ring.end
        self.gap = gap
        self.size = terminal.size
        self._terminal = terminal
        self._viewer = viewer
        self._paused = True
        self._closed = False
        self._scheduled = False
        # When it last took something, or when there was something again after it had taken all.
        self._waits_since = terminal.now()

    def __repr__(self) -> str:
        return f"<RingAttachment at={self._at} lag={self.lag} {'paused' if self._paused else 'flowing'}>"

    @property
    def lag(self) -> int:
        return self._terminal.ring.end - self._at

    def pace(self, now: float) -> tuple[int, float]:
        return self.lag, now - self._waits_since

    async def send(self, data: bytes) -> None:
        await self._terminal.write(data)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self.wake()

    def close(self) -> None:
        self._closed = True
        self._terminal.detach(self)

    def arrived(self, size: int, now: float) -> None:
        """`size` bytes are new in the ring."""
        if self.lag == size:
            self._waits_since = now
        if flow.too_slow(self.lag) or self._terminal.ring.missing(self._at):
            self.close()
            self._viewer.too_slow()
        else:
            self.wake()

    def lose(self, offset: int | None = None) -> None:
        """There are no bytes before `offset`; without it, some of nobody knows what number never came."""
        missing = None
        if offset is not None:
            missing, self._at = offset - self._at, offset
        self._viewer.gap(missing)

    def wake(self) -> None:
        if not self._scheduled and not self._paused and not self._closed:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._give)

    def _give(self) -> None:
        self._scheduled = False
        until = self._at + TURN
        begin = self._at
        while self.lag and self._at < until and not self._paused and not self._closed:
            data = self._terminal.ring.read(self._at, READ)
            self._at += len(data)
            self._viewer.output(data)
        if self._at > begin:
            self._waits_since = self._terminal.now()
            self._terminal.look_again()
        if self.lag:
            self.wake()
        elif self._terminal.ended and not self._paused and not self._closed:
            self.close()
            self._viewer.ended()
