"""`ps --watch`: the table, kept true."""

from __future__ import annotations

import asyncio
import os
import sys

from loom_weaver.cli.output import say, shows_colours
from loom_weaver.cli.streaming import stream
from loom_weaver.cli.weaver_changes import WeaverChanges
from loom_weaver.cli.weaver_table import table
from loom_weaver.client.async_client import AsyncClient
from loom_weaver.client.discovery import find_server
from loom_weaver.client.events import AsyncEvents
from loom_weaver.models import WeaverObject

# Ages go on while nothing happens.
REDRAWN_EVERY = 1.0
ENTER_SCREEN, LEAVE_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


def watch_weavers(*, tags: dict[str, str], everybodys: bool) -> None:
    """On a terminal a table that changes in place, else a row for each change, as `kubectl get -w` does."""
    view = _View(tags, everybodys=everybodys)
    stream(find_server(), lambda client: _watch(client, view))


class _View:
    """Which weavers are shown, and the last known of them."""

    def __init__(self, tags: dict[str, str], *, everybodys: bool) -> None:
        self._tags = tags
        self._everybodys = everybodys
        self.me = ""
        self.changes = WeaverChanges()

    def shows(self, weaver: WeaverObject) -> bool:
        mine = self._everybodys or weaver.owner_user_id == self.me
        return mine and self._tags.items() <= weaver.tags.items()

    def lines(self, columns: int | None = None, *, colours: bool = False) -> list[str]:
        shown = [each for each in self.changes.present.values() if self.shows(each)]
        newest_first = sorted(shown, key=lambda each: (each.created_at, each.id), reverse=True)
        return table([each.model_dump() for each in newest_first], columns, colours=colours)


async def _watch(client: AsyncClient, view: _View) -> None:
    view.me = (await client.me()).user["id"]
    async with client.events() as events:
        await (_redraw(events, view) if sys.stdout.isatty() else _append(events, view))


async def _append(events: AsyncEvents, view: _View) -> None:
    async for event in events:
        before = view.changes.complete
        changes = [change for change in view.changes.feed(event) if view.shows(change.weaver)]
        if view.changes.complete and not before:
            for line in view.lines():
                say(line)
        elif before:
            for change in changes:
                gone = {"status": "deleted"} if change.kind == "deleted" else {}
                say(table([change.weaver.model_dump() | gone], colours=False)[1])
        sys.stdout.flush()


async def _redraw(events: AsyncEvents, view: _View) -> None:
    sys.stdout.write(ENTER_SCREEN)
    reading = asyncio.create_task(_read(events, view))
    try:
        while not reading.done():
            _draw(view)
            await asyncio.wait([reading], timeout=REDRAWN_EVERY)
        reading.result()
    finally:
        reading.cancel()
        sys.stdout.write(LEAVE_SCREEN)
        for line in view.lines(colours=shows_colours()):
            say(line)
        sys.stdout.flush()


async def _read(events: AsyncEvents, view: _View) -> None:
    while batch := await events.batch():
        for event in batch:
            view.changes.feed(event)
        _draw(view)


def _draw(view: _View) -> None:
    if not view.changes.complete:
        return
    size = os.get_terminal_size(sys.stdout.fileno())
    lines = view.lines(size.columns, colours=shows_colours())[: size.lines]
    sys.stdout.write(HOME + "\r\n".join(f"{line}{REST_OF_LINE}" for line in lines) + REST_OF_SCREEN)
    sys.stdout.flush()
