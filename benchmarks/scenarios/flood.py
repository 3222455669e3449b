"""A terminal floods while one of its two viewers has stopped reading: who pays?"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from benchmarks.measuring import MIB, Samples, rss
from benchmarks.neighbour import FLOOD
from benchmarks.results import TERMINADO, Goal, Row
from benchmarks.server import BenchServer, serving
from benchmarks.sides import OURS, Side, Terminado, Weavers
from benchmarks.stalls import watched

GOAL_PEAK = Goal(16, of="value")
GOAL_SPEED = Goal(0.85, at_least=True)
SAMPLE_SECONDS = 0.05
ALONE, BESIDE = "alone", "beside the stopped one"


async def run(quick: bool) -> list[Row]:
    size, repeats = (100_000_000, 2) if quick else (1_000_000_000, 3)
    with serving() as server:
        ours = Weavers(server)
        await _flood(ours, 10_000_000, stopped=True)
        with watched(server, OURS, "flood"):
            peaks, _ = await _flood(ours, size, stopped=True)
            speeds = await _speeds(ours, size // 5, repeats)
    with serving() as server:
        await _flood(Terminado(server), 10_000_000, stopped=False)
        with watched(server, TERMINADO, "flood"):
            theirs, _ = await _flood(Terminado(server), size // 5, stopped=True)
    return [*_peak_rows(size, peaks, theirs), _speed_row(speeds)]


def _peak_rows(size: int, ours: dict[str, float], theirs: dict[str, float]) -> list[Row]:
    what = f"flood of {size / 1e6:,.0f} MB with a viewer that stopped reading"
    note = f"terminado after {size / 5e6:,.0f} MB only, as it grows with every byte"
    server = Row(
        f"{what}: growth of the server", "MiB", ours["server"], theirs["server"], goal=GOAL_PEAK, note=note
    )
    return [server, Row(f"{what}: growth of the holder", "MiB", ours["holder"], goal=GOAL_PEAK)]


def _speed_row(speeds: Samples) -> Row:
    return Row(
        name="speed of the other viewer",
        unit="MB/s",
        ours=median(speeds[BESIDE]),
        reference=median(speeds[ALONE]),
        reference_name=ALONE,
        goal=GOAL_SPEED,
        samples=speeds,
    )


async def _speeds(side: Side, size: int, repeats: int) -> Samples:
    speeds: Samples = defaultdict(list)
    for repeat in range(repeats):
        for where in (ALONE, BESIDE) if repeat % 2 == 0 else (BESIDE, ALONE):
            _, speed = await _flood(side, size, stopped=where == BESIDE)
            speeds[where].append(speed)
    return dict(speeds)


async def _flood(side: Side, size: int, *, stopped: bool) -> tuple[dict[str, float], float]:
    """(growth of each process at its peak in MiB, MB/s of the viewer that reads)"""
    name = side.create()
    reader = await side.open(name)
    await reader.receive()
    idler = await side.open(name) if stopped else None
    pids = {"server": side.server.pid}
    if isinstance(side, Weavers):
        pids["holder"] = _holder(side.server, name)
    async with _peaks(pids) as peaks:
        started = time.perf_counter()
        count = await reader.run(f"{FLOOD} | head -c {size}", "flood")
        speed = count / 1e6 / (time.perf_counter() - started)
    await reader.close()
    if idler is not None:
        idler.websocket.transport.abort()
    side.delete(name)
    return peaks, speed


def _holder(server: BenchServer, weaver_id: str) -> int:
    record = server.data_dir / "weavers" / weaver_id / "record.json"
    pid: int = json.loads(record.read_text())["holder"][0]
    return pid


@asynccontextmanager
async def _peaks(pids: dict[str, int]) -> AsyncIterator[dict[str, float]]:
    """What each grows by, in MiB, as far as samples show it."""
    before = {name: rss(pid) for name, pid in pids.items()}
    peaks = dict.fromkeys(pids, 0.0)

    async def sample() -> None:
        while True:
            for name, pid in pids.items():
                peaks[name] = max(peaks[name], (rss(pid) - before[name]) / MIB)
            await asyncio.sleep(SAMPLE_SECONDS)

    sampling = asyncio.create_task(sample())
    try:
        yield peaks
    finally:
        sampling.cancel()
