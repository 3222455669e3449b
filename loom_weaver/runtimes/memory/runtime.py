"""A runtime for tests and for trying things out: it contains nothing, and nothing outlives it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Any

from traitlets import Int

from loom_weaver import lifetime
from loom_weaver.changes import ChangeLog
from loom_weaver.errors import BadRequest, NotFound, RuntimeFailure, Unavailable
from loom_weaver.images import ImageReference, parse_image
from loom_weaver.models import CreateWeaver
from loom_weaver.runtimes.base import (
    NO_SUCH_WEAVER,
    Attachment,
    ExecProcess,
    ExecSpec,
    LogBatch,
    LogStart,
    ReplayStart,
    Runtime,
    RuntimeInfo,
    Viewer,
)
from loom_weaver.runtimes.memory.holder import ISOLATION, Holder
from loom_weaver.runtimes.memory.log import read_log
from loom_weaver.runtimes.memory.terminal import SMALLEST_RING
from loom_weaver.weaver import Weaver, WeaverSpec

# Image -> (entrypoint, command, what it is).
IMAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "python": (("python3",), (), "The Python of this server"),
    "shell": (("sh",), (), "A POSIX shell"),
    "ghcr.io/loom/weaver": (("python3",), (), "The Python of this server, under the documented name"),
}
DEFAULT_IMAGE = "python"
# The machine's own: the contract lets callers of the API read and write files there.
TMP = "/tmp"  # noqa: S108
# A deadline is looked at again at least this often: the clock may have been set.
DEADLINE_CHECK = 3600.0


class MemoryRuntime(Runtime):
    """Weavers are plain child processes on a terminal, without isolation. They end with the runtime."""

    ring_bytes = Int(
        16 * 1024 * 1024,
        min=SMALLEST_RING,
        help="Bytes of output that are kept of each weaver, for logs and terminals. Default 16 MiB.",
    ).tag(config=True)

    def __init__(self, *, clock: Callable[[], datetime] = lifetime.utc_now, **traits: Any) -> None:
        super().__init__(**traits)
        self.changes = ChangeLog()
        self._clock = clock
        self._ready = False
        self._holders: dict[str, Holder] = {}
        self._deadlines: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<MemoryRuntime weavers={len(self._holders)} tasks={len(self._tasks)}>"

    async def start(self) -> None:
        self._ready = True

    async def stop(self) -> None:
        """End every weaver: there is nobody to hold it."""
        self._ready = False
        for weaver_id in list(self._holders):
            await self.delete(weaver_id, reason="HolderLost")
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def ready(self) -> bool:
        return self._ready

    def info(self) -> RuntimeInfo:
        images = {name: text for name, (_, _, text) in IMAGES.items()}
        return RuntimeInfo(name="memory", default_image=DEFAULT_IMAGE, images=images, isolation=ISOLATION)

    def check_image(self, image: ImageReference) -> None:
        if image.name not in IMAGES:
            offered = ", ".join(sorted(IMAGES))
            raise BadRequest(f"{image.name} is not offered here; choose one of: {offered}", field="image")

    def check_caps(self, request: CreateWeaver) -> None:
        if request.workdir is not None and not os.path.isdir(request.workdir):
            raise BadRequest(f"{request.workdir} is no folder of this machine", field="workdir")
        super().check_caps(request)

    async def create(self, spec: WeaverSpec) -> Weaver:
        if not self._ready:
            raise Unavailable("the runtime is not ready; try again in a moment")
        try:
            holder = Holder(
                spec,
                command_of(spec),
                ring=self.ring_bytes,
                clock=self._clock,
                changed=lambda weaver: self.changes.publish("modified", weaver),
            )
        except OSError as error:
            raise RuntimeFailure("the weaver's terminal or folder could not be made") from error
        self._holders[spec.id] = holder
        self.changes.publish("added", holder.weaver)
        self._watch_deadline(holder)
        self._spawn(holder.run())
        return holder.weaver

    def get(self, weaver_id: str) -> Weaver:
        return self._holder(weaver_id).weaver

    def list(self) -> Collection[Weaver]:
        return [holder.weaver for holder in self._holders.values()]

    async def delete(self, weaver_id: str, *, seen: Weaver | None = None, reason: str = "Deleted") -> bool:
        holder = self._holder(weaver_id)
        if holder.weaver.status == "terminating":
            return False
        if seen is not None and seen.expires_at != holder.weaver.expires_at:
            return False
        holder.begin_end(reason)
        self._spawn(self._remove(holder))
        return True

    async def extend(self, weaver_id: str, lifetime_hours: int) -> Weaver:
        holder = self._holder(weaver_id)
        weaver = holder.extend(lifetime_hours)
        self._watch_deadline(holder)
        return weaver

    @asynccontextmanager
    async def logs(
        self, weaver_id: str, start: LogStart, *, follow: bool
    ) -> AsyncIterator[AsyncIterator[LogBatch]]:
        terminal = self._holder(weaver_id).terminal
        async with aclosing(read_log(terminal, start, follow=follow)) as items:
            yield items

    async def attach(self, weaver_id: str, viewer: Viewer, start: ReplayStart) -> Attachment:
        return self._holder(weaver_id).terminal.attach(viewer, start)

    def resize(self, weaver_id: str, cols: int, rows: int) -> None:
        self._holder(weaver_id).terminal.resize(cols, rows)

    @asynccontextmanager
    async def exec(self, weaver_id: str, spec: ExecSpec) -> AsyncIterator[ExecProcess]:
        async with self._holder(weaver_id).exec(spec) as command:
            yield command

    def file_roots(self, weaver_id: str) -> tuple[str, ...]:
        """Nothing keeps a weaver's own programs to these."""
        holder = self._holder(weaver_id)
        return holder.home, TMP, holder.workdir

    def home(self, weaver_id: str) -> str:
        return self._holder(weaver_id).workdir

    def describe(self) -> dict[str, Any]:
        return {"weavers": len(self._holders)}

    def _holder(self, weaver_id: str) -> Holder:
        try:
            return self._holders[weaver_id]
        except KeyError:
            raise NotFound(NO_SUCH_WEAVER) from None

    async def _remove(self, holder: Holder) -> None:
        weaver_id = holder.weaver.id
        if (deadline := self._deadlines.pop(weaver_id, None)) is not None:
            deadline.cancel()
        await holder.end()
        del self._holders[weaver_id]
        self.changes.publish("deleted", holder.weaver)

    def _watch_deadline(self, holder: Holder) -> None:
        weaver = holder.weaver
        if (deadline := self._deadlines.pop(weaver.id, None)) is not None:
            deadline.cancel()
        if not weaver.active:
            return
        left = (weaver.expires_at - self._clock()).total_seconds()
        if left <= 0:
            self._spawn(holder.expire())
        else:
            loop = asyncio.get_running_loop()
            delay = min(left, DEADLINE_CHECK)
            self._deadlines[weaver.id] = loop.call_later(delay, self._watch_deadline, holder)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log.error("A task of the memory runtime failed", exc_info=error)


def command_of(spec: WeaverSpec) -> tuple[str, ...]:
    """As with containers: `command` replaces the entrypoint and drops the image's arguments."""
    entrypoint, arguments, _ = IMAGES[parse_image(spec.image).name]
    if spec.command is not None:
        return spec.command + (spec.args or ())
    return entrypoint + (arguments if spec.args is None else spec.args)
