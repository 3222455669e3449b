"""What the links of a holder see of it. For type checkers: nothing of this is needed at run time."""

from __future__ import annotations

from typing import Any, Protocol

from loom_weaver.runtimes.local.light_socket import Socket
from loom_weaver.runtimes.local.log_writer import LogWriter
from loom_weaver.runtimes.local.loop import Loop
from loom_weaver.runtimes.local.protocol import Lines
from loom_weaver.runtimes.local.record import Record
from loom_weaver.runtimes.local.sandbox import Sandbox


class Exits(Protocol):
    def exited(self, status: int) -> None:
        """A command's process was waited for; `status` is its wait status."""


class Commands(Protocol):
    """A connection that takes requests."""

    def send(self, message: dict[str, Any]) -> None: ...

    def take(self, data: bytes) -> None: ...

    def follow(self, following: bool) -> None: ...


class Holder(Protocol):
    """Implemented by `holder.Holder`."""

    loop: Loop
    log: LogWriter
    record: Record
    finished: bool
    sandbox: Sandbox
    execs: dict[int, Exits]

    def add_control(self, connection: Socket, lines: Lines) -> Commands: ...

    def add_viewer(self, connection: Socket, name: str, offset: int) -> None: ...

    def forget_control(self, link: Commands) -> None: ...

    def forget_viewer(self, link: object) -> None: ...

    def answer(self, link: Commands, request: dict[str, Any]) -> dict[str, Any]: ...

    def size(self) -> tuple[int, int]: ...

    def type(self, data: bytes) -> None: ...

    def update_flow(self) -> None: ...
