"""The one connection to a pod's terminal: opened early, opened again, until the program ended."""

from __future__ import annotations

import asyncio
import random
from typing import Protocol

from loom_weaver.errors import LoomError
from loom_weaver.runtimes.kubernetes import channels
from loom_weaver.runtimes.kubernetes.channel_socket import ChannelSocket
from loom_weaver.runtimes.kubernetes.pod_link import PodLink

# What a program puts out before it is attached to is missing in its terminal until the log has it, so the
# first tries come quickly; an image may take minutes to come, and an API server to come back.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 3.0
PAUSE_GROWTH = 1.1
# A connection that nothing was heard of for so long leads to a program that says nothing.
DOUBT = 1.5
END_SECONDS = 3.0
# What is typed before the terminal is up.
KEPT_INPUT = 64 * 1024


class Sink(Protocol):
    """Where the terminal's bytes go."""

    def connected(self) -> None:
        """What comes is new, and does not follow what came before."""

    def output(self, data: memoryview) -> None: ...

    async def room(self) -> None:
        """Wait until more may come."""

    async def until_joined(self) -> None:
        """Wait until it is known what came before the connection."""


class Upstream:
    def __init__(self, link: PodLink, sink: Sink, size: tuple[int, int]) -> None:
        self._link = link
        self._sink = sink
        self._size = size
        self._typed = bytearray()
        # The connection, and the same once it is sure that the program is behind it.
        self._opened: ChannelSocket | None = None
        self._socket: ChannelSocket | None = None
        self._changed = asyncio.Condition()
        self._over = False
        self._seen = asyncio.Event()
        self._begun = False
        self._resizing: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Upstream {self._link.weaver_id} {self._socket}>"

    @property
    def up(self) -> bool:
        return self._socket is not None

    async def run(self) -> None:
        """Until the program ended, or never will start."""
        pause = FIRST_PAUSE
        try:
            while not self._link.over:
                if not self._link.placed:
                    # There is nothing to attach to; the pod's next change tells of a node.
                    await self._link.changed()
                    continue
                socket = await self._open()
                if socket is not None and await self._serve(socket):
                    # An API server that lost the node says the same; the pod's state follows in a second.
                    await self._link.until_over(patience=END_SECONDS)
                    continue
                if self._begun:
                    pause = FIRST_PAUSE
                await self._link.changed(pause * random.uniform(0.8, 1.2))  # noqa: S311 (to spread load)
                pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE)
        finally:
            self._over = True
            await self._wake()

    async def type(self, data: bytes) -> None:
        """Wait for room. What comes before the terminal is up is kept, as far as it goes."""
        if self._socket is None and not self._over and len(self._typed) + len(data) <= KEPT_INPUT:
            self._typed += data
            return
        async with self._changed:
            await self._changed.wait_for(lambda: self._socket is not None or self._over)
        if self._socket is not None:
            await self._socket.type(data)

    def resize(self, cols: int, rows: int) -> None:
        self._size = (cols, rows)
        if self._opened is not None:
            task = asyncio.create_task(self._opened.resize(cols, rows), name="resizing a terminal")
            self._resizing.add(task)
            task.add_done_callback(self._resizing.discard)

    async def _open(self) -> ChannelSocket | None:
        try:
            return await self._link.attach()
        except LoomError:
            # Not there yet, not there any more, or out of reach: the pod's state tells which.
            return None

    async def _serve(self, socket: ChannelSocket) -> bool:
        """Pass on what comes; returns whether that was all."""
        self._seen = asyncio.Event()
        self._opened = socket
        admitting = asyncio.create_task(self._admit(socket), name="a terminal that comes up")
        try:
            await socket.resize(*self._size)
            return await self._read(socket)
        finally:
            admitting.cancel()
            await asyncio.wait([admitting])
            self._opened = self._socket = None
            socket.abort()

    async def _admit(self, socket: ChannelSocket) -> None:
        """Type what was kept, once the other side is surely the program.

        The API server opens every connection; that there is nothing behind it, it tells later.
        """
        signs = [asyncio.create_task(self._seen.wait()), asyncio.create_task(self._link.until_started())]
        try:
            await asyncio.wait(signs, timeout=DOUBT, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for sign in signs:
                sign.cancel()
        self._begin()
        # What is typed may start a flood, behind which the past is harder to find.
        await self._sink.until_joined()
        while self._typed:
            typed = bytes(self._typed)
            self._typed.clear()
            await socket.type(typed)
        self._socket = socket
        await self._wake()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._sink.connected()

    async def _read(self, socket: ChannelSocket) -> bool:
        self._begun = False
        while (message := await socket.receive()) is not None:
            channel, data = message
            if channel == channels.ERROR:
                return channels.outcome(data).exit_code == 0
            if channel == channels.STDOUT and data:
                self._begin()
                self._seen.set()
                self._sink.output(data)
                await self._sink.room()
        return False

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()
