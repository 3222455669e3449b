"""A thousand weavers: what a holder weighs, and how long their list takes."""

from __future__ import annotations

import asyncio
import json
import time
from statistics import mean

from benchmarks.measuring import MIB, children, percentile, rollup
from benchmarks.results import Goal, Row
from benchmarks.server import BenchServer, serving
from benchmarks.sides import OURS, Weavers
from benchmarks.stalls import watched

GOAL_PSS = Goal(1.5, of="value")
GOAL_LIST = Goal(2.0)
LISTS = 100
RUNNING_SECONDS = 120.0


async def run(quick: bool) -> list[Row]:
    count = 100 if quick else 1000
    with serving() as server:
        with watched(server, OURS, f"{count} creates"):
            each = _create(server, count)
            await _all_running(server)
        holders = _holders(server)
        rows = [_weight(holders, each)]
        with watched(server, OURS, "lists"):
            listed = _list(server)
        rows.append(_list_row(server, listed, count))
    return rows


def _create(server: BenchServer, count: int) -> float:
    """Seconds for each create."""
    weavers = Weavers(server)
    started = time.perf_counter()
    for _ in range(count):
        weavers.create()
    return (time.perf_counter() - started) / count


async def _all_running(server: BenchServer) -> None:
    deadline = time.monotonic() + RUNNING_SECONDS
    while any(weaver["status"] == "pending" for weaver in server.weavers()):
        if time.monotonic() > deadline:
            raise RuntimeError("some weavers do not start")
        await asyncio.sleep(0.2)
    await asyncio.sleep(1)


def _holders(server: BenchServer) -> list[int]:
    records = server.data_dir.glob("weavers/*/record.json")
    return [json.loads(record.read_text())["holder"][0] for record in records]


def _weight(holders: list[int], create_seconds: float) -> Row:
    weights = [rollup(pid)["Pss"] / MIB for pid in holders]
    dirty = [rollup(pid)["Private_Dirty"] / MIB for pid in holders]
    sample = holders[:50]
    below = [sum(rollup(child)["Pss"] for child in children(pid)) / MIB for pid in sample]
    return Row(
        name=f"holder PSS, of {len(holders)}",
        unit="MiB",
        ours=mean(weights),
        goal=GOAL_PSS,
        note=f"private dirty {mean(dirty):.2f} MiB; the sandbox's and the shell's processes below each weigh"
        f" {mean(below):.2f} MiB together; {create_seconds * 1000:.1f} ms a create, one after the other",
    )


def _list(server: BenchServer) -> list[float]:
    times = []
    for _ in range(LISTS):
        started = time.perf_counter()
        server.fetch("GET", "/api/weavers")
        times.append(time.perf_counter() - started)
    return times


def _list_row(server: BenchServer, listed: list[float], count: int) -> Row:
    alone = server.call("GET", f"/bench/serialise?times={LISTS}")["times"]
    return Row(
        name=f"list of {count} weavers, p95",
        unit="ms",
        ours=1000 * percentile(listed, 0.95),
        reference=1000 * percentile(alone, 0.95),
        reference_name="serialising alone",
        goal=GOAL_LIST,
        note=f"p50 {1000 * percentile(listed, 0.5):.1f} against {1000 * percentile(alone, 0.5):.1f} ms; a"
        " whole request against pydantic's model_dump_json of the same objects in the same process",
    )
