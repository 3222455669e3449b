"""What all blocking classes share: each is a face of an asynchronous object, whose loop runs in a thread."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from loom_weaver.client.async_client import AsyncClient
from loom_weaver.client.async_weaver import AsyncWeaver, display_of
from loom_weaver.client.loop_thread import LoopThread
from loom_weaver.client.stream import AsyncStream
from loom_weaver.errors import LoomError
from loom_weaver.models import WeaverObject

# A cell is not kept waiting for the picture of what it made.
PATIENCE_OF_A_PICTURE = 2.0


class Enterable(Protocol):
    async def __aenter__(self) -> Any: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


It = TypeVar("It", bound=Enterable)
Stream = TypeVar("Stream", bound=AsyncStream[Any])
Item = TypeVar("Item")


class Face(Generic[It]):
    def __init__(self, it: It, loop: LoopThread) -> None:
        self._it = it
        self._loop = loop

    def __repr__(self) -> str:
        return repr(self._it).replace("<Async", "<", 1)

    def __enter__(self) -> Self:
        self._loop.run(self._it.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.run(self._it.__aexit__(kind, error, trace))


class StreamFace(Face[Stream], Generic[Stream, Item]):
    """An iterator; `with` closes it early. One thread at a time reads it."""

    def __init__(self, it: Stream, loop: LoopThread) -> None:
        super().__init__(it, loop)
        self._items: deque[Item] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Item:
        if not self._items:
            self._items.extend(self._loop.run(self._it.batch()))
        if not self._items:
            raise StopIteration
        return self._items.popleft()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close it; what it streams goes on."""
        # A client that is closed has closed its streams.
        if not self._loop.is_closed:
            self._loop.run(self._it.aclose())


class WeaverFace(Face[AsyncWeaver]):
    """What notebooks ask of a weaver to draw it."""

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return display_of(self)

    @property
    def id(self) -> str:
        return self._it.id


def latest(weaver: WeaverFace) -> WeaverObject:
    """Its present state; the last known where a server does not tell it at once."""
    it, loop = weaver._it, weaver._loop
    with suppress(LoomError, TimeoutError):
        return loop.run(asyncio.wait_for(it.refresh(), PATIENCE_OF_A_PICTURE))
    return it.state


def last_lines(weaver: WeaverFace, count: int) -> list[str]:
    """Of its log; fewer where it has fewer, or they do not come at once."""
    lines: list[str] = []

    async def read() -> None:
        async with weaver._it.logs(tail=count, follow=False) as log:
            while items := await log.batch():
                lines.extend(map(str, items))

    with suppress(LoomError, TimeoutError):
        weaver._loop.run(asyncio.wait_for(read(), PATIENCE_OF_A_PICTURE))
    return lines


class ClientFace(Face[AsyncClient]):
    """It owns the loop."""

    def __init__(self, it: AsyncClient) -> None:
        super().__init__(it, LoopThread())
        # Also where nobody closes it.
        self._finalizer = weakref.finalize(self, _close, it, self._loop)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every stream and connection; weavers go on."""
        self._finalizer()


def _close(client: AsyncClient, loop: LoopThread) -> None:
    try:
        loop.run(client.aclose())
    finally:
        loop.close()
