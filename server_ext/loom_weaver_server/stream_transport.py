"""A Tornado stream in the shape of an asyncio transport: for TLS, whose state cannot leave the stream."""

from __future__ import annotations

import asyncio
from typing import Any

from tornado.iostream import IOStream, StreamClosedError

READ_SIZE = 64 * 1024


class StreamTransport(asyncio.Transport):
    """Calls its protocol as asyncio's own transports do, with a high-water mark of nothing at all."""

    def __init__(self, stream: IOStream, protocol: asyncio.BufferedProtocol) -> None:
        super().__init__()
        self._stream = stream
        self._protocol = protocol
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._full = False
        self._closing = False
        self._lost = False
        protocol.connection_made(self)
        self._reading = asyncio.get_running_loop().create_task(self._read())
        stream.set_close_callback(self._connection_lost)

    def __repr__(self) -> str:
        return f"<StreamTransport closing={self._closing} full={self._full}>"

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._stream.socket if name == "socket" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is one: pause as soon as anything has to wait."""

    def get_write_buffer_size(self) -> int:
        return int(self._stream.writing())

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._stream.closed():
            return
        written = self._stream.write(bytes(data))
        if not written.done():
            if not self._full:
                self._full = True
                self._protocol.pause_writing()
            written.add_done_callback(self._on_written)

    def pause_reading(self) -> None:
        self._may_read.clear()

    def resume_reading(self) -> None:
        self._may_read.set()

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            if not self._full:
                self._stream.close()

    def abort(self) -> None:
        self._closing = True
        self._stream.close()

    def _on_written(self, written: asyncio.Future[None]) -> None:
        if self._stream.closed() or self._stream.writing():
            return
        self._full = False
        if self._closing:
            self._stream.close()
        else:
            self._protocol.resume_writing()

    async def _read(self) -> None:
        try:
            while not self._closing:
                await self._may_read.wait()
                data = await self._stream.read_bytes(READ_SIZE, partial=True)
                buffer = self._protocol.get_buffer(len(data))
                memoryview(buffer)[: len(data)] = data
                self._protocol.buffer_updated(len(data))
        except StreamClosedError:
            self._connection_lost()

    def _connection_lost(self) -> None:
        self._closing = True
        self._may_read.set()
        if not self._lost:
            self._lost = True
            self._protocol.connection_lost(None)
