"""Where the cluster is and who we are there: kubeconfig files, contexts by name, or the pod we run in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml
from kubernetes.aio import config
from kubernetes.aio.client import Configuration

from loom_weaver.errors import Unavailable

SERVICE_HOST = "KUBERNETES_SERVICE_HOST"
NOT_CONFIGURED = (
    "no Kubernetes cluster is configured; set KUBECONFIG or KubernetesRuntime.kubeconfig, "
    "or run this server in the cluster"
)


class ClusterConfiguration:
    """Addresses and credentials, kept fresh in place: those who hold `configuration` see the newest."""

    def __init__(self, kubeconfig: str = "", context: str = "") -> None:
        self.configuration = Configuration()
        # Given to the constructor, 0 would stand for 100: nothing of ours may wait for a free connection.
        self.configuration.connection_pool_maxsize = 0
        self._files = kubeconfig or os.environ.get("KUBECONFIG", "") or str(Path.home() / ".kube" / "config")
        self._context = context
        self._named = bool(kubeconfig or context)
        self._loader: Any = None
        self._proxy_around: str | None = None

    def __repr__(self) -> str:
        return f"<ClusterConfiguration {self._context or 'current context'}>"

    @property
    def proxy(self) -> str | None:
        """What the file names, else what the environment names for this host."""
        return self.configuration.proxy or self._proxy_around

    async def load(self) -> None:
        """From the start, as a file may be what was rotated; raises Unavailable with a sentence."""
        try:
            if _exists(self._files):
                self._loader = await config.load_kube_config(
                    config_file=self._files,
                    context=self._context or None,
                    client_configuration=self.configuration,
                    persist_config=False,
                )
            elif SERVICE_HOST in os.environ and not self._named:
                config.load_incluster_config(client_configuration=self.configuration)
            else:
                raise Unavailable(NOT_CONFIGURED)
        except (config.ConfigException, yaml.YAMLError, OSError, ValueError) as error:
            raise Unavailable(f"the Kubernetes configuration cannot be used: {_short(error)}") from error
        self._proxy_around = _proxy_around(str(self.configuration.host))

    async def refresh(self) -> None:
        """Renew what expires: tokens of plugins and files. In a cluster each call does so by itself."""
        if self._loader is not None:
            await self._loader.load_and_set(self.configuration)


def _exists(files: str) -> bool:
    return any(name and os.path.exists(os.path.expanduser(name)) for name in files.split(os.pathsep))


def _proxy_around(address: str) -> str | None:
    """Looked up here, once: the HTTP library would do so at each call, in a thread."""
    place = urlsplit(address)
    return None if proxy_bypass(place.hostname or "") else getproxies().get(place.scheme)


def _short(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
