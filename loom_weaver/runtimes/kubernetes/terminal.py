"""A weaver's terminal: what its pod puts out, always read, in a ring that viewers are served from."""

from __future__ import annotations

import asyncio
import logging
import secrets

from loom_weaver import flow
from loom_weaver.runtimes.base import ReplayStart, Viewer
from loom_weaver.runtimes.kubernetes.log_tail import LogTail, read_rest, read_tail
from loom_weaver.runtimes.kubernetes.pod_link import PodLink
from loom_weaver.runtimes.kubernetes.ring_memory import UNWATCHED, RingMemory
from loom_weaver.runtimes.kubernetes.terminal_join import (
    NEEDLE,
    after,
    as_log,
    before,
    missing_between,
    reaches,
)
from loom_weaver.runtimes.kubernetes.upstream import Upstream
from loom_weaver.runtimes.ring_attachment import TURN, RingAttachment
from loom_weaver.scrollback import SHOWN, Scrollback, oldest_wanted, replay_from

COLS, ROWS = 80, 24
# A viewer is served from the ring until it is too slow.
LARGEST_RING = flow.CLOSE_BEHIND + 2 * TURN
# Who leaves may come back at once: a page that is loaded again, a network that changes.
LINGER = 20.0
# What the attach brings while the log is read; then it waits in the connection.
HELD = 4 * 1024 * 1024
# So long after the log was read, everything that is in it has come by the attach too.
SETTLED, SETTLED_AT_LAST = 0.15, 1.0
# So long after a connection was opened it surely is one to the program, also if that says nothing.
ATTACHED = 1.0
# One that brought nothing yet is perhaps not attached: at its first output the log is read again.
DOUBTED = 15.0
# A viewer waits so long for what came before it, then it goes without.
PAST_SECONDS = 8.0

log = logging.getLogger(__name__)


class Terminal:
    """Implements `RingTerminal` and `upstream.Sink`.

    With `fresh` the weaver is new, so that offsets count from the first byte that it put out.
    """

    def __init__(self, link: PodLink, memory: RingMemory, *, fresh: bool) -> None:
        self.ring = Scrollback(memory.grant(UNWATCHED, instead_of=0))
        self.epoch = secrets.token_hex(4)
        self.ended = False
        self.size = (COLS, ROWS)
        self.now = asyncio.get_running_loop().time
        self.watched_at = self.now()
        self._link = link
        self._memory = memory
        self._fresh = fresh
        self._viewers: list[RingAttachment] = []
        self._upstream = Upstream(link, self, self.size)
        # What came since the last connection began, until it is known what came before that.
        self._held: bytearray | None = bytearray()
        self._joining: asyncio.Task[None] | None = None
        self._doubted_until = 0.0
        self._joined, self._news, self._pace = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._pace.set()
        self._look: asyncio.TimerHandle | None = None
        self._shrinking: asyncio.TimerHandle | None = None
        self._running = asyncio.create_task(self._run(), name=f"terminal of {link.weaver_id}")

    def __repr__(self) -> str:
        state = "ended" if self.ended else "up" if self._upstream.up else "down"
        return f"<Terminal {self._link.weaver_id} {state} {self.ring!r} viewers={len(self._viewers)}>"

    @property
    def watched(self) -> bool:
        return bool(self._viewers)

    async def attach(self, viewer: Viewer, start: ReplayStart) -> RingAttachment:
        await self._ready()
        since = None if start.offset is None else start.offset if start.epoch == self.epoch else -1
        await self._reach(oldest_wanted(self.ring.end, shown=start.scrollback, since=since))
        offset, gap = replay_from(self.ring.start, self.ring.end, shown=start.scrollback, since=since)
        attached = RingAttachment(self, viewer, offset, gap)
        self._viewers.append(attached)
        return attached

    def detach(self, attached: RingAttachment) -> None:
        if attached in self._viewers:
            self._viewers.remove(attached)
            self.watched_at = self.now()
            self.look_again()
            self._shrink_later()

    async def write(self, data: bytes) -> None:
        if data:
            await self._upstream.type(data)

    def resize(self, cols: int, rows: int) -> None:
        self.size = (cols, rows)
        self._upstream.resize(cols, rows)

    def look_again(self) -> None:
        """Read, or hold the program back, as the viewers' pace has it."""
        if self._look is not None:
            self._look.cancel()
            self._look = None
        now = self.now()
        wait = flow.look_again_in([attached.pace(now) for attached in self._viewers])
        if wait is not None:
            self._look = asyncio.get_running_loop().call_later(wait, self.look_again)
            self._pace.clear()
        else:
            self._pace.set()

    async def until_ended(self) -> None:
        await asyncio.wait([self._running])

    async def close(self) -> None:
        """Let go of the pod; viewers are told nothing."""
        tasks = [task for task in (self._running, self._joining) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for timer in (self._look, self._shrinking):
            if timer is not None:
                timer.cancel()
        self._memory.give_back(self.ring.limit)

    # The upstream calls these.

    def connected(self) -> None:
        self._held, self._doubted_until = bytearray(), 0.0
        self._news.clear()
        if self._joining is not None:
            # What it held is in the log by now.
            self._joining.cancel()
        self._joining = asyncio.create_task(self._join(), name=f"past of {self._link.weaver_id}")

    def output(self, data: memoryview) -> None:
        if self._held is None and self.now() < self._doubted_until:
            self.connected()
        if self._held is None:
            self._append(data)
            return
        self._held += data
        self._news.set()

    async def room(self) -> None:
        await self._pace.wait()
        if self._held is not None and len(self._held) >= HELD:
            await self.until_joined()

    async def until_joined(self) -> None:
        if self._joining is not None:
            await asyncio.wait([self._joining])

    async def _run(self) -> None:
        try:
            await self._upstream.run()
            await self.until_joined()
            await self._link.until_over()
            await self._complete()
        except Exception:
            log.exception("The terminal of %s failed", self._link.weaver_id)
        self.ended = True
        self._joined.set()
        for attached in list(self._viewers):
            attached.wake()

    async def _join(self) -> None:
        """Put what the log has of the time without a connection before what came since."""
        if self.ring.end or not self._fresh:
            # A connection is open before the node attaches it: what comes between is in a later log.
            await self._something(ATTACHED)
        tail = await self._read_log()
        if tail is not None and after(as_log(self._end()), tail.text) != b"":
            await self._settle()
        live = bytes(self._held or b"")
        if not live:
            self._doubted_until = self.now() + DOUBTED
        missing = None if tail is None else missing_between(self._end(), tail.text, live)
        self._begin_at(tail)
        if missing is None and self.ring.end:
            self._lose()
        await self._pour(bytearray(missing or b""))
        if self._held is not None:
            await self._pour(self._held)
        self._held = None
        self._joined.set()

    async def _settle(self) -> None:
        deadline = self.now() + SETTLED_AT_LAST
        while self._held is not None and len(self._held) < NEEDLE and self.now() < deadline:
            self._news.clear()
            if not await self._something(SETTLED):
                return

    async def _something(self, patience: float) -> bool:
        """Whether the connection brought something within so many seconds."""
        try:
            async with asyncio.timeout(patience):
                return await self._news.wait()
        except TimeoutError:
            return False

    async def _complete(self) -> None:
        """After the end the log has it all: what never came by an attach, too."""
        whole = self._fresh and not self.ring.end
        tail, missing = await read_rest(self._link, self._end(), (SHOWN, flow.CLOSE_BEHIND), whole=whole)
        self._begin_at(tail)
        if tail is not None and missing is None:
            self._lose()
        await self._pour(bytearray(missing or b""))

    async def _pour(self, data: bytearray) -> None:
        """As fast as the viewers take it, until there is no more."""
        while data:
            part = bytes(data[:TURN])
            del data[: len(part)]
            self._append_turn(memoryview(part))
            await self._pace.wait()

    def _begin_at(self, tail: LogTail | None) -> None:
        """An empty ring counts from the first byte that there was."""
        if tail is not None and tail.dropped and not self.ring.end:
            self.ring = Scrollback(self.ring.limit, begin=tail.dropped)
            self._lose(tail.dropped)

    def _lose(self, offset: int | None = None) -> None:
        for attached in self._viewers:
            attached.lose(offset)

    async def _read_log(self) -> LogTail | None:
        whole = self._fresh and not self.ring.end
        return await read_tail(self._link, SHOWN, whole=whole, enough=self._is_joint)

    def _is_joint(self, text: bytearray) -> bool:
        """Whether the log was read to where the connection began."""
        return bool(self._held) and reaches(text, bytes(self._held or b"")[: 3 * NEEDLE])

    async def _ready(self) -> None:
        """Wait for the past of a weaver that has one."""
        if self._joined.is_set() or self._link.waiting:
            return
        try:
            async with asyncio.timeout(PAST_SECONDS):
                await self._joined.wait()
        except TimeoutError:
            log.warning("The terminal of %s cannot be had at present", self._link.weaver_id)

    async def _reach(self, offset: int) -> None:
        """Make the ring what a viewer needs, its past from the log where it let go of that."""
        if self._shrinking is not None:
            self._shrinking.cancel()
            self._shrinking = None
        past = b""
        if self.ring.start > offset:
            size = self.ring.end - offset
            tail = await read_tail(self._link, size, whole=False, enough=self._is_kept)
            past = before(bytes(self.ring.since(self.ring.start)), tail.text) if tail is not None else b""
        self._fit(max(SHOWN, self.ring.end - offset + TURN), past)

    def _fit(self, size: int, past: bytes = b"") -> None:
        limit = self._memory.grant(max(size, self.ring.limit), instead_of=self.ring.limit)
        if limit != self.ring.limit or past:
            self.ring.refit(limit, past)

    def _shrink_later(self) -> None:
        if not self._viewers and self._shrinking is None:
            self._shrinking = asyncio.get_running_loop().call_later(LINGER, self._shrink)

    def _shrink(self) -> None:
        self._shrinking = None
        if not self._viewers:
            self.ring.refit(self._memory.grant(UNWATCHED, instead_of=self.ring.limit))

    def _append(self, data: memoryview) -> None:
        for begin in range(0, len(data), TURN):
            self._append_turn(data[begin : begin + TURN])

    def _append_turn(self, data: memoryview) -> None:
        lag = max((attached.lag for attached in self._viewers), default=0) + len(data)
        if self._viewers and lag > self.ring.limit:
            self._fit(min(LARGEST_RING, 2 * lag))
        self.ring.append(data)
        now = self.now()
        for attached in list(self._viewers):
            attached.arrived(len(data), now)
        self.look_again()

    def _is_kept(self, text: bytearray) -> bool:
        return not self.ended and reaches(text, bytes(self.ring.since(self.ring.start)[: 3 * NEEDLE]))

    def _end(self) -> bytes:
        """The end of what there is, as much as tells where in the log that is."""
        return bytes(self.ring.since(max(self.ring.start, self.ring.end - UNWATCHED)))
