"""The server's control connection to one holder."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loom_weaver.errors import RuntimeFailure, RuntimeTimeout
from loom_weaver.runtimes.local.launcher import short_path
from loom_weaver.runtimes.local.protocol import Lines, encode

# A holder answers in less than a millisecond, unless it is stopped or the machine is.
ANSWER_SECONDS = 5.0
NO_ANSWER = "the weaver's process did not answer; try again, or delete the weaver"

Message = dict[str, Any]


def connect(folder: Path) -> socket.socket:
    """A connection to the holder of a folder; raises OSError where nobody listens (any more)."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.setblocking(False)
        with short_path(folder) as path:
            connection.connect(path)
    except BlockingIOError as error:
        connection.close()
        raise RuntimeTimeout(
            "the weaver's process takes no connections; try again, or delete the weaver"
        ) from error
    except BaseException:
        connection.close()
        raise
    return connection


class HolderClient(asyncio.Protocol):
    """Requests with their answers, and a callback for everything that the holder says unasked."""

    def __init__(self, on_event: Callable[[Message], None], on_lost: Callable[[], None]) -> None:
        self._on_event = on_event
        self._on_lost = on_lost
        self._lines = Lines()
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._number = 0
        self._transport: asyncio.Transport | None = None
        self._greeted: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._early: list[Message] | None = []
        """Events that came with the answer to hello, whose caller has the word first."""

    @classmethod
    async def open(
        cls,
        connection: socket.socket,
        hello: Message,
        on_event: Callable[[Message], None],
        on_lost: Callable[[], None],
    ) -> tuple[HolderClient, Message]:
        """Say hello and wait for the answer; `on_lost` is called once, when the connection ends after that.

        `on_event` is called no earlier than the caller waits for something again.
        """
        client = cls(on_event, on_lost)
        try:
            await asyncio.get_running_loop().create_connection(lambda: client, sock=connection)
        except BaseException:
            connection.close()
            raise
        try:
            client._write(hello)
            answer = await client._answer(client._greeted)
        except BaseException:
            client.close()
            raise
        asyncio.get_running_loop().call_soon(client._tell_early)
        return client, answer

    async def request(self, op: str, **arguments: Any) -> Message:
        """Raise RuntimeTimeout or RuntimeFailure where no answer comes."""
        self._number += 1
        number = self._number
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._write({"n": number, "op": op, **arguments})
            return await self._answer(future)
        finally:
            del self._waiting[number]

    def tell(self, op: str, **arguments: Any) -> None:
        """A request whose answer nobody waits for."""
        self._number += 1
        self._write({"n": self._number, "op": op, **arguments})

    def close(self) -> None:
        self._on_lost = lambda: None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for message in self._lines.feed(data):
            if not self._greeted.done():
                self._greeted.set_result(message)
            elif "event" in message:
                self._take_event(message)
            elif (future := self._waiting.get(message["n"])) is not None and not future.done():
                future.set_result(message)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        greeted = self._greeted.done()
        for future in (self._greeted, *self._waiting.values()):
            if not future.done():
                future.set_exception(RuntimeFailure("the weaver's process ended during the call"))
                # Nobody may be waiting for it any more; it is told to who is.
                future.exception()
        if greeted:
            self._on_lost()

    def _take_event(self, message: Message) -> None:
        if self._early is None:
            self._on_event(message)
        else:
            self._early.append(message)

    def _tell_early(self) -> None:
        early, self._early = self._early or [], None
        for message in early:
            self._on_event(message)

    def _write(self, message: Message) -> None:
        if self._transport is None:
            raise RuntimeFailure("the weaver's process is gone")
        self._transport.write(encode(message))

    async def _answer(self, future: asyncio.Future[Message]) -> Message:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await future
        except TimeoutError as error:
            raise RuntimeTimeout(NO_ANSWER) from error
