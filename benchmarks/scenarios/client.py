"""The Python client beside what it is made of: httpx, a WebSocket, and `curl -N` for lines of a log."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median

import httpx

from benchmarks.measuring import Samples
from benchmarks.results import Goal, Row
from benchmarks.server import HOST, TOKEN, BenchServer, serving
from benchmarks.sides import OURS, Weavers
from loom_weaver import AsyncClient, Client
from loom_weaver.client import Output

HTTPX, SOCKET, CURL, PYTHON = "httpx", "a WebSocket", "curl -N", "python -c pass"
# What a create leaves to be done, and a delete, must not count for the next one.
PAUSE = 0.2
# As in the scenario `echo`.
READY = "stty raw -echo; echo rea''dy; exec cat\r"
KEY_PAUSE = 0.002
ECHO = ["echo", "hi"]


async def run(quick: bool) -> list[Row]:
    repeats, lines, keys = (10, 100_000, 200) if quick else (20, 500_000, 600)
    with serving() as server:
        async with (
            AsyncClient(_url(server), TOKEN) as client,
            httpx.AsyncClient(base_url=_url(server), headers={"Authorization": f"token {TOKEN}"}) as http,
        ):
            rows = [
                await _create_and_exec(server, client, http, repeats),
                await _echo(server, client, keys, max(3, repeats // 3)),
            ]
        rows.append(await asyncio.to_thread(_lines, server, lines, max(3, repeats // 3)))
    return [*rows, _import(repeats)]


def _url(server: BenchServer) -> str:
    return f"http://{HOST}:{server.port}"


async def _create_and_exec(
    server: BenchServer, client: AsyncClient, http: httpx.AsyncClient, repeats: int
) -> Row:
    def ours() -> Awaitable[None]:
        return _by_client(client, server.org_id)

    def theirs() -> Awaitable[None]:
        return _by_httpx(http, server.org_id)

    return _row(
        "create → result of a command, client",
        "ms",
        await _alternated({OURS: ours, HTTPX: theirs}, repeats),
        Goal(1.1),
        "one `AsyncClient`, one `httpx.AsyncClient` that makes the same two calls",
    )


async def _by_client(client: AsyncClient, org_id: str) -> None:
    async with client.weaver("shell", org_id=org_id) as weaver:
        assert (await weaver.exec(ECHO)).stdout == "hi\n"


async def _by_httpx(http: httpx.AsyncClient, org_id: str) -> None:
    weaver = (await http.post("/api/weaver", json={"image": "shell", "org_id": org_id})).json()["id"]
    reply = await http.post(f"/api/weaver/{weaver}/exec", json={"command": ECHO})
    assert reply.json()["stdout"] == "hi\n"
    await http.delete(f"/api/weaver/{weaver}")


async def _alternated(calls: dict[str, Callable[[], Awaitable[None]]], repeats: int) -> Samples:
    """Milliseconds of each, after a first call that does not count."""
    samples: Samples = {name: [] for name in calls}
    for repeat in range(repeats + 1):
        for name, call in calls.items() if repeat % 2 else reversed(calls.items()):
            started = time.perf_counter()
            await call()
            if repeat:
                samples[name].append(1000 * (time.perf_counter() - started))
            await asyncio.sleep(PAUSE)
    return samples


async def _echo(server: BenchServer, client: AsyncClient, keys: int, repeats: int) -> Row:
    samples: Samples = {OURS: [], SOCKET: []}
    for repeat in range(repeats):
        for name in (OURS, SOCKET) if repeat % 2 else (SOCKET, OURS):
            times = await (_client_keys(client, server, keys) if name == OURS else _socket_keys(server, keys))
            samples[name].append(1000 * median(times))
    note = f"`client.attach` beside the `websockets` library, a key each {KEY_PAUSE * 1000:.0f} ms"
    return _row("keystroke echo p50, client", "ms", samples, Goal(1.2), note)


async def _client_keys(client: AsyncClient, server: BenchServer, keys: int) -> list[float]:
    """In a new weaver each time: what an earlier visit left on the screen would pass for an echo."""
    times = []
    async with (
        client.weaver("shell", org_id=server.org_id, command=["/bin/sh"]) as weaver,
        weaver.attach() as terminal,
    ):
        await terminal.send(READY)
        async for item in terminal:
            if isinstance(item, Output) and b"ready" in item.data:
                break
        for _ in range(keys):
            await asyncio.sleep(KEY_PAUSE)
            started = time.perf_counter()
            await terminal.send(b"x")
            async for item in terminal:
                if isinstance(item, Output):
                    break
            times.append(time.perf_counter() - started)
    return times


async def _socket_keys(server: BenchServer, keys: int) -> list[float]:
    side = Weavers(server)
    name = side.create()
    terminal = await side.open(name)
    await terminal.send(READY)
    await terminal.read_until(b"ready")
    times = []
    for _ in range(keys):
        await asyncio.sleep(KEY_PAUSE)
        started = time.perf_counter()
        await terminal.send("x")
        await terminal.receive()
        times.append(time.perf_counter() - started)
    await terminal.close()
    side.delete(name)
    return times


def _lines(server: BenchServer, lines: int, repeats: int) -> Row:
    samples: Samples = {OURS: [], CURL: []}
    with (
        Client(_url(server), TOKEN) as client,
        client.weaver("shell", org_id=server.org_id, command=["seq", "1", str(lines)]) as weaver,
    ):
        weaver.wait("ended")
        url = f"{_url(server)}/api/weaver/{weaver.id}/logs?since=1970-01-01T00:00:00Z"
        curl = ["curl", "-sN", "-H", f"Authorization: token {TOKEN}", "-o", "/dev/null", url]
        for repeat in range(repeats):
            for name in (OURS, CURL) if repeat % 2 else (CURL, OURS):
                started = time.perf_counter()
                if name == OURS:
                    assert sum(1 for _ in weaver.logs()) == lines
                else:
                    subprocess.run(curl, check=True)
                samples[name].append(lines / (time.perf_counter() - started))
    return _row(
        "lines of a log a second, client",
        "lines/s",
        samples,
        Goal(0.8, at_least=True),
        f"the blocking iterator over {lines:,} lines of a weaver that ended; curl throws them away",
    )


def _import(repeats: int) -> Row:
    programs = {OURS: "import loom_weaver", PYTHON: "pass"}
    samples: Samples = {name: [] for name in programs}
    for _ in range(max(10, repeats)):
        for name, program in programs.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True)
            samples[name].append(1000 * (time.perf_counter() - started))
    note = "the whole process; `from loom_weaver import Client` loads httpx, and more, when it is asked for"
    return _row("`python -c 'import loom_weaver'`", "ms", samples, Goal(150, of="value"), note)


def _row(name: str, unit: str, samples: Samples, goal: Goal, note: str) -> Row:
    other = next(side for side in samples if side != OURS)
    return Row(
        name=name,
        unit=unit,
        ours=median(samples[OURS]),
        reference=median(samples[other]),
        reference_name=other,
        goal=goal,
        note=note,
        samples=samples,
    )
