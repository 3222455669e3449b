"""An exec or attach connection to a pod."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aiohttp

from loom_weaver.runtimes.kubernetes import channels
from loom_weaver.runtimes.kubernetes.cluster import Cluster


class ChannelSocket:
    """Messages by channel. Nothing is read but by `receive`: not calling it holds the other side back."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    def __repr__(self) -> str:
        return f"<ChannelSocket {self._socket.protocol} {'closed' if self._socket.closed else 'open'}>"

    @classmethod
    async def open(
        cls, cluster: Cluster, path: str, query: Mapping[str, str] | Sequence[tuple[str, str]]
    ) -> ChannelSocket:
        """Raise what `Cluster.websocket` raises."""
        return cls(await cluster.websocket(path, query))

    @property
    def half_closes(self) -> bool:
        """Whether standard input can be ended."""
        return self._socket.protocol == channels.V5

    async def receive(self) -> tuple[int, memoryview] | None:
        """The next message as (channel, data); None where the connection is over, whatever the reason."""
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                return channels.split(message.data)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return None

    async def type(self, data: bytes) -> bool:
        """Wait for room, and send; returns whether the connection still took it."""
        try:
            for message in channels.stdin(data):
                if self._is_lost:
                    return False
                await self._socket.send_bytes(message)
        except (aiohttp.ClientError, ConnectionError):
            return False
        return True

    async def end_input(self) -> None:
        await self._send(channels.end_of_stdin())

    async def resize(self, cols: int, rows: int) -> None:
        await self._send(channels.resize(cols, rows))

    def abort(self) -> None:
        """At once: a polite close waits for what the other side still wants to send."""
        self._socket._set_closed()
        connection = self._socket._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self._socket._response.close()

    @property
    def _is_lost(self) -> bool:
        """Known before anybody receives the news."""
        connection = self._socket._response.connection
        return connection is None or connection.transport is None or connection.transport.is_closing()

    async def _send(self, message: bytes) -> None:
        try:
            await self._socket.send_bytes(message)
        except (aiohttp.ClientError, ConnectionError):
            # Whoever receives is told.
            return
