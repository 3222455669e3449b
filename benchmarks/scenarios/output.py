"""A file is shown by `cat` to one viewer: how fast, and at what cost to the server."""

from __future__ import annotations

import time
from collections import defaultdict

from benchmarks.measuring import Samples, alternating, compared
from benchmarks.neighbour import LINE
from benchmarks.results import Goal, Row
from benchmarks.server import serving
from benchmarks.sides import Side, both
from benchmarks.stalls import watched

GOAL_RATE = Goal(2.3, at_least=True)
GOAL_CPU = Goal(0.15)


async def run(quick: bool) -> list[Row]:
    size, repeats = (20_000_000, 3) if quick else (60_000_000, 9)
    rates: Samples = defaultdict(list)
    cpu: Samples = defaultdict(list)
    with serving() as server:
        for side in alternating(both(server), repeats):
            with watched(server, side.name, "output"):
                seconds, used = await _cat(side, size)
            rates[side.name].append(size / 1e6 / seconds)
            cpu[side.name].append(used / size * 1e8)
    what = f"`cat` of a file of {size // 1_000_000} MB in lines of {len(LINE) + 1} bytes"
    return [
        compared("output of cat, one viewer", "MB/s", dict(rates), GOAL_RATE, what),
        compared("server CPU for 100 MB of it", "s", dict(cpu), GOAL_CPU, what),
    ]


async def _cat(side: Side, size: int) -> tuple[float, float]:
    """(seconds, seconds of CPU in the server)"""
    name = side.create()
    terminal = await side.open(name)
    await terminal.run(f"yes {LINE} | head -c {size} >file", "writing")
    before, started = side.server.cpu(), time.perf_counter()
    count = await terminal.run("cat file", "reading")
    seconds, used = time.perf_counter() - started, side.server.cpu() - before
    if count < size:
        raise RuntimeError(f"{side.name}: {count} of {size} bytes came")
    await terminal.run("rm file", "removing")
    await terminal.close()
    side.delete(name)
    return seconds, used
