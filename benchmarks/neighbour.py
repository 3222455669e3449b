"""A terminal that floods and a viewer that reads it, in a process of its own, beside what is measured."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.server import ROOT, BenchServer
from benchmarks.sides import OURS, Side, Terminado, Terminal, Weavers

LINE = "x" * 79
FLOOD = f"yes {LINE}"


@contextmanager
def flooding(side: Side, server: BenchServer) -> Iterator[list[float]]:
    """What is given holds, afterwards, how many MB/s the neighbour's viewer got."""
    rates: list[float] = []
    arguments = [side.name, str(server.port), str(server.pid), server.org_id]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.neighbour", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield rates
    finally:
        told, _ = process.communicate("")
        rates.append(json.loads(told))


async def _flood(side: Side) -> float:
    """Until stdin closes; gives MB/s."""
    name = side.create()
    terminal = await side.open(name)
    await terminal.receive()
    await terminal.send(FLOOD + "\r")
    reading = asyncio.create_task(_read_for_ever(terminal))
    await asyncio.sleep(0.5)
    print("flooding", flush=True)
    stopped = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    started, before = time.perf_counter(), terminal.received
    await stopped
    rate = (terminal.received - before) / (time.perf_counter() - started) / 1e6
    reading.cancel()
    side.delete(name)
    return rate


async def _read_for_ever(terminal: Terminal) -> None:
    while True:
        terminal.received += len(await terminal.receive())


def main(side: str, port: str, pid: str, org_id: str) -> None:
    server = BenchServer(int(port), int(pid), Path(), org_id)
    print(json.dumps(asyncio.run(_flood(Weavers(server) if side == OURS else Terminado(server)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
