"""What becomes of weavers: every change, over however many connections it takes."""

from __future__ import annotations

from typing import Self, cast, get_args

from loom_weaver.client.event_source import EventSource
from loom_weaver.client.items import EventKind, WeaverEvent
from loom_weaver.client.sse import ServerEvent
from loom_weaver.client.stream import AsyncStream
from loom_weaver.client.transport import Transport
from loom_weaver.models import WeaverObject

KINDS = frozenset(get_args(EventKind))
ABOUT_THE_STREAM = frozenset({"ready", "reset"})
PATH = "/api/weavers/events"


class AsyncEvents(AsyncStream[WeaverEvent]):
    """An async iterator of WeaverEvent, without end; `async with` closes it."""

    def __init__(self, transport: Transport, *, after: str | None = None) -> None:
        super().__init__()
        self._source = EventSource(transport, PATH, [], after=after)

    def __repr__(self) -> str:
        return f"<AsyncEvents {self._source!r}>"

    async def __aenter__(self) -> Self:
        await self._source.open()
        return self

    async def aclose(self) -> None:
        """Close it."""
        await self._source.aclose()

    async def _more(self) -> list[WeaverEvent]:
        while events := await self._source.events():
            # A later version may tell of more.
            if items := [_item(event) for event in events if event.kind in KINDS]:
                return items
        return []


def _item(event: ServerEvent) -> WeaverEvent:
    kind = cast(EventKind, event.kind)
    weaver = None if kind in ABOUT_THE_STREAM else WeaverObject.model_validate_json(event.data)
    return WeaverEvent(kind, weaver, event.id)
