"""What tests of runtimes look with: a house around a runtime, viewers and logs that remember, deadlines."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loom_weaver.changes import Change
from loom_weaver.errors import NotFound
from loom_weaver.lifetime import utc_now
from loom_weaver.names import new_id
from loom_weaver.runtimes.base import (
    Attachment,
    ExecProcess,
    ExecSpec,
    LogEnd,
    LogEntry,
    LogItem,
    LogStart,
    ReplayStart,
    Runtime,
)
from loom_weaver.weaver import Weaver, WeaverSpec

# Long enough for a machine that does much else at once; what hangs fails by it.
PATIENCE = 60.0
EVERYTHING = LogStart()
SCROLLBACK = ReplayStart()


class ViewerProbe:
    """A viewer that keeps what it is given. `outcome` is how the runtime let go of it."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.gaps: list[int | None] = []
        self.outcome: str | None = None
        self.attachment: Attachment
        self._news = asyncio.Event()

    def __repr__(self) -> str:
        return (
            f"<ViewerProbe {len(self.received)} bytes, {self.outcome}, ends {bytes(self.received[-80:])!r}>"
        )

    def output(self, data: memoryview) -> None:
        self.received += data
        self._news.set()

    def gap(self, missing: int | None) -> None:
        self.gaps.append(missing)

    def ended(self) -> None:
        self._let_go("ended")

    def too_slow(self) -> None:
        self._let_go("too slow")

    def failed(self, message: str) -> None:
        self._let_go(f"failed: {message}")

    async def until(self, wanted: bytes | int | Callable[[], bool]) -> bytes:
        """Wait for these bytes, so many bytes, or a condition; returns all that came."""
        if isinstance(wanted, bytes):
            text = wanted
            return await self._until(lambda: text in self.received, repr(text))
        if isinstance(wanted, int):
            size = wanted
            return await self._until(lambda: len(self.received) >= size, f"{size} bytes")
        return await self._until(wanted, "a condition")

    async def end(self, patience: float = PATIENCE) -> str:
        """Wait until the runtime lets go; returns how it did."""
        await self._until(lambda: self.outcome is not None, "the end", patience)
        assert self.outcome is not None
        return self.outcome

    async def type(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.attachment.send(data)

    async def _until(self, condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> bytes:
        try:
            async with asyncio.timeout(patience):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"waited {patience} s for {what}, have {self!r}") from None
        return bytes(self.received)

    def _let_go(self, outcome: str) -> None:
        assert self.outcome is None, f"{outcome} after {self.outcome}"
        self.outcome = outcome
        self._news.set()


class SlowViewer(ViewerProbe):
    """Goes on reading, but in sips."""

    def output(self, data: memoryview) -> None:
        super().output(data)
        self.attachment.pause()
        asyncio.get_running_loop().call_later(0.001, self.attachment.resume)


@dataclass
class Log:
    items: list[LogItem] = field(default_factory=list)
    end: LogEnd | None = None

    @property
    def entries(self) -> list[LogEntry]:
        return [item for item in self.items if isinstance(item, LogEntry)]

    @property
    def texts(self) -> list[str]:
        return [entry.text for entry in self.entries]


@dataclass(frozen=True)
class ExecOutcome:
    exit_code: int
    stdout: bytes
    stderr: bytes


class House:
    """A runtime and the weavers that a test makes in it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def create(self, *command: str, **fields: Any) -> str:
        weaver = await self.runtime.create(spec_of(*command, **fields))
        return weaver.id

    async def sh(self, script: str, **fields: Any) -> str:
        return await self.create("sh", "-c", script, **fields)

    async def until(self, weaver_id: str, *statuses: str) -> Weaver:
        """Wait for one of the statuses."""
        changes = self.runtime.changes
        weaver = self.runtime.get(weaver_id)
        try:
            async with asyncio.timeout(PATIENCE):
                while weaver.status not in statuses:
                    await changes.news()
                    weaver = self.runtime.get(weaver_id)
        except TimeoutError:
            raise AssertionError(f"waited {PATIENCE} s for {statuses}, have {weaver}") from None
        return weaver

    async def over(self, weaver_id: str) -> Weaver:
        return await self.until(weaver_id, "succeeded", "failed")

    async def gone(self, *weaver_ids: str) -> None:
        """Wait until the runtime knows none of them."""
        async with asyncio.timeout(PATIENCE):
            while any(self.knows(weaver_id) for weaver_id in weaver_ids):
                await self.runtime.changes.news()

    def knows(self, weaver_id: str) -> bool:
        try:
            self.runtime.get(weaver_id)
        except NotFound:
            return False
        return True

    def changes_of(self, weaver_id: str, since: int = 0) -> list[Change]:
        return [change for change in self.runtime.changes.since(since) if change.weaver.id == weaver_id]

    async def log(
        self,
        weaver_id: str,
        start: LogStart = EVERYTHING,
        *,
        follow: bool = True,
        until: Callable[[Log], bool] = lambda _: False,
    ) -> Log:
        """Read to the end, or until it is enough."""
        log = Log()
        async with asyncio.timeout(PATIENCE), self.runtime.logs(weaver_id, start, follow=follow) as batches:
            async for batch in batches:
                assert log.end is None, "something follows the end"
                if isinstance(batch, LogEnd):
                    log.end = batch
                else:
                    log.items += batch
                if until(log):
                    break
        return log

    @asynccontextmanager
    async def view(
        self,
        weaver_id: str,
        start: ReplayStart = SCROLLBACK,
        *,
        probe: ViewerProbe | None = None,
        paused: bool = False,
    ) -> AsyncIterator[ViewerProbe]:
        """Attached, and reading unless `paused`."""
        probe = probe or ViewerProbe()
        probe.attachment = await self.runtime.attach(weaver_id, probe, start)
        try:
            if not paused:
                probe.attachment.resume()
            yield probe
        finally:
            probe.attachment.close()

    async def exec(self, weaver_id: str, *command: str, stdin: bytes = b"") -> ExecOutcome:
        async with asyncio.timeout(PATIENCE):
            async with self.runtime.exec(weaver_id, ExecSpec(command)) as process:
                feeding = asyncio.create_task(feed(process, stdin))
                streams = {1: bytearray(), 2: bytearray()}
                async for number, data in process.output():
                    streams[number] += data
                await feeding
                return ExecOutcome(await process.wait(), bytes(streams[1]), bytes(streams[2]))

    async def delete_all(self, *, wait: bool = True) -> None:
        made = [weaver.id for weaver in self.runtime.list()]
        for weaver_id in made:
            if self.knows(weaver_id):
                await self.runtime.delete(weaver_id)
        if wait:
            await self.gone(*made)


async def feed(process: ExecProcess, stdin: bytes) -> None:
    await process.write(stdin)
    await process.close_stdin()


def spec_of(*command: str, **fields: Any) -> WeaverSpec:
    """Without a command, the image's own."""
    given = {"id": new_id("weaver"), "image": "shell", "created_at": utc_now(), "lifetime_hours": 1, **fields}
    return WeaverSpec(owner_user_id="user_1", org_id="an org", command=command or None, **given)


def numbered(count: int) -> Sequence[str]:
    return [str(number) for number in range(1, count + 1)]


def processes(argument: str) -> list[int]:
    """The processes of this machine, in whatever sandbox, that have `argument`; none that ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if argument.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def zombies() -> list[int]:
    """The children of this process that ended and that nobody waited for."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state == "Z" and int(parent) == os.getpid():
            found.append(int(folder.name))
    return found


async def eventually(condition: Callable[[], bool], what: str) -> None:
    """For what nothing tells of, such as the processes of the machine."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        await asyncio.sleep(0.02)


_sleeps = iter(range(10**6))


def long_sleep() -> str:
    """An argument of `sleep` that no other process of this machine has."""
    return f"98765.{os.getpid()}{next(_sleeps):06}"
