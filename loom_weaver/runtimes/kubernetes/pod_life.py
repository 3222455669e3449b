"""Makes pods, lengthens their lives and ends them; whatever happens half-way, nothing is left behind."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec

from loom_weaver.errors import Conflict, LoomError, NotFound, RuntimeTimeout, Unavailable
from loom_weaver.lifetime import rfc3339, utc_now
from loom_weaver.names import pod_name
from loom_weaver.runtimes.base import NO_SUCH_WEAVER
from loom_weaver.runtimes.kubernetes import labels
from loom_weaver.runtimes.kubernetes.cluster import Cluster
from loom_weaver.runtimes.kubernetes.errors import Refusal, create_error, other_error
from loom_weaver.runtimes.kubernetes.objects import Pod
from loom_weaver.runtimes.kubernetes.pod import PodSettings, manifest, secret_manifest
from loom_weaver.runtimes.kubernetes.pod_cache import Entry, PodCache
from loom_weaver.weaver import Weaver, WeaverSpec

# A pod changes a few times a second at most; who loses to that so often gives up.
TRIES = 8
# A create whose answer was lost may still be carried out; so often, and so long after, its pod is looked for.
UNMAKE_PAUSES = (0.5, 1, 2, 4, 8, 15, 30, 60)
IS_OVER = "The weaver has ended or is ending, so its lifetime cannot change; create another one"

_pod = msgspec.json.Decoder(Pod)

log = logging.getLogger(__name__)


class PodLife:
    def __init__(self, cluster: Cluster, namespace: str, settings: PodSettings, pods: PodCache) -> None:
        self._cluster = cluster
        self._space = f"/api/v1/namespaces/{namespace}"
        self._settings = settings
        self._pods = pods
        self._tasks: set[asyncio.Task[Any]] = set()

    def __repr__(self) -> str:
        return f"<PodLife {self._space} tasks={len(self._tasks)}>"

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def create(self, spec: WeaverSpec) -> Weaver:
        making = asyncio.create_task(self._make(spec), name=f"start of {spec.id}")
        self._keep(making)
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            # What was asked for already is let come to its end, so that it is known what there is to unmake.
            await asyncio.wait([making])
            if not making.cancelled() and making.exception() is None:
                await self.unmake(spec.id)
            raise

    async def delete(self, weaver_id: str, seen: Weaver | None, reason: str) -> bool:
        """Whether this began its end; False too where its lifetime is another than that of `seen`."""
        for _ in range(TRIES):
            entry = self._pods.entry(weaver_id)
            if entry.weaver.status == "terminating":
                return False
            if seen is not None and seen.expires_at != entry.weaver.expires_at:
                return False
            if await self._delete_as_seen(entry, reason, exact=seen is not None):
                return True
        raise Conflict("The weaver keeps changing; try again in a moment")

    async def extend(self, weaver_id: str, lifetime_hours: int) -> Weaver:
        noted = {labels.LIFETIME_HOURS: str(lifetime_hours), labels.EXTENDED_AT: rfc3339(utc_now())}
        for _ in range(TRIES):
            entry = self._pods.entry(weaver_id)
            if not entry.weaver.active:
                raise Conflict(IS_OVER)
            # With the version that was looked at: a delete that came in between wins, and is found.
            version = entry.pod.metadata.resource_version
            body = {"metadata": {"resourceVersion": version, "annotations": noted}}
            try:
                answer = await self._cluster.patch(self._path(weaver_id), body, call="extend a weaver")
            except Refusal as refusal:
                await self._look_after(refusal, entry)
                continue
            weaver = self._pods.take_raw(answer)
            if weaver is None:
                raise NotFound(NO_SUCH_WEAVER)
            return weaver
        raise Conflict("The weaver keeps changing; try again in a moment")

    async def unmake(self, weaver_id: str) -> None:
        """Remove what a failed create may have made; goes on by itself where Kubernetes does not answer."""
        try:
            await asyncio.shield(self._keep(asyncio.create_task(self._remove(weaver_id))))
        except LoomError:
            self._keep(asyncio.create_task(self._remove_later(weaver_id), name=f"removal of {weaver_id}"))

    async def _make(self, spec: WeaverSpec) -> Weaver:
        try:
            pod = await self._post(spec)
            if spec.env:
                await self._post_secret(spec, pod)
        except (RuntimeTimeout, Unavailable):
            # Nobody knows what came of it.
            self._keep(asyncio.create_task(self._remove_later(spec.id), name=f"removal of {spec.id}"))
            raise
        except Refusal as refusal:
            raise create_error(refusal) from refusal
        weaver = self._pods.take(pod)
        if weaver is None:
            raise Conflict("The weaver was deleted while it was made")
        return weaver

    async def _post(self, spec: WeaverSpec) -> Pod:
        try:
            body = manifest(spec, self._settings)
            return _pod.decode(await self._cluster.post(f"{self._space}/pods", body, call="create a weaver"))
        except Refusal as refusal:
            if refusal.reason != "AlreadyExists":
                raise
        # A retry of what a lost answer, or a server that died, had made already: ids are never used twice.
        pod = _pod.decode(await self._cluster.get(self._path(spec.id), call="look at a weaver"))
        mine = labels.label_value(self._settings.installation)
        if (pod.metadata.labels or {}).get(labels.INSTALLATION) != mine:
            raise Conflict("A pod of this weaver's name is there already, and belongs to somebody else")
        return pod

    async def _post_secret(self, spec: WeaverSpec, pod: Pod) -> None:
        """After the pod, which owns it: so none is ever left over. The pod waits for it."""
        body = secret_manifest(spec, self._settings, pod.uid)
        try:
            await self._cluster.post(f"{self._space}/secrets", body, call="store a weaver's environment")
        except Refusal as refusal:
            if refusal.reason == "AlreadyExists":
                return
            await self.unmake(spec.id)
            raise

    async def _delete_as_seen(self, entry: Entry, reason: str, *, exact: bool) -> bool:
        """Whether it was deleted; False where it has changed, and was looked at again."""
        meta, weaver_id = entry.pod.metadata, entry.weaver.id
        preconditions = {"uid": meta.uid, **({"resourceVersion": meta.resource_version} if exact else {})}
        self._pods.begin_end(weaver_id, reason)
        try:
            answer = await self._cluster.delete(
                self._path(weaver_id), _delete_options(preconditions), call="delete a weaver"
            )
        except Refusal as refusal:
            self._pods.give_up_end(weaver_id)
            await self._look_after(refusal, entry)
            return False
        except BaseException:
            self._pods.give_up_end(weaver_id)
            raise
        self._take_end(weaver_id, answer)
        return True

    def _take_end(self, weaver_id: str, answer: bytes) -> None:
        pod = _pod.decode(answer)
        if pod.metadata.deletion_timestamp:
            self._pods.take(pod)
        # What had ended, or never got a node, is gone at once.
        self._pods.end_at_once(weaver_id)

    async def _look_after(self, refusal: Refusal, entry: Entry) -> None:
        """Bring what is known of a pod up to date after a call that came too late for it."""
        weaver_id = entry.weaver.id
        if refusal.status not in (404, 409):
            raise other_error(refusal) from refusal
        try:
            answer = await self._cluster.get(self._path(weaver_id), call="look at a weaver")
        except Refusal as gone:
            if gone.status != 404:
                raise other_error(gone) from gone
            self._pods.forget(weaver_id, entry.pod.uid)
            raise NotFound(NO_SUCH_WEAVER) from gone
        self._pods.take_raw(answer)

    async def _remove(self, weaver_id: str) -> None:
        try:
            answer = await self._cluster.delete(
                self._path(weaver_id), _delete_options({}), call="take a weaver back"
            )
        except Refusal as refusal:
            if refusal.status != 404:
                raise
            return
        self._take_end(weaver_id, answer)

    async def _remove_later(self, weaver_id: str) -> None:
        for pause in UNMAKE_PAUSES:
            await asyncio.sleep(pause)
            try:
                await self._remove(weaver_id)
            except LoomError as error:
                log.warning("A weaver whose create failed cannot be taken back yet: %s", error.message)

    def _path(self, weaver_id: str) -> str:
        return f"{self._space}/pods/{pod_name(weaver_id)}"

    def _keep(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _delete_options(preconditions: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
