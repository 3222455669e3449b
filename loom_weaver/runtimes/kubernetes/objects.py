"""The few fields of Kubernetes objects that weavers are read from; the rest is skipped while decoding.

None of them is ever part of a cycle, so the garbage collector need not look at them.
"""

from __future__ import annotations

import msgspec


class Metadata(msgspec.Struct, rename="camel", gc=False):
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    finalizers: list[str] | None = None


class Waiting(msgspec.Struct, gc=False):
    reason: str = ""
    message: str = ""


class Running(msgspec.Struct, rename="camel", gc=False):
    started_at: str | None = None


class Terminated(msgspec.Struct, rename="camel", gc=False):
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None


class ContainerState(msgspec.Struct, gc=False):
    """At most one of them is set."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(msgspec.Struct, rename="camel", gc=False):
    name: str = ""
    state: ContainerState = msgspec.field(default_factory=ContainerState)
    container_id: str = msgspec.field(default="", name="containerID")


class Condition(msgspec.Struct, rename="camel", gc=False):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class PodStatus(msgspec.Struct, rename="camel", gc=False):
    phase: str = ""
    reason: str = ""
    message: str = ""
    start_time: str | None = None
    conditions: list[Condition] | None = None
    container_statuses: list[ContainerStatus] | None = None


class Container(msgspec.Struct, rename="camel", gc=False):
    name: str = ""
    image: str = ""
    command: list[str] | None = None
    args: list[str] | None = None
    working_dir: str = ""
    tty: bool = False
    stdin: bool = False


class PodSpec(msgspec.Struct, rename="camel", gc=False):
    node_name: str = ""
    # A bookmark has null here.
    containers: list[Container] | None = None


class Pod(msgspec.Struct, gc=False):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def uid(self) -> str:
        return self.metadata.uid

    def state(self, container: str) -> ContainerState | None:
        """What the kubelet last said of a container; None where it said nothing yet."""
        for each in self.status.container_statuses or ():
            if each.name == container:
                return each.state
        return None


class ListMeta(msgspec.Struct, rename="camel", gc=False):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class PodList(msgspec.Struct, gc=False):
    metadata: ListMeta
    # Decoded one by one: a page of 500 in one step would hold the event loop up.
    items: list[msgspec.Raw] = []


class WatchEvent(msgspec.Struct, gc=False):
    type: str
    object: msgspec.Raw


class InvolvedObject(msgspec.Struct, rename="camel", gc=False):
    kind: str = ""
    name: str = ""
    uid: str = ""


class Event(msgspec.Struct, rename="camel", gc=False):
    metadata: Metadata
    involved_object: InvolvedObject
    type: str = ""
    reason: str = ""
    message: str = ""
    last_timestamp: str | None = None
    event_time: str | None = None
