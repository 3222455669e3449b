"""The cluster's events about pods that do not start, handed to the cache."""

from __future__ import annotations

import msgspec

from loom_weaver.lifetime import parse_rfc3339, utc_now
from loom_weaver.runtimes.kubernetes.objects import Event
from loom_weaver.runtimes.kubernetes.pod_cache import PodCache
from loom_weaver.runtimes.kubernetes.start_words import EVENTS
from loom_weaver.runtimes.kubernetes.status import Trouble

QUERY = {"fieldSelector": "involvedObject.kind=Pod,type=Warning"}
# `Failed` is what a kubelet calls a pull that did not work.
REASONS = frozenset({*EVENTS, "Failed"})

_event = msgspec.json.Decoder(Event)


class TroubleKeeper:
    """Keeps nothing itself: an event matters while its pod has not started."""

    def __init__(self, pods: PodCache) -> None:
        self._pods = pods

    def begin(self) -> None: ...

    def finish(self, version: str) -> None: ...

    def see(self, item: msgspec.Raw) -> None:
        self._take(_event.decode(item))

    def event(self, kind: str, item: msgspec.Raw) -> None:
        if kind != "DELETED":
            self._take(_event.decode(item))

    def _take(self, event: Event) -> None:
        if event.reason not in REASONS:
            return
        told = event.last_timestamp or event.event_time
        trouble = Trouble(event.reason, event.message, parse_rfc3339(told) if told else utc_now())
        self._pods.note_trouble(event.involved_object.name, event.involved_object.uid, trouble)
