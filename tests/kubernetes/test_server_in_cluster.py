"""The server as the chart runs it: in the cluster, with the rights of its own account and no others."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from loom_weaver import Client
from loom_weaver.client import Output
from tests.kube_cluster import Kube
from tests.kubernetes.helm import CHART, helm

TOKEN = "token-of-the-administrator"
USER_OF_THE_IMAGE = 1000
VALUES = (
    *("replicas=1", "dataClaim=data", "image.tag=test", "image.pullPolicy=Never"),
    *("resources.requests.cpu=10m", "resources.requests.memory=64Mi"),
)
# It takes the image's making and import, once for a checkout, and the start of a Python server.
pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


class Place(NamedTuple):
    namespace: str
    weavers: str


@pytest.fixture(scope="module")
def place(kube: Kube) -> Iterator[Place]:
    kube.take_server_image()
    with kube.namespace() as namespace, volume(kube, namespace):
        kube.apply(secret(namespace))
        place = Place(namespace, f"{namespace}-weavers")
        try:
            install(kube, place)
            yield place
        finally:
            helm(kube, "uninstall", "loom-weaver", "--namespace", namespace, "--wait")
            kube.kubectl("delete", "namespace", place.weavers, "--ignore-not-found", "--wait=false")


@pytest.fixture
def client(kube: Kube, place: Place) -> Iterator[Client]:
    with forwarded(kube, place.namespace) as url, Client(url, TOKEN) as client:
        yield client


def install(kube: Kube, place: Place) -> None:
    values = ",".join((*VALUES, f"weavers.namespace={place.weavers}"))
    helm(kube, "install", "loom-weaver", str(CHART), "--namespace", place.namespace, "--set", values)
    try:
        ready = ("rollout", "status", "deployment/loom-weaver", "--timeout=90s")
        kube.kubectl(*ready, "--namespace", place.namespace)
    except AssertionError as error:
        said = kube.kubectl("logs", "deployment/loom-weaver", "--namespace", place.namespace, check=False)
        pytest.fail(f"{error}\n{said}")


def secret(namespace: str) -> dict[str, Any]:
    values = {"secrets-key": base64.urlsafe_b64encode(os.urandom(32)).decode(), "token": TOKEN}
    metadata = {"name": "loom-weaver", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}


@contextmanager
def volume(kube: Kube, name: str) -> Iterator[None]:
    """A claim `data`, on a folder of this machine, for the server's SQLite file."""
    folder = Path(tempfile.mkdtemp(prefix="loom-weaver-test-"))
    os.chown(folder, USER_OF_THE_IMAGE, USER_OF_THE_IMAGE)
    size = {"storage": "1Gi"}
    common: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    of_volume = {"capacity": size, "hostPath": {"path": str(folder)}}
    of_claim = {"volumeName": name, "resources": {"requests": size}}
    where = {"name": "data", "namespace": name}
    kube.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": common | of_volume,
        },
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": where, "spec": common | of_claim},
    )
    try:
        yield
    finally:
        kube.kubectl("delete", "persistentvolume", name, "--wait=false")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def forwarded(kube: Kube, namespace: str) -> Iterator[str]:
    words = ["port-forward", "service/loom-weaver", ":80", "--address=127.0.0.1", "--namespace", namespace]
    with subprocess.Popen(kube.command(*words), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            # Forwarding from 127.0.0.1:40123 -> 8888
            port = process.stdout.readline().split("->")[0].rstrip().rpartition(":")[2]
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def test_its_account_suffices_for_a_weavers_whole_life(client: Client) -> None:
    assert client.me().runtime["name"] == "kubernetes"
    with client.weaver(command=["bash"], env={"GREETING": "hello"}) as weaver:
        assert weaver.exec(["sh", "-c", "echo $GREETING"]).stdout == "hello\n"
        weaver.write_file("note.txt", "kept")
        assert weaver.read_file("note.txt") == b"kept"
        assert client.extend(weaver.id, 30).lifetime_hours == 30
        with weaver.attach(size=(80, 24)) as terminal:
            terminal.send("echo $((6 * 7)); exit 5\n")
            shown = b"".join(item.data for item in terminal if isinstance(item, Output))
            assert terminal.exit is not None
            assert terminal.exit.code == 5
        assert b"42" in shown
        assert any("42" in str(line) for line in weaver.logs(follow=False))


def test_a_weaver_outlives_its_server(kube: Kube, place: Place, client: Client) -> None:
    made = client.create(command=["sleep", "1000"])
    client.wait(made.id)
    kube.kubectl("rollout", "restart", "deployment/loom-weaver", "--namespace", place.namespace)
    kube.kubectl(
        *("rollout", "status", "deployment/loom-weaver", "--timeout=90s", "--namespace", place.namespace)
    )
    with forwarded(kube, place.namespace) as url, Client(url, TOKEN) as again:
        assert again.get(made.id).status == "running"
        again.delete(made.id)
