"""Weavers on Kubernetes: each is a pod, and the pods are all that is known of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

from loom_weaver.changes import ChangeLog
from loom_weaver.errors import BadRequest, RuntimeTimeout, Unavailable
from loom_weaver.images import ImageReference
from loom_weaver.models import CreateWeaver
from loom_weaver.runtimes import base
from loom_weaver.runtimes.kubernetes import labels, pod
from loom_weaver.runtimes.kubernetes.cluster import Cluster
from loom_weaver.runtimes.kubernetes.errors import Refusal
from loom_weaver.runtimes.kubernetes.namespace import prepare
from loom_weaver.runtimes.kubernetes.options import KubernetesOptions
from loom_weaver.runtimes.kubernetes.pod_cache import PodCache
from loom_weaver.runtimes.kubernetes.pod_isolation import SAMPLE, isolation_of
from loom_weaver.runtimes.kubernetes.pod_life import PodLife
from loom_weaver.runtimes.kubernetes.reflector import Reflector
from loom_weaver.runtimes.kubernetes.streams import PodStreams
from loom_weaver.runtimes.kubernetes.trouble_watch import QUERY, TroubleKeeper
from loom_weaver.weaver import Weaver, WeaverSpec

# What is known may be so old before it is no answer any more.
STALE_SECONDS = 60.0
# A start waits so long for the first list; the server then serves other things while it is tried further.
START_SECONDS = 15.0
RETRY_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 15.0
# The longest key of a Secret.
LONGEST_ENV_NAME = 253
STARTING = "The list of weavers is not loaded from Kubernetes yet; try again in a moment"
OUT_OF_DATE = "Kubernetes does not answer, and what is known of the weavers is too old; try again later"


class KubernetesRuntime(KubernetesOptions):
    """Any number of servers side by side share nothing but the cluster and the identity database."""

    shared = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.changes = ChangeLog()
        self._settings = self.pod_settings()
        self._isolation = isolation_of(self._settings)
        self._pods = PodCache(self.changes, self._isolation, gone=self._forget)
        self._cluster: Cluster | None = None
        self._working: asyncio.Task[None] | None = None
        self._running = False

    def __repr__(self) -> str:
        return f"<KubernetesRuntime {self.namespace} {self._pods!r}>"

    async def start(self) -> None:
        cluster = self._cluster = await Cluster.open(
            self.kubeconfig, self.context, call_timeout=self.call_timeout
        )
        space = f"/api/v1/namespaces/{self.namespace}"
        query = {"labelSelector": labels.selector(self._settings.installation)}
        self._follower = Reflector(
            cluster, f"{space}/pods", query, self._pods, watch_seconds=self.watch_seconds
        )
        troubles = TroubleKeeper(self._pods)
        self._troubles = Reflector(
            cluster,
            f"{space}/events",
            QUERY,
            troubles,
            name="events",
            watch_seconds=self.watch_seconds,
        )
        self._life = PodLife(cluster, self.namespace, self._settings, self._pods)
        self._streams = PodStreams(cluster, self.namespace, self._pods, terminals=self.terminals)
        self._running = True
        self._working = asyncio.create_task(self._work(cluster), name="Kubernetes")
        await self._wait_for_the_first_list(self._working)

    async def stop(self) -> None:
        self._running = False
        if self._cluster is None:
            return
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])
        await self._streams.close()
        await self._life.close()
        await self._cluster.close()

    @property
    def ready(self) -> bool:
        return self._running and self._follower.loaded.is_set() and self._follower.age < STALE_SECONDS

    def info(self) -> base.RuntimeInfo:
        images = {name: str(entry.get("description", "")) for name, entry in self.images.items()}
        return base.RuntimeInfo("kubernetes", self.default_image, images, self._isolation(SAMPLE))

    def check_image(self, image: ImageReference) -> None:
        if image.name not in self.images and not self.any_image:
            offered = ", ".join(sorted(self.images))
            raise BadRequest(f"{image.name} is not offered here; choose one of: {offered}", field="image")

    def check_caps(self, request: CreateWeaver) -> None:
        super().check_caps(request)
        for name in request.env:
            if len(name) > LONGEST_ENV_NAME:
                message = f"the name must have at most {LONGEST_ENV_NAME} characters on Kubernetes"
                raise BadRequest(message, field=f"env.{name}")

    async def create(self, spec: WeaverSpec) -> Weaver:
        self._require_ready()
        weaver = await self._life.create(spec)
        self._streams.watch_new(spec.id)
        return weaver

    def get(self, weaver_id: str) -> Weaver:
        self._require_ready()
        return self._pods.weaver(weaver_id)

    def list(self) -> Collection[Weaver]:
        self._require_ready()
        return self._pods.weavers()

    async def delete(self, weaver_id: str, *, seen: Weaver | None = None, reason: str = "Deleted") -> bool:
        self._require_loaded()
        return await self._life.delete(weaver_id, seen, reason)

    async def extend(self, weaver_id: str, lifetime_hours: int) -> Weaver:
        self._require_loaded()
        return await self._life.extend(weaver_id, lifetime_hours)

    @asynccontextmanager
    async def logs(
        self, weaver_id: str, start: base.LogStart, *, follow: bool
    ) -> AsyncIterator[AsyncIterator[base.LogBatch]]:
        async with self._streams.logs(weaver_id, start, follow=follow) as batches:
            yield batches

    async def attach(self, weaver_id: str, viewer: base.Viewer, start: base.ReplayStart) -> base.Attachment:
        return await self._streams.attach(weaver_id, viewer, start)

    def resize(self, weaver_id: str, cols: int, rows: int) -> None:
        self._streams.resize(weaver_id, cols, rows)

    @asynccontextmanager
    async def exec(self, weaver_id: str, spec: base.ExecSpec) -> AsyncIterator[base.ExecProcess]:
        async with self._streams.exec(weaver_id, spec) as process:
            yield process

    def file_roots(self, weaver_id: str) -> tuple[str, ...]:
        return pod.file_roots(self._settings, self._pods.weaver(weaver_id).workdir)

    def home(self, weaver_id: str) -> str:
        return self._pods.weaver(weaver_id).workdir or self._settings.home

    def describe(self) -> dict[str, Any]:
        return {
            "namespace": self.namespace,
            "weavers": len(self._pods),
            "seconds_since_heard": round(self._follower.age, 1),
            "problem": self._follower.problem,
        }

    def _require_loaded(self) -> None:
        if not self._running or not self._follower.loaded.is_set():
            raise Unavailable(STARTING)

    def _require_ready(self) -> None:
        self._require_loaded()
        if self._follower.age >= STALE_SECONDS:
            raise Unavailable(OUT_OF_DATE)

    def _forget(self, weaver_id: str) -> None:
        self._streams.forget(weaver_id)

    async def _wait_for_the_first_list(self, working: asyncio.Task[None]) -> None:
        """What can never work is raised; what only takes long goes on behind the scenes."""
        loading = asyncio.create_task(self._follower.loaded.wait())
        try:
            await asyncio.wait([working, loading], timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            loading.cancel()
        if working.done():
            working.result()
        if not self._follower.loaded.is_set():
            self.log.warning(
                "Kubernetes does not answer yet (%s); it is tried further",
                self._follower.problem or "no word",
            )

    async def _work(self, cluster: Cluster) -> None:
        await self._prepare(cluster)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follower.run())
            group.create_task(self._follow_troubles())
            group.create_task(self._look_again())

    async def _prepare(self, cluster: Cluster) -> None:
        """Until the cluster can be reached."""
        while True:
            try:
                return await prepare(cluster, self.namespace, self._settings)
            except (Unavailable, RuntimeTimeout) as error:
                if isinstance(error.__cause__, Refusal):
                    raise
                self._follower.problem = error.message
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow_troubles(self) -> None:
        """Events only explain; they are about pods that are known."""
        await self._follower.loaded.wait()
        await self._troubles.run()

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            self._pods.look_again()
