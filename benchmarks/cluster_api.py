"""A cluster's API itself, without anything of ours in between: what weavers are measured against."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from kubernetes import config
from kubernetes.client import Configuration

NO_CLUSTER = "no cluster is named; export KUBECONFIG=$(tests/cluster/up | tail -n 1)"
TIMEOUT_SECONDS = 120.0
BUILT = Path.home() / ".cache/loom-weaver-cluster/bin/kubectl"


class ClusterAPI:
    """One connection, for one call after the other, in a namespace of its own."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.pods = f"/api/v1/namespaces/{namespace}/pods"
        settings = _settings()
        self._headers = {"Content-Type": "application/json", **_authorization(settings)}
        self._connection = _connection(settings)

    def __repr__(self) -> str:
        return f"<ClusterAPI {self.namespace}>"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        try:
            answer = self._ask(method, path, body)
        except (http.client.RemoteDisconnected, ConnectionError):
            # The server may close a connection that was not used for a while.
            self._connection.close()
            answer = self._ask(method, path, body)
        content = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500].decode(errors='replace')}")
        return content

    def get(self, path: str) -> Any:
        return json.loads(self.call("GET", path))

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> http.client.HTTPResponse:
        self._connection.request(method, path, None if body is None else json.dumps(body), self._headers)
        return self._connection.getresponse()

    def watch(self, path: str) -> Iterator[dict[str, Any]]:
        """Events, until the caller has enough; afterwards this connection is of no more use."""
        self._connection.request("GET", path, None, self._headers)
        for line in self._connection.getresponse():
            yield json.loads(line)

    def delete_pods(self) -> None:
        """All at once, and without waiting for a kubelet."""
        now = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
        self.call("DELETE", self.pods, now)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def namespace() -> Iterator[ClusterAPI]:
    """A namespace for one scenario; it goes with all that is in it."""
    name = f"loom-bench-{uuid4().hex[:8]}"
    api = ClusterAPI(name)
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    api.call("POST", "/api/v1/namespaces", body)
    try:
        yield api
    finally:
        # A scenario that failed in the middle of an answer leaves the connection unusable.
        api.close()
        with suppress(RuntimeError):
            api.delete_pods()
        api.call("DELETE", f"/api/v1/namespaces/{name}")
        api.close()


def kubectl(*words: str) -> list[str]:
    """The command line, with the kubectl of the test cluster where there is one."""
    found = str(BUILT) if BUILT.exists() else shutil.which("kubectl")
    if found is None:
        raise RuntimeError("kubectl is not on this machine")
    return [found, "--kubeconfig", os.environ["KUBECONFIG"], *words]


def kubectl_output(*words: str) -> bytes:
    return subprocess.run(kubectl(*words), check=True, stdout=subprocess.PIPE).stdout


def clone(
    pod: dict[str, Any], name: str, labels: dict[str, str], annotations: dict[str, str]
) -> dict[str, Any]:
    """A manifest as that of a pod that there is, under another name."""
    spec = {key: value for key, value in pod["spec"].items() if key not in ("nodeName", "tolerations")}
    metadata = {"name": name, "labels": labels, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _settings() -> Configuration:
    if "KUBECONFIG" not in os.environ:
        raise RuntimeError(NO_CLUSTER)
    settings = Configuration()
    config.load_kube_config(client_configuration=settings)
    return settings


def _connection(settings: Configuration) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=settings.ssl_ca_cert)
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    address = urlsplit(settings.host)
    return http.client.HTTPSConnection(
        str(address.hostname), address.port, timeout=TIMEOUT_SECONDS, context=context
    )


def _authorization(settings: Configuration) -> dict[str, str]:
    token = settings.api_key.get("authorization")
    return {"Authorization": token} if token else {}
