"""Commands in a weaver: by one answer, by events, by WebSocket."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.server.running import PATIENCE, People, Person, RunningServer, wait_for
from tests.server.terminals import shell, ws_token
from tests.sse_reader import parse_events

Create = Callable[..., dict[str, Any]]


@pytest.fixture
def weaver(create: Create) -> str:
    return shell(create, "exec sleep 600", env={"GREETING": "hi"})


def run(person: Person, weaver: str, *command: str, **fields: Any) -> dict[str, Any]:
    reply = person.http.post(f"/api/weaver/{weaver}/exec", json={"command": list(command), **fields})
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def running(mark: str) -> list[int]:
    """Processes of this machine whose command line holds `mark`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_a_command_runs_with_the_weavers_environment_and_workdir(owner: Person, weaver: str) -> None:
    answer = run(owner, weaver, "sh", "-c", "echo $GREETING; pwd >&2")
    assert answer["stdout"] == "hi\n"
    home = run(owner, weaver, "sh", "-c", "printf %s $HOME")["stdout"]
    assert answer == {
        "exit_code": 0,
        "stdout": "hi\n",
        "stderr": f"{home}\n",
        "timed_out": False,
        "stdout_truncated": False,
        "stderr_truncated": False,
        "warning": None,
    }


def test_exec_1_exit_codes_are_never_lost(owner: Person, weaver: str) -> None:
    with ThreadPoolExecutor(10) as pool:
        codes = pool.map(lambda _: run(owner, weaver, "false")["exit_code"], range(100))
        assert set(codes) == {1}
    assert run(owner, weaver, "sh", "-c", "exit 7")["exit_code"] == 7
    assert run(owner, weaver, "sh", "-c", "kill -9 $$")["exit_code"] == 137


def test_exec_2_standard_input_ends(owner: Person, weaver: str) -> None:
    text = "é" * 250_000
    assert run(owner, weaver, "cat", stdin="abc")["stdout"] == "abc"
    assert run(owner, weaver, "wc", "-c", stdin="")["stdout"].strip() == "0"
    assert run(owner, weaver, "cat")["stdout"] == ""
    digest = run(owner, weaver, "sha256sum", stdin=text)["stdout"]
    assert digest.startswith(hashlib.sha256(text.encode()).hexdigest())
    raw = os.urandom(500_000)
    digest = run(owner, weaver, "sha256sum", stdin_base64=base64.b64encode(raw).decode())["stdout"]
    assert digest.startswith(hashlib.sha256(raw).hexdigest())


def test_input_that_nobody_reads_holds_nothing_up(owner: Person, weaver: str) -> None:
    assert run(owner, weaver, "true", stdin="x" * 1_000_000)["exit_code"] == 0


def test_output_is_kept_up_to_a_mebibyte_and_the_rest_is_dropped(owner: Person, weaver: str) -> None:
    answer = run(owner, weaver, "sh", "-c", "yes é | head -c 3000000; printf '\\377' >&2")
    assert answer["exit_code"] == 0
    assert 1024 * 1024 - 3 < len(answer["stdout"].encode()) <= 1024 * 1024
    assert set(answer["stdout"]) == {"é", "\n"}
    assert (answer["stdout_truncated"], answer["stderr_truncated"]) == (True, False)
    assert answer["stderr"] == "\N{REPLACEMENT CHARACTER}"


def test_exec_4_a_command_that_takes_too_long_ends_with_its_children(owner: Person, weaver: str) -> None:
    answer = run(owner, weaver, "sh", "-c", "echo begun; sleep 43210 & wait", timeout_seconds=1)
    assert (answer["timed_out"], answer["exit_code"], answer["stdout"]) == (True, None, "begun\n")
    wait_for(lambda: not running("sleep\00043210"), "the child to end")


def test_exec_4_a_caller_that_leaves_ends_the_command(
    server: RunningServer, owner: Person, weaver: str
) -> None:
    body = json.dumps({"command": ["sh", "-c", "sleep 43211 & wait"]}).encode()
    place = httpx.URL(server.url)
    path = f"{place.raw_path.decode()}/api/weaver/{weaver}/exec"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {owner.key}\r\n"
    with socket.create_connection((place.host, place.port)) as caller:
        host = f"{place.host}:{place.port}"
        request = head.replace("Host: x", f"Host: {host}") + f"Content-Length: {len(body)}\r\n\r\n"
        caller.sendall(request.encode() + body)
        wait_for(lambda: running("sleep\00043211"), "the command to run")
    wait_for(lambda: not running("sleep\00043211"), "the command to end")


def test_a_command_that_does_not_exist_is_named(owner: Person, weaver: str) -> None:
    reply = owner.http.post(f"/api/weaver/{weaver}/exec", json={"command": ["no-such-command"]})
    assert (reply.status_code, reply.json()["error"]) == (400, "bad_request")
    assert reply.json()["message"] == "command: no-such-command: No such file or directory"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "command"),
        ({"command": []}, "command"),
        ({"command": "ls"}, "command"),
        ({"command": ["ls", 1]}, "command.1"),
        ({"command": ["a\0"]}, "command.0"),
        ({"command": ["ls"], "stdin": "a", "stdin_base64": "YQ=="}, "stdin_base64"),
        ({"command": ["ls"], "stdin_base64": "Y"}, "stdin_base64"),
        ({"command": ["ls"], "stdin_base64": "a b"}, "stdin_base64"),
        ({"command": ["ls"], "timeout_seconds": 0}, "timeout_seconds"),
        ({"command": ["ls"], "timeout_seconds": "5"}, "timeout_seconds"),
        ({"command": ["ls"], "timeout_seconds": True}, "timeout_seconds"),
        ({"command": ["ls"], "more": 1}, "more"),
    ],
)
def test_a_bad_body_is_named(owner: Person, weaver: str, body: dict[str, Any], field: str) -> None:
    reply = owner.http.post(f"/api/weaver/{weaver}/exec", json=body)
    assert (reply.status_code, reply.json()["error"]) == (400, "bad_request")
    assert reply.json()["details"][0]["field"] == field


def test_input_that_is_no_text_is_named(owner: Person, weaver: str) -> None:
    body = b'{"command": ["cat"], "stdin": "a\\ud800"}'
    reply = owner.http.post(f"/api/weaver/{weaver}/exec", content=body)
    assert (reply.status_code, reply.json()["details"][0]["field"]) == (400, "stdin")
    reply = owner.http.post(f"/api/weaver/{weaver}/exec", content=body.replace(b"\\ud800", b"\\u0000b"))
    assert reply.json()["stdout"] == "a\0b"


def test_a_weaver_that_ended_runs_nothing(owner: Person, create: Create) -> None:
    weaver = shell(create, "true")
    wait_for(lambda: owner.http.get(f"/api/weaver/{weaver}").json()["status"] == "succeeded", "the end")
    reply = owner.http.post(f"/api/weaver/{weaver}/exec", json={"command": ["true"]})
    assert (reply.status_code, reply.json()["error"]) == (409, "conflict")


def test_events_as_they_come(owner: Person, weaver: str) -> None:
    reply = owner.http.post(
        f"/api/weaver/{weaver}/exec",
        json={"command": ["sh", "-c", "printf 'a\\0\\377'; sleep 0.2; echo err >&2; exit 7"]},
        headers={"Accept": "text/event-stream"},
    )
    assert reply.headers["Content-Type"] == "text/event-stream"
    *output, end = parse_events(reply.content)
    assert [(event.kind, base64.b64decode(event.data)) for event in output] == [
        ("stdout", b"a\0\xff"),
        ("stderr", b"err\n"),
    ]
    assert (end.kind, json.loads(end.data)) == (
        "exit",
        {"exit_code": 7, "timed_out": False, "warning": None},
    )


def test_events_of_a_command_that_takes_too_long(owner: Person, weaver: str) -> None:
    body = {"command": ["sleep", "43212"], "timeout_seconds": 0.5}
    headers = {"Accept": "text/event-stream"}
    reply = owner.http.post(f"/api/weaver/{weaver}/exec", json=body, headers=headers)
    (end,) = parse_events(reply.content)
    assert json.loads(end.data)["timed_out"] is True
    wait_for(lambda: not running("sleep\00043212"), "the command to end")


class Command:
    """A command over a WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.streams = {1: bytearray(), 2: bytearray()}
        self.exit: dict[str, Any] | None = None

    async def feed(self, data: bytes) -> None:
        await self.socket.send(b"\0" + data)

    async def until(self, seen: bytes) -> None:
        while seen not in self.streams[1]:
            await self.receive()

    async def receive(self) -> None:
        message = await asyncio.wait_for(self.socket.recv(), PATIENCE)
        if isinstance(message, bytes):
            self.streams[message[0]] += message[1:]
        else:
            assert self.exit is None
            self.exit = json.loads(message)

    async def closed(self) -> tuple[int, str]:
        try:
            while True:
                await self.receive()
        except ConnectionClosed:
            return self.socket.close_code or 0, self.socket.close_reason or ""


@asynccontextmanager
async def command(
    server: RunningServer, person: Person, weaver: str, *words: str, **fields: Any
) -> AsyncIterator[Command]:
    url = server.websocket_url(f"/api/weaver/{weaver}/exec")
    async with connect(url, compression=None, max_size=None, close_timeout=1) as socket:
        first = {"type": "auth", "token": ws_token(person), "command": list(words), **fields}
        await socket.send(json.dumps(first))
        yield Command(socket)


async def test_a_websocket_feeds_a_command_and_ends_its_input(
    server: RunningServer, owner: Person, weaver: str
) -> None:
    data = os.urandom(300_000)
    async with command(server, owner, weaver, "sh", "-c", "cat; echo err >&2; exit 3") as running_command:
        for start in range(0, len(data), 7_000):
            await running_command.feed(data[start : start + 7_000])
        await running_command.feed(b"")
        assert await running_command.closed() == (1000, "exited 3")
        assert running_command.streams == {1: data, 2: b"err\n"}
        assert running_command.exit is not None
        assert (running_command.exit["type"], running_command.exit["exit_code"]) == ("exit", 3)


async def test_a_websocket_terminal_has_a_size(server: RunningServer, owner: Person, weaver: str) -> None:
    script = "stty size; echo ready; read go; stty size"
    async with command(server, owner, weaver, "sh", "-c", script, tty=True, cols=91, rows=31) as terminal:
        await terminal.until(b"ready\r\n")
        await terminal.socket.send(json.dumps({"type": "resize", "cols": 40, "rows": 10}))
        await terminal.socket.send(json.dumps({"type": "resize", "cols": 0, "rows": 10}))
        await terminal.feed(b"go\n")
        assert (await terminal.closed())[0] == 1000
        assert terminal.streams[1].startswith(b"31 91\r\n")
        assert terminal.streams[1].endswith(b"10 40\r\n")


async def test_a_websocket_that_closes_ends_the_command(
    server: RunningServer, owner: Person, weaver: str
) -> None:
    async with command(server, owner, weaver, "sh", "-c", "echo up; sleep 43213 & wait") as running_command:
        await running_command.until(b"up\n")
    await asyncio.to_thread(wait_for, lambda: not running("sleep\00043213"), "the command to end")


async def test_a_flood_over_a_websocket_waits_for_its_reader(
    server: RunningServer, owner: Person, weaver: str
) -> None:
    async with command(server, owner, weaver, "head", "-c", "30000000", "/dev/zero") as flood:
        assert owner.http.get("/health").status_code == 200
        assert (await flood.closed())[0] == 1000
        assert len(flood.streams[1]) == 30_000_000


async def test_websockets_that_get_no_command(server: RunningServer, people: People, weaver: str) -> None:
    for person, target, words, code in (
        (people.owner, weaver, ("no-such-command",), 4400),
        (people.owner, weaver, (), 4400),
        (people.owner, "weaver_nosuchweaver", ("true",), 4404),
        (people.support, weaver, ("true",), 4403),
        (people.member, weaver, ("true",), 4403),
    ):
        async with command(server, person, target, *words) as refused:
            assert (await refused.closed())[0] == code
            assert refused.streams == {1: b"", 2: b""}
