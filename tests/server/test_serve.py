"""`loom-weaver serve` and the extension in another Jupyter server, from the outside."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from tests.server.running import (
    JUPYTER_TOKEN,
    PATIENCE,
    RunningServer,
    free_port,
    server_environment,
    wait_for,
)

StartServer = Callable[..., AbstractContextManager[RunningServer]]
COMMAND = [sys.executable, "-m", "loom_weaver.cli"]


def test_what_it_says_of_itself(start_server: StartServer) -> None:
    with start_server() as server:
        assert "AuthWarning" not in server.log()
        assert "without @allow_unauthenticated" not in server.log()
        assert "Traceback" not in server.log()
        with server.http(None) as stranger:
            health = stranger.get("/health")
            assert (health.status_code, health.json()) == (200, {"status": "ok"})
        with server.http("Bearer loom_sk_wrong") as stranger:
            assert stranger.get("/health").json() == {"status": "ok"}
        with server.http() as http:
            assert http.get("/health").json()["weavers"]["running"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_good_order(start_server: StartServer, number: signal.Signals) -> None:
    with start_server() as server:
        with server.http() as http:
            org_id = http.get("/api/weavers/me").json()["default_org_id"]
            http.post("/api/weaver", json={"image": "python", "org_id": org_id})
        server.process.send_signal(number)
        assert server.process.wait(PATIENCE) == 0
        assert "1 weavers go on without this server" in server.log()
    with start_server() as again:
        again.delete_all_weavers()


def test_a_runtime_that_there_is_not(tmp_path: Path) -> None:
    command = [*COMMAND, "serve", "--port", "0", "--data-dir", str(tmp_path / "d"), "--runtime", "nomad"]
    environment = server_environment(tmp_path / "d")
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 1
    assert "there is no runtime 'nomad'" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_beside_another_server_jupyter_itself_goes_on(start_server: StartServer, tmp_path: Path) -> None:
    """The extension says why it cannot serve; all else of Jupyter works."""
    port = free_port()
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", f"--port={port}"]
    extension = "--ServerApp.jpserver_extensions={'loom_weaver_server': True}"
    environment = server_environment(tmp_path / "other")
    url = f"http://127.0.0.1:{port}"
    with start_server() as server:
        data_dir = f"--LoomWeaverApp.data_dir={server.data_dir}"
        with (tmp_path / "jupyter.log").open("wb") as log:
            jupyter = subprocess.Popen(
                [*command, extension, data_dir], env=environment, stdout=log, stderr=log
            )
        with httpx.Client(base_url=url, headers={"Authorization": f"token {JUPYTER_TOKEN}"}) as http:

            def answers() -> bool:
                try:
                    return http.get("/api/status").status_code == 200
                except httpx.TransportError:
                    return False

            wait_for(answers, "Jupyter to answer")
            refused = http.get("/api/weavers")
            assert (refused.status_code, refused.json()["error"]) == (503, "unavailable")
            assert "another server uses the data directory" in refused.json()["message"]
            assert int(refused.headers["Retry-After"]) > 0
            stranger = httpx.get(f"{url}/health")
            assert stranger.status_code == 503
            assert str(server.data_dir) not in stranger.text
            assert httpx.get(f"{url}/api/weavers").status_code == 401
        jupyter.terminate()
        assert jupyter.wait(PATIENCE) == 0
        assert server.http().get("/api/weavers").status_code == 200


def test_help_loads_no_server() -> None:
    program = (
        "import sys; sys.argv = ['loom-weaver', '--help']\n"
        "from loom_weaver.cli import main; main()\n"
        "heavy = {'tornado', 'jupyter_server', 'sqlalchemy', 'pydantic', 'httpx', 'asyncio', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    *text, loaded = ended.stdout.splitlines()
    assert loaded == "[]"
    assert any(line.strip().startswith("serve ") for line in text)
    assert any(line.strip().startswith("admin ") for line in text)


def test_a_command_that_there_is_not() -> None:
    ended = subprocess.run([*COMMAND, "weave"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    told = "No such command 'weave'. Did you mean 'serve'?"
    assert ended.stderr == f"loom-weaver: {told}; see loom-weaver --help\n"


@pytest.mark.parametrize("command", [["serve", "--help"], ["admin", "--help"], ["--version"]])
def test_commands_explain_themselves(command: list[str]) -> None:
    ended = subprocess.run([*COMMAND, *command], capture_output=True, text=True, check=True)
    assert ended.stdout


def test_metrics(server: RunningServer) -> None:
    people = server.add_people()
    body = {"image": "python", "org_id": people.org_id}
    weaver = people.owner.http.post("/api/weaver", json=body).json()
    people.owner.http.get("/api/weaver/weaver_none")
    text = server.http().get("/metrics").text
    assert 'loom_weaver_weavers{status="' in text
    assert "loom_weaver_viewers 0.0" in text
    assert "loom_weaver_log_readers 0.0" in text
    assert 'loom_weaver_request_errors_total{error="not_found"}' in text
    assert re.search(r"^loom_weaver_creates_total [1-9]", text, re.MULTILINE)
    people.owner.http.delete(f"/api/weaver/{weaver['id']}")


def test_the_documentation(server: RunningServer) -> None:
    with server.http() as http:
        document = http.get("/api/openapi.json").json()
        assert document["openapi"].startswith("3.1")
        assert document["servers"] == [{"url": "/a%40b/"}]
        page = http.get("/api/docs")
        assert page.headers["Content-Type"] == "text/html"
        assert "https:" not in page.text
        for name in ("start.js", "swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"):
            assert name in page.text
            assert http.get(f"/api/docs/{name}").status_code == 200
