"""A client of the terminal's WebSocket, for tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.server.running import PATIENCE, Person, RunningServer

V1 = Subprotocol("loom-weaver.v1")


def ws_token(person: Person) -> str:
    return str(person.http.post("/auth/ws-token").json()["token"])


def shell(create: Callable[..., dict[str, Any]], script: str, **fields: Any) -> str:
    """The id of a new weaver that runs `script`."""
    weaver = create(image="shell", command=["sh", "-c", script], **fields)
    return str(weaver["id"])


class Terminal:
    """Keeps what came: output as bytes, text messages as objects."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.output = b""
        self.messages: list[dict[str, Any]] = []
        self.kinds: set[type] = set()

    async def type(self, data: str | bytes) -> None:
        await self.socket.send(data)

    async def tell(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def receive(self) -> None:
        message = await asyncio.wait_for(self.socket.recv(), PATIENCE)
        self.kinds.add(type(message))
        if isinstance(message, bytes):
            self.output += message
        else:
            self.messages.append(json.loads(message))

    async def until(self, seen: bytes | Callable[[], object]) -> bytes:
        """Read until `seen` is among the output, or true; the output so far."""
        while not (seen in self.output if isinstance(seen, bytes) else seen()):
            await self.receive()
        return self.output

    async def until_longer(self, size: int) -> None:
        """Read until there are more than `size` bytes of output."""
        await self.until(lambda: len(self.output) > size)

    async def message(self, kind: str) -> dict[str, Any]:
        """The newest message of a kind, waited for if there is none; each is given once."""
        await self.until(lambda: any(message["type"] == kind for message in self.messages))
        found = [message for message in self.messages if message["type"] == kind][-1]
        self.messages = [message for message in self.messages if message["type"] != kind]
        return found

    async def closed(self) -> tuple[int, str]:
        """Read to the end; the close code and reason."""
        try:
            while True:
                await self.receive()
        except ConnectionClosed:
            return self.socket.close_code or 0, self.socket.close_reason or ""


@asynccontextmanager
async def opened(
    server: RunningServer, weaver_id: str, query: str = "", **options: Any
) -> AsyncIterator[Terminal]:
    """A socket on which nothing was said yet."""
    url = server.websocket_url(f"/api/weaver/{weaver_id}/attach{query}")
    # This client reads nothing while it closes with a full queue, so it would wait in vain for an answer.
    async with connect(url, max_size=None, compression=None, close_timeout=1, **options) as socket:
        yield Terminal(socket)


@asynccontextmanager
async def attached(
    server: RunningServer,
    person: Person,
    weaver_id: str,
    query: str = "",
    *,
    v1: bool = False,
    **options: Any,
) -> AsyncIterator[Terminal]:
    token = await asyncio.to_thread(ws_token, person)
    if v1:
        options["subprotocols"] = [V1]
    async with opened(server, weaver_id, query, **options) as terminal:
        await terminal.tell("auth", token=token)
        yield terminal
