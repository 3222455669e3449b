"""What happened to weavers, in order: a bounded history that each of its readers follows at its own pace."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from loom_weaver.weaver import Weaver

Kind = Literal["added", "modified", "deleted"]
# Entries are references to weavers that mostly live elsewhere too; a reader further behind starts over.
HISTORY = 1024


@dataclass(frozen=True, slots=True)
class Change:
    number: int
    kind: Kind
    weaver: Weaver


class HistoryLost(Exception):
    """The reader asked for changes that are no longer kept: it has to start over with a list."""


class ChangeLog:
    """Numbered changes of one server process; `epoch` tells its numbers from those of another."""

    def __init__(self, history: int = HISTORY) -> None:
        self.epoch = secrets.token_hex(4)
        self.last = 0
        self._kept: deque[Change] = deque(maxlen=history)
        self._news: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        return f"<ChangeLog {self.epoch}:{self.last} kept={len(self._kept)}>"

    def publish(self, kind: Kind, weaver: Weaver) -> None:
        self.last += 1
        self._kept.append(Change(self.last, kind, weaver))
        if self._news is not None:
            self._news.set_result(None)
            self._news = None

    def since(self, number: int) -> list[Change]:
        """The changes after `number`; raises HistoryLost where some are gone or it was never given."""
        missing = self.last - number
        if missing < 0 or missing > len(self._kept):
            raise HistoryLost
        return list(self._kept)[len(self._kept) - missing :] if missing else []

    async def news(self) -> None:
        """Wait for the next publish."""
        if self._news is None:
            self._news = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._news)

    async def follow(self, number: int) -> AsyncIterator[Change]:
        """Every change after `number`, for ever; raises HistoryLost as `since` does."""
        while True:
            for change in self.since(number):
                yield change
                number = change.number
            if number == self.last:
                await self.news()
