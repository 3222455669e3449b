"""A weaver's log as the cluster keeps it, followed for one reader.

A follow is lossy: where the node rotates the log, it may stop or leave lines out without a word. So it is
opened again when it falls silent and when it ends, each time from the last line that was had; where that line
is not there any more, a gap is told.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext

import aiohttp

from loom_weaver.errors import LoomError, NotFound
from loom_weaver.runtimes.base import LogBatch, LogEnd, LogItem, LogStart
from loom_weaver.runtimes.kubernetes.errors import Refusal
from loom_weaver.runtimes.kubernetes.log_files import LogFile, LogFiles
from loom_weaver.runtimes.kubernetes.log_place import BEFORE_ALL, LogReading, Place, parse_id
from loom_weaver.runtimes.kubernetes.log_text import LogSplitter, Piece
from loom_weaver.runtimes.kubernetes.pod_link import PodLink

READ = 64 * 1024
# A silent follow is opened again: soon where a rotation is likely, and rarely where nothing came at all.
MUCH = 1024 * 1024
# From so much on it is seen to that no file of the log is missed.
BUSY = 512 * 1024
QUIET_AFTER_MUCH, QUIET, QUIET_FROM_THE_BEGINNING = 3.0, 30.0, 120.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
# The pod's state follows the end of its log by about a second.
END_SECONDS = 3.0
# The log of a pod that is over is there at once, or never.
LAST_TRIES = 5


class LogStream:
    def __init__(self, link: PodLink, start: LogStart, *, follow: bool) -> None:
        self._link = link
        self._start = start
        self._follow = follow
        self._reading = LogReading()
        self._splitter = LogSplitter()
        self._options: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<LogStream {self._link.weaver_id} {self._reading!r}>"

    async def batches(self) -> AsyncGenerator[LogBatch, None]:
        if self._link.waiting and self._follow:
            await self._link.until_started()
        if await self._is_at_end():
            end = self._start.after or ""
        else:
            async for items in self._lines():
                yield items
            end = (self._reading.place or BEFORE_ALL).end_id
        if self._follow:
            yield LogEnd(end)

    async def _lines(self) -> AsyncGenerator[list[LogItem], None]:
        if first := await self._begin():
            yield first
        if self._follow:
            async for items in self._followed():
                yield items
        elif not self._link.waiting and (self._start.tail != 0 or self._start.after):
            async for items in self._present():
                yield items

    async def _is_at_end(self) -> bool:
        """Whether the reader has had the end already."""
        place = parse_id(self._start.after or "")
        if place is None or not place.ended or not self._link.over:
            return False
        last = await self._last_place()
        return last is None or last.ns == place.ns

    async def _begin(self) -> list[LogItem]:
        """Where the log is read from; returns what had to be read to know that."""
        start = self._start
        place = parse_id(start.after or "")
        if place is not None and not place.ended:
            self._go_on_behind(place)
        elif start.since is not None:
            self._reading = LogReading(since=start.since)
            self._options = {"sinceTime": start.since.strftime("%Y-%m-%dT%H:%M:%SZ")}
            if start.tail is not None:
                return await self._last_lines(start.tail)
        elif start.tail == 0:
            place = await self._last_place()
            if place is not None:
                self._go_on_behind(place)
        elif start.tail is not None:
            self._options = {"tailLines": str(start.tail)}
        return []

    def _go_on_behind(self, place: Place) -> None:
        self._reading = LogReading(place)
        self._options = {"sinceTime": place.second}

    async def _last_lines(self, count: int) -> list[LogItem]:
        """The present lines as far as they were asked for; the rest follows them."""
        last: deque[LogItem] = deque(maxlen=count)
        async for items in self._present():
            last += items
        self._open_again()
        return list(last)

    async def _present(self) -> AsyncGenerator[list[LogItem], None]:
        """What is there now. A request alone may never end: what is written meanwhile comes too."""
        end = await self._last_place()
        async for items in self._request(follow=False):
            yield items
            place = self._reading.place
            if end is not None and place is not None and place.ns > end.ns:
                return
        rest = self._splitter.flush() if not self._follow or self._link.over else []
        if items := self._reading.take(rest):
            yield items

    async def _last_place(self) -> Place | None:
        """The last line that there is; what is written meanwhile comes behind it, perhaps without an end."""
        splitter = LogSplitter()
        pieces: list[Piece] = []
        try:
            async with self._link.log({"tailLines": "1"}) as response:
                while not pieces and (data := await response.content.read(READ)):
                    pieces = splitter.feed(data)
        except Refusal:
            # The container has no log yet, or never had one.
            return None
        pieces = pieces or splitter.flush()
        return Place(pieces[0].ns, 0) if pieces else None

    async def _followed(self) -> AsyncGenerator[list[LogItem], None]:
        """Everything, until the container ended and all was read."""
        pause, failures = FIRST_PAUSE, 0
        while True:
            over = self._link.over
            try:
                async for items in self._request(follow=not over):
                    pause, failures = FIRST_PAUSE, 0
                    yield items
                if over:
                    break
                await self._link.until_over(patience=END_SECONDS)
            except TimeoutError:
                # Silence. It may be that of a program that says nothing, or of a follow that broke.
                pass
            except (LoomError, aiohttp.ClientError) as error:
                failures += 1
                if _is_final(error, over=over, failures=failures):
                    break
                await self._link.changed(pause * random.uniform(0.8, 1.2))  # noqa: S311 (to spread load)
                pause = min(pause * 1.5, LONGEST_PAUSE)
            self._open_again()
        if last := self._reading.take(self._splitter.flush()):
            yield last

    def _open_again(self) -> None:
        self._reading.open_again()
        place = self._reading.place
        if place is not None:
            self._options = {"sinceTime": place.second}
        elif "tailLines" in self._options:
            # There was no line when it was asked for the last ones: all are new.
            self._options = {}

    async def _request(self, *, follow: bool) -> AsyncGenerator[list[LogItem], None]:
        """One request; raises TimeoutError where a follow falls silent."""
        options = {**self._options, "follow": "true"} if follow else self._options
        async with self._link.log(options) as response:
            self._splitter = LogSplitter()
            reading = self._through_files(response) if follow else self._to_the_end(response)
            async with aclosing(reading):
                async for items in reading:
                    yield items

    async def _to_the_end(self, response: aiohttp.ClientResponse) -> AsyncGenerator[list[LogItem], None]:
        while data := await _read(response, QUIET):
            if items := self._reading.take(self._splitter.feed(data)):
                yield items

    async def _through_files(self, response: aiohttp.ClientResponse) -> AsyncGenerator[list[LogItem], None]:
        """A follow, and one more of each file that the node begins."""
        count, files, opened_at = 0, None, time.monotonic()
        try:
            while True:
                data = await self._data(response, count, files)
                count += len(data)
                pieces = self._splitter.feed(data)
                if files is None and count >= BUSY and pieces:
                    files = LogFiles(self._link, pieces[0].ns, opened_at)
                while files is not None and _is_through(files, pieces, at_end=not data):
                    response.close()
                    file = await files.change()
                    if items := self._change_to(file, pieces):
                        yield items
                    response, data, pieces = file.response, file.head, self._splitter.feed(file.head)
                if not data:
                    return
                if items := self._reading.take(pieces):
                    with files.reader_away() if files else nullcontext():
                        yield items
        finally:
            if files is not None:
                await files.close()

    async def _data(self, response: aiohttp.ClientResponse, count: int, files: LogFiles | None) -> bytes:
        """What comes next; nothing where the file is at its end and another one waits."""
        try:
            data = await _read(response, _patience(count))
        except (TimeoutError, aiohttp.ClientError):
            if files is None or not files.held:
                raise
            return b""
        if files is not None and data:
            files.arrived()
        return data

    def _change_to(self, file: LogFile, pieces: list[Piece]) -> list[LogItem]:
        """The last that the file before has."""
        items = self._reading.take(piece for piece in pieces if piece.ns < file.begins)
        self._splitter = LogSplitter()
        return items + self._reading.go_on_in(file.begins, follows=file.follows)


async def _read(response: aiohttp.ClientResponse, patience: float) -> bytes:
    async with asyncio.timeout(patience):
        return await response.content.read(READ)


def _is_through(files: LogFiles, pieces: list[Piece], *, at_end: bool) -> bool:
    """Whether what is read has come to the next file."""
    return bool(files.held) and (at_end or (bool(pieces) and pieces[-1].ns >= files.held[0].begins))


def _patience(count: int) -> float:
    """How long a follow that has brought so many bytes may be silent."""
    if not count:
        return QUIET_FROM_THE_BEGINNING
    return QUIET_AFTER_MUCH if count >= MUCH else QUIET


def _is_final(error: Exception, *, over: bool, failures: int) -> bool:
    """Whether there is no more of the log to be had."""
    if isinstance(error, NotFound) or (isinstance(error, Refusal) and error.status == 404):
        return True
    return over and isinstance(error, Refusal) and failures >= LAST_TRIES
