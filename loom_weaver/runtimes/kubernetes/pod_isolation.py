"""What keeps a weaver in, read from the pod as it is made, so that no template makes it a pretence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from loom_weaver.models import Isolation, Resources
from loom_weaver.runtimes.kubernetes.containers import CONTAINER
from loom_weaver.runtimes.kubernetes.pod import PodSettings, manifest
from loom_weaver.weaver import WeaverSpec

KIND = "container"
SAMPLE = WeaverSpec(
    id="weaver_sample",
    owner_user_id="sample",
    org_id="sample",
    image="sample",
    created_at=datetime(2000, 1, 1, tzinfo=UTC),
    lifetime_hours=1,
)


def isolation_of(settings: PodSettings) -> Callable[[WeaverSpec], Isolation]:
    """A function that tells the isolation of a weaver; it works each kind out once."""

    @cache
    def worked_out(resources: Resources | None) -> Isolation:
        sample = WeaverSpec(
            SAMPLE.id,
            SAMPLE.owner_user_id,
            SAMPLE.org_id,
            SAMPLE.image,
            SAMPLE.created_at,
            1,
            resources=resources,
        )
        spec = manifest(sample, settings)["spec"]
        return Isolation(kind=spec.get("runtimeClassName", KIND), enforced=_enforced(spec))

    def isolation(spec: WeaverSpec) -> Isolation:
        asked = spec.resources or Resources()
        return worked_out(
            Resources(
                memory_limit="4Mi" if asked.memory_limit else None, cpu_limit="1" if asked.cpu_limit else None
            )
        )

    return isolation


def _enforced(spec: dict[str, Any]) -> list[str]:
    """The words of `isolation.enforced`, as the local runtime has them; `memory` and `cpu` are of the whole
    weaver."""
    container = next(each for each in spec["containers"] if each["name"] == CONTAINER)
    security = container.get("securityContext") or {}
    if security.get("privileged"):
        return []
    limits = (container.get("resources") or {}).get("limits") or {}
    said = {
        "filesystem": security.get("readOnlyRootFilesystem") is True,
        "processes": not spec.get("hostPID"),
        "tracing": not spec.get("hostPID"),
        "ipc": not spec.get("hostIPC"),
        "abstract_sockets": not spec.get("hostNetwork"),
        "capabilities": "ALL" in (security.get("capabilities") or {}).get("drop", ()),
        "no_new_privileges": security.get("allowPrivilegeEscalation") is False,
        "memory": "memory" in limits,
        "cpu": "cpu" in limits,
    }
    return [word for word, holds in said.items() if holds]
