"""One Jupyter server with both kinds of terminal and the probe, on the loopback address."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
TOKEN = "token-of-the-benchmark"
READY_SECONDS = 60.0
STOP_SECONDS = 120.0
SHELL = "/bin/sh"
CONFIG = """\
c.ServerApp.jpserver_extensions = {{
    "benchmarks.probe": True, "jupyter_server_terminals": True, "loom_weaver_server": True,
    "jupyter_lsp": False, "jupyterlab": False, "notebook_shim": False,
}}
c.ServerApp.allow_root = True
c.ServerApp.open_browser = False
c.ServerApp.port_retries = 0
c.ServerApp.terminado_settings = {{"shell_command": [{shell!r}]}}
c.WeaverService.allow_unisolated = True
c.LocalRuntime.isolation_kind = {isolation!r}
c.LoomWeaverApp.data_dir = {data_dir!r}
"""


@dataclass
class BenchServer:
    port: int
    pid: int
    data_dir: Path
    org_id: str = ""

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(HOST, self.port, timeout=READY_SECONDS)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON of the answer."""
        text = self.fetch(method, path, body)
        return json.loads(text) if text else None

    def fetch(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        """The answer's body; one connection is kept for all calls."""
        headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        self._connection.request(method, path, content, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode(errors='replace')[:500]}")
        return text

    def probe(self, *, reset: bool = False) -> dict[str, Any]:
        """What the probe saw since its last reset."""
        found: dict[str, Any] = self.call("GET", "/bench/probe" + ("?reset=1" if reset else ""))
        return found

    def cpu(self) -> float:
        seconds: float = self.probe()["cpu"]
        return seconds

    def weavers(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.call("GET", "/api/weavers")["weavers"]
        return listed

    def delete_all(self) -> None:
        """What a scenario has left; returns when it is gone."""
        for terminal in self.call("GET", "/api/terminals"):
            self.call("DELETE", f"/api/terminals/{terminal['name']}")
        for weaver in self.weavers():
            self.call("DELETE", f"/api/weaver/{weaver['id']}")
        deadline = time.monotonic() + STOP_SECONDS
        while self.weavers() and time.monotonic() < deadline:
            time.sleep(0.1)


@contextmanager
def serving(isolation: str = "auto", more: str = "") -> Iterator[BenchServer]:
    """Ends with everything that it has started; `more` are further lines of configuration."""
    folder = Path(tempfile.mkdtemp(prefix="loom-bench-"))
    (folder / "root").mkdir()
    data_dir = folder / "data"
    config = CONFIG.format(shell=SHELL, isolation=isolation, data_dir=str(data_dir))
    (folder / "jupyter_server_config.py").write_text(config + more)
    port = _free_port()
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", f"--ServerApp.port={port}", f"--ServerApp.ip={HOST}"],
            env=_environment(folder),
            cwd=folder / "root",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        server = BenchServer(port, process.pid, data_dir)
        _wait_ready(server, process, folder / "server.log")
        yield server
        server.delete_all()
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_ready(server: BenchServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            server.org_id = server.call("GET", "/api/weavers/me")["default_org_id"]
            return
        except (OSError, http.client.HTTPException, RuntimeError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{log.read_text()[:8000]}") from None
            server._connection.close()
            time.sleep(0.05)


def _environment(folder: Path) -> dict[str, str]:
    """Jupyter's folders apart from those of whoever runs this, and no extension but those that are named."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    return {
        **inherited,
        "JUPYTER_TOKEN": TOKEN,
        "JUPYTER_CONFIG_DIR": str(folder),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "server_ext"))),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
