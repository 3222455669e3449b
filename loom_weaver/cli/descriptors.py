"""Standard input and output as bytes, neither blocking the event loop nor changing them for others.

A descriptor's O_NONBLOCK belongs to everybody who shares it, such as the shell that started us: it would find
its terminal changed. So reads wait until there is something, and writes go through a descriptor of our own.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable

# As much as a terminal takes and a message holds.
PIECE = 64 * 1024


Taker = Callable[[bytes], bool]


async def incoming(descriptor: int, taker: Taker | None = None) -> AsyncIterator[bytes]:
    """What comes, until its end, without what `taker` says it took. Nothing is read ahead of who asks."""
    arrivals = _Arrivals(descriptor, taker) if _is_pollable(descriptor) else None
    try:
        while True:
            if arrivals is None:
                data = await asyncio.to_thread(os.read, descriptor, PIECE)
            else:
                data = await arrivals.next()
            if not data:
                return
            yield data
    finally:
        if arrivals is not None:
            arrivals.stop()


def _read(descriptor: int) -> bytes:
    """Empty at the end; a terminal whose window was closed says so by an error."""
    try:
        return os.read(descriptor, PIECE)
    except OSError:
        return b""


def _is_pollable(descriptor: int) -> bool:
    """epoll knows no regular files, which never let a reader wait."""
    mode = os.fstat(descriptor).st_mode
    return os.isatty(descriptor) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class _Arrivals:
    """Listens on while more is asked for: to begin anew for each key would cost as much as the key."""

    def __init__(self, descriptor: int, taker: Taker | None) -> None:
        self._descriptor = descriptor
        self._taker = taker
        self._loop = asyncio.get_running_loop()
        self._asked: asyncio.Future[bytes] | None = None
        self._listens = False

    async def next(self) -> bytes:
        self._asked = self._loop.create_future()
        if not self._listens:
            self._loop.add_reader(self._descriptor, self._arrived)
            self._listens = True
        return await self._asked

    def _arrived(self) -> None:
        if self._asked is None or self._asked.done():
            self.stop()
            return
        data = _read(self._descriptor)
        if not (data and self._taker and self._taker(data)):
            self._asked.set_result(data)

    def stop(self) -> None:
        if self._listens:
            self._loop.remove_reader(self._descriptor)
            self._listens = False


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_writer(descriptor, tell)
    try:
        await ready
    finally:
        loop.remove_writer(descriptor)


class Outgoing:
    """Writes bytes to a descriptor, in order. Raises BrokenPipeError where nobody reads any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._own = _opened_anew(descriptor)

    async def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            if self._own is None:
                rest = rest[await asyncio.to_thread(os.write, self._descriptor, rest) :]
                continue
            try:
                rest = rest[os.write(self._own, rest) :]
            except BlockingIOError:
                await _writable(self._own)

    def write_at_once(self, data: bytes) -> int:
        """How many bytes could be written without waiting; none also where `write` has an error to tell."""
        if self._own is None:
            return 0
        try:
            return os.write(self._own, data)
        except OSError:
            return 0

    def write_now(self, data: bytes) -> None:
        """Waiting if it must; for the last words, when there is no loop to hold up."""
        while data:
            data = data[os.write(self._descriptor, data) :]

    def close(self) -> None:
        if self._own is not None:
            os.close(self._own)
            self._own = None


def _opened_anew(descriptor: int) -> int | None:
    """The same terminal or pipe, not blocking; None where that cannot be had, and for files."""
    mode = os.fstat(descriptor).st_mode
    if not (os.isatty(descriptor) or stat.S_ISFIFO(mode)):
        return None
    path = os.ttyname(descriptor) if os.isatty(descriptor) else f"/proc/self/fd/{descriptor}"
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
