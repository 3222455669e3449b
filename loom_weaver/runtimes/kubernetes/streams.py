"""What flows between weavers and the server: logs, terminals, commands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from loom_weaver.errors import Conflict
from loom_weaver.runtimes.base import (
    NOT_RUNNING,
    Attachment,
    ExecProcess,
    ExecSpec,
    LogBatch,
    LogStart,
    ReplayStart,
    Viewer,
)
from loom_weaver.runtimes.kubernetes.cluster import Cluster
from loom_weaver.runtimes.kubernetes.exec_process import open_exec
from loom_weaver.runtimes.kubernetes.log_stream import LogStream
from loom_weaver.runtimes.kubernetes.pod_cache import PodCache
from loom_weaver.runtimes.kubernetes.pod_link import PodLink
from loom_weaver.runtimes.kubernetes.ring_memory import RingMemory
from loom_weaver.runtimes.kubernetes.terminal import Terminal

# A command waits so long for a weaver that was just created.
START_SECONDS = 10.0


class PodStreams:
    """Each method raises NotFound for a weaver that is gone."""

    def __init__(self, cluster: Cluster, namespace: str, pods: PodCache, *, terminals: int) -> None:
        """Connected to at most so many `terminals` at once; the longest unwatched are let go, and rebuilt
        from their logs."""
        self._cluster = cluster
        self._namespace = namespace
        self._pods = pods
        self._most = terminals
        self._memory = RingMemory()
        self._terminals: dict[str, Terminal] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<PodStreams terminals={len(self._terminals)} {self._memory!r}>"

    @asynccontextmanager
    async def logs(
        self, weaver_id: str, start: LogStart, *, follow: bool
    ) -> AsyncIterator[AsyncIterator[LogBatch]]:
        stream = LogStream(self._link(weaver_id), start, follow=follow)
        async with aclosing(stream.batches()) as batches:
            yield batches

    async def attach(self, weaver_id: str, viewer: Viewer, start: ReplayStart) -> Attachment:
        return await self._terminal(weaver_id).attach(viewer, start)

    def resize(self, weaver_id: str, cols: int, rows: int) -> None:
        self._terminal(weaver_id).resize(cols, rows)

    @asynccontextmanager
    async def exec(self, weaver_id: str, spec: ExecSpec) -> AsyncIterator[ExecProcess]:
        link = self._link(weaver_id)
        await link.until_started(patience=START_SECONDS)
        if link.waiting or not self._pods.weaver(weaver_id).active:
            raise Conflict(NOT_RUNNING)
        process = await open_exec(link, spec)
        try:
            yield process
        finally:
            await process.close()

    def watch_new(self, weaver_id: str) -> None:
        """Attach as early as can be to a weaver that was just created, so that its first output is kept."""
        if weaver_id not in self._terminals:
            self._add(weaver_id, fresh=True)

    def forget(self, weaver_id: str) -> None:
        """The weaver is gone; those who watch it are told when its last byte has come."""
        terminal = self._terminals.pop(weaver_id, None)
        if terminal is not None:
            self._leave(terminal)

    async def close(self) -> None:
        for task in self._leaving:
            task.cancel()
        terminals = list(self._terminals.values())
        self._terminals.clear()
        await asyncio.gather(*(terminal.close() for terminal in terminals))
        if self._leaving:
            await asyncio.wait(self._leaving)

    def _link(self, weaver_id: str) -> PodLink:
        self._pods.weaver(weaver_id)
        return PodLink(self._cluster, self._namespace, self._pods, weaver_id)

    def _terminal(self, weaver_id: str) -> Terminal:
        link = self._link(weaver_id)
        return self._terminals.get(weaver_id) or self._add(link.weaver_id, fresh=False)

    def _add(self, weaver_id: str, *, fresh: bool) -> Terminal:
        self._make_room()
        terminal = Terminal(self._link(weaver_id), self._memory, fresh=fresh)
        self._terminals[weaver_id] = terminal
        return terminal

    def _make_room(self) -> None:
        too_many = len(self._terminals) - self._most + 1
        if too_many <= 0:
            return
        unwatched = sorted(
            (terminal.watched_at, weaver_id)
            for weaver_id, terminal in self._terminals.items()
            if not terminal.watched
        )
        for _, weaver_id in unwatched[:too_many]:
            self._leave(self._terminals.pop(weaver_id), at_once=True)

    def _leave(self, terminal: Terminal, *, at_once: bool = False) -> None:
        task = asyncio.create_task(_end(terminal, at_once=at_once), name="end of a terminal")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def _end(terminal: Terminal, *, at_once: bool) -> None:
    try:
        if not at_once:
            await terminal.until_ended()
    finally:
        await terminal.close()
