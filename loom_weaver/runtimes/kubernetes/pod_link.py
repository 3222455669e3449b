"""What streams ask of one pod: its state, its log, its terminal, commands in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp

from loom_weaver.errors import NotFound
from loom_weaver.names import pod_name
from loom_weaver.runtimes.kubernetes.channel_socket import ChannelSocket
from loom_weaver.runtimes.kubernetes.cluster import Cluster
from loom_weaver.runtimes.kubernetes.containers import CONTAINER
from loom_weaver.runtimes.kubernetes.objects import Pod
from loom_weaver.runtimes.kubernetes.pod_cache import PodCache
from loom_weaver.weaver import Weaver


class PodLink:
    def __init__(self, cluster: Cluster, namespace: str, pods: PodCache, weaver_id: str) -> None:
        self.weaver_id = weaver_id
        self._cluster = cluster
        self._pods = pods
        self._path = f"/api/v1/namespaces/{namespace}/pods/{pod_name(weaver_id)}"

    def __repr__(self) -> str:
        return f"<PodLink {self.weaver_id}>"

    @property
    def weaver(self) -> Weaver:
        """Raise NotFound where there is none any more."""
        return self._pods.weaver(self.weaver_id)

    @property
    def over(self) -> bool:
        """Whether its program ended, or it is gone."""
        try:
            return container_ended(self._pods.pod(self.weaver_id))
        except NotFound:
            return True

    @property
    def waiting(self) -> bool:
        """Whether its program has not started yet."""
        try:
            return not has_started(self._pods.pod(self.weaver_id))
        except NotFound:
            return False

    @property
    def placed(self) -> bool:
        """Whether a node has it, or had."""
        try:
            return bool(self._pods.pod(self.weaver_id).spec.node_name)
        except NotFound:
            return False

    async def until_over(self, patience: float | None = None) -> None:
        """Wait until what became of the weaver is known, so long at most."""
        try:
            async with asyncio.timeout(patience):
                await self._pods.until(self.weaver_id, container_ended)
        except (NotFound, TimeoutError):
            return

    async def until_started(self, patience: float | None = None) -> None:
        """Wait until its program runs, or ran, so long at most; at once where the weaver is gone."""
        try:
            async with asyncio.timeout(patience):
                await self._pods.until(self.weaver_id, has_started)
        except (NotFound, TimeoutError):
            return

    async def changed(self, patience: float | None = None) -> None:
        """Wait for a change of the pod, its end included, so long at most."""
        try:
            async with asyncio.timeout(patience):
                await self._pods.changed(self.weaver_id)
        except (NotFound, TimeoutError):
            return

    async def attach(self) -> ChannelSocket:
        query = {"container": CONTAINER, "stdin": "true", "stdout": "true", "tty": "true"}
        return await ChannelSocket.open(self._cluster, f"{self._path}/attach", query)

    async def exec(self, command: Sequence[str], *, tty: bool) -> ChannelSocket:
        query = [("container", CONTAINER), ("stdin", "true"), ("stdout", "true")]
        query += [("tty", "true")] if tty else [("stderr", "true")]
        query += [("command", word) for word in command]
        return await ChannelSocket.open(self._cluster, f"{self._path}/exec", query)

    @asynccontextmanager
    async def log(
        self, options: Mapping[str, str], *, silence: float | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Its text, with timestamps unless `options` say otherwise."""
        query = {"container": CONTAINER, "timestamps": "true", **options}
        async with self._cluster.stream(f"{self._path}/log", query, silence=silence) as response:
            yield response


def container_ended(pod: Pod) -> bool:
    state = pod.state(CONTAINER)
    return pod.status.phase in ("Succeeded", "Failed") or bool(state and state.terminated)


def has_started(pod: Pod) -> bool:
    state = pod.state(CONTAINER)
    return container_ended(pod) or bool(state and state.running)
