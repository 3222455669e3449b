"""The command line: how long `ps` takes beside kubectl, and what `attach` adds to a key's way."""

from __future__ import annotations

import asyncio
import os
import pty
import shutil
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.measuring import percentile
from benchmarks.pods_api import pods_api
from benchmarks.results import Goal, Row
from benchmarks.server import HOST, TOKEN, BenchServer, serving
from benchmarks.sides import OURS, Weavers

WEAVERS = 100
KUBECTL, SOCKET = "kubectl get pods", "a WebSocket"
COMMAND = str(Path(sys.executable).with_name("loom-weaver"))
# As in the scenario `echo`: the program echoes each key by itself, and a hand is slower still.
READY = "stty raw -echo; echo rea''dy; exec cat\r"
PAUSE = 0.002


async def run(quick: bool) -> list[Row]:
    count, repeats, keys = (20, 5, 200) if quick else (WEAVERS, 15, 600)
    with serving() as server:
        weavers = Weavers(server, ("sleep", "1000"))
        for _ in range(count):
            weavers.create()
        rows = [await asyncio.to_thread(_list, server, count, repeats)]
        rows += await _echo(server, keys, 3 if quick else 7)
    return rows


def _list(server: BenchServer, count: int, repeats: int) -> Row:
    samples: dict[str, list[float]] = {OURS: [], KUBECTL: []}
    with TemporaryDirectory() as home, pods_api(count) as url:
        kubectl = ["kubectl", "--server", url, "--cache-dir", f"{home}/cache", "get", "pods"]
        calls = {OURS: [COMMAND, "ps"]} | ({KUBECTL: kubectl} if shutil.which("kubectl") else {})
        environment = _environment(server, home)
        for repeat in range(repeats + 1):
            for name, call in calls.items() if repeat % 2 else reversed(calls.items()):
                started = time.perf_counter()
                done = subprocess.run(call, env=environment, capture_output=True, text=True, check=True)
                seconds = time.perf_counter() - started
                assert len(done.stdout.splitlines()) == count + 1, done.stdout
                # The first fills caches of discovery and of compiled modules.
                if repeat:
                    samples[name].append(1000 * seconds)
    return Row(
        name=f"`loom-weaver ps` of {count} weavers",
        unit="ms",
        ours=median(samples[OURS]),
        reference=median(samples[KUBECTL]) if samples[KUBECTL] else None,
        reference_name=KUBECTL,
        goal=Goal(250, of="value"),
        note=f"the whole process; {KUBECTL} of as many pods, from a server that answers out of memory",
        samples=samples,
    )


async def _echo(server: BenchServer, keys: int, repeats: int) -> list[Row]:
    side = Weavers(server)
    samples: dict[str, dict[str, list[float]]] = {which: {OURS: [], SOCKET: []} for which in ("p50", "p99")}
    for _ in range(repeats):
        times = {
            SOCKET: await _socket_times(side, keys),
            OURS: await asyncio.to_thread(_cli_times, side, keys),
        }
        for name, each in times.items():
            samples["p50"][name].append(1000 * median(each))
            samples["p99"][name].append(1000 * percentile(each, 0.99))
    return [
        Row(
            name=f"keystroke echo {which} through `loom-weaver attach`",
            unit="ms",
            ours=median(each[OURS]),
            reference=median(each[SOCKET]),
            reference_name=SOCKET,
            goal=Goal(1.2) if which == "p50" else None,
            note=f"from a key in a pty to its echo there, a key each {PAUSE * 1000:.0f} ms; "
            "the WebSocket through the `websockets` library",
            samples=each,
        )
        for which, each in samples.items()
    ]


async def _socket_times(side: Weavers, keys: int) -> list[float]:
    weaver = side.create()
    terminal = await side.open(weaver)
    await terminal.send(READY)
    await terminal.read_until(b"ready")
    times = []
    for _ in range(keys):
        await asyncio.sleep(PAUSE)
        started = time.perf_counter()
        await terminal.send("x")
        while b"x" not in await terminal.receive():
            pass
        times.append(time.perf_counter() - started)
    await terminal.close()
    return times


def _cli_times(side: Weavers, keys: int) -> list[float]:
    weaver = side.create()
    with TemporaryDirectory() as home, _attached(weaver, _environment(side.server, home)) as terminal:
        os.write(terminal, READY.encode())
        _read_until(terminal, b"ready")
        times = []
        for _ in range(keys):
            time.sleep(PAUSE)
            started = time.perf_counter()
            os.write(terminal, b"x")
            _read_until(terminal, b"x")
            times.append(time.perf_counter() - started)
    return times


@contextmanager
def _attached(weaver: str, environment: dict[str, str]) -> Iterator[int]:
    """The other end of the terminal of `loom-weaver attach`."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    process = subprocess.Popen(
        [COMMAND, "attach", weaver],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        # The shell's first prompt: from here on it is attached.
        _read_until(ours, b"$ " if os.getuid() else b"# ")
        yield ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read_until(descriptor: int, mark: bytes) -> None:
    tail = b""
    while mark not in tail:
        tail = tail[-64:] + os.read(descriptor, 65536)


def _environment(server: BenchServer, home: str) -> dict[str, str]:
    told = {"LOOM_WEAVER_URL": f"http://{HOST}:{server.port}", "LOOM_WEAVER_API_KEY": TOKEN, "HOME": home}
    return {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")} | told
