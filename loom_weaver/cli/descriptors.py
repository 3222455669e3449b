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


async def incoming(descriptor: int) -> AsyncIterator[bytes]:
    """What comes, until its end. Nothing is read ahead of who asks."""
    wait = _Readable(descriptor) if _is_pollable(descriptor) else None
    while True:
        if wait is None:
            data = await asyncio.to_thread(os.read, descriptor, PIECE)
        else:
            await wait()
            data = _read(descriptor)
        if not data:
            return
        yield data


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


class _Readable:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def __call__(self) -> None:
        await _event(self._descriptor, asyncio.get_running_loop().add_reader, _remove_reader)


def _remove_reader(descriptor: int) -> None:
    asyncio.get_running_loop().remove_reader(descriptor)


def _remove_writer(descriptor: int) -> None:
    asyncio.get_running_loop().remove_writer(descriptor)


async def _event(descriptor: int, add: Callable[..., None], remove: Callable[[int], None]) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    add(descriptor, tell)
    try:
        await ready
    finally:
        remove(descriptor)


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
                await _event(self._own, asyncio.get_running_loop().add_writer, _remove_writer)

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
