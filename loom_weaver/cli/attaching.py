"""A weaver's terminal on the user's own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loom_weaver.cli import exits
from loom_weaver.cli.descriptors import incoming
from loom_weaver.cli.detach_keys import DetachKeys
from loom_weaver.cli.local_terminal import (
    STDIN,
    LocalTerminal,
    is_interactive,
    window_changes,
    window_size,
)
from loom_weaver.cli.output import remark
from loom_weaver.cli.terminal_queries import QueryFilter
from loom_weaver.client.errors import ConnectionFailed
from loom_weaver.client.items import (
    Attached,
    Detached,
    Exit,
    LifetimeWarning,
    Output,
    OutputGap,
    Presence,
    TerminalItem,
)

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient
    from loom_weaver.client.attachment import AsyncAttachment

# What a terminal's driver takes for the end of input, at the start of a line.
END_OF_INPUT = b"\x04"
# A reason that says no more than the exit code does.
PLAIN_REASONS = ("Completed", "Error")


@dataclass(frozen=True, slots=True)
class Manner:
    """How to attach. `types_end`: the end of a piped input is typed, as Ctrl-D."""

    detach_keys: bytes
    scrollback: bool = True
    stdin: bool = True
    types_end: bool = False


async def attach(client: AsyncClient, weaver_id: str, manner: Manner) -> int | None:
    """Until the weaver ends: its exit code; None when the user left by the detach keys."""
    size = window_size() if is_interactive() else None
    with LocalTerminal() as local:
        async with client.attach(weaver_id, size=size, scrollback=manner.scrollback) as remote:
            detached = await _Session(remote, local, manner).run()
    if detached:
        remark(f"\nleft running; come back: loom-weaver attach {weaver_id}")
        return None
    return _told(weaver_id, remote.exit)


def _told(weaver_id: str, end: Exit | None) -> int:
    if end is None or end.code is None:
        exits.complain(f"{weaver_id} is gone" + (f": {end.detail or end.reason}" if end else ""))
        return exits.OWN_FAILURE
    if end.reason and end.reason not in PLAIN_REASONS:
        exits.complain(f"{weaver_id} ended: {end.reason}" + (f", {end.detail}" if end.detail else ""))
    return end.code


class _Session:
    def __init__(self, remote: AsyncAttachment, local: LocalTerminal, manner: Manner) -> None:
        self._remote = remote
        self._local = local
        self._manner = manner
        self._keys = DetachKeys(manner.detach_keys)
        self._queries = QueryFilter()
        self._viewer = 0
        self._answers = False
        """Whether this terminal is the one that answers programs' questions."""
        self._lost = False

    async def run(self) -> bool:
        """Whether the user has left."""
        with window_changes(self._tell_size):
            showing = asyncio.create_task(self._show_all())
            typing = asyncio.create_task(self._type_all() if self._manner.stdin else _for_ever())
            try:
                await asyncio.wait((showing, typing), return_when=asyncio.FIRST_COMPLETED)
                if typing.done() and not showing.done() and not typing.result():
                    await showing
                return typing.done() and not typing.cancelled() and typing.result() and not showing.done()
            finally:
                for task in (showing, typing):
                    task.cancel()
                await asyncio.wait((showing, typing))
                if not showing.cancelled():
                    showing.result()

    async def _show_all(self) -> None:
        self._remote.taker = self._show_at_once
        async for item in self._remote:
            await self._take(item)
        await self._local.show(self._queries.flush())

    async def _take(self, item: TerminalItem) -> None:
        match item:
            case Output():
                await self._show(item)
            case Attached():
                await self._begin(item)
            case Detached():
                self._lost = True
                await self._local.notice(
                    f"the link is lost ({item.reason}); trying to reconnect, keys are refused"
                )
            case Presence():
                mine = next((each for each in item.viewers if each.id == self._viewer), None)
                self._answers = mine is not None and mine.primary and mine.access == "full"
            case OutputGap():
                missing = "some" if item.bytes is None else f"{item.bytes:,}"
                await self._local.notice(f"{missing} bytes of output are not kept any more")
            case LifetimeWarning():
                await self._local.notice(
                    f"the lifetime ends in {item.minutes} minutes; `loom-weaver extend` helps"
                )

    async def _begin(self, item: Attached) -> None:
        self._viewer = item.viewer
        self._answers = item.primary and item.access == "full"
        if is_interactive():
            self._local.make_raw()
        if item.again:
            await self._local.notice("connected again")
            await self._redraw()
        elif item.notice:
            await self._local.show(f"{item.notice.strip()}\r\n".encode())
        self._lost = False

    async def _show(self, item: Output) -> None:
        """Answers to questions of the past would be typed into the present program."""
        if item.live and self._answers:
            await self._local.show(self._queries.flush() + item.data)
        else:
            await self._local.show(self._queries.feed(item.data))

    def _show_at_once(self, item: Output) -> int:
        """How much of it: most often an echo, that need not wait for its turn."""
        if not self._answers or self._queries.holds:
            return 0
        return self._local.show_at_once(item.data)

    def _type_at_once(self, keys: bytes) -> bool:
        return self._keys.pass_by(keys) and self._remote.send_at_once(keys)

    async def _type_all(self) -> bool:
        """True when the detach keys came, False at the end of the input."""
        last = b"\n"
        interactive = is_interactive()
        async for data in incoming(STDIN, self._type_at_once if interactive else None):
            keys, left = self._keys.feed(data) if interactive else (data, False)
            if keys:
                last = keys[-1:]
                await self._type(keys)
            if left:
                return True
        if self._manner.types_end and not interactive:
            await self._type(END_OF_INPUT if last in b"\r\n" else 2 * END_OF_INPUT)
        return False

    async def _type(self, keys: bytes) -> None:
        try:
            await self._remote.send(keys)
        except ConnectionFailed:
            await self._local.ring()

    def _tell_size(self) -> None:
        self._soon(self._remote.resize(*window_size()))

    async def _redraw(self) -> None:
        """A program that draws on the whole screen does so anew when the size has changed."""
        if self._local.full_screen:
            columns, rows = window_size()
            await self._remote.resize(columns, max(1, rows - 1))
            await self._remote.resize(columns, rows)

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._resizing = task


async def _for_ever() -> bool:
    await asyncio.Event().wait()
    return False
