"""A server whose weavers are pods."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any

from benchmarks.cluster_api import ClusterAPI
from benchmarks.server import HOST, TOKEN, BenchServer

IMAGE = "ghcr.io/loom/weaver:latest"
# Nobody schedules these: the API server keeps them, and no kubelet runs them.
NOWHERE = "c.KubernetesRuntime.pod_template = {'spec': {'schedulerName': 'nobody'}}"


def settings(api: ClusterAPI, *more: str) -> str:
    lines = (
        "c.LoomWeaverApp.runtime = 'kubernetes'",
        f"c.KubernetesRuntime.namespace = {api.namespace!r}",
        f"c.KubernetesRuntime.images = {{'shell': {{'image': {IMAGE!r}}}}}",
        "c.KubernetesRuntime.default_memory = '64Mi'",
        *more,
    )
    return "\n".join(lines) + "\n"


def weaver_body(server: BenchServer) -> dict[str, Any]:
    return {"image": IMAGE, "org_id": server.org_id, "command": ["sh"]}


def event_stream(server: BenchServer) -> Iterator[str]:
    """The data of each event about weavers, for as long as the server lives."""
    connection = http.client.HTTPConnection(HOST, server.port)
    connection.request("GET", "/api/weavers/events", headers={"Authorization": f"token {TOKEN}"})
    try:
        for line in connection.getresponse():
            if line.startswith(b"data: {"):
                yield line[len("data: ") :].decode()
    except (OSError, http.client.HTTPException):
        return
