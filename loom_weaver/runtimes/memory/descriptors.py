"""Bytes into non-blocking descriptors, awaited; and terminals' sizes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios


def set_terminal_size(descriptor: int, cols: int, rows: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


class Outlet:
    """Writes all of what it is given, in order, and waits while the other side does not read."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._turn = asyncio.Lock()
        self._ready: asyncio.Future[None] | None = None
        self._open = True

    async def write(self, data: bytes | memoryview) -> None:
        """Does nothing once the other side is gone."""
        async with self._turn:
            rest = memoryview(data)
            while rest and self._open:
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                except BlockingIOError:
                    await self._writable()
                except OSError:
                    # EPIPE or EIO: nobody can read what is left.
                    self.shut()

    def shut(self) -> None:
        """Write no more; the descriptor stays its owner's to close, after this."""
        self._open = False
        self._wake()

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        loop.add_writer(self._descriptor, self._wake)
        try:
            await self._ready
        finally:
            self._wake()

    def _wake(self) -> None:
        if self._ready is None:
            return
        asyncio.get_running_loop().remove_writer(self._descriptor)
        if not self._ready.done():
            self._ready.set_result(None)
        self._ready = None
