"""What the cluster's pods are, kept up to date by a `Reflector`; answers come from memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import msgspec

from loom_weaver.changes import ChangeLog
from loom_weaver.errors import NotFound
from loom_weaver.lifetime import Clock, rfc3339, utc_now
from loom_weaver.models import Isolation
from loom_weaver.runtimes.base import NO_SUCH_WEAVER
from loom_weaver.runtimes.kubernetes import labels
from loom_weaver.runtimes.kubernetes.objects import Metadata, Pod, PodSpec, PodStatus
from loom_weaver.runtimes.kubernetes.pod_record import spec_of
from loom_weaver.runtimes.kubernetes.status import Look, Trouble, weaver_of
from loom_weaver.weaver import Weaver, WeaverSpec

# So many pods that are gone are remembered: an answer that was long on its way brings none of them back.
TOMBSTONES = 4096
CONDITIONS = frozenset({"PodScheduled", "Ready", "DisruptionTarget"})

_pod = msgspec.json.Decoder(Pod)


@dataclass(slots=True)
class Entry:
    pod: Pod
    spec: WeaverSpec
    weaver: Weaver
    trouble: Trouble | None = None
    ending: str | None = None


class PodCache:
    """The pods of one installation in one namespace, newest state each.

    Whatever tells of a pod, be it the list, the watch or the answer to a call, goes through `take`; what is
    older than what is known changes nothing.
    """

    def __init__(
        self,
        changes: ChangeLog,
        isolation: Callable[[WeaverSpec], Isolation],
        *,
        clock: Clock = utc_now,
        gone: Callable[[str], None] | None = None,
    ) -> None:
        self.changes = changes
        self._isolation = isolation
        self._clock = clock
        self._gone = gone
        self._entries: dict[str, Entry] = {}
        self._tombstones: deque[str] = deque(maxlen=TOMBSTONES)
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._unseen: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<PodCache pods={len(self._entries)} waiting={len(self._waiting)}>"

    def __len__(self) -> int:
        return len(self._entries)

    def weaver(self, weaver_id: str) -> Weaver:
        """Raise NotFound where there is none (any more)."""
        return self.entry(weaver_id).weaver

    def pod(self, weaver_id: str) -> Pod:
        """Raise NotFound where there is none (any more)."""
        return self.entry(weaver_id).pod

    def entry(self, weaver_id: str) -> Entry:
        try:
            return self._entries[weaver_id]
        except KeyError:
            raise NotFound(NO_SUCH_WEAVER) from None

    def weavers(self) -> Collection[Weaver]:
        return [entry.weaver for entry in self._entries.values()]

    async def changed(self, weaver_id: str) -> None:
        """Wait for the next change of one pod, its end included."""
        if weaver_id not in self._waiting:
            self._waiting[weaver_id] = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._waiting[weaver_id])

    async def until(self, weaver_id: str, predicate: Callable[[Pod], bool]) -> Pod:
        """Wait until the pod is so; raises NotFound once it is gone."""
        while not predicate(pod := self.pod(weaver_id)):
            await self.changed(weaver_id)
        return pod

    def take(self, pod: Pod) -> Weaver | None:
        """A pod as somebody saw it. Returns its weaver, None for what is none or is gone already."""
        known = self._entries.get((pod.metadata.labels or {}).get(labels.WEAVER, ""))
        if known is not None and known.pod.uid == pod.uid and not _is_newer(pod, known.pod):
            return known.weaver
        spec = spec_of(pod)
        if spec is None or pod.uid in self._tombstones:
            return None
        known = self._entries.get(spec.id)
        if known is not None and known.pod.uid != pod.uid:
            if not _is_newer(pod, known.pod):
                return None
            self._bury(spec.id)
            known = None
        slim = _slim(pod)
        if known is None:
            return self._add(slim, spec)
        known.pod, known.spec = slim, spec
        return self._look(known)

    def take_raw(self, answer: bytes | msgspec.Raw) -> Weaver | None:
        return self.take(_pod.decode(answer))

    def remove(self, pod: Pod) -> None:
        """The pod is gone."""
        self.forget((pod.metadata.labels or {}).get(labels.WEAVER, ""), pod.uid)

    def note_trouble(self, name: str, uid: str, trouble: Trouble) -> None:
        """An event of the cluster about a pod; only those that have not started are in need of it."""
        weaver_id = name.replace("loom-weaver-", "weaver_", 1)
        known = self._entries.get(weaver_id)
        if known is not None and known.pod.uid == uid and known.weaver.status == "pending":
            known.trouble = trouble
            self._look(known)

    def begin_end(self, weaver_id: str, reason: str) -> None:
        """This server is about to delete it; looks from now on know why."""
        self.entry(weaver_id).ending = reason

    def give_up_end(self, weaver_id: str) -> None:
        """It could not be deleted after all."""
        if (known := self._entries.get(weaver_id)) is not None:
            known.ending = None

    def forget(self, weaver_id: str, uid: str) -> None:
        """The cluster does not know the pod any more; the watch will say so too."""
        self._tombstones.append(uid)
        known = self._entries.get(weaver_id)
        if known is not None and known.pod.uid == uid:
            self._bury(weaver_id)

    def end_at_once(self, weaver_id: str) -> None:
        """Kubernetes removed the pod within the call; the watch will say so too."""
        known = self._entries.get(weaver_id)
        if known is not None and known.pod.metadata.deletion_timestamp is None:
            known.pod.metadata.deletion_timestamp = rfc3339(self._clock())
            self._look(known)

    def look_again(self) -> None:
        """For what only the passing of time tells: pods that should be gone and are not."""
        for entry in list(self._entries.values()):
            if entry.weaver.status == "terminating":
                self._look(entry)

    # What the reflector calls.

    def begin(self) -> None:
        self._unseen = {entry.pod.uid: weaver_id for weaver_id, entry in self._entries.items()}

    def see(self, item: msgspec.Raw) -> None:
        pod = _pod.decode(item)
        self._unseen.pop(pod.uid, None)
        self.take(pod)

    def finish(self, version: str) -> None:
        for uid, weaver_id in self._unseen.items():
            known = self._entries.get(weaver_id)
            if known is None or known.pod.uid != uid or _number(known.pod) > _int(version):
                continue
            self.forget(weaver_id, uid)
        self._unseen = {}

    def event(self, kind: str, item: msgspec.Raw) -> None:
        pod = _pod.decode(item)
        self.take(pod)
        if kind == "DELETED":
            self.remove(pod)

    def _add(self, pod: Pod, spec: WeaverSpec) -> Weaver:
        weaver = weaver_of(self._view(pod, spec))
        self._entries[spec.id] = Entry(pod, spec, weaver)
        self.changes.publish("added", weaver)
        self._wake(spec.id)
        return weaver

    def _look(self, entry: Entry) -> Weaver:
        """What is to be said of a pod anew; only what differs is told."""
        old = entry.weaver
        new = weaver_of(self._view(entry.pod, entry.spec, entry.trouble, entry.ending), old)
        if old.status == "pending" and new.status in ("succeeded", "failed") and new.started_at:
            # It ended before anybody could look: those who wait for the start get to hear of it.
            started = old.changed(
                new.started_at,
                "Started",
                status="running",
                started_at=new.started_at,
                reason=None,
                detail=None,
            )
            self._tell(entry, started)
            old = started
        new = replace(new, version=old.version)
        if new != old:
            self._tell(entry, replace(new, version=old.version + 1))
        self._wake(new.id)
        return entry.weaver

    def _tell(self, entry: Entry, weaver: Weaver) -> None:
        entry.weaver = weaver
        self.changes.publish("modified", weaver)

    def _view(
        self, pod: Pod, spec: WeaverSpec, trouble: Trouble | None = None, ending: str | None = None
    ) -> Look:
        return Look(pod, spec, self._isolation(spec), self._clock(), trouble, ending)

    def _bury(self, weaver_id: str) -> None:
        weaver = self._entries.pop(weaver_id).weaver
        self.changes.publish("deleted", replace(weaver, version=weaver.version + 1))
        self._wake(weaver_id)
        if self._gone is not None:
            self._gone(weaver_id)

    def _wake(self, weaver_id: str) -> None:
        if (waiting := self._waiting.pop(weaver_id, None)) is not None:
            waiting.set_result(None)


def _slim(pod: Pod) -> Pod:
    """Without what is in the spec already: ten thousand of them are kept."""
    meta, status = pod.metadata, pod.status
    extended = (meta.annotations or {}).get(labels.EXTENDED_AT)
    return Pod(
        Metadata(
            name=meta.name,
            uid=meta.uid,
            resource_version=meta.resource_version,
            annotations={labels.EXTENDED_AT: extended} if extended else None,
            deletion_timestamp=meta.deletion_timestamp,
            deletion_grace_period_seconds=meta.deletion_grace_period_seconds,
            finalizers=meta.finalizers,
        ),
        PodSpec(node_name=pod.spec.node_name),
        PodStatus(
            phase=status.phase,
            reason=status.reason,
            message=status.message,
            conditions=[each for each in status.conditions or () if _tells(each.type, each.status)] or None,
            container_statuses=status.container_statuses,
        ),
    )


def _tells(kind: str, status: str) -> bool:
    """Whether a condition says anything beyond that all is well."""
    return kind in CONDITIONS and (kind == "DisruptionTarget" or status != "True")


def _is_newer(pod: Pod, known: Pod) -> bool:
    if pod.metadata.resource_version == known.metadata.resource_version:
        return False
    return _number(pod) >= _number(known)


def _number(pod: Pod) -> int:
    return _int(pod.metadata.resource_version)


def _int(version: str) -> int:
    """Versions are numbers that grow, as Kubernetes promises since 1.35 and has always kept."""
    return int(version) if version.isdecimal() else 0
