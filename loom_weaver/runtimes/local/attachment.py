"""A viewer's connection to the holder: frames in, keys out, no buffer of its own."""

from __future__ import annotations

import asyncio
import secrets
import socket
from typing import TYPE_CHECKING

from loom_weaver.errors import RuntimeTimeout
from loom_weaver.runtimes.base import ReplayStart, Viewer
from loom_weaver.runtimes.local.holder_client import NO_ANSWER, connect
from loom_weaver.runtimes.local.protocol import ANSWER, COUNT, END, GAP, HEADER, OUTPUT, encode

if TYPE_CHECKING:
    from loom_weaver.runtimes.local.held_weaver import HeldWeaver

# What one wake-up takes from a socket; also the largest websocket message made of it.
READ = 256 * 1024
# All attachments read into this one: it is used up before the event loop does anything else.
SHARED = memoryview(bytearray(READ))
HELLO_SECONDS = 5.0
# A gap's frame as a whole.
COUNTED = HEADER.size + COUNT.size
GAP_BYTE = bytes([GAP])


class HolderAttachment(asyncio.BufferedProtocol):
    """Implements `Attachment` over a unix socket."""

    __slots__ = (
        "_head",
        "_held",
        "_left",
        "_name",
        "_room",
        "_telling",
        "_transport",
        "_viewer",
        "epoch",
        "gap",
        "live",
        "offset",
        "size",
    )

    def __init__(self, held: HeldWeaver, name: str, viewer: Viewer, answer: bytes) -> None:
        epoch, self.offset, self.live, gap, cols, rows = ANSWER.unpack(answer)
        self.size: tuple[int, int] = (cols, rows)
        self.epoch: str = epoch.decode()
        self.gap: int | None = gap if gap >= 0 else None
        self._held = held
        self._name = name
        self._viewer: Viewer | None = viewer
        self._transport: asyncio.Transport | None = None
        self._room: asyncio.Future[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._head = b""
        self._left = 0

    @classmethod
    async def open(cls, held: HeldWeaver, viewer: Viewer, start: ReplayStart) -> HolderAttachment:
        """Raise OSError where the holder is gone, RuntimeTimeout where it does not answer."""
        name = secrets.token_hex(8)
        connection = connect(held.folder)
        try:
            answer = await _greet(connection, _hello(held, name, start))
            attachment = cls(held, name, viewer, answer)
            await asyncio.get_running_loop().create_connection(lambda: attachment, sock=connection)
            # Not in connection_made: before Python 3.12 asyncio begins to read after that all the same.
            attachment.pause()
        except BaseException:
            connection.close()
            raise
        return attachment

    async def send(self, data: bytes) -> None:
        while self._room is not None:
            await asyncio.shield(self._room)
        if self._transport is not None:
            self._transport.write(data)

    def pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        self._let_go()
        if self._telling is not None:
            self._telling.cancel()
        if self._transport is not None:
            self._transport.abort()

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        assert self._viewer is not None
        self._held.viewers[self._name] = self._viewer

    def get_buffer(self, sizehint: int) -> memoryview:
        return SHARED

    def buffer_updated(self, nbytes: int) -> None:
        data = SHARED[:nbytes]
        while data and self._viewer is not None:
            data = self._payload(data, self._viewer) if self._left else self._header(data, self._viewer)

    def pause_writing(self) -> None:
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.resume_writing()
        viewer = self._let_go()
        if viewer is not None:
            viewer.failed("the weaver's process is gone")

    def _let_go(self) -> Viewer | None:
        """Nothing is told after this."""
        viewer, self._viewer = self._viewer, None
        self._held.viewers.pop(self._name, None)
        return viewer

    def _payload(self, data: memoryview, viewer: Viewer) -> memoryview:
        part = data[: self._left]
        self._left -= len(part)
        viewer.output(part)
        return data[len(part) :]

    def _header(self, data: memoryview, viewer: Viewer) -> memoryview:
        need = (COUNTED if self._head[:1] == GAP_BYTE else HEADER.size) - len(self._head)
        self._head += bytes(data[:need])
        if len(self._head) >= HEADER.size:
            self._begin_frame(viewer)
        return data[need:]

    def _begin_frame(self, viewer: Viewer) -> None:
        kind, size = HEADER.unpack_from(self._head)
        if kind == OUTPUT:
            self._left = size
        elif kind == END:
            self._let_go()
            self._telling = asyncio.create_task(self._tell_end(viewer), name="telling a viewer of the end")
        elif len(self._head) == COUNTED:
            viewer.gap(COUNT.unpack_from(self._head, HEADER.size)[0])
        else:
            return
        self._head = b""

    async def _tell_end(self, viewer: Viewer) -> None:
        """Once what the end was is known, which comes over another socket and may come later."""
        await self._held.until_over()
        viewer.ended()


def _hello(held: HeldWeaver, name: str, start: ReplayStart) -> dict[str, object]:
    return {
        "op": "attach",
        "secret": held.secret,
        "name": name,
        "scrollback": start.scrollback,
        "epoch": start.epoch,
        "offset": start.offset,
    }


async def _greet(connection: socket.socket, hello: dict[str, object]) -> bytes:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            await loop.sock_sendall(connection, encode(hello))
            answer = await loop.sock_recv(connection, ANSWER.size)
    except TimeoutError as error:
        raise RuntimeTimeout(NO_ANSWER) from error
    if len(answer) < ANSWER.size:
        raise ConnectionResetError("the holder is gone")
    return answer
