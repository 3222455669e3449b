"""What becomes of weavers, as one caller may see it: first the present ones, then every change."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from typing import Literal

from loom_weaver.changes import Change, ChangeLog, HistoryLost, Kind
from loom_weaver.weaver import Weaver

EVENT_ID = re.compile(r"([0-9a-f]+):([0-9]{1,18})")
# One write's worth; a slow reader holds no more than this between two looks at the history.
BATCH = 64


@dataclass(frozen=True, slots=True)
class WeaverEvent:
    """`reset` tells the reader to forget what it has, `ready` that the list is complete."""

    id: str
    kind: Kind | Literal["ready", "reset"]
    weaver: Weaver | None = None


@dataclass(frozen=True, slots=True)
class WeaverEvents:
    """One reader's events. `sees` is asked anew for each weaver, as what a caller may see can change."""

    changes: ChangeLog
    weavers: Callable[[], Collection[Weaver]]
    sees: Callable[[Weaver], bool]

    async def after(self, last_event_id: str | None) -> AsyncIterator[list[WeaverEvent]]:
        """Batches for ever: resumed after `last_event_id` where that is possible, else from the list on."""
        number, reset = self._resumed(last_event_id), last_event_id is not None
        while True:
            if number is None:
                # The list and the number it is true for are taken in one breath.
                number, listed = self.changes.last, self._list(reset)
                for start in range(0, len(listed), BATCH):
                    yield listed[start : start + BATCH]
            try:
                changes = self.changes.since(number)[:BATCH]
            except HistoryLost:
                number, reset = None, True
                continue
            if changes:
                number = changes[-1].number
                yield [self._event(change) for change in changes if self.sees(change.weaver)]
            else:
                await self.changes.news()

    def _resumed(self, last_event_id: str | None) -> int | None:
        match = EVENT_ID.fullmatch(last_event_id or "")
        return int(match[2]) if match and match[1] == self.changes.epoch else None

    def _list(self, reset: bool) -> list[WeaverEvent]:
        """Only its end can be resumed from: who leaves before that has half a list, and starts over."""
        half = f"{self.changes.epoch}:list"
        return [
            *([WeaverEvent(half, "reset")] if reset else []),
            *(WeaverEvent(half, "added", weaver) for weaver in self.weavers() if self.sees(weaver)),
            WeaverEvent(f"{self.changes.epoch}:{self.changes.last}", "ready"),
        ]

    def _event(self, change: Change) -> WeaverEvent:
        return WeaverEvent(f"{self.changes.epoch}:{change.number}", change.kind, change.weaver)
