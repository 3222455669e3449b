"""A weaver's output, line by line, over however many connections it takes."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from loom_weaver.client.items import LogEnd, LogItem


class AsyncLogs:
    """An async iterator of LogLine and LogGap; `async with` closes it early."""

    end: LogEnd | None
    """How the weaver ended; None while the log goes on."""
    last_id: str | None
    """The id of the last item: `logs(after=…)` goes on behind it."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> LogItem: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def aclose(self) -> None: ...
