"""The fake API server with one program behind its pods: a terminal, its log, and commands that really run."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from typing import Any

from aiohttp import web

from loom_weaver.runtimes.kubernetes.channels import CLOSE, ERROR, STDERR, STDIN, STDOUT, V5
from tests.unit.kubernetes.fake_api import FakeApi

RUNNING: dict[str, Any] = {
    "phase": "Running",
    "containerStatuses": [{"name": "weaver", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}],
}


class StreamApi(FakeApi):
    """The test says what an attach brings; what the program put out before is in `log` only."""

    def __init__(self, protocol: str = V5) -> None:
        super().__init__()
        self.protocol = protocol
        self.log = b""
        self.logs_read = 0
        self.typed = bytearray()
        self.attached: list[web.WebSocketResponse] = []
        self.commands: list[Process] = []
        self.heard = asyncio.Event()
        """What commands say waits for it; it is set at first."""
        self.heard.set()
        self._streams = asyncio.Condition()

    async def run(self, name: str) -> None:
        """A node takes the pod, and its program runs."""
        await self.set(name, spec={"nodeName": "node"}, status=RUNNING)

    async def end(self, name: str) -> None:
        """Its program ends, and so does the newest attach."""
        await self.attached[-1].send_bytes(bytes([ERROR]) + _ending(0))
        await self.set(name, status={"phase": "Succeeded"})

    async def until_attached(self, count: int) -> web.WebSocketResponse:
        async with asyncio.timeout(30), self._streams:
            await self._streams.wait_for(lambda: len(self.attached) >= count)
        return self.attached[count - 1]

    async def until_begun(self, count: int) -> Process:
        async with asyncio.timeout(30), self._streams:
            await self._streams.wait_for(lambda: len(self.commands) >= count)
        return self.commands[count - 1]

    async def until_typed(self, wanted: bytes) -> None:
        async with asyncio.timeout(30), self._streams:
            await self._streams.wait_for(lambda: wanted in self.typed)

    async def put_out(self, data: bytes) -> None:
        """By the newest attach, and whole lines to the log."""
        self.log += data.replace(b"\r\n", b"\n")
        await self.attached[-1].send_bytes(bytes([STDOUT]) + data)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        match request.path.rpartition("/")[2]:
            case "log":
                self.logs_read += 1
                return web.Response(body=self.log[: self.log.rfind(b"\n") + 1])
            case "attach":
                return await self._attach(await self._upgraded(request))
            case "exec":
                return await self._exec(await self._upgraded(request), request.query.getall("command"))
        return await super()._answer(request)

    async def _upgraded(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=(self.protocol,))
        await socket.prepare(request)
        await socket.send_bytes(bytes([STDOUT]))
        return socket

    async def _attach(self, socket: web.WebSocketResponse) -> web.WebSocketResponse:
        async with self._streams:
            self.attached.append(socket)
            self._streams.notify_all()
        async for message in socket:
            if message.data[0] == STDIN:
                async with self._streams:
                    self.typed += message.data[1:]
                    self._streams.notify_all()
        return socket

    async def _exec(self, socket: web.WebSocketResponse, command: list[str]) -> web.WebSocketResponse:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        async with self._streams:
            self.commands.append(process)
            self._streams.notify_all()
        await self.heard.wait()
        feeding = asyncio.create_task(self._feed(socket, process))
        assert process.stdout
        assert process.stderr
        await asyncio.gather(
            _pass_on(process.stdout, socket, STDOUT), _pass_on(process.stderr, socket, STDERR)
        )
        code = await process.wait()
        if not socket.closed:
            await socket.send_bytes(bytes([ERROR]) + _ending(code))
            await socket.close()
        await feeding
        return socket

    async def _feed(self, socket: web.WebSocketResponse, process: Process) -> None:
        """A version 4 knows no end of the input but that of the connection."""
        assert process.stdin
        async for message in socket:
            if message.data[0] == STDIN:
                process.stdin.write(message.data[1:])
            elif message.data == bytes([CLOSE, STDIN]) and self.protocol == V5:
                process.stdin.close()
        process.stdin.close()


async def _pass_on(stream: asyncio.StreamReader, socket: web.WebSocketResponse, channel: int) -> None:
    while data := await stream.read(32 * 1024):
        if not socket.closed:
            await socket.send_bytes(bytes([channel]) + data)


def _ending(code: int) -> bytes:
    if code == 0:
        return b'{"metadata":{},"status":"Success"}'
    return (
        b'{"metadata":{},"status":"Failure","reason":"NonZeroExitCode",'
        b'"details":{"causes":[{"reason":"ExitCode","message":"%d"}]}}' % code
    )
