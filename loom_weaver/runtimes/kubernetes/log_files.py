"""The files that a node's log is rotated to while it is followed, each held open by its own connection.

A follow goes on with the newest file when it has read one to its end, and so leaves out those between.
Whoever has a file open can read all of it, also when it was renamed or deleted. So a busy log is looked at
every second; when its first line is another one, the new file is opened before the next can come.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import NamedTuple

import aiohttp

from loom_weaver.errors import LoomError
from loom_weaver.runtimes.kubernetes.log_text import first_moment
from loom_weaver.runtimes.kubernetes.pod_link import PodLink

LOOK_SECONDS = 1.0
# Nodes look for logs to rotate every 10 s; between two looks closer than that there is one new file at most.
ROTATION_SECONDS = 9.0
# So many files wait for a reader who is slower than the program.
MOST_HELD = 8
FIRST_LINE, HEAD = 256, 64 * 1024


class LogFile(NamedTuple):
    begins: int
    """The moment of its first line, in nanoseconds."""
    head: bytes
    response: aiohttp.ClientResponse
    connection: AsyncExitStack
    follows: bool
    """Whether it is the next one after the file before it."""


class LogFiles:
    """`began` is the moment of a line of the file that is read already."""

    def __init__(self, link: PodLink, began: int, opened_at: float) -> None:
        self.held: deque[LogFile] = deque()
        self._link = link
        self._news, self._away = True, False
        self._began = began
        self._looked_at = opened_at
        self._current: LogFile | None = None
        self._looking = asyncio.create_task(self._look(), name=f"log files of {link.weaver_id}")

    def __repr__(self) -> str:
        return f"<LogFiles {self._link.weaver_id} held={len(self.held)}>"

    def arrived(self) -> None:
        """Something was read."""
        if not self._news:
            # Up to now nothing was written.
            self._looked_at = time.monotonic()
        self._news = True

    @contextmanager
    def reader_away(self) -> Iterator[None]:
        """While nothing is read nobody knows what is written."""
        self._away = True
        try:
            yield
        finally:
            self._away = False

    async def change(self) -> LogFile:
        """To the next file; the one before is let go of."""
        if self._current is not None:
            await self._current.connection.aclose()
        self._current = self.held.popleft()
        return self._current

    async def close(self) -> None:
        self._looking.cancel()
        await asyncio.wait([self._looking])
        for file in (self._current, *self.held):
            if file is not None:
                await file.connection.aclose()

    async def _look(self) -> None:
        while True:
            if (self._news or self._away) and len(self.held) < MOST_HELD:
                self._news = self._away
                # What fails is tried again; the next look knows how long ago the last one was.
                with suppress(LoomError, aiohttp.ClientError):
                    await self._look_once()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look_once(self) -> None:
        now = time.monotonic()
        async with self._link.log({"limitBytes": str(FIRST_LINE)}) as response:
            first = first_moment(await response.read())
        if first is not None and first > self._began:
            await self._hold(now)
        elif first is not None:
            self._looked_at = now

    async def _hold(self, now: float) -> None:
        async with AsyncExitStack() as connection:
            response = await connection.enter_async_context(self._link.log({"follow": "true"}))
            head = b""
            while (begins := first_moment(head)) is None:
                data = await response.content.read(HEAD)
                if not data:
                    return
                head += data
            follows = now - self._looked_at < ROTATION_SECONDS
            self._began, self._looked_at = begins, now
            self.held.append(LogFile(begins, head, response, connection.pop_all(), follows))
