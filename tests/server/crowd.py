"""Many clients at once, each a bare connection, so that thousands of them fit into one process."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import TypeVar
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed

from tests.server.running import PATIENCE, Person, RunningServer
from tests.server.terminals import Terminal
from tests.sse_reader import Event, EventParser

Client = TypeVar("Client")
# How many knock at a time: the listening socket's queue is short.
AT_A_TIME = 50


@asynccontextmanager
async def all_of(clients: Iterable[AbstractAsyncContextManager[Client]]) -> AsyncIterator[list[Client]]:
    knocking = asyncio.Semaphore(AT_A_TIME)
    async with AsyncExitStack() as stack:

        async def enter(client: AbstractAsyncContextManager[Client]) -> Client:
            async with knocking, asyncio.timeout(PATIENCE):
                return await stack.enter_async_context(client)

        yield await asyncio.gather(*map(enter, clients))


class Reply:
    """A reply whose head was read, on a connection that stays."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def events(self) -> AsyncIterator[Event]:
        parser = EventParser()
        while size := int(await asyncio.wait_for(self.reader.readline(), PATIENCE), 16):
            for event in parser.feed(await asyncio.wait_for(self.reader.readexactly(size), PATIENCE)):
                yield event
            await self.reader.readexactly(2)

    async def digest(self) -> str:
        """Of all lines of a log, after which it must say that the weaver ended."""
        digest = hashlib.sha256()
        kind = ""
        async for event in self.events():
            kind = event.kind
            if kind == "message":
                digest.update(event.data.encode() + b"\n")
        assert kind == "end"
        return digest.hexdigest()


@asynccontextmanager
async def get(server: RunningServer, person: Person, path: str) -> AsyncIterator[Reply]:
    place = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        headers = {"Host": place.netloc, **person.headers}
        lines = [f"GET {place.path}{path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        status = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0]
        assert status == b"HTTP/1.1 200 OK"
        yield Reply(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def terminal_digest(terminal: Terminal, size: int | None = None) -> str:
    """Of the next `size` bytes of output, without `size` of all to the end of the weaver."""
    digest = hashlib.sha256(terminal.output)
    seen = len(terminal.output)
    try:
        while size is None or seen < size:
            data = await asyncio.wait_for(terminal.socket.recv(), PATIENCE)
            assert isinstance(data, bytes)
            digest.update(data)
            seen += len(data)
    except ConnectionClosed:
        # Who comes when all is over gets what is kept, and another code.
        assert size is None
        assert terminal.socket.close_code in {1000, 4409}
    return digest.hexdigest()
