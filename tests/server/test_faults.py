"""What users do not plan for: killed servers, killed and stopped holders, full and read-only disks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.server.running import JUPYTER_TOKEN, RunningServer, serving, wait_for
from tests.small_disk import fill, small_disk

StartServer = Callable[..., AbstractContextManager[RunningServer]]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")
JUPYTER = {"Authorization": f"token {JUPYTER_TOKEN}"}


def create(server: RunningServer, *command: str, **fields: Any) -> str:
    with server.http() as http:
        org = http.get("/api/weavers/me").json()["default_org_id"]
        body = {"image": "shell", "org_id": org, "command": list(command), **fields}
        reply = http.post("/api/weaver", json=body)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])


def get(server: RunningServer, weaver_id: str) -> dict[str, Any]:
    weaver: dict[str, Any] = httpx.get(f"{server.url}/api/weaver/{weaver_id}", headers=JUPYTER).json()
    return weaver


def wait_until(server: RunningServer, weaver_id: str, status: str) -> dict[str, Any]:
    return wait_for(
        lambda: weaver if (weaver := get(server, weaver_id)).get("status") == status else {},
        f"a {status} weaver",
    )


def log_lines(server: RunningServer, weaver_id: str) -> list[str]:
    """The present lines, without timestamps."""
    url = f"{server.url}/api/weaver/{weaver_id}/logs?timestamps=false&follow=false&tail=1000000"
    text = httpx.get(url, headers=JUPYTER).text
    events = [event for event in text.split("\n\n") if "event: " not in event]
    return [line[6:] for event in events for line in event.split("\n") if line.startswith("data: ")]


def holder_pid(server: RunningServer, weaver_id: str) -> int:
    record = json.loads((server.data_dir / "weavers" / weaver_id / "record.json").read_text())
    pid: int = record["holder"][0]
    return pid


def processes_with(words: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdecimal()
                and words in (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            ):
                found.append(int(entry.name))
        except (OSError, UnicodeDecodeError):
            continue
    return found


def unique_sleep() -> str:
    """Seconds that no other sleep of this machine has."""
    return f"{300_000 + time.monotonic_ns() % 10**6}.{os.getpid()}"


def test_after_kill_9_every_weaver_is_there_with_its_log_and_its_clock(start_server: StartServer) -> None:
    with start_server() as server:
        counting = create(
            server, "sh", "-c", "i=0; while :; do i=$((i+1)); echo n$i; sleep 0.01; done", lifetime_hours=7
        )
        ended = create(server, "sh", "-c", "seq 1 100; exit 3")
        before = wait_until(server, counting, "running")
        failed = wait_until(server, ended, "failed")
        wait_for(lambda: len(log_lines(server, counting)) > 20, "some lines")
        server.kill()
        with start_server() as again:
            after = get(again, counting)
            unchanged = (
                "created_at",
                "expires_at",
                "lifetime_hours",
                "started_at",
                "status",
                "owner_user_id",
            )
            assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}
            assert get(again, ended) == {**failed, "age_hours": get(again, ended)["age_hours"]}
            assert log_lines(again, ended) == [str(number) for number in range(1, 101)]
            seen = log_lines(again, counting)
            assert seen == [f"n{number}" for number in range(1, len(seen) + 1)]
            wait_for(lambda: len(log_lines(again, counting)) > len(seen), "it to go on counting")
            again.delete_all_weavers()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_loc_2_no_end_of_the_server_ends_a_weaver_and_a_delete_ends_all_of_it(
    start_server: StartServer, number: signal.Signals
) -> None:
    words = unique_sleep()
    command = f"sleep {words} & setsid sleep {words} & nohup sleep {words} & exec sh"
    with start_server() as server:
        weaver_id = create(server, "sh", "-c", command)
        wait_for(lambda: len(processes_with(f"sleep {words}")) == 3, "three sleeps")
        server.process.send_signal(number)
        server.process.wait(30)
    assert len(processes_with(f"sleep {words}")) == 3
    with start_server() as again:
        assert get(again, weaver_id)["status"] == "running"
        assert httpx.delete(f"{again.url}/api/weaver/{weaver_id}", headers=JUPYTER).status_code == 204
        wait_for(lambda: not processes_with(f"sleep {words}"), "the sleeps to be gone")
        wait_for(lambda: "error" in get(again, weaver_id), "the weaver to be gone")


def test_a_killed_holder_is_a_failed_weaver_whose_processes_are_gone(start_server: StartServer) -> None:
    words = unique_sleep()
    with start_server() as server:
        weaver_id = create(server, "sh", "-c", f"echo before; setsid sleep {words} & exec sleep {words}")
        wait_for(lambda: len(processes_with(f"sleep {words}")) == 2, "its processes")
        os.kill(holder_pid(server, weaver_id), signal.SIGKILL)
        weaver = wait_until(server, weaver_id, "failed")
        assert weaver["reason"] == "HolderLost"
        assert "process" in weaver["detail"]
        wait_for(lambda: not processes_with(f"sleep {words}"), "its processes to be gone")
        assert log_lines(server, weaver_id) == ["before"]
        server.delete_all_weavers()


def test_a_holder_that_died_while_no_server_ran_is_found_out(start_server: StartServer) -> None:
    with start_server() as server:
        weaver_id = create(server, "sleep", "1000")
        wait_until(server, weaver_id, "running")
        pid = holder_pid(server, weaver_id)
        server.kill()
        os.kill(pid, signal.SIGKILL)
        with start_server() as again:
            assert wait_until(again, weaver_id, "failed")["reason"] == "HolderLost"
            again.delete_all_weavers()


def test_a_weaver_whose_folder_somebody_removed_is_gone(start_server: StartServer) -> None:
    words = unique_sleep()
    with start_server() as server:
        weaver_id = create(server, "sleep", words)
        wait_until(server, weaver_id, "running")
        pid = holder_pid(server, weaver_id)
        shutil.rmtree(server.data_dir / "weavers" / weaver_id)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: "error" in get(server, weaver_id), "the weaver to be gone")
        wait_for(lambda: not processes_with(f"sleep {words}"), "its process to be gone")


def test_a_stopped_holder_stops_nothing_else(start_server: StartServer) -> None:
    words = unique_sleep()
    with start_server() as server, server.http() as http:
        weaver_id = create(server, "sleep", words)
        other = create(server, "sh", "-c", "echo hello; sleep 1000")
        wait_until(server, weaver_id, "running")
        os.kill(holder_pid(server, weaver_id), signal.SIGSTOP)
        reply = http.patch(f"/api/weaver/{weaver_id}", json={"lifetime_hours": 30})
        assert (reply.status_code, reply.json()["error"]) == (504, "runtime_timeout")
        reply = http.post(f"/api/weaver/{other}/exec", json={"command": ["echo", "there"]})
        assert reply.json()["stdout"] == "there\n"
        assert http.get("/health").status_code == 200
        assert http.delete(f"/api/weaver/{weaver_id}").status_code == 204
        wait_for(lambda: not processes_with(f"sleep {words}"), "its process to be gone")
        wait_for(lambda: http.get(f"/api/weaver/{weaver_id}").status_code == 404, "the weaver to be gone")
        server.delete_all_weavers()


def test_ttl_4_expiry_needs_no_server(start_server: StartServer) -> None:
    """The holder keeps the deadline; a server that starts later names, and then deletes, what expired."""
    with start_server() as server:
        weaver_id = create(server, "sleep", "1000")
        staying = create(server, "sleep", "1000", lifetime_hours=2)
        wait_until(server, weaver_id, "running")
        kept = get(server, staying)
        server.kill()
        record_file = server.data_dir / "weavers" / weaver_id / "record.json"
        record = json.loads(record_file.read_text())
        in_a_moment = time.time() + 0.5
        _ask_holder(server.data_dir / "weavers" / weaver_id, {"op": "extend", "deadline": in_a_moment})
        record = wait_for(
            lambda: found if (found := json.loads(record_file.read_text()))["status"] == "failed" else {},
            "expiry",
        )
        assert record["reason"] == "Expired"
        record_file.write_text(json.dumps({**record, "created_at": "2020-01-01T00:00:00Z"}))
        with start_server() as again, again.http() as http:
            dry = http.post("/api/weavers/cleanup?dry_run=true").json()
            assert dry == {"dry_run": True, "deleted": None, "would_delete": [weaver_id], "count": 1}
            wait_for(lambda: http.get(f"/api/weaver/{weaver_id}").status_code == 404, "the sweep", 60)
            after = get(again, staying)
            assert (after["expires_at"], after["status"]) == (kept["expires_at"], "running")
            again.delete_all_weavers()


def _ask_holder(folder: Path, request: dict[str, Any]) -> None:
    """Speak to a holder as a server does; the lifetime stays what it was."""
    record = json.loads((folder / "record.json").read_text())
    with socket.socket(socket.AF_UNIX) as connection:
        previous = Path.cwd()
        os.chdir(folder)
        connection.connect("socket")
        os.chdir(previous)
        hello = {"op": "control", "secret": record["secret"]}
        full = {"n": 1, "lifetime_hours": record["lifetime_hours"], **request}
        connection.sendall(f"{json.dumps(hello)}\n{json.dumps(full)}\n".encode())
        answer = b""
        while b'"ok"' not in answer:
            answer += connection.recv(65536)


def test_a_stranger_on_the_socket_gets_nothing(start_server: StartServer) -> None:
    with start_server() as server:
        weaver_id = create(server, "sh", "-c", "echo secret; sleep 1000")
        folder = server.data_dir / "weavers" / weaver_id
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "record.json").stat().st_mode & 0o777 == 0o600
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"/proc/self/fd/{os.open(folder, os.O_PATH)}/socket")
            attach = {
                "op": "attach",
                "secret": "0" * 64,
                "name": "x",
                "scrollback": True,
                "epoch": None,
                "offset": None,
            }
            connection.sendall(json.dumps(attach).encode() + b"\n")
            assert connection.recv(1024) == b""
        server.delete_all_weavers()


@as_root
def test_a_full_disk_is_a_gap_in_the_log_and_no_end(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "24m"), serving(disk / "data") as server, ExitStack() as stack:
        command = "echo first; read x; seq 1 100000; echo middle; read x; echo last; sleep 1000"
        weaver_id = create(server, "sh", "-c", command)
        wait_for(lambda: "first" in log_lines(server, weaver_id), "the first line")
        terminal = stack.enter_context(attached(server, weaver_id))
        filler = disk / "filler"
        fill(filler)
        terminal.send(b"\n")
        seen = b""
        while b"middle" not in seen:
            seen += cast("bytes", terminal.recv(timeout=30))
        assert get(server, weaver_id)["status"] == "running"
        filler.unlink()
        terminal.send(b"\n")
        wait_for(lambda: "last" in log_lines(server, weaver_id), "the last line")
        since = "timestamps=false&follow=false&since=2020-01-01T00:00:00Z"
        events = httpx.get(f"{server.url}/api/weaver/{weaver_id}/logs?{since}", headers=JUPYTER).text.split(
            "\n\n"
        )
        assert "data: first" in events[0]
        gap = next(number for number, event in enumerate(events) if "event: gap" in event)
        assert any("data: last" in event for event in events[gap:])
        server.delete_all_weavers()


@contextmanager
def attached(server: RunningServer, weaver_id: str) -> Iterator[ClientConnection]:
    token = httpx.post(f"{server.url}/auth/ws-token", headers=JUPYTER).json()["token"]
    with connect(server.websocket_url(f"/api/weaver/{weaver_id}/attach")) as terminal:
        terminal.send(json.dumps({"type": "auth", "token": token}))
        yield terminal


@as_root
def test_a_create_on_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "8m"), serving(disk / "data") as server, server.http() as http:
        org = http.get("/api/weavers/me").json()["default_org_id"]
        fill(disk / "filler")
        reply = http.post("/api/weaver", json={"image": "shell", "org_id": org})
        assert reply.status_code in (502, 503), reply.text
        assert str(disk) not in reply.text
        assert http.get("/api/weavers").json()["count"] == 0
        wait_for(lambda: not list((disk / "data" / "weavers").iterdir()), "the folders to be gone")
        (disk / "filler").unlink()
        assert http.post("/api/weaver", json={"image": "shell", "org_id": org}).status_code == 201
        server.delete_all_weavers()
