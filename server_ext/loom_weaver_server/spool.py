"""A request's body on disk, until all of it is there and looked at."""

from __future__ import annotations

import asyncio
import os
import tempfile
from typing import IO

from loom_weaver.errors import Unavailable

# Written in pieces of this size, each in a thread.
WRITE_SIZE = 1024 * 1024
# /tmp may be memory; this is for larger things (Filesystem Hierarchy Standard, 5.15).
LARGE_TEMPORARY = "/var/tmp"  # noqa: S108
NO_ROOM = "The server has no room on its disk for the upload; try again later"


class Spool:
    """An unnamed temporary file: it goes with the process, however that ends."""

    def __init__(self) -> None:
        folder = LARGE_TEMPORARY if os.access(LARGE_TEMPORARY, os.W_OK) else None
        self.file: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._pending = bytearray()

    async def write(self, data: bytes) -> None:
        self._pending += data
        if len(self._pending) >= WRITE_SIZE:
            await self._flush()

    async def rewind(self) -> IO[bytes]:
        """The whole of it, from its beginning."""
        await self._flush()
        self.file.seek(0)
        return self.file

    def close(self) -> None:
        self.file.close()

    async def _flush(self) -> None:
        data, self._pending = bytes(self._pending), bytearray()
        try:
            await asyncio.to_thread(_write_all, self.file, data)
        except OSError as error:
            raise Unavailable(NO_ROOM) from error


def _write_all(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
