"""A weaver's output, line by line, over however many connections it takes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from loom_weaver.client.event_source import EventSource
from loom_weaver.client.items import LogEnd, LogGap, LogItem, LogLine
from loom_weaver.client.sse import ServerEvent
from loom_weaver.client.stream import AsyncStream
from loom_weaver.client.transport import Params, Transport, weaver_path
from loom_weaver.lifetime import rfc3339

# All that is kept.
BEGINNING = "1970-01-01T00:00:00Z"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ", re.ASCII)


@dataclass(frozen=True, slots=True)
class LogRange:
    """Which part of a log: the last `tail` lines, what came `since` then, what follows `after` an item."""

    tail: int | None = None
    since: datetime | str | None = None
    follow: bool = True
    after: str | None = None

    def params(self) -> Params:
        since = rfc3339(self.since) if isinstance(self.since, datetime) else self.since
        params: Params = [("timestamps", "true"), ("follow", "true" if self.follow else "false")]
        if self.tail is not None:
            params.append(("tail", str(self.tail)))
        if since is not None or self.tail is None:
            params.append(("since", since or BEGINNING))
        return params


class AsyncLogs(AsyncStream[LogItem]):
    """An async iterator of LogLine and LogGap that ends with the weaver; `async with` closes it early."""

    def __init__(self, transport: Transport, weaver_id: str, asked: LogRange) -> None:
        super().__init__()
        self._source = EventSource(
            transport,
            weaver_path(weaver_id, "/logs"),
            asked.params(),
            after=asked.after,
            ends=not asked.follow,
        )
        if asked.tail == 0:
            # What is new stays so while the link is down.
            self._source.reopening = lambda opened_at: LogRange(since=opened_at, follow=asked.follow).params()
        self._weaver_id = weaver_id
        self._end: LogEnd | None = None

    def __repr__(self) -> str:
        return f"<AsyncLogs {self._weaver_id} end={self._end}>"

    @property
    def end(self) -> LogEnd | None:
        """How the weaver ended; None while its log goes on."""
        return self._end

    async def __aenter__(self) -> Self:
        await self._source.open()
        return self

    async def aclose(self) -> None:
        """Close it; the weaver goes on."""
        await self._source.aclose()

    async def _more(self) -> list[LogItem]:
        while self._end is None:
            events = await self._source.events()
            if not events:
                break
            items = [item for event in events if (item := self._item(event)) is not None]
            if items:
                return items
        await self._source.aclose()
        return []

    def _item(self, event: ServerEvent) -> LogItem | None:
        if event.kind == "message":
            return _line(event)
        if event.kind == "gap":
            return LogGap(json.loads(event.data)["bytes"], event.id)
        if event.kind == "end":
            told = json.loads(event.data)
            self._end = LogEnd(told["status"], told["exit_code"], told["reason"])
        return None


def _line(event: ServerEvent) -> LogLine:
    id_, _, data = event
    # Within a line there is no LF: these were carriage returns.
    text = data.replace("\n", "\r") if "\n" in data else data
    stamp = STAMP.match(text)
    if stamp is None:
        return LogLine(text, None, id_)
    return LogLine(text[stamp.end() :], stamp[0][:-1], id_)
