"""A command in a weaver, from the server's side: the holder started it, its descriptors are ours."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from loom_weaver.errors import BadRequest, Conflict, RuntimeFailure, RuntimeTimeout
from loom_weaver.runtimes.base import NOT_RUNNING, ExecSpec
from loom_weaver.runtimes.local.holder_client import NO_ANSWER, connect
from loom_weaver.runtimes.local.protocol import encode
from loom_weaver.runtimes.local.terminal import set_size

if TYPE_CHECKING:
    from loom_weaver.runtimes.local.held_weaver import HeldWeaver

START_SECONDS = 10.0
# What waits in the server for a reader, per stream.
READ = 64 * 1024
STDOUT, STDERR = 1, 2


class HolderExec:
    """Implements `ExecProcess`. Closing it ends the command."""

    warning: str | None = None

    def __init__(self, connection: socket.socket, descriptors: list[int]) -> None:
        self._connection = connection
        self._tty = descriptors[0] if len(descriptors) == 1 else None
        self._stdin = os.dup(descriptors[0]) if self._tty is not None else descriptors[0]
        self._outputs = (
            {STDOUT: descriptors[0]} if self._tty is not None else dict(enumerate(descriptors[1:], 1))
        )
        self._exit = asyncio.create_task(self._wait_for_exit(), name="exit of a command in a weaver")
        for descriptor in (self._stdin, *self._outputs.values()):
            os.set_blocking(descriptor, False)

    async def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view and self._stdin >= 0:
            try:
                view = view[os.write(self._stdin, view) :]
            except BlockingIOError:
                await _ready(self._stdin, write=True)
            except (BrokenPipeError, OSError):
                await self.close_stdin()
                return

    async def close_stdin(self) -> None:
        if self._stdin >= 0 and self._tty is None:
            os.close(self._stdin)
            self._stdin = -1

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """Ends with the command, also where something that it left behind still holds its descriptors."""
        reading = {self._reading(stream): stream for stream in self._outputs}
        try:
            while reading and not self._exit.done():
                done, _ = await asyncio.wait({*reading, self._exit}, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in reading if task in done]:
                    stream = reading.pop(task)
                    if data := task.result():
                        yield stream, data
                        reading[self._reading(stream)] = stream
        finally:
            for task in reading:
                task.cancel()
            if reading:
                await asyncio.wait(reading)
        for stream in reading.values():
            while rest := self._read_now(stream):
                yield stream, rest

    async def wait(self) -> int:
        """Raise RuntimeFailure where the weaver's process ends without telling."""
        return await asyncio.shield(self._exit)

    def resize(self, cols: int, rows: int) -> None:
        if self._tty is not None:
            set_size(self._tty, cols, rows)

    async def close(self) -> None:
        self._exit.cancel()
        await asyncio.wait([self._exit])
        self._connection.close()
        for descriptor in {self._stdin, *self._outputs.values()} - {-1}:
            os.close(descriptor)
        self._stdin = -1
        self._outputs = {}

    async def _wait_for_exit(self) -> int:
        loop = asyncio.get_running_loop()
        answer = b""
        while not answer.endswith(b"\n"):
            try:
                data = await loop.sock_recv(self._connection, 4096)
            except OSError:
                data = b""
            if not data:
                raise RuntimeFailure("the weaver ended while the command ran")
            answer += data
        return int(json.loads(answer)["exit_code"])

    def _reading(self, stream: int) -> asyncio.Task[bytes]:
        return asyncio.create_task(self._read(stream))

    async def _read(self, stream: int) -> bytes:
        while (data := self._read_now(stream)) is None:
            await _ready(self._outputs[stream])
        return data

    def _read_now(self, stream: int) -> bytes | None:
        """None where there is nothing yet, empty at the end."""
        try:
            return os.read(self._outputs[stream], READ)
        except BlockingIOError:
            return None
        except OSError:
            # A terminal whose other side is closed says EIO where a pipe says end of file.
            return b""


async def open_exec(held: HeldWeaver, spec: ExecSpec) -> HolderExec:
    """Raise BadRequest for a command that cannot be started, Conflict where the weaver has just ended."""
    hello: dict[str, Any] = {
        "op": "exec",
        "secret": held.secret,
        "command": list(spec.command),
        "tty": spec.tty,
        "cols": spec.cols,
        "rows": spec.rows,
    }
    loop = asyncio.get_running_loop()
    try:
        connection = connect(held.folder)
    except OSError as error:
        raise Conflict(NOT_RUNNING) from error
    try:
        async with asyncio.timeout(START_SECONDS):
            await loop.sock_sendall(connection, encode(hello))
            await _ready(connection.fileno())
        data, descriptors, _, _ = socket.recv_fds(connection, 64 * 1024, 3)
    except TimeoutError as error:
        connection.close()
        raise RuntimeTimeout(NO_ANSWER) from error
    except BaseException:
        connection.close()
        raise
    if descriptors:
        return HolderExec(connection, descriptors)
    connection.close()
    if not data:
        raise Conflict(NOT_RUNNING)
    raise BadRequest(json.loads(data)["error"], field="command")


async def _ready(descriptor: int, *, write: bool = False) -> None:
    """Wait until a descriptor can be read or written."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    (loop.add_writer if write else loop.add_reader)(descriptor, _wake, future)
    try:
        await future
    finally:
        (loop.remove_writer if write else loop.remove_reader)(descriptor)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
