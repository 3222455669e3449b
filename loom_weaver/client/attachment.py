"""A weaver's terminal, over however many connections it takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from loom_weaver.client import terminal_items
from loom_weaver.client.errors import ConnectionFailed
from loom_weaver.client.items import Detached, Exit, Output, TerminalItem
from loom_weaver.client.link import Closed, Link
from loom_weaver.client.retrying import Backoff, passes
from loom_weaver.client.stream import AsyncStream
from loom_weaver.client.transport import Transport, weaver_path
from loom_weaver.errors import BadRequest, LoomError
from loom_weaver.models import TERMINAL_SIZE_MAX
from loom_weaver.terminal_protocol import SUBPROTOCOL, CloseCode

# A link that broke sooner than this is no sign that all is well again.
STEADY_AFTER = 5.0
# What a send writes at once: a message may have 4 MiB.
PIECE = 64 * 1024
FINAL = frozenset({CloseCode.NORMAL, CloseCode.ENDED})


@dataclass(frozen=True, slots=True)
class TerminalView:
    """How a terminal is looked at: `size` is (columns, rows), `since` an earlier `position`."""

    size: tuple[int, int] | None = None
    scrollback: bool = True
    since: str | None = None


class AsyncAttachment(AsyncStream[TerminalItem]):
    """An async iterator of Output, Attached, Detached, Presence, OutputGap and LifetimeWarning.

    Entering it attaches: from then on `send` works. It is iterating that takes what comes and that makes a
    broken link anew: Detached tells of one, Attached of the next. It ends when the weaver does; then `exit`
    is set. Of a weaver that had ended before the kept scrollback comes, then the end.
    """

    def __init__(self, transport: Transport, weaver_id: str, view: TerminalView) -> None:
        super().__init__()
        self._transport = transport
        self._path = weaver_path(weaver_id, "/attach")
        self._weaver_id = weaver_id
        self._view = view
        self._size = checked_size(view.size)
        self._backoff = Backoff(transport.timeouts.retry)
        self._link: Link | None = None
        self._ready: dict[str, Any] | None = None
        self._attached = False
        self._attached_at = 0.0
        self._offset = 0
        self._exit: Exit | None = None
        self._over = False
        self.taker: Callable[[Output], int] | None = None
        """Offered new output as it arrives, while who iterates waits; returns how many bytes it took.

        What it took becomes no item. It must neither wait nor raise.
        """

    def __repr__(self) -> str:
        state = "over" if self._over else "connected" if self.connected else "not connected"
        return f"<AsyncAttachment {self._weaver_id} {state} position={self.position}>"

    @property
    def connected(self) -> bool:
        """Whether `send` works now."""
        return self._link is not None and self._attached

    @property
    def position(self) -> str | None:
        """`EPOCH:OFFSET` of the next byte: `attach(since=…)` goes on there."""
        return f"{self._ready['epoch']}:{self._offset}" if self._ready else self._view.since

    @property
    def access(self) -> str | None:
        """`full`, or `read_only`: what is sent is dropped; None before it was attached."""
        return self._ready["access"] if self._ready else None

    @property
    def exit(self) -> Exit | None:
        """How the weaver ended, once it has."""
        return self._exit

    async def __aenter__(self) -> Self:
        self._items.extend(await self._attach())
        return self

    async def send(self, data: str | bytes) -> None:
        """Type. Raises ConnectionFailed while the link is down: nothing is queued, nothing typed twice."""
        raw = data.encode() if isinstance(data, str) else data
        link = self._link if self._attached else None
        if link is None:
            raise ConnectionFailed("the terminal is not connected: nothing was typed", sent=False)
        try:
            for start in range(0, len(raw), PIECE):
                await link.send(raw[start : start + PIECE])
        except Closed as closed:
            raise ConnectionFailed(f"the terminal is not connected any more: {closed}") from closed

    def send_at_once(self, data: bytes) -> bool:
        """Type without waiting; False where that cannot be, and nothing was typed."""
        return self._link is not None and self._attached and self._link.send_at_once(data)

    async def resize(self, cols: int, rows: int) -> None:
        """Tell this viewer's size, 1 to 1,000; a link that is made anew tells it again."""
        self._size = checked_size((cols, rows))
        await self._tell_size()

    async def aclose(self) -> None:
        """Detach; the weaver goes on."""
        self._over = True
        await self._drop_link()

    async def _more(self) -> list[TerminalItem]:
        while not self._over:
            if self._link is None:
                return await self._attach()
            try:
                message = await self._link.receive(self._offer if self.taker else None)
            except Closed as closed:
                await self._drop_link()
                if closed.code in FINAL:
                    self._over = True
                    break
                return [Detached(str(closed))]
            items = self._take(message)
            if items:
                return items
        return []

    async def _attach(self) -> list[TerminalItem]:
        """Until it is attached, the attempt ends for good, or has been made for long enough."""
        failure = ConnectionFailed("the link to the terminal broke") if self._ready else None
        while True:
            try:
                if failure is not None:
                    await self._backoff.pause(failure)
                return await self._connect()
            except LoomError as error:
                if not passes(error) or error is failure:
                    self._over = True
                    raise
                failure = ConnectionFailed(error.message)

    async def _connect(self) -> list[TerminalItem]:
        self._link = await Link.open(self._transport, self._path + self._query(), {}, [SUBPROTOCOL])
        try:
            return await self._greeting(self._link)
        except Closed as closed:
            await self._drop_link()
            raise closed.refusal() or ConnectionFailed(f"the terminal was closed: {closed}") from closed
        except BaseException:
            await self._drop_link()
            raise

    async def _greeting(self, link: Link) -> list[TerminalItem]:
        """What comes before the terminal's own bytes."""
        notice = b""
        while True:
            message = await link.receive()
            if isinstance(message, bytes):
                notice += message
                continue
            told = json.loads(message)
            if told.get("type") == "ready":
                break
        again = self._ready is not None
        self._ready, self._offset, self._attached = told, told["offset"], True
        self._attached_at = asyncio.get_running_loop().time()
        await self._tell_size()
        return [terminal_items.attached(told, again=again, notice=notice)]

    def _offer(self, data: bytes) -> bytes:
        assert self._ready is not None
        assert self.taker is not None
        if self._offset < self._ready["live"]:
            return data
        taken = self.taker(Output(data, self._offset, live=True))
        self._offset += taken
        return data[taken:]

    def _take(self, message: str | bytes) -> list[TerminalItem]:
        if isinstance(message, bytes):
            assert self._ready is not None
            items = terminal_items.output(message, self._offset, self._ready["live"])
            self._offset += len(message)
            return items
        item = terminal_items.item(json.loads(message))
        if isinstance(item, Exit):
            self._exit = item
            return []
        return [item] if item is not None else []

    async def _tell_size(self) -> None:
        if self._link is None or self._size is None:
            return
        cols, rows = self._size
        # A link that broke is told when it is made anew.
        with suppress(Closed):
            await self._link.send(json.dumps({"type": "resize", "cols": cols, "rows": rows}))

    async def _drop_link(self) -> None:
        link, self._link = self._link, None
        if self._attached and asyncio.get_running_loop().time() - self._attached_at > STEADY_AFTER:
            self._backoff.restart()
        if self._attached:
            self._backoff.patience = self._transport.timeouts.reconnect
        self._attached = False
        if link is not None:
            await link.close()

    def _query(self) -> str:
        query: dict[str, str] = {}
        if self.position is not None:
            query["since"] = self.position
        elif not self._view.scrollback:
            query["scrollback"] = "0"
        return f"?{urlencode(query)}" if query else ""


def checked_size(size: tuple[int, int] | None) -> tuple[int, int] | None:
    """Raise BadRequest for one that no terminal has: the server would ignore it without a word."""
    if size is not None and not all(1 <= length <= TERMINAL_SIZE_MAX for length in size):
        raise BadRequest(f"must be columns and rows from 1 to {TERMINAL_SIZE_MAX}", field="size")
    return size
