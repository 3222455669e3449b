"""A weaver's log as Server-Sent Events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from loom_weaver.errors import BadRequest, NotFound
from loom_weaver.lifetime import parse_rfc3339, rfc3339
from loom_weaver.runtimes.base import LogEnd, LogGap, LogItem, LogStart
from loom_weaver.weaver import Weaver
from loom_weaver_server.metrics import LOG_READERS
from loom_weaver_server.operations import Argument, Operation, operation
from loom_weaver_server.query import Query
from loom_weaver_server.sse import EventStreamHandler, encode_event

DEFAULT_TAIL = 256
# How much is encoded and handed to the socket before anybody else gets a turn.
LARGEST_WRITE = 64 * 1024
BOOLEAN = {"type": "boolean", "default": True}
ARGUMENTS = (
    Argument(
        "tail",
        {"type": "integer", "minimum": 0, "default": DEFAULT_TAIL},
        "Lines from the end; 0: only new ones. With since: the last of those",
    ),
    Argument("timestamps", BOOLEAN, "Whether each line begins with its time and a space"),
    Argument("follow", BOOLEAN, "Whether to wait for more; false: end after the present lines"),
    Argument("since", {"type": "string", "format": "date-time"}, "Only lines from this time on"),
    Argument("Last-Event-ID", {"type": "string"}, "Go on behind this event; beats tail and since", "header"),
)

Batches = AsyncIterator[list[LogItem] | LogEnd]


@dataclass(frozen=True, slots=True)
class LogQuery:
    start: LogStart
    follow: bool
    timestamps: bool


class LogsHandler(EventStreamHandler):
    @operation(
        Operation(
            "Follow a weaver's log",
            arguments=ARGUMENTS,
            answers={200: "text/event-stream", 204: None},
            errors=(400, 403, 404, 502, 504),
        )
    )
    async def get(self, weaver_id: str) -> None:
        query = self._log_query(self.query)
        weaver = self.service.find(self.principal, "logs", weaver_id)
        async with self.service.runtime.logs(weaver_id, query.start, follow=query.follow) as batches:
            first = await _end_known_before(weaver, query.start, batches)
            if isinstance(first, LogEnd) and first.id == query.start.after:
                self.set_status(204)
                return
            with LOG_READERS.track_inprogress():
                async with self.event_stream("logs", weaver_id) as stream:
                    async for events in self._events(weaver, _resumed(first, batches), query.timestamps):
                        await stream.send(events)

    def _log_query(self, query: Query) -> LogQuery:
        query.expect([argument.name for argument in ARGUMENTS if argument.place == "query"])
        since = _since(query)
        tail = query.integer("tail", None if since else DEFAULT_TAIL)
        after = self.request.headers.get("Last-Event-ID") or None
        return LogQuery(
            start=LogStart(tail=tail, since=since, after=after),
            follow=query.boolean("follow", True),
            timestamps=query.boolean("timestamps", True),
        )

    async def _events(self, weaver: Weaver, batches: Batches, timestamps: bool) -> AsyncIterator[bytes]:
        async for batch in batches:
            if isinstance(batch, LogEnd):
                yield encode_event(self._outcome(weaver), id=batch.id, event="end")
                return
            for events in encode_items(batch, timestamps):
                yield events

    def _outcome(self, weaver: Weaver) -> str:
        try:
            weaver = self.service.runtime.get(weaver.id)
        except NotFound:
            weaver = weaver.changed(status="terminating", reason="Deleted")
        return json.dumps(
            {"status": weaver.status, "exit_code": weaver.exit_code, "reason": weaver.reason},
            ensure_ascii=False,
        )


def encode_items(items: Iterable[LogItem], timestamps: bool) -> Iterator[bytes]:
    """Events in writes of a bounded size. Only the first piece of a line has a time to show."""
    events: list[bytes] = []
    size = 0
    for item in items:
        if isinstance(item, LogGap):
            event = encode_event(json.dumps({"bytes": item.missing}), id=item.id, event="gap")
        else:
            prefix = rfc3339(item.at) + " " if timestamps and item.at is not None else ""
            event = encode_event(prefix + item.text, id=item.id)
        events.append(event)
        size += len(event)
        if size >= LARGEST_WRITE:
            yield b"".join(events)
            events, size = [], 0
    if events:
        yield b"".join(events)


async def _end_known_before(
    weaver: Weaver, start: LogStart, batches: Batches
) -> list[LogItem] | LogEnd | None:
    """What comes first, where that may be the end that the caller knows already."""
    if start.after is None or weaver.active:
        return None
    return await anext(batches, None)


async def _resumed(first: list[LogItem] | LogEnd | None, batches: Batches) -> Batches:
    if first is not None:
        yield first
    async for batch in batches:
        yield batch


def _since(query: Query) -> datetime | None:
    text = query.text("since")
    if text is None:
        return None
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise BadRequest("must be an RFC 3339 time such as 2026-03-03T12:00:00Z", field="since") from error
