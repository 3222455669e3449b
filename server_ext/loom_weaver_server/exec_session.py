"""A command in a weaver over a WebSocket: binary messages led by a stream byte, both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from loom_weaver import terminal_protocol as protocol
from loom_weaver.commands import STDIN
from loom_weaver.errors import LoomError
from loom_weaver.identity.principal import Principal
from loom_weaver.json_input import validate
from loom_weaver.models import TERMINAL_SIZE_MAX, Argument, Strict
from loom_weaver.presence import DEFAULT_SIZE
from loom_weaver.runtimes.base import ExecProcess, ExecSpec
from loom_weaver.terminal_protocol import CloseCode, Resize
from loom_weaver_server.websocket import WebSocket
from loom_weaver_server.websocket_session import WebSocketSession

if TYPE_CHECKING:
    from loom_weaver_server.house import House

Length = Annotated[int, Field(ge=1, le=TERMINAL_SIZE_MAX)]


class ExecStart(Strict):
    """The first message."""

    type: Literal["auth"]
    token: str
    command: list[Argument] = Field(min_length=1)
    tty: bool = False
    cols: Length = DEFAULT_SIZE[0]
    rows: Length = DEFAULT_SIZE[1]


class ExecSession(WebSocketSession):
    __slots__ = ("_command", "_drained", "_process", "_started", "_weaver_id")

    first_message: ClassVar[str] = '{"type": "auth", "token": "ws_…", "command": […]}'
    longest_first_message: ClassVar[int] = 2 * 1024 * 1024

    def __init__(self, house: House, websocket: WebSocket, weaver_id: str) -> None:
        super().__init__(house, websocket)
        self._weaver_id = weaver_id
        self._command: asyncio.Task[None] | None = None
        self._process: ExecProcess | None = None
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._drained = asyncio.Event()
        self._drained.set()

    def __repr__(self) -> str:
        return f"<ExecSession {self._weaver_id} live={self.live}>"

    async def begin(self, principal: Principal, message: dict[str, Any]) -> None:
        asked = validate(ExecStart, message)
        weaver = self.house.service.find(principal, "exec", self._weaver_id)
        spec = ExecSpec(tuple(asked.command), tty=asked.tty, cols=asked.cols, rows=asked.rows)
        self._command = asyncio.create_task(self._run_command(weaver.id, spec), name="command in a weaver")
        self._command.add_done_callback(self._finished)
        await self._started

    def take(self, message: str | bytes) -> Awaitable[None] | None:
        if self._process is None or not message:
            return None
        if isinstance(message, str):
            meaning = protocol.v1_text(message)
            if isinstance(meaning, Resize):
                self._process.resize(*meaning.size)
            return None
        if message[0] != STDIN:
            return None
        return self._process.write(message[1:]) if len(message) > 1 else self._process.close_stdin()

    def readmit(self, principal: Principal) -> None:
        self.house.service.find(principal, "exec", self._weaver_id)

    def release(self) -> None:
        if self._command is not None:
            self._command.cancel()

    def on_full(self) -> None:
        self._drained.clear()

    def on_drained(self) -> None:
        self._drained.set()

    async def _run_command(self, weaver_id: str, spec: ExecSpec) -> None:
        """Cancelled when the client goes, which ends the command."""
        try:
            async with self.house.service.runtime.exec(weaver_id, spec) as process:
                self._process = process
                self._started.set_result(None)
                await self._relay(process)
        except LoomError as error:
            if not self._started.done():
                self._started.set_exception(error)
            self.websocket.close(*protocol.refusal(error))

    async def _relay(self, process: ExecProcess) -> None:
        async for stream, data in process.output():
            self.websocket.send_bytes(bytes((stream,)) + data)
            await self._drained.wait()
        exit_code = await process.wait()
        self.websocket.send_text(protocol.exec_exit(exit_code, process.warning))
        self.websocket.close(CloseCode.NORMAL, f"exited {exit_code}")
