"""One suite for every runtime, against `loom_weaver.runtimes.base` alone.

A test is a coroutine that opens its runtime: `async with open_house() as house: …`; leaving deletes what the
test made. A further runtime is a function in `RUNTIMES`; what it cannot do by its nature stands in `CANNOT`.
Those that need much around them run only where they are named: `pytest tests/contract --runtime kubernetes`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import NAMESPACE_URL, uuid5

import pytest

from loom_weaver.runtimes.base import Runtime
from loom_weaver.runtimes.kubernetes.runtime import KubernetesRuntime
from loom_weaver.runtimes.local import isolation
from loom_weaver.runtimes.local.runtime import LocalRuntime
from loom_weaver.runtimes.local.sandbox_plan import KINDS
from loom_weaver.runtimes.memory import MemoryRuntime
from tests.contract.probes import House
from tests.kube_cluster import WEAVER_IMAGE, Kube, kube

__all__ = ["kube"]

OpenHouse = Callable[..., AbstractAsyncContextManager[House]]


def memory(data_dir: Path, kept: int | None) -> Runtime:
    return MemoryRuntime() if kept is None else MemoryRuntime(ring_bytes=kept)


def local(kind: str) -> Callable[[Path, int | None], Runtime]:
    def make(data_dir: Path, kept: int | None) -> Runtime:
        options = {} if kept is None else {"log_bytes": kept}
        return LocalRuntime(data_dir=str(data_dir), isolation_kind=kind, **options)

    return make


def kubernetes(kube: Kube, namespace: str, data_dir: Path, kept: int | None) -> Runtime:
    """Each test has an installation of its own in the one namespace. The cluster decides how much is kept."""
    return KubernetesRuntime(
        kubeconfig=str(kube.kubeconfig),
        namespace=namespace,
        installation=str(uuid5(NAMESPACE_URL, str(data_dir))),
        images={name: {"image": WEAVER_IMAGE, "command": [program]} for name, program in PROGRAMS.items()},
        any_image=False,
        default_image="python",
        default_memory="256Mi",
        memory_request_ratio=0.05,
        cpu_request_ratio=0.01,
    )


# What the images of the suite run on Kubernetes.
PROGRAMS = {"python": "python3", "shell": "sh", "ghcr.io/loom/weaver": "python3"}
KUBERNETES = "kubernetes"
# Name -> how to make one; `kept` is how many bytes of a weaver's output it keeps, None for its own choice.
RUNTIMES: dict[str, Callable[[Path, int | None], Runtime]] = {
    "memory": memory,
    **{f"local-{kind}": local(kind) for kind in KINDS},
}
# (runtime, ability) -> why not.
CANNOT = {
    ("memory", "end what left its session"): "it follows processes no further than their session",
    ("memory", "outlive its runtime"): "its weavers are children of the runtime's process",
    (
        "kubernetes",
        "end weavers by itself",
    ): "nobody is in the pod; the sweep of a server deletes what is over",
    ("kubernetes", "resume terminals"): "a server that comes back rebuilds the scrollback from the log",
    ("kubernetes", "remember a terminal's size"): "what it keeps of one that has ended is its log",
    ("kubernetes", "show unfinished lines"): "nodes keep a line when its end has come",
    ("kubernetes", "keep so many bytes of a log"): "nodes decide that, and nobody counts what they let go",
}


# How much may be on its way between a program and the runtime; a cluster's proxies hold up to 20 MB.
IN_FLIGHT = {"kubernetes": 40 * 1024 * 1024}


@cache
def why_not(kind: str) -> str | None:
    return isolation.why_not(kind)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "runtime_name" in metafunc.fixturenames:
        names = metafunc.config.getoption("runtime") or list(RUNTIMES)
        metafunc.parametrize("runtime_name", names, indirect=True)


@pytest.fixture
def runtime_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name.startswith("local-") and (reason := why_not(name.removeprefix("local-"))):
        pytest.skip(f"{name} does not work on this machine: {reason}")
    return name


@pytest.fixture
def in_flight(runtime_name: str) -> int:
    return IN_FLIGHT.get(runtime_name, 3 * 1024 * 1024)


@pytest.fixture
def able(runtime_name: str) -> Callable[[str], bool]:
    """Whether the runtime has an ability."""
    return lambda ability: (runtime_name, ability) not in CANNOT


@pytest.fixture
def needs(runtime_name: str) -> Callable[[str], None]:
    """Skips the test, with the reason, where the runtime lacks an ability."""

    def check(ability: str) -> None:
        reason = CANNOT.get((runtime_name, ability))
        if reason:
            pytest.skip(f"{runtime_name}: {reason}")

    return check


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Not in /tmp: Landlock shares that with a weaver only where nothing of ours is in it."""
    with TemporaryDirectory(prefix="loom-weaver-", dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def kubernetes_namespace(kube: Kube) -> Iterator[str]:
    """One for all tests: to make and to clear one away takes seconds."""
    with kube.namespace() as name:
        yield name


@pytest.fixture
def make_runtime(
    request: pytest.FixtureRequest, runtime_name: str, data_dir: Path
) -> Callable[[int | None], Runtime]:
    if runtime_name != KUBERNETES:
        return partial(RUNTIMES[runtime_name], data_dir)
    cluster: Kube = request.getfixturevalue("kube")
    return partial(kubernetes, cluster, request.getfixturevalue("kubernetes_namespace"), data_dir)


@pytest.fixture
def open_house(make_runtime: Callable[[int | None], Runtime], runtime_name: str) -> OpenHouse:
    """Starts the runtime, on one data folder for the whole test; `keep=True` leaves it its weavers."""

    @asynccontextmanager
    async def opened(*, kept: int | None = None, keep: bool = False) -> AsyncIterator[House]:
        runtime = make_runtime(kept)
        await runtime.start()
        house = House(runtime)
        try:
            yield house
        finally:
            try:
                if not keep:
                    # In a cluster the pods go by themselves, and others need not wait for that.
                    await house.delete_all(wait=runtime_name != KUBERNETES)
            finally:
                await runtime.stop()

    return opened
