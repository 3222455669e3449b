"""What all streams of a client share: items in batches, one at a time for who iterates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class AsyncStream(ABC, Generic[Item]):
    """An async iterator; `async with` closes it early. One task at a time reads it."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        if not self._items:
            self._items.extend(await self._more())
        if not self._items:
            raise StopAsyncIteration
        return self._items.popleft()

    async def batch(self) -> list[Item]:
        """All items that are there, after waiting for the first; empty at the end. Faster than one by one."""
        items = list(self._items) or await self._more()
        self._items.clear()
        return items

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @abstractmethod
    async def _more(self) -> list[Item]:
        """The next items, at least one; none at the end. Cancelled, it loses none."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close it; what it streams goes on."""
