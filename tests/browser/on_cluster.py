"""A JupyterLab whose weavers are pods, for `pytest tests/browser --runtime kubernetes`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from tests.kube_cluster import WEAVER_IMAGE, Kube

RUNTIME = "kubernetes"
CONFIG = """\
c.LoomWeaverApp.runtime = "kubernetes"
c.KubernetesRuntime.kubeconfig = {kubeconfig!r}
c.KubernetesRuntime.namespace = {namespace!r}
c.KubernetesRuntime.installation = {installation!r}
c.KubernetesRuntime.images = {images!r}
c.KubernetesRuntime.default_image = "python"
c.KubernetesRuntime.default_memory = "256Mi"
c.KubernetesRuntime.memory_request_ratio = 0.05
c.KubernetesRuntime.cpu_request_ratio = 0.01
"""
# By the names that the local runtime offers.
PROGRAMS = {"python": ["python3"], "shell": ["bash", "-i"]}


@contextmanager
def weavers_as_pods(kube: Kube) -> Iterator[str]:
    """The configuration of a server, and a namespace for as long as it is needed."""
    with kube.namespace() as namespace:
        yield CONFIG.format(
            kubeconfig=str(kube.kubeconfig),
            namespace=namespace,
            installation=str(uuid4()),
            images={name: {"image": WEAVER_IMAGE, "command": program} for name, program in PROGRAMS.items()},
        )
