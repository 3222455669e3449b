"""The Jupyter servers of this user on this machine, by the files that they keep while they run.

jupyter_server writes `jpserver-PID.json` into Jupyter's runtime folder: its URL, token, pid and more. A
kernel finds the pid of the server that started it in `JPY_PARENT_PID` (jupyter_client), under a hub a token
in `JUPYTERHUB_API_TOKEN` too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from loom_weaver.client.server import Server

LONGEST_FILE = 64 * 1024
# Where a server listens everywhere, its own name may lead nowhere.
EVERYWHERE = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104
HUB_TOKEN, HUB_SERVICE_URL = "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_SERVICE_URL"


def running() -> list[Server]:
    return [server for info in _infos() if (server := _server(info, "")) is not None]


def of_kernel(parent: int, environ: Mapping[str, str]) -> Server | None:
    """The server whose process `parent` started this kernel; None where it cannot be told."""
    hub_token = environ.get(HUB_TOKEN, "")
    for info in _infos():
        if info.get("pid") == parent:
            return _server(info, hub_token)
    service = environ.get(HUB_SERVICE_URL, "")
    if service and hub_token:
        return Server(_reachable(service, urlsplit(service).hostname or ""), hub_token, HUB_SERVICE_URL)
    return None


def _infos() -> Iterator[dict[str, Any]]:
    from jupyter_core.paths import jupyter_runtime_dir

    for path in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            with path.open(encoding="utf-8") as file:
                info = json.loads(file.read(LONGEST_FILE))
        except (OSError, ValueError):
            # It ended, or is just writing its file.
            continue
        if isinstance(info, dict) and isinstance(info.get("pid"), int) and _is_alive(info["pid"]):
            yield info


def _server(info: dict[str, Any], hub_token: str) -> Server | None:
    """None for one that listens on a unix socket only."""
    url = str(info.get("url", ""))
    if not url.startswith(("http://", "https://")):
        return None
    found_by = f"the Jupyter server with pid {info['pid']}"
    return Server(
        _reachable(url, str(info.get("hostname", ""))), str(info.get("token") or hub_token), found_by
    )


def _reachable(url: str, hostname: str) -> str:
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    place = f"127.0.0.1{port}" if hostname in EVERYWHERE else parts.netloc
    return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
