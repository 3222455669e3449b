"""One stream of server-sent events over however many connections it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx

from loom_weaver.client.answers import as_our_errors
from loom_weaver.client.errors import CallTimeout, ConnectionFailed
from loom_weaver.client.retrying import Backoff, passes
from loom_weaver.client.sse import EventParser, ServerEvent
from loom_weaver.client.transport import Params, Transport
from loom_weaver.errors import LoomError
from loom_weaver.lifetime import rfc3339

Result = TypeVar("Result")
NO_CONTENT = 204
HEADERS = {"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-store"}


class EventSource:
    """Resumes behind the last event that it gave."""

    def __init__(
        self, transport: Transport, path: str, params: Params, *, after: str | None = None, ends: bool = False
    ) -> None:
        """`ends`: the server closes the stream when all has been said, else that is a failure."""
        self._transport = transport
        self._path = path
        self._params = params
        self._last_id = after
        self._ends = ends
        self._opened_at: str | None = None
        self.reopening: Callable[[str], Params] | None = None
        """What to ask for when the first connection broke before its first event; given when that was opened,
        by the server's clock, to the second."""
        self._backoff = Backoff(transport.timeouts.retry)
        self._connection: AsyncExitStack | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._parser = EventParser()
        self._over = False

    def __repr__(self) -> str:
        state = "over" if self._over else "open" if self._connection else "not connected"
        return f"<EventSource {self._path} {state} last_id={self._last_id!r}>"

    async def open(self) -> None:
        """What is asked for is as of now. Raises what does not pass by itself."""
        while not self._over and self._chunks is None:
            await self._tried(self._connect)

    async def events(self) -> list[ServerEvent]:
        """The next ones, at least one; none at the end. Raises what does not pass by itself."""
        while not self._over:
            events = await self._tried(self._read)
            if events:
                self._last_id = events[-1].id or self._last_id
                return events
        return []

    async def _tried(self, step: Callable[[], Awaitable[Result]]) -> Result | None:
        """None after a failure that may pass, and the pause that is due then."""
        try:
            return await step()
        except CallTimeout as error:
            await self._failed(ConnectionFailed(error.message))
        except LoomError as error:
            await self._failed(error)
        except BaseException:
            await self._disconnect()
            raise
        return None

    async def aclose(self) -> None:
        self._over = True
        await self._disconnect()

    async def _read(self) -> list[ServerEvent]:
        chunks = self._chunks or await self._connect()
        if chunks is None:
            return []
        try:
            with as_our_errors(self._transport.server.url):
                data = await anext(chunks)
        except StopAsyncIteration:
            if self._ends:
                await self.aclose()
                return []
            raise ConnectionFailed(f"{self._transport.server.url} closed the stream") from None
        self._backoff.patience = self._transport.timeouts.reconnect
        self._backoff.restart()
        return self._parser.feed(data)

    async def _connect(self) -> AsyncIterator[bytes] | None:
        connection = AsyncExitStack()
        self._connection, self._parser = connection, EventParser()
        response = await connection.enter_async_context(
            self._transport.stream(
                "GET",
                self._path,
                params=self._params,
                headers=HEADERS if self._last_id is None else {**HEADERS, "Last-Event-ID": self._last_id},
                timeout=self._transport.timeouts.idle,
            )
        )
        if response.status_code == NO_CONTENT:
            await self.aclose()
            return None
        self._opened(response)
        self._chunks = response.aiter_raw()
        return self._chunks

    def _opened(self, response: httpx.Response) -> None:
        if self._opened_at is None and self.reopening is not None:
            self._opened_at = _server_time(response)
            self._params = self.reopening(self._opened_at) if self._opened_at else self._params

    async def _failed(self, error: LoomError) -> None:
        await self._disconnect()
        if not passes(error):
            self._over = True
            raise error
        await self._backoff.pause(error)

    async def _disconnect(self) -> None:
        connection, self._connection, self._chunks = self._connection, None, None
        if connection is not None:
            await connection.aclose()


def _server_time(response: httpx.Response) -> str | None:
    try:
        return rfc3339(parsedate_to_datetime(response.headers.get("Date", "")))
    except ValueError:
        return None
