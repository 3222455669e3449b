"""From the create to the first byte of the shell's prompt, as a client sees it."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from statistics import median

from benchmarks.measuring import Samples, alternating, compared, percentile
from benchmarks.results import TERMINADO, Goal, Row
from benchmarks.server import BenchServer, serving
from benchmarks.sides import OURS, Side, both
from benchmarks.stalls import watched

GOAL = Goal(0.5)
# What a create leaves to be done, and a delete, must not count for the next one.
PAUSE = 0.3


async def run(quick: bool) -> list[Row]:
    rows = []
    for isolation in ("auto", "landlock"):
        with serving(isolation) as server:
            rows.append(await _measure(server, isolation, 10 if quick else 40))
    return rows


async def _measure(server: BenchServer, isolation: str, repeats: int) -> Row:
    samples: Samples = defaultdict(list)
    made: Samples = defaultdict(list)
    for side in both(server):
        await _create(side)
    for side in alternating(both(server), repeats):
        with watched(server, side.name, "create"):
            total, answered = await _create(side)
        samples[side.name].append(total * 1000)
        made[side.name].append(answered * 1000)
        await asyncio.sleep(PAUSE)
    kind = server.call("GET", "/api/weavers/me")["runtime"]["isolation"]["kind"]
    note = (
        f"isolation {kind}, with the single-use token fetched in between; the create alone takes"
        f" {median(made[OURS]):.1f} ms against {median(made[TERMINADO]):.1f} ms;"
        f" p95 {percentile(samples[OURS], 0.95):.0f} against {percentile(samples[TERMINADO], 0.95):.0f} ms"
    )
    chosen = " (as chosen here)" if isolation == "auto" else ""
    return compared(f"create → first output byte, {kind}{chosen}", "ms", dict(samples), GOAL, note)


async def _create(side: Side) -> tuple[float, float]:
    started = time.perf_counter()
    name = side.create()
    answered = time.perf_counter()
    terminal = await side.open(name)
    await terminal.receive()
    seen = time.perf_counter()
    await terminal.close()
    side.delete(name)
    return seen - started, answered - started
