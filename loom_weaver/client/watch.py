"""Waiting for what becomes of weavers: one event stream for all that wait, open only while somebody does."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any, Literal

from loom_weaver.client.errors import ConnectionFailed, WeaverEnded
from loom_weaver.client.events import AsyncEvents
from loom_weaver.client.items import EventKind
from loom_weaver.errors import LoomError, NotFound
from loom_weaver.models import WeaverObject

Until = Literal["running", "ended"]
ENDED = frozenset({"succeeded", "failed"})


class Waiter:
    """One call of `wait`; its future holds the weaver once what it waits for has happened."""

    def __init__(self, until: Until) -> None:
        self.until = until
        self.last: WeaverObject | None = None
        self.happened: asyncio.Future[WeaverObject] = asyncio.get_running_loop().create_future()

    def __repr__(self) -> str:
        return f"<Waiter until={self.until} done={self.happened.done()}>"

    def see(self, weaver: WeaverObject) -> None:
        self.last = weaver
        if self.happened.done():
            return
        if self.until == "running" and weaver.status != "pending":
            self.settle(weaver if weaver.status == "running" else WeaverEnded(weaver))
        elif self.until == "ended" and weaver.status in ENDED:
            self.settle(weaver)

    def gone(self, weaver: WeaverObject | None) -> None:
        """Deleted; `weaver` is the last that the server said, or None."""
        last = weaver or self.last
        if last is None:
            self.settle(NotFound("the weaver is gone"))
            return
        last = last.model_copy(update={"status": "terminating", "reason": last.reason or "Deleted"})
        self.settle(last if self.until == "ended" else WeaverEnded(last))

    def settle(self, outcome: WeaverObject | LoomError) -> None:
        if self.happened.done():
            return
        if isinstance(outcome, LoomError):
            self.happened.set_exception(outcome)
        else:
            self.happened.set_result(outcome)

    def forget(self) -> None:
        """Nobody asks any more."""
        if self.happened.done() and not self.happened.cancelled():
            self.happened.exception()


class Watch:
    def __init__(
        self, open_events: Callable[[], AsyncEvents], get: Callable[[str], Coroutine[Any, Any, WeaverObject]]
    ) -> None:
        self._open_events = open_events
        self._get = get
        self._waiters: defaultdict[str, set[Waiter]] = defaultdict(set)
        self._reading: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Watch weavers={len(self._waiters)}>"

    async def wait(self, weaver_id: str, until: Until) -> WeaverObject:
        """The weaver once it happened: the present state, and events from before that was asked for on."""
        waiter = Waiter(until)
        self._waiters[weaver_id].add(waiter)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="events of weavers")
        asking = asyncio.create_task(self._get(weaver_id), name="state of a weaver")
        try:
            await asyncio.wait({asking, waiter.happened}, return_when=asyncio.FIRST_COMPLETED)
            if not waiter.happened.done():
                waiter.see(await asking)
            return await waiter.happened
        finally:
            await self._leave(weaver_id, waiter, asking)

    async def aclose(self) -> None:
        """Whoever waits still gets ConnectionFailed."""
        self._fail(ConnectionFailed("this client is closed"))
        await self._stop_reading()

    async def _stop_reading(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _leave(self, weaver_id: str, waiter: Waiter, asking: asyncio.Task[WeaverObject]) -> None:
        self._waiters[weaver_id].discard(waiter)
        if not self._waiters[weaver_id]:
            del self._waiters[weaver_id]
        waiter.forget()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        if not self._waiters:
            await self._stop_reading()

    async def _read(self) -> None:
        listed: set[str] | None = None
        try:
            async with self._open_events() as events:
                async for event in events:
                    if event.kind == "reset":
                        listed = set()
                    elif event.weaver is None:
                        await self._look_for_missing(listed)
                        listed = None
                    else:
                        if listed is not None:
                            listed.add(event.weaver.id)
                        self._tell(event.kind, event.weaver)
        except LoomError as error:
            self._reading = None
            self._fail(error)

    async def _look_for_missing(self, listed: set[str] | None) -> None:
        """After a reset, what became of those that the new list lacks; they may also be newer than it."""
        for weaver_id in [] if listed is None else list(self._waiters.keys() - listed):
            try:
                self._tell("modified", await self._get(weaver_id))
            except NotFound:
                for waiter in self._waiters.get(weaver_id, ()):
                    waiter.gone(None)

    def _tell(self, kind: EventKind, weaver: WeaverObject) -> None:
        for waiter in self._waiters.get(weaver.id, ()):
            if kind == "deleted":
                waiter.gone(weaver)
            else:
                waiter.see(weaver)

    def _fail(self, error: LoomError) -> None:
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.settle(error)
