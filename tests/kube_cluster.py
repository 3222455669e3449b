"""The Kubernetes that tests run on: the one that LOOM_WEAVER_TEST_KUBECONFIG names, or one of this machine.

A suite imports the fixture `kube` into its `conftest.py`. Where no cluster can run, its tests are
skipped with the reason; in CI that is a failure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

SCRIPTS = Path(__file__).parent / "cluster"
CACHE = Path(os.environ.get("LOOM_WEAVER_CLUSTER_CACHE", Path.home() / ".cache/loom-weaver-cluster"))
NAMED = "LOOM_WEAVER_TEST_KUBECONFIG"
CANNOT_RUN = 77
WEAVER_IMAGE = "ghcr.io/loom/weaver:latest"
# What a weaver's namespace has, so that the API server refuses what is not `restricted`.
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@dataclass(frozen=True)
class Kube:
    kubeconfig: Path

    def kubectl(self, *words: str, text: str | None = None, check: bool = True) -> str:
        """What `kubectl` prints; `text` goes to its standard input."""
        done = subprocess.run(
            self.command(*words),
            input=text,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0 or not check, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout if done.returncode == 0 else done.stdout + done.stderr

    def command(self, *words: str) -> list[str]:
        return [tool("kubectl"), "--kubeconfig", str(self.kubeconfig), *words]

    def get(self, *words: str) -> Any:
        how = () if "--raw" in words else ("-o", "json")
        return json.loads(self.kubectl("get", *words, *how))

    def apply(self, *manifests: dict[str, Any]) -> None:
        self.kubectl(
            "apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        )

    @contextmanager
    def namespace(self, labels: dict[str, str] | None = None) -> Iterator[str]:
        """A namespace of its own, with its default service account; deleted without waiting for its end."""
        name = f"loom-test-{uuid4().hex[:10]}"
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": RESTRICTED if labels is None else labels},
            }
        )
        account = ("serviceaccount/default", "--namespace", name)
        try:
            self.kubectl("wait", "--for=create", "--timeout=180s", *account)
            yield name
        finally:
            self.kubectl("delete", "pods", "--all", "--namespace", name, "--grace-period=1", "--wait=false")
            self.kubectl("delete", "namespace", name, "--wait=false")

    def component(self, action: str, name: str = "") -> None:
        """Stop, kill, start, restart, freeze or thaw a server of the cluster, or compact etcd."""
        self._must_be_ours("lets its servers be disturbed")
        subprocess.run([SCRIPTS / "component", action, *([name] if name else [])], check=True, timeout=150)

    def take_server_image(self) -> None:
        """Bring this checkout's server into the cluster, as the image ghcr.io/loom/loom-weaver:test."""
        self._must_be_ours("takes an image that no registry has")
        subprocess.run([SCRIPTS / "server-image"], check=True, timeout=550)

    @property
    def is_ours(self) -> bool:
        return self.kubeconfig.resolve() == (CACHE / "run/admin.kubeconfig").resolve()

    def _must_be_ours(self, why: str) -> None:
        if not self.is_ours:
            pytest.skip(f"only a cluster of tests/cluster {why}")

    @contextmanager
    def without(self, name: str, *, frozen: bool = False) -> Iterator[None]:
        """One server stopped, or frozen, for as long as the block takes."""
        self.component("freeze" if frozen else "stop", name)
        try:
            yield
        finally:
            self.component("thaw" if frozen else "start", name)


def tool(name: str) -> str:
    """`kubectl` or `helm` as built for the test cluster, else this machine's."""
    built = CACHE / "bin" / name
    found = str(built) if built.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine")
    return found


@contextmanager
def open_kube() -> Iterator[Kube]:
    if named := os.environ.get(NAMED):
        yield Kube(Path(named))
        return
    started = subprocess.run([SCRIPTS / "up"], capture_output=True, text=True, check=False)
    if started.returncode == CANNOT_RUN:
        _cannot(started.stderr.strip().splitlines()[-1])
    assert started.returncode == 0, started.stderr
    *news, kubeconfig = started.stdout.splitlines()
    try:
        yield Kube(Path(kubeconfig))
    finally:
        # A cluster that ran before goes on.
        if news:
            subprocess.run([SCRIPTS / "down"], check=True)


def _cannot(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def kube() -> Iterator[Kube]:
    with open_kube() as cluster:
        yield cluster
