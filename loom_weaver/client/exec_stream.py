"""A command in a weaver, with its streams."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from loom_weaver.client.items import Chunk


class AsyncExecStream:
    """An async iterator of Chunk that ends with the command; then `exit_code` is set.

    Entering starts the command, leaving ends it where it still runs. A link that breaks ends it too, and raises
    ConnectionFailed: a command is never run twice.
    """

    exit_code: int | None
    warning: str | None

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Chunk: ...

    async def send(self, data: str | bytes) -> None:
        """Its standard input."""

    async def send_eof(self) -> None:
        """End its standard input."""

    async def resize(self, cols: int, rows: int) -> None: ...

    async def wait(self) -> int:
        """Its exit code; drops the output that nobody has read."""

    async def aclose(self) -> None: ...
