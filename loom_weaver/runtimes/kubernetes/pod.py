"""A weaver as a pod: pure, nothing here calls anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Any

from loom_weaver.images import parse_image
from loom_weaver.lifetime import MAX_HOURS
from loom_weaver.models import Resources
from loom_weaver.names import pod_name
from loom_weaver.quantities import cpu_cores, memory_bytes
from loom_weaver.runtimes.kubernetes import labels
from loom_weaver.runtimes.kubernetes.containers import CONTAINER
from loom_weaver.runtimes.kubernetes.overlay import merge
from loom_weaver.runtimes.kubernetes.pod_record import escaped, record
from loom_weaver.weaver import WeaverSpec

# Above the longest lifetime: a net for pods whose servers are all gone, not the lifetime itself, which may be
# extended, as this may not.
DEADLINE_SECONDS = (MAX_HOURS + 1) * 3600
# An interactive shell ignores SIGTERM, so whoever deletes waits for the whole of it.
GRACE_SECONDS = 1
TMP = "/tmp"  # noqa: S108 (the weaver's own)
# A writable folder in the place of one of these would hide what the image lives from.
SYSTEM_FOLDERS = frozenset(
    {"bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "proc", "sbin", "sys", "usr"}
)


@dataclass(frozen=True, slots=True)
class PodSettings:
    """What an administrator decides about all pods; `KubernetesRuntime` has the traits."""

    installation: str
    images: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Short names: name -> {image, command, args, description}."""
    home: str = "/home/weaver"
    run_as_user: int = 1000
    run_as_group: int = 1000
    home_size: str = "2Gi"
    tmp_size: str = "1Gi"
    default_memory: str = ""
    default_cpu: str = ""
    memory_request_ratio: float = 1.0
    cpu_request_ratio: float = 0.1
    extra_resources: Mapping[str, str] = field(default_factory=dict)
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: Sequence[str] = ()
    service_account: str = ""
    runtime_class: str = ""
    priority_class: str = ""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, Any]] = ()
    template: Mapping[str, Any] = field(default_factory=dict)


def manifest(spec: WeaverSpec, settings: PodSettings) -> dict[str, Any]:
    """The pod to create, without a namespace."""
    own = _pod(spec, settings)
    pod = merge(own, settings.template)
    # What weavers are found and read by is no template's business.
    pod["metadata"] = merge(pod.get("metadata", {}), own["metadata"])
    return pod


def secret_manifest(spec: WeaverSpec, settings: PodSettings, pod_uid: str) -> dict[str, Any]:
    """The Secret with the weaver's environment; Kubernetes removes it together with its pod."""
    owner = {"apiVersion": "v1", "kind": "Pod", "name": pod_name(spec.id), "uid": pod_uid}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": pod_name(spec.id),
            "labels": labels.labels(settings.installation, spec.id, spec.owner_user_id, spec.org_id),
            "ownerReferences": [owner],
        },
        "type": "Opaque",
        "immutable": True,
        "stringData": dict(spec.env),
    }


def file_roots(settings: PodSettings, workdir: str | None) -> tuple[str, ...]:
    """The folders that can be written to."""
    return tuple(dict.fromkeys((settings.home, TMP, *_own_folder(settings, workdir))))


def _own_folder(settings: PodSettings, workdir: str | None) -> list[str]:
    """A workdir gets a volume of its own, unless it has one or the image lives from what is there."""
    if workdir is None or workdir.rstrip("/") in ("", settings.home, TMP):
        return []
    return [] if workdir.strip("/").split("/")[0] in SYSTEM_FOLDERS else [workdir]


def _pod(spec: WeaverSpec, settings: PodSettings) -> dict[str, Any]:
    pod_spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": DEADLINE_SECONDS,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # Process 1 is then Kubernetes' own: it reaps, and signals do to a program what they do anywhere.
        "shareProcessNamespace": True,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": settings.run_as_user,
            "runAsGroup": settings.run_as_group,
            "fsGroup": settings.run_as_group,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(spec, settings)],
        "volumes": _volumes(spec, settings),
        **_placement(settings),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod_name(spec.id),
            "labels": labels.labels(settings.installation, spec.id, spec.owner_user_id, spec.org_id),
            "annotations": record(spec),
        },
        "spec": pod_spec,
    }


def _placement(settings: PodSettings) -> dict[str, Any]:
    """Where it may run and by which right; what is not configured is not said."""
    said: dict[str, Any] = {
        "serviceAccountName": settings.service_account,
        "runtimeClassName": settings.runtime_class,
        "priorityClassName": settings.priority_class,
        "nodeSelector": dict(settings.node_selector),
        "tolerations": [dict(each) for each in settings.tolerations],
        "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
    }
    return {name: value for name, value in said.items() if value}


def _container(spec: WeaverSpec, settings: PodSettings) -> dict[str, Any]:
    image, command, args = _program(spec, settings)
    said: dict[str, Any] = {
        "command": None if command is None else [escaped(each) for each in command],
        "args": None if args is None else [escaped(each) for each in args],
        "workingDir": spec.workdir,
        "imagePullPolicy": settings.image_pull_policy or None,
        "envFrom": [{"secretRef": {"name": pod_name(spec.id)}}] if spec.env else None,
        "resources": _resources(spec, settings) or None,
    }
    return {
        "name": CONTAINER,
        "image": image,
        "stdin": True,
        "tty": True,
        "env": _environment(spec, settings),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": _mounts(spec, settings),
        **{name: value for name, value in said.items() if value is not None},
    }


def _program(
    spec: WeaverSpec, settings: PodSettings
) -> tuple[str, Sequence[str] | None, Sequence[str] | None]:
    """Image, command and args; a short name brings those of its own."""
    entry = settings.images.get(parse_image(spec.image).name, {})
    command = entry.get("command") if spec.command is None else spec.command
    # As with images everywhere: who replaces the command drops the arguments made for it.
    args = entry.get("args") if spec.command is None and spec.args is None else spec.args
    return str(entry.get("image", spec.image)), command, args


def _environment(spec: WeaverSpec, settings: PodSettings) -> list[dict[str, str]]:
    """What `env` asks for travels in the Secret; a name here would win over it, so those are left out."""
    own = {
        "HOME": settings.home,
        "USER": "weaver",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "LOOM_WEAVER_ID": spec.id,
    }
    return [{"name": name, "value": value} for name, value in own.items() if name not in spec.env]


def _resources(spec: WeaverSpec, settings: PodSettings) -> dict[str, Any]:
    asked = spec.resources or Resources()
    memory = asked.memory_limit or settings.default_memory
    cpu = asked.cpu_limit or settings.default_cpu
    limits = {"memory": memory, "cpu": cpu, **settings.extra_resources}
    requests = {
        "memory": memory and _share_of_memory(memory, settings.memory_request_ratio),
        "cpu": cpu and _share_of_cpu(cpu, settings.cpu_request_ratio),
    }
    said = {
        "limits": {name: value for name, value in limits.items() if value},
        "requests": {name: value for name, value in requests.items() if value},
    }
    return {name: value for name, value in said.items() if value}


def _share_of_memory(limit: str, ratio: float) -> str:
    return limit if ratio == 1 else str(int(memory_bytes(limit) * Decimal(str(ratio))))


def _share_of_cpu(limit: str, ratio: float) -> str:
    share = cpu_cores(limit) * 1000 * Decimal(str(ratio))
    return f"{max(1, int(share.to_integral_value(ROUND_CEILING)))}m"


def _folders(spec: WeaverSpec, settings: PodSettings) -> list[tuple[str, str, str]]:
    """(volume, path, size) of each folder that can be written to."""
    own = [("workdir", path, settings.home_size) for path in _own_folder(settings, spec.workdir)]
    return [("home", settings.home, settings.home_size), ("tmp", TMP, settings.tmp_size), *own]


def _volumes(spec: WeaverSpec, settings: PodSettings) -> list[dict[str, Any]]:
    return [{"name": name, "emptyDir": {"sizeLimit": size}} for name, _, size in _folders(spec, settings)]


def _mounts(spec: WeaverSpec, settings: PodSettings) -> list[dict[str, str]]:
    return [{"name": name, "mountPath": path} for name, path, _ in _folders(spec, settings)]
