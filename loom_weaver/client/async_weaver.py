"""One weaver in a program's hands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from os import PathLike
from types import TracebackType
from typing import Literal, Self

from loom_weaver.client.attachment import AsyncAttachment
from loom_weaver.client.exec_stream import AsyncExecStream
from loom_weaver.client.logs import AsyncLogs
from loom_weaver.models import ExecResult, WeaverObject


class AsyncWeaver:
    """The methods of a client that concern one weaver; those that need it running wait for that first."""

    id: str
    state: WeaverObject
    """As it was last heard of; `refresh` asks anew."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def refresh(self) -> WeaverObject: ...

    async def wait(
        self, until: Literal["running", "ended"] = "running", *, timeout: float | None = None
    ) -> WeaverObject: ...

    def logs(
        self, *, tail: int | None = None, since: datetime | str | None = None, follow: bool = True
    ) -> AsyncLogs: ...

    def attach(self, *, size: tuple[int, int] | None = None, scrollback: bool = True) -> AsyncAttachment: ...

    async def exec(
        self, command: Sequence[str], *, stdin: str | bytes = b"", timeout: float = 300.0, check: bool = False
    ) -> ExecResult: ...

    def exec_stream(
        self, command: Sequence[str], *, tty: bool = False, size: tuple[int, int] | None = None
    ) -> AsyncExecStream: ...

    async def read_file(self, path: str) -> bytes: ...

    async def write_file(self, path: str, data: str | bytes) -> None: ...

    async def upload(self, local: str | PathLike[str], remote: str) -> None: ...

    async def download(self, remote: str, local: str | PathLike[str]) -> None: ...

    async def extend(self, lifetime_hours: int) -> WeaverObject: ...

    async def delete(self) -> None: ...
