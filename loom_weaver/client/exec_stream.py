"""A command in a weaver, with its streams."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from loom_weaver.client.attachment import PIECE, checked_size
from loom_weaver.client.errors import ConnectionFailed
from loom_weaver.client.fields import checked_command
from loom_weaver.client.items import Chunk
from loom_weaver.client.link import Closed, Link
from loom_weaver.client.stream import AsyncStream
from loom_weaver.client.transport import Transport, weaver_path
from loom_weaver.errors import Conflict, LoomError
from loom_weaver.terminal_protocol import CloseCode

# The byte that leads a message (docs/api.md, Exec).
STDIN, STDERR = 0, 2


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command; with `tty` it has a terminal, of `size` (columns, rows)."""

    command: Sequence[str]
    tty: bool = False
    size: tuple[int, int] | None = None

    def message(self) -> dict[str, Any]:
        size = checked_size(self.size)
        shape = {} if size is None else {"cols": size[0], "rows": size[1]}
        return {"command": checked_command(self.command), "tty": self.tty, **shape}


class AsyncExecStream(AsyncStream[Chunk]):
    """An async iterator of Chunk that ends with the command; then `exit_code` is set.

    Entering starts the command, leaving ends it where it still runs. A link that breaks ends it too, and
    raises ConnectionFailed: a command is never run twice. BadRequest for a command that does not exist comes
    with the first item.
    """

    def __init__(self, transport: Transport, weaver_id: str, line: CommandLine) -> None:
        super().__init__()
        self._transport = transport
        self._path = weaver_path(weaver_id, "/exec")
        self._first = line.message()
        self.before: Callable[[], Awaitable[None]] | None = None
        """What is waited for before the command is started."""
        self._link: Link | None = None
        self._exit_code: int | None = None
        self._warning: str | None = None
        self._over = False

    def __repr__(self) -> str:
        state = f"exited {self._exit_code}" if self._over else "running" if self._link else "not started"
        return f"<AsyncExecStream {self._first['command'][0]} {state}>"

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._exit_code

    @property
    def warning(self) -> str | None:
        """What the server has to say about how it was run."""
        return self._warning

    async def __aenter__(self) -> Self:
        await self._started()
        return self

    async def send(self, data: str | bytes) -> None:
        """Its standard input."""
        raw = data.encode() if isinstance(data, str) else data
        for start in range(0, len(raw), PIECE):
            await self._send(bytes([STDIN]) + raw[start : start + PIECE])

    async def send_eof(self) -> None:
        """End its standard input."""
        await self._send(bytes([STDIN]))

    async def resize(self, cols: int, rows: int) -> None:
        """Of a command with a tty."""
        checked_size((cols, rows))
        await self._send(json.dumps({"type": "resize", "cols": cols, "rows": rows}))

    async def wait(self) -> int:
        """Its exit code; drops the output that nobody has read."""
        while await self.batch():
            pass
        if self._exit_code is None:
            raise ConnectionFailed("the command was ended before it told its exit code")
        return self._exit_code

    async def aclose(self) -> None:
        """End it where it still runs."""
        self._over = True
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    async def _started(self) -> Link:
        if self._link is None:
            if self.before is not None:
                await self.before()
            self._link = await Link.open(self._transport, self._path, self._first)
        return self._link

    async def _send(self, message: str | bytes) -> None:
        if self._over:
            raise ConnectionFailed("the command has ended", sent=False)
        link = await self._started()
        try:
            await link.send(message)
        except Closed as closed:
            raise _failure(closed, "has ended") from closed

    async def _more(self) -> list[Chunk]:
        while not self._over:
            link = await self._started()
            try:
                message = await link.receive()
            except Closed as closed:
                await self.aclose()
                raise _failure(closed, "was ended") from closed
            if isinstance(message, bytes):
                if len(message) > 1:
                    return [Chunk("stderr" if message[0] == STDERR else "stdout", message[1:])]
            elif (told := json.loads(message)).get("type") == "exit":
                self._exit_code, self._warning = told["exit_code"], told["warning"]
                await self.aclose()
        return []


def _failure(closed: Closed, what: str) -> LoomError:
    if closed.code == CloseCode.ENDED:
        return Conflict(closed.reason)
    return closed.refusal() or ConnectionFailed(f"the command {what}: {closed}")
