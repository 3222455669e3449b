"""The two that are compared, each by its own protocol and both by the same client library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol, cast

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.results import TERMINADO
from benchmarks.server import HOST, SHELL, TOKEN, BenchServer

OURS = "weavers"
# A mark is looked for in so many last bytes: behind it comes only a prompt.
TAIL = 256


class Terminal:
    """One client of a terminal."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket
        self.received = 0

    async def send(self, keys: str) -> None:
        raise NotImplementedError

    async def receive(self) -> bytes:
        """The next piece of output."""
        raise NotImplementedError

    async def read_until(self, mark: bytes) -> int:
        """Read past a mark that the terminal ends with; returns how many bytes came."""
        tail = b""
        count = 0
        while mark not in tail:
            piece = await self.receive()
            count += len(piece)
            tail = tail[-TAIL:] + piece[-TAIL:]
        self.received += count
        return count

    async def run(self, command: str, name: str) -> int:
        """Run a command to its end; returns how many bytes came. The echoed line does not hold the mark."""
        await self.send(f"{command}; printf '%s%s\\n' 'end-of-' '{name}.'\r")
        return await self.read_until(f"end-of-{name}.".encode())

    async def close(self) -> None:
        await self.websocket.close()


class WeaverTerminal(Terminal):
    async def send(self, keys: str) -> None:
        await self.websocket.send(keys.encode())

    async def receive(self) -> bytes:
        return await self.websocket.recv(decode=False)


class TerminadoTerminal(Terminal):
    async def send(self, keys: str) -> None:
        await self.websocket.send(json.dumps(["stdin", keys]))

    async def receive(self) -> bytes:
        while True:
            kind, *content = json.loads(await self.websocket.recv())
            if kind == "stdout":
                return cast(str, content[0]).encode()


class Side(Protocol):
    name: str
    server: BenchServer

    def create(self) -> str:
        """A terminal with a shell; returns what to call it."""

    async def open(self, terminal: str) -> Terminal: ...

    def delete(self, terminal: str) -> None: ...


class Weavers:
    name = OURS

    def __init__(self, server: BenchServer, command: Sequence[str] = (SHELL,)) -> None:
        self.server = server
        self.command = list(command)

    def create(self) -> str:
        body = {"image": "shell", "org_id": self.server.org_id, "command": self.command}
        weaver_id: str = self.server.call("POST", "/api/weaver", body)["id"]
        return weaver_id

    def token(self) -> str:
        token: str = self.server.call("POST", "/auth/ws-token")["token"]
        return token

    async def open(self, terminal: str) -> Terminal:
        token = self.token()
        websocket = await _connect(self.server, f"/api/weaver/{terminal}/attach")
        await websocket.send(json.dumps({"type": "auth", "token": token}))
        return WeaverTerminal(websocket)

    def delete(self, terminal: str) -> None:
        self.server.call("DELETE", f"/api/weaver/{terminal}")


class Terminado:
    name = TERMINADO

    def __init__(self, server: BenchServer) -> None:
        self.server = server

    def create(self) -> str:
        name: str = self.server.call("POST", "/api/terminals")["name"]
        return name

    async def open(self, terminal: str) -> Terminal:
        return TerminadoTerminal(await _connect(self.server, f"/terminals/websocket/{terminal}"))

    def delete(self, terminal: str) -> None:
        self.server.call("DELETE", f"/api/terminals/{terminal}")


def both(server: BenchServer) -> list[Side]:
    return [Weavers(server), Terminado(server)]


async def _connect(server: BenchServer, path: str) -> ClientConnection:
    """No compression, no pings of its own, and no more kept unread than a few messages."""
    return await connect(
        f"ws://{HOST}:{server.port}{path}",
        additional_headers={"Authorization": f"token {TOKEN}"},
        compression=None,
        max_size=None,
        ping_interval=None,
        proxy=None,
    )
