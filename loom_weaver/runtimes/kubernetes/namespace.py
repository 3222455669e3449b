"""Makes sure, before anything else, that weavers can be made as this server is set up to make them."""

from __future__ import annotations

import logging

from loom_weaver.errors import Unavailable
from loom_weaver.runtimes.kubernetes.cluster import Cluster
from loom_weaver.runtimes.kubernetes.errors import Refusal
from loom_weaver.runtimes.kubernetes.pod import PodSettings, manifest
from loom_weaver.runtimes.kubernetes.pod_isolation import SAMPLE

POD_SECURITY = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}

log = logging.getLogger(__name__)


async def prepare(cluster: Cluster, namespace: str, settings: PodSettings) -> None:
    """Raise Unavailable, with what to do, where no weaver could ever be made."""
    await _ensure_namespace(cluster, namespace)
    await _try_a_pod(cluster, namespace, settings)


async def _ensure_namespace(cluster: Cluster, name: str) -> None:
    try:
        await cluster.get(f"/api/v1/namespaces/{name}", call="look at the namespace")
    except Refusal as refusal:
        if refusal.status == 404:
            await _make_namespace(cluster, name)
        elif refusal.status != 403:
            raise
        # Who may not look at namespaces may still be at home in this one: the next step tells.


async def _make_namespace(cluster: Cluster, name: str) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": POD_SECURITY},
    }
    try:
        await cluster.post("/api/v1/namespaces", body, call="make the namespace")
    except Refusal as refusal:
        if refusal.reason != "AlreadyExists":
            labels = " ".join(f"{label}={value}" for label, value in POD_SECURITY.items())
            raise Unavailable(
                f"the namespace {name} is missing and this server may not make it; an administrator can: "
                f"kubectl create namespace {name} && kubectl label namespace {name} {labels}"
            ) from refusal


async def _try_a_pod(cluster: Cluster, namespace: str, settings: PodSettings) -> None:
    """The API server checks options, the namespace's rules and this server's rights, and keeps nothing."""
    body = manifest(SAMPLE, settings)
    try:
        await cluster.post(
            f"/api/v1/namespaces/{namespace}/pods", body, {"dryRun": "All"}, call="try out a weaver's pod"
        )
    except Refusal as refusal:
        if refusal.status == 404:
            raise Unavailable(
                f"the namespace {namespace} is missing; an administrator can make it: "
                f"kubectl create namespace {namespace}"
            ) from refusal
        if refusal.status == 409 or refusal.is_quota:
            return
        if refusal.status in (403, 422):
            raise Unavailable(f"Kubernetes takes no pod as weavers are set up: {refusal.text}") from refusal
        raise
