"""A terminal: what a program puts out goes into a ring, and from there to every viewer at its own pace."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable

from loom_weaver import flow
from loom_weaver.runtimes.base import ReplayStart, Viewer
from loom_weaver.runtimes.memory.arrivals import Arrivals
from loom_weaver.runtimes.memory.descriptors import Outlet, set_terminal_size
from loom_weaver.runtimes.ring_attachment import TURN, RingAttachment
from loom_weaver.scrollback import Scrollback, replay_from

COLS, ROWS = 80, 24
READ = 64 * 1024
# What the program left behind may hold the terminal for ever: once it ended, so much silence is the end.
SILENCE = 0.25
# A viewer is served from the ring until it is too slow.
SMALLEST_RING = flow.CLOSE_BEHIND + TURN


class Terminal:
    """The master's side of a pty and the ring behind it; it outlives the program, for who comes later."""

    def __init__(self, ring: int, clock_ms: Callable[[], int]) -> None:
        self.ring = Scrollback(ring)
        self.arrivals = Arrivals()
        self.epoch = secrets.token_hex(4)
        self.ended = False
        self.now = asyncio.get_running_loop().time
        self._clock_ms = clock_ms
        self._viewers: list[RingAttachment] = []
        self._news: asyncio.Future[None] | None = None
        self._reading = False
        self._timer: asyncio.TimerHandle | None = None
        self._eof = asyncio.Event()
        # The slave stays open until the program ended: one that lets go of its terminal may come back to it.
        self._master, self.slave = os.openpty()
        self._outlet = Outlet(self._master)
        self.resize(COLS, ROWS)
        self.look_again()

    def __repr__(self) -> str:
        state = "ended" if self.ended else "reading" if self._reading else "held back"
        return f"<Terminal {self.ring!r} viewers={len(self._viewers)} {state}>"

    def attach(self, viewer: Viewer, start: ReplayStart) -> RingAttachment:
        since = None if start.offset is None else start.offset if start.epoch == self.epoch else -1
        offset, gap = replay_from(self.ring.start, self.ring.end, shown=start.scrollback, since=since)
        attached = RingAttachment(self, viewer, offset, gap)
        self._viewers.append(attached)
        return attached

    def detach(self, attached: RingAttachment) -> None:
        if attached in self._viewers:
            self._viewers.remove(attached)
            self.look_again()

    def resize(self, cols: int, rows: int) -> None:
        self.size = (cols, rows)
        if not self._eof.is_set():
            set_terminal_size(self._master, cols, rows)

    async def write(self, data: bytes) -> None:
        await self._outlet.write(data)

    async def news(self) -> None:
        """Wait for more output, or the end."""
        if self._news is None:
            self._news = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._news)

    def look_again(self) -> None:
        """Read, or hold the program back, as the viewers' pace has it."""
        if self._eof.is_set():
            return
        loop, now = asyncio.get_running_loop(), self.now()
        wait = flow.look_again_in([attached.pace(now) for attached in self._viewers])
        if (wait is None) is not self._reading:
            self._reading = wait is None
            if self._reading:
                loop.add_reader(self._master, self._read)
            else:
                loop.remove_reader(self._master)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if wait is None else loop.call_later(wait, self.look_again)

    async def drain(self, patient: Callable[[], bool]) -> None:
        """The program is gone: take what it left; without patience, not what viewers hold back."""
        self._release_slave()
        silent = False
        while not self._eof.is_set() and not silent:
            seen, reading = self.ring.end, self._reading
            try:
                await asyncio.wait_for(self._eof.wait(), SILENCE)
            except TimeoutError:
                silent = seen == self.ring.end and (reading or not patient())
        self._close()

    def end(self) -> None:
        """Tell everybody that nothing follows."""
        self._close()
        self.ended = True
        self._tell_news()
        for attached in self._viewers:
            attached.wake()

    def _read(self) -> None:
        until = self.ring.end + TURN
        while self._reading and self.ring.end < until:
            try:
                data = os.read(self._master, READ)
            except BlockingIOError:
                return
            except OSError:
                # EIO: the last one to hold the slave let go of it.
                self._close()
                return
            self._append(data)

    def _append(self, data: bytes) -> None:
        self.arrivals.add(self.ring.end, self._clock_ms())
        self.ring.append(data)
        self.arrivals.forget_before(self.ring.start)
        self._tell_news()
        now = self.now()
        for attached in list(self._viewers):
            attached.arrived(len(data), now)
        self.look_again()

    def _tell_news(self) -> None:
        if self._news is not None:
            self._news.set_result(None)
            self._news = None

    def _close(self) -> None:
        if self._eof.is_set():
            return
        self._release_slave()
        self._outlet.shut()
        if self._timer is not None:
            self._timer.cancel()
        if self._reading:
            asyncio.get_running_loop().remove_reader(self._master)
        self._reading = False
        os.close(self._master)
        self._eof.set()

    def _release_slave(self) -> None:
        if self.slave >= 0:
            os.close(self.slave)
        self.slave = -1
