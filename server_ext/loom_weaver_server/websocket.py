"""One open WebSocket: a connection taken over from Tornado after the handshake, and all of them together.

Tornado's request, handler and stream are let go of: what stays of an idle connection is this object and
asyncio's transport. No coroutine waits for it, and no timer of its own looks after it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from logging import Logger
from typing import Protocol, cast

from loom_weaver.terminal_protocol import CloseCode, close_reason
from loom_weaver_server import websocket_frames as frames
from loom_weaver_server.eager import begun
from loom_weaver_server.tcp import Pulse

# A paste of a few megabytes passes in one message; what is longer has to come in several.
LONGEST_MESSAGE = 4 * 1024 * 1024
# All connections read into the same memory: the loop fills it and has it emptied in one step.
READ_BUFFER = bytearray(256 * 1024)
READ_VIEW = memoryview(READ_BUFFER)
# Each socket is visited this often: a ping, a look whether the peer is there, and what its listener wants.
VISIT_INTERVAL = 30
# How long the peer may take for its part of the closing handshake, once it has everything before it …
CLOSING_TIME = 5.0
# … and how long to get there: a viewer that was too slow has to wake up first to learn why it was closed.
CLOSING_ROUNDS = 36
# A server that stops does not wait longer than this for all of them.
STOPPING_TIME = 2.0


class Listener(Protocol):
    """Whoever speaks over a WebSocket. Each method is called on the event loop."""

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """Nothing more is read from the peer until the awaitable is done."""

    def on_full(self) -> None:
        """The peer does not keep up."""

    def on_drained(self) -> None:
        """It has taken all that was sent."""

    def on_visit(self) -> None:
        """Twice a minute."""

    def on_close(self) -> None:
        """Once, as soon as nothing can be said or heard any more."""


class WebSocket(asyncio.BufferedProtocol):
    __slots__ = (
        "_closing_rounds", "_closing_timer", "_frames", "_handling", "_listener", "_log", "_pulse",
        "_sockets", "_too_big", "_transport", "_unsent_pong", "closed", "full",
    )  # fmt: skip

    def __init__(self, sockets: WebSockets, log: Logger) -> None:
        self._sockets = sockets
        self._log = log
        self._frames = frames.FrameReader(LONGEST_MESSAGE)
        self._listener: Listener | None = None
        self._transport: asyncio.Transport | None = None
        self._pulse = Pulse()
        self._handling: asyncio.Future[None] | None = None
        self._unsent_pong: bytes | None = None
        self._closing_timer: asyncio.TimerHandle | None = None
        self._closing_rounds = 0
        self._too_big: tuple[int, str] | None = None
        self.closed = False
        """Nothing can be said or heard any more."""
        self.full = False
        """The peer has not taken all that was sent: keep back what can wait."""

    def __repr__(self) -> str:
        return f"<WebSocket closed={self.closed} full={self.full} handling={self._handling is not None}>"

    def listen(self, listener: Listener, received: bytes = b"") -> None:
        """`received` is what the peer has sent before there was a listener."""
        self._listener = listener
        self._frames.feed(received)

    def send_bytes(self, data: memoryview | bytes) -> None:
        self._send(frames.BINARY, data)

    def send_text(self, text: str) -> None:
        self._send(frames.TEXT, text.encode())

    def close(self, code: int, reason: str = "") -> None:
        """Say why, and wait a while for the peer to agree."""
        if not self.closed:
            self._send(frames.CLOSE, frames.close_payload(code, close_reason(reason)))
            self._detach()
            self._await_end()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def limit(self, longest_message: int, refusal: tuple[int, str] | None = None) -> None:
        """From now on; `refusal` is how to close on a longer one, where not as RFC 6455 has it."""
        self._frames.limit = longest_message
        self._too_big = refusal

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)
        self._pulse.connection = transport.get_extra_info("socket")
        self._sockets.add(self)
        self._deliver()

    def connection_lost(self, error: Exception | None) -> None:
        if self._closing_timer is not None:
            self._closing_timer.cancel()
        self._detach()
        self._transport = None
        self._sockets.discard(self)

    def get_buffer(self, sizehint: int) -> bytearray:
        return READ_BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        self._pulse.heard = True
        self._frames.feed(READ_VIEW[:nbytes])
        if self._handling is None:
            self._deliver()

    def eof_received(self) -> None:
        """A peer that goes without a close frame; what it was still to get may be on its way for ever."""
        if not self.closed:
            self._detach()
            self._await_end()

    def pause_writing(self) -> None:
        self.full = True
        if self._listener is not None:
            self._listener.on_full()

    def resume_writing(self) -> None:
        self.full = False
        if self._unsent_pong is not None:
            payload, self._unsent_pong = self._unsent_pong, None
            self._send(frames.PONG, payload)
        if self._listener is not None:
            self._listener.on_drained()

    def visit(self) -> None:
        if self.closed or self._transport is None:
            return
        if self._pulse.stopped(backlog=self.full, deaf=self._handling is not None):
            self._transport.abort()
            return
        if not self.full:
            self._send(frames.PING, b"")
        if self._listener is not None:
            self._listener.on_visit()

    def _send(self, opcode: int, payload: bytes | memoryview) -> None:
        if not self.closed and self._transport is not None:
            self._transport.write(b"".join((frames.header(opcode, len(payload)), payload)))

    def _deliver(self) -> None:
        try:
            for message in self._frames.messages():
                self._receive(message)
                if self._handling is not None:
                    break
        except frames.FramingError as error:
            self.close(*self._closing_for(error))

    def _closing_for(self, error: frames.FramingError) -> tuple[int, str]:
        if error.code == frames.TOO_BIG and self._too_big is not None:
            return self._too_big
        return error.code, error.reason

    def _receive(self, message: frames.Message) -> None:
        if message.opcode == frames.CLOSE:
            self._peer_closes(message.payload)
        elif self.closed or message.opcode == frames.PONG:
            return
        elif message.opcode == frames.PING:
            self._answer_ping(message.payload)
        elif self._listener is not None:
            text = frames.text(message.payload) if message.opcode == frames.TEXT else message.payload
            work = self._listener.on_message(text)
            self._handling = begun(work) if work is not None else None
            if self._handling is not None:
                self._wait_for(self._handling)

    def _wait_for(self, handling: asyncio.Future[None]) -> None:
        if self._transport is not None:
            self._transport.pause_reading()
        handling.add_done_callback(self._handled)

    def _handled(self, handling: asyncio.Future[None]) -> None:
        self._handling = None
        if not handling.cancelled() and (error := handling.exception()) is not None:
            self._log.error("a WebSocket message failed", exc_info=error)
            self.close(CloseCode.RUNTIME_FAILURE, "the server failed")
        if self._transport is None or self._transport.is_closing():
            return
        self._deliver()
        if self._handling is None:
            self._transport.resume_reading()

    def _answer_ping(self, payload: bytes) -> None:
        """Only the newest ping needs an answer, so a peer that does not read cannot pile them up."""
        if self.full:
            self._unsent_pong = payload
        else:
            self._send(frames.PONG, payload)

    def _peer_closes(self, payload: bytes) -> None:
        code = frames.close_code(payload)
        if not self.closed:
            self._send(frames.CLOSE, frames.CLOSE_CODE.pack(code) if code else b"")
            self._detach()
            self._await_end()
        # It wants no more, so what it has not taken need not get there.
        self._closing_rounds = CLOSING_ROUNDS
        if self._transport is not None:
            self._transport.close()

    def _detach(self) -> None:
        """From here on nobody listens; what still arrives is read, so that the peer sees the close frame."""
        self.closed = True
        listener, self._listener = self._listener, None
        if self._handling is not None:
            self._handling.cancel()
        if listener is not None:
            listener.on_close()

    def _await_end(self) -> None:
        self._closing_timer = asyncio.get_running_loop().call_later(CLOSING_TIME, self._end_closing)

    def _end_closing(self) -> None:
        if self._transport is None:
            return
        self._closing_rounds += 1
        if self.full and self._closing_rounds < CLOSING_ROUNDS:
            self._await_end()
        else:
            self._transport.abort()


class WebSockets:
    """All open ones. One timer visits them, a few each second: no second has more to do than the others."""

    def __init__(self) -> None:
        self._slots: list[set[WebSocket]] = [set() for _ in range(VISIT_INTERVAL)]
        self._slot = 0
        self._all_gone = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<WebSockets open={len(self)}>"

    def __len__(self) -> int:
        return sum(len(slot) for slot in self._slots)

    def add(self, websocket: WebSocket) -> None:
        """Its first visit is a full interval away."""
        self._slots[self._slot].add(websocket)
        self._all_gone.clear()
        if self._timer is None:
            self._arm()

    def discard(self, websocket: WebSocket) -> None:
        for slot in self._slots:
            slot.discard(websocket)
        if not len(self):
            self._all_gone.set()

    async def stop(self) -> None:
        """Tell all peers to come back later, and wait a moment for them to hear it."""
        present = [websocket for slot in self._slots for websocket in slot]
        for websocket in present:
            websocket.close(CloseCode.RESTART, "the server restarts")
        if present:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOPPING_TIME):
                    await self._all_gone.wait()
        for websocket in present:
            websocket.abort()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(1, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if len(self):
            self._arm()
        self._slot = (self._slot + 1) % VISIT_INTERVAL
        for websocket in list(self._slots[self._slot]):
            websocket.visit()
