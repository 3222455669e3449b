"""A runtime, or a server, on the test cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from loom_weaver.runtimes.kubernetes.runtime import KubernetesRuntime
from tests.contract.probes import House
from tests.kube_cluster import WEAVER_IMAGE, Kube
from tests.server.running import RunningServer, serving

IMAGES = {
    "python": {"image": WEAVER_IMAGE, "command": ["python3"], "description": "Python"},
    "shell": {"image": WEAVER_IMAGE, "command": ["sh"], "description": "A shell"},
}
# A test's weavers are small, and many.
SMALL = {"default_memory": "64Mi", "default_cpu": "500m", "cpu_request_ratio": 0.02}


@asynccontextmanager
async def opened(kube: Kube, namespace: str, *, keep: bool = False, **traits: Any) -> AsyncIterator[House]:
    """`keep` leaves its weavers to the namespace's end."""
    options = {"installation": "test", "images": IMAGES, **SMALL, **traits}
    runtime = KubernetesRuntime(kubeconfig=str(kube.kubeconfig), namespace=namespace, **options)
    await runtime.start()
    house = House(runtime)
    try:
        yield house
    finally:
        try:
            if not keep:
                await house.delete_all()
        finally:
            await runtime.stop()


@contextmanager
def serving_cluster(
    kube: Kube, namespace: str, data_dir: Path, config: str = "", **options: Any
) -> Iterator[RunningServer]:
    """`loom-weaver serve` as it is set up for a cluster; its weavers are left to the namespace's end."""
    traits = {"kubeconfig": str(kube.kubeconfig), "namespace": namespace, "images": IMAGES, **SMALL}
    lines = ["c.LoomWeaverApp.runtime = 'kubernetes'"]
    lines += [f"c.KubernetesRuntime.{name} = {value!r}" for name, value in traits.items()]
    with serving(data_dir, config="\n".join(lines) + "\n" + config, **options) as server:
        yield server
