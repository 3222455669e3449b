"""From an HTTP request to a WebSocket."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado.iostream import IOStream, SSLIOStream, StreamClosedError

from loom_weaver.errors import BadRequest
from loom_weaver_server.handlers.base import JSONHandler
from loom_weaver_server.stream_transport import READ_SIZE, StreamTransport
from loom_weaver_server.websocket import Listener, WebSocket

# RFC 6455, 4.2.2: what the client's key is hashed with.
HANDSHAKE_UUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
NOT_A_WEBSOCKET = "this is a WebSocket: open it with a WebSocket client (RFC 6455, version 13)"

MakeListener = Callable[[WebSocket], Listener]


class Upgrading(JSONHandler):
    """The handshake needs no credential: the first message brings one. It refuses pages of other origins."""

    def admit_handshake(self) -> None:
        self.admit_host()
        self.admit_origin()
        self.house.require_open()

    async def upgrade(self, weaver_id: str) -> None:
        key = self._handshake_key()
        make_listener = self.make_listener(weaver_id)
        self._accept(key)
        await self._hand_over(make_listener)

    def make_listener(self, weaver_id: str) -> MakeListener:
        """Raise BadRequest for a bad query; called before the upgrade."""
        raise NotImplementedError

    def offers(self, subprotocol: str) -> bool:
        offered = ",".join(self.request.headers.get_list("Sec-WebSocket-Protocol"))
        return subprotocol in (name.strip() for name in offered.split(","))

    def select_subprotocol(self) -> str | None:
        return None

    def _handshake_key(self) -> bytes:
        headers = self.request.headers
        upgrade = headers.get("Upgrade", "").lower()
        connection = [token.strip().lower() for token in headers.get("Connection", "").split(",")]
        if upgrade != "websocket" or "upgrade" not in connection:
            raise BadRequest(NOT_A_WEBSOCKET)
        if headers.get("Sec-WebSocket-Version") != "13":
            self.set_header("Sec-WebSocket-Version", "13")
            raise BadRequest(NOT_A_WEBSOCKET)
        return _checked_key(headers.get("Sec-WebSocket-Key", ""))

    def _accept(self, key: bytes) -> None:
        digest = hashlib.sha1(key + HANDSHAKE_UUID, usedforsecurity=False).digest()
        self.clear_header("Content-Type")
        self.set_status(101)
        self.set_header("Upgrade", "websocket")
        self.set_header("Connection", "Upgrade")
        self.set_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        subprotocol = self.select_subprotocol()
        if subprotocol:
            self.set_header("Sec-WebSocket-Protocol", subprotocol)
        self.finish()

    async def _hand_over(self, make_listener: MakeListener) -> None:
        stream = self.detach()
        websocket = WebSocket(self.house.websockets, self.log)
        listener = make_listener(websocket)
        try:
            await stream.write(b"")
            if isinstance(stream, SSLIOStream):
                websocket.listen(listener)
                StreamTransport(stream, websocket)
            else:
                websocket.listen(listener, _already_read(stream))
                await _leave_tornado(stream, websocket)
        except (StreamClosedError, OSError):
            websocket.connection_lost(None)


def _already_read(stream: IOStream) -> bytes:
    """What Tornado has of the peer's first messages."""
    early = b""
    while (reading := asyncio.ensure_future(stream.read_bytes(READ_SIZE, partial=True))).done():
        early += reading.result()
    return early


class WebSocketHandler(Upgrading):
    """A path that is a WebSocket and nothing else."""

    async def prepare(self) -> None:  # type: ignore[override]
        self.admit_handshake()

    @allow_unauthenticated
    async def get(self, weaver_id: str) -> None:
        await self.upgrade(weaver_id)


async def _leave_tornado(stream: IOStream, websocket: WebSocket) -> None:
    """The socket goes on under asyncio, whose transports cost a fraction."""
    connection = stream.socket.dup()
    stream.close()
    connection.setblocking(False)
    await asyncio.get_running_loop().connect_accepted_socket(lambda: websocket, connection)


def _checked_key(key: str) -> bytes:
    try:
        random = base64.b64decode(key, validate=True)
    except binascii.Error:
        random = b""
    if len(random) != 16:
        raise BadRequest(NOT_A_WEBSOCKET)
    return key.encode()
