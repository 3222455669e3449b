"""One WebSocket of the API: opened with a token in its first message, closed with a code that says why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import Event, State
from websockets.typing import Subprotocol

from loom_weaver import errors
from loom_weaver.client.errors import ConnectionFailed
from loom_weaver.client.refusals import error_of
from loom_weaver.client.transport import CONNECT_TIMEOUT, Transport
from loom_weaver.errors import LoomError
from loom_weaver.terminal_protocol import CloseCode

# The server's largest message is 4 MiB.
LONGEST_MESSAGE = 4 * 1024 * 1024
# Messages that wait here; beyond that the socket is not read.
QUEUE = (4, 1)
# Seconds without a message until the server is asked for a sign of life, and until it is given up then.
QUIET = 20.0
REFUSALS: dict[int, type[LoomError]] = {
    CloseCode.BAD_REQUEST: errors.BadRequest,
    CloseCode.BAD_TOKEN: errors.Unauthorized,
    CloseCode.NO_ACCESS: errors.Forbidden,
    CloseCode.NO_WEAVER: errors.NotFound,
}


class Closed(Exception):
    """The WebSocket is closed; `code` is 1006 where nobody said good-bye."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason

    def refusal(self) -> LoomError | None:
        """What it says about the call; None where that says nothing, and another attempt may go well."""
        kind = REFUSALS.get(self.code)
        return kind(self.reason) if kind else None


Taker = Callable[[bytes], bytes]
"""Offered a binary message as it arrives; returns what it left of it."""


class _Connection(ClientConnection):
    """Spares a keystroke and its echo the turns of the event loop that they need not wait for."""

    taker: Taker | None = None

    def process_event(self, event: Event) -> None:
        taker = self.taker
        if taker and isinstance(event, Frame) and event.opcode in DATA_OPCODES:
            self.taker = None
            if event.opcode is Opcode.BINARY and event.fin:
                rest = taker(bytes(event.data))
                if not rest:
                    self.taker = taker
                    return
                event = replace(event, data=rest)
        super().process_event(event)

    def send_at_once(self, data: bytes) -> bool:
        if self.state is not State.OPEN or self.paused or self.send_in_progress is not None:
            return False
        self.protocol.send_binary(data)
        self.send_data()
        return True


class _Connect(connect):
    """Follows no redirect, as no call does: the token in the first message is for this server alone."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class Link:
    def __init__(self, websocket: _Connection) -> None:
        self._websocket = websocket

    def __repr__(self) -> str:
        return f"<Link {self._websocket.state.name.lower()}>"

    @classmethod
    async def open(
        cls, transport: Transport, path: str, first: dict[str, Any], subprotocols: Sequence[str] = ()
    ) -> Link:
        """Raises what the server answers, and ConnectionFailed."""
        reply = await transport.call("POST", "/auth/ws-token", again=True)
        server = transport.server
        parts = urlsplit(server.url)
        try:
            websocket = await _Connect(
                ("wss" if transport.tls else "ws") + server.url[len(parts.scheme) :] + path,
                subprotocols=[Subprotocol(name) for name in subprotocols] or None,
                ssl=transport.tls,
                # A proxy is not the way to this very machine.
                proxy=None if server.is_local else True,
                compression=None,
                open_timeout=CONNECT_TIMEOUT,
                # The server pings; a reader that takes its time would seem dead to pings of our own.
                ping_interval=None,
                close_timeout=2,
                max_size=LONGEST_MESSAGE,
                max_queue=QUEUE,
                create_connection=_Connection,
            )
        except InvalidStatus as error:
            raise error_of(_Refused(error), server.url) from error
        except (OSError, InvalidHandshake, TimeoutError) as error:
            raise ConnectionFailed(f"cannot open a WebSocket to {server.url}: {error}", sent=False) from error
        assert isinstance(websocket, _Connection)
        link = cls(websocket)
        try:
            await link.send(json.dumps({"type": "auth", "token": reply.json()["token"], **first}))
        except BaseException:
            await link.close()
            raise
        return link

    async def receive(self, taker: Taker | None = None) -> str | bytes:
        """The next message that `taker` leaves, however long that takes while the server is there.

        Raises Closed; loses none.
        """
        while True:
            self._websocket.taker = taker
            try:
                async with asyncio.timeout(QUIET):
                    return await self._websocket.recv()
            except ConnectionClosed as error:
                raise _closed(error) from error
            except TimeoutError:
                await self._see_whether_alive()
            finally:
                self._websocket.taker = None

    async def send(self, message: str | bytes) -> None:
        """Raises Closed."""
        try:
            await self._websocket.send(message)
        except ConnectionClosed as error:
            raise _closed(error) from error

    def send_at_once(self, data: bytes) -> bool:
        """Whether that could be done without waiting; where not, nothing was sent."""
        return self._websocket.send_at_once(data)

    async def _see_whether_alive(self) -> None:
        try:
            async with asyncio.timeout(QUIET):
                await (await self._websocket.ping())
        except TimeoutError:
            raise Closed(1006, "no answer") from None
        except ConnectionClosed as error:
            raise _closed(error) from error

    async def close(self) -> None:
        try:
            await self._websocket.close()
        except WebSocketException:
            # It is not open any more, which is all that is asked for.
            return


class _Refused:
    """The answer to a handshake, as `error_of` wants it."""

    def __init__(self, error: InvalidStatus) -> None:
        self.status_code = error.response.status_code
        self.content = bytes(error.response.body or b"")
        self.headers = error.response.headers


def _closed(error: ConnectionClosed) -> Closed:
    told = error.rcvd
    return Closed(told.code, told.reason) if told else Closed(1006, "the connection broke")
