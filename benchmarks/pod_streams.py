"""Terminals and logs of pods, against `kubectl attach` and `kubectl logs -f` of the same pods."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import time
import tty
from collections.abc import Callable
from statistics import median

from benchmarks.cluster_api import ClusterAPI, kubectl
from benchmarks.measuring import percentile
from benchmarks.raw_client import echo_times
from benchmarks.results import Goal, Row
from benchmarks.server import BenchServer
from benchmarks.sides import Weavers
from benchmarks.sse_client import LogReader
from loom_weaver.names import pod_name

READY = "stty raw -echo; echo rea''dy; exec cat\r"
PAUSE = 0.002
WAIT_SECONDS = 60.0
LINE = "x" * 79


def echo(server: BenchServer, api: ClusterAPI, keys: int) -> list[Row]:
    side = Weavers(server)
    name = side.create()
    _until_running(server, name)
    ours = [1000 * each for each in echo_times(side, name, READY, keys, PAUSE)]
    theirs = [1000 * each for each in _kubectl_echo(api, name, keys)]
    side.delete(name)
    return [
        Row(
            name=f"keystroke echo, {which}",
            unit="ms",
            ours=of(ours),
            reference=of(theirs),
            reference_name="kubectl attach",
            goal=goal,
            note=f"{keys} keys into the same `cat` on a raw terminal",
        )
        for which, of, goal in (
            ("p50", median, Goal(1.3)),
            ("p99", lambda values: percentile(values, 0.99), None),
        )
    ]


async def logs(server: BenchServer, api: ClusterAPI, megabytes: int) -> list[Row]:
    """Followed while it is written, so that what the node throws away at a rotation counts."""
    size = megabytes * 1_000_000
    ours, ours_lost = await _ours(server, size)
    theirs, theirs_lost = await asyncio.to_thread(_kubectl_logs, server, api, size)
    return [
        Row(
            name="log followed while it is written",
            unit="MB/s",
            ours=ours,
            reference=theirs,
            reference_name="kubectl logs -f",
            goal=Goal(1.5, at_least=True),
            note=f"{megabytes} MB in lines of 80 bytes, written as fast as they are taken",
        ),
        Row(
            name="of which is missing",
            unit="%",
            ours=ours_lost,
            reference=theirs_lost or None,
            reference_name="kubectl logs -f",
            note=f"kubectl misses {theirs_lost:.1f} %",
        ),
    ]


def _writer(size: int) -> list[str]:
    wait = "until [ -e /tmp/go ]; do sleep 0.05; done"
    return ["sh", "-c", f"{wait}; yes {LINE} | head -c {size}; echo; echo over"]


def _let_go(server: BenchServer, name: str) -> None:
    server.call("POST", f"/api/weaver/{name}/exec", {"command": ["touch", "/tmp/go"]})


async def _ours(server: BenchServer, size: int) -> tuple[float, float]:
    """MB/s, and the share that did not come, in per cent."""
    side = Weavers(server, _writer(size))
    name = side.create()
    await asyncio.to_thread(_until_running, server, name)
    reader = await LogReader.open(server, name)
    started = time.perf_counter()
    await asyncio.to_thread(_let_go, server, name)
    await reader.read_to_end()
    took = time.perf_counter() - started
    came = sum(len(line) + 1 for line in reader.lines() if line.startswith("x"))
    side.delete(name)
    return came / 1e6 / took, 100 * (1 - came / size)


def _kubectl_logs(server: BenchServer, api: ClusterAPI, size: int) -> tuple[float, float]:
    side = Weavers(server, _writer(size))
    name = side.create()
    _until_running(server, name)
    words = kubectl("logs", "--follow", "--namespace", api.namespace, pod_name(name))
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        started = time.perf_counter()
        _let_go(server, name)
        assert process.stdout is not None
        came = sum(len(line) for line in process.stdout if line.startswith(b"x"))
        took = time.perf_counter() - started
    side.delete(name)
    return came / 1e6 / took, 100 * (1 - came / size)


def _kubectl_echo(api: ClusterAPI, name: str, keys: int) -> list[float]:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    words = kubectl("attach", "-it", "--quiet", "--namespace", api.namespace, pod_name(name))
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        _until(ours, lambda: _type(ours), pause=0.5)
        times = []
        for _ in range(keys):
            time.sleep(PAUSE)
            started = time.perf_counter()
            os.write(ours, b"x")
            while b"x" not in os.read(ours, 65536):
                pass
            times.append(time.perf_counter() - started)
        return times
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _type(terminal: int) -> None:
    os.write(terminal, b"y")


def _until(terminal: int, knock: Callable[[], None], pause: float) -> None:
    """Until what is typed comes back: the connection is up."""
    os.set_blocking(terminal, False)
    deadline = time.monotonic() + WAIT_SECONDS
    seen = b""
    while b"y" not in seen and time.monotonic() < deadline:
        knock()
        time.sleep(pause)
        try:
            seen += os.read(terminal, 65536)
        except BlockingIOError:
            continue
    os.set_blocking(terminal, True)
    if b"y" not in seen:
        raise RuntimeError(f"kubectl attach does not echo: {seen!r}")


def _until_running(server: BenchServer, name: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while server.call("GET", f"/api/weaver/{name}")["status"] != "running":
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} does not start")
        time.sleep(0.1)
