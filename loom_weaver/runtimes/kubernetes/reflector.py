"""Follows a collection of the cluster: one list, then a watch from where it stood, for ever."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from typing import Protocol

import aiohttp
import msgspec

from loom_weaver.errors import LoomError, RuntimeFailure
from loom_weaver.runtimes.kubernetes.cluster import Cluster
from loom_weaver.runtimes.kubernetes.errors import Refusal, Status
from loom_weaver.runtimes.kubernetes.objects import ListMeta, Metadata, PodList, WatchEvent

PAGE = 500
# So many objects are decoded before others get a turn.
AT_ONCE = 50
# A server lets a minute pass between two signs of life; so a watch is opened anew sooner than that, by which
# a dead one is found too. Longer than this much of its time, it is not waited for.
WATCH_SECONDS = 40.0
SILENCE = 1.25
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
# A watch that ends sooner, with nothing in it, is trouble and no end.
SOON = 1.0
LONGEST_LINE = 16 * 2**20

_list = msgspec.json.Decoder(PodList)
_event = msgspec.json.Decoder(WatchEvent)
_status = msgspec.json.Decoder(Status)

log = logging.getLogger(__name__)


class Keeper(Protocol):
    """Who keeps what the reflector sees. All objects of one list come between `begin` and `finish`."""

    def begin(self) -> None: ...

    def see(self, item: msgspec.Raw) -> None:
        """One object of a list."""

    def finish(self, version: str) -> None:
        """What was not seen since `begin`, and is no newer than `version`, is gone."""

    def event(self, kind: str, item: msgspec.Raw) -> None:
        """ADDED, MODIFIED or DELETED."""


class _Versioned(msgspec.Struct):
    metadata: Metadata


_versioned = msgspec.json.Decoder(_Versioned)


class Gone(Exception):
    """The version to go on from is no longer known to the server."""


class Reflector:
    def __init__(
        self,
        cluster: Cluster,
        path: str,
        query: dict[str, str],
        keeper: Keeper,
        *,
        name: str = "pods",
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._path = path
        self._query = query
        self._keeper = keeper
        self._name = name
        self._watch_seconds = watch_seconds
        self._version = ""
        self._failures = 0
        self.loaded = asyncio.Event()
        self.heard_at = time.monotonic()
        """When the server last showed that it is there."""
        self.problem: str | None = None

    def __repr__(self) -> str:
        return f"<Reflector {self._name} at {self._version or 'the beginning'} failures={self._failures}>"

    @property
    def age(self) -> float:
        """Seconds since the server was last heard of."""
        return time.monotonic() - self.heard_at

    async def run(self) -> None:
        while True:
            try:
                await self._step()
            except Gone:
                self._version = ""
                await self._pause("its place in the watch is gone", free=1)
            except (LoomError, aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError) as error:
                await self._pause(str(error) or type(error).__name__)

    async def _step(self) -> None:
        if not self._version:
            self._version = await self._list()
            self.loaded.set()
        began = time.monotonic()
        if not await self._watch() and time.monotonic() - began < SOON:
            await self._pause("watches end at once")
        else:
            self._goes_on()

    async def _pause(self, problem: str, free: int = 0) -> None:
        """Longer each time, and never in step with other replicas; the first `free` times at once."""
        self._failures += 1
        if self._failures == free + 1:
            log.warning("Following the cluster's %s is interrupted: %s", self._name, problem)
        self.problem = problem
        if self._failures > free:
            longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures, 10))
            await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311 (no secret)

    def _heard(self) -> None:
        self.heard_at = time.monotonic()

    def _goes_on(self) -> None:
        if self._failures > 1:
            log.warning("Following the cluster's %s goes on", self._name)
        self._failures = 0
        self.problem = None

    async def _list(self) -> str:
        """Page by page; returns the version that all pages have in common."""
        self._keeper.begin()
        query = {**self._query, "limit": str(PAGE)}
        version = ""
        while True:
            page = await self._page(query)
            self._heard()
            version = version or page.resource_version
            if not page.continue_:
                break
            query = {**query, "continue": page.continue_}
        self._keeper.finish(version)
        return version

    async def _page(self, query: dict[str, str]) -> ListMeta:
        try:
            page = _list.decode(await self._cluster.get(self._path, query, call=f"list {self._name}"))
        except Refusal as refusal:
            # Between two pages the server forgot the version of the first.
            if refusal.is_gone:
                raise Gone from refusal
            raise
        for number, item in enumerate(page.items):
            self._keeper.see(item)
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
        return page.metadata

    async def _watch(self) -> bool:
        """Until the server ends it; returns whether anything came."""
        seconds = self._watch_seconds * random.uniform(0.75, 1)  # noqa: S311 (no secret)
        query = {
            **self._query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(max(1, int(seconds))),
        }
        silence = self._watch_seconds * SILENCE
        anything = False
        try:
            call = f"watch {self._name}"
            async with self._cluster.watch(self._path, query, silence=silence, call=call) as response:
                self._heard()
                self.problem = None
                async for line in _lines(response.content):
                    self._heard()
                    self._take(_event.decode(line))
                    anything = True
        except Refusal as refusal:
            if refusal.is_gone:
                raise Gone from refusal
            raise
        return anything

    def _take(self, event: WatchEvent) -> None:
        if event.type == "ERROR":
            status = _status.decode(event.object)
            if status.code == 410 or status.reason == "Expired":
                raise Gone
            raise RuntimeFailure(f"the watch was ended by the server: {status.reason or status.code}")
        if event.type != "BOOKMARK":
            self._keeper.event(event.type, event.object)
        if version := _versioned.decode(event.object).metadata.resource_version:
            self._version = version
        self._goes_on()


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length up to ours: aiohttp's own iteration refuses those above its buffer."""
    rest = bytearray()
    async for chunk in content.iter_any():
        start = len(rest)
        rest += chunk
        if rest.find(b"\n", start) < 0:
            if len(rest) > LONGEST_LINE:
                raise RuntimeFailure("an event of the watch is larger than any object")
            continue
        *lines, last = bytes(rest).split(b"\n")
        rest = bytearray(last)
        for line in lines:
            if line:
                yield line
        await asyncio.sleep(0)
