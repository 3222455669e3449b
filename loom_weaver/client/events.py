"""What becomes of weavers: every change, over however many connections it takes."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from loom_weaver.client.items import WeaverEvent


class AsyncEvents:
    """An async iterator of WeaverEvent; `async with` closes it early."""

    last_id: str | None
    """The id of the last item: `events(after=…)` goes on behind it."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> WeaverEvent: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def aclose(self) -> None: ...
