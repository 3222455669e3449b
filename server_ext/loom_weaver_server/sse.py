"""Server-Sent Events: how one is written, and a stream of them to a reader who may be slow or gone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from loom_weaver import access
from loom_weaver.errors import Forbidden, LoomError, NotFound, Unauthorized
from loom_weaver_server import tcp
from loom_weaver_server.caller import while_connected
from loom_weaver_server.handlers.base import WeaverAPIHandler

# Every reader ends a line at any of these (WHATWG HTML, 9.2.6): a program's output must not begin a field.
LINE_END = re.compile(r"\r\n|\r|\n")
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}
COMMENT = b":\n\n"
# The contract's 15 s, less what a busy server may be late.
IDLE_COMMENT = 14.0
RECHECK_INTERVAL = 30.0


def encode_event(data: str, *, id: str | None = None, event: str | None = None) -> bytes:  # noqa: A002
    """`id` and `event` are ours and hold no line end; `data` may hold any."""
    head = f"id: {id}\n" if id is not None else ""
    if event is not None:
        head += f"event: {event}\n"
    if "\r" in data or "\n" in data:
        data = "\ndata: ".join(LINE_END.split(data))
    return f"{head}data: {data}\n\n".encode()


class EventStream:
    """Events to one reader."""

    def __init__(self, handler: WeaverAPIHandler) -> None:
        self._handler = handler
        self._stream = cast(HTTP1Connection, handler.request.connection).stream
        self._last_write = 0.0
        self._sending = False

    async def open(self) -> None:
        """Send the headers."""
        for name, value in HEADERS.items():
            self._handler.set_header(name, value)
        # Tornado's gzip would hold events back, should somebody have turned it on.
        self._handler._transforms = []
        await self.send(b"")

    async def send(self, events: bytes) -> None:
        """Returns when the reader's socket has taken it: who awaits this holds back its source."""
        self._last_write = asyncio.get_running_loop().time()
        self._handler.write(events)
        self._sending = True
        try:
            await self._handler.flush()
        finally:
            self._sending = False

    async def keep(self, still_admitted: Callable[[], Awaitable[bool]], end: Callable[[], None]) -> None:
        """Comment while nothing else is said; `end` it for a reader that is gone or may read no longer."""
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while True:
            next_look = min(self._last_write + IDLE_COMMENT, checked + RECHECK_INTERVAL)
            await asyncio.sleep(next_look - loop.time())
            if loop.time() >= checked + RECHECK_INTERVAL:
                checked = loop.time()
                if self._reader_is_gone():
                    # Kept open for its next request, the connection would outlive it by a quarter of an hour.
                    return self._stream.close()
                if not await still_admitted():
                    return end()
            if loop.time() >= self._last_write + IDLE_COMMENT:
                self._comment()

    def _comment(self) -> None:
        """Not while a reader has something to take anyway: that would only grow the pile."""
        self._last_write = asyncio.get_running_loop().time()
        if not (self._sending or self._stream.closed() or self._stream.writing()):
            self._handler.write(COMMENT)
            self._handler.flush()

    def _reader_is_gone(self) -> bool:
        state = tcp.state_of(self._stream.socket) if not self._stream.closed() else None
        return state is not None and state.gone


class EventStreamHandler(WeaverAPIHandler):
    """A handler that may answer with a stream of events."""

    @asynccontextmanager
    async def event_stream(
        self, verb: access.Verb | None = None, weaver_id: str = ""
    ) -> AsyncIterator[EventStream]:
        """`verb` is what the caller must go on to be allowed at the weaver.

        A reader that leaves, or may read no longer, cancels the work inside.
        """

        async def still_admitted() -> bool:
            return await self._still_admitted(verb, weaver_id)

        stream = EventStream(self)
        with while_connected(self) as leave, suppress(StreamClosedError):
            await stream.open()
            keeper = asyncio.create_task(stream.keep(still_admitted, leave))
            try:
                yield stream
            finally:
                keeper.cancel()
                await asyncio.wait([keeper])

    async def _still_admitted(self, verb: access.Verb | None, weaver_id: str) -> bool:
        try:
            self.caller = await self.identity.current(self.principal)
            if verb is not None:
                self.service.find(self.caller, verb, weaver_id)
        except (Unauthorized, Forbidden, NotFound):
            return False
        except LoomError as error:
            # Nobody can tell just now; the next look may.
            self.log.warning("%s: a stream's credential was not checked: %s", self.request_id, error)
        return True
