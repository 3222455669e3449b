"""Everything that happens to weavers, as Server-Sent Events."""

from __future__ import annotations

from loom_weaver.events import WeaverEvent
from loom_weaver.weaver import Weaver
from loom_weaver_server.operations import Argument, Operation, operation
from loom_weaver_server.sse import EventStreamHandler, encode_event

LAST_EVENT_ID = Argument("Last-Event-ID", {"type": "string"}, "Go on after this event", place="header")


class EventsHandler(EventStreamHandler):
    @operation(
        Operation(
            "Follow all weavers",
            arguments=(LAST_EVENT_ID,),
            answers={200: "text/event-stream"},
        )
    )
    async def get(self) -> None:
        self.query.expect(())
        last = self.request.headers.get("Last-Event-ID")
        async with self.event_stream() as stream:
            async for events in self.service.events(self._sees).after(last):
                await stream.send(b"".join(self._encoded(event) for event in events))

    def _sees(self, weaver: Weaver) -> bool:
        return self.service.sees(self.principal, weaver)

    def _encoded(self, event: WeaverEvent) -> bytes:
        data = "{}" if event.weaver is None else self.service.json(event.weaver)
        return encode_event(data, id=event.id, event=event.kind)
