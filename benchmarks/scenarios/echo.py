"""From a key to its echo by a program on the terminal, alone and beside a neighbour that floods."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from statistics import median

from benchmarks.measuring import Samples, alternating, compared, percentile
from benchmarks.neighbour import flooding
from benchmarks.raw_client import echo_times
from benchmarks.results import TERMINADO, Goal, Row
from benchmarks.server import BenchServer, serving
from benchmarks.sides import OURS, Side, both
from benchmarks.stalls import watched

GOAL = Goal(0.8)
# The program echoes each key by itself, as an editor or a line editor does.
READY = "stty raw -echo; echo rea''dy; exec cat\r"
# A hand is slower still; without any pause the client's own work for the last key delays the next one.
PAUSE = 0.002
CLIENTS = {"library": "the `websockets` library", "raw": "a bare socket"}


async def run(quick: bool) -> list[Row]:
    keys, repeats = (200, 3) if quick else (600, 9)
    with serving() as server:
        alone = await _measure(server, keys, repeats, beside_flood=False)
        beside = await _measure(server, keys, max(2, repeats // 2), beside_flood=True)
    return [*_rows(alone, "alone", p99_goal=GOAL), *_rows(beside, "beside a flood", p99_goal=None)]


async def _measure(server: BenchServer, keys: int, repeats: int, *, beside_flood: bool) -> dict[str, Samples]:
    """By figure: the samples of both sides."""
    found: dict[str, Samples] = defaultdict(lambda: defaultdict(list))
    for side in alternating(both(server), repeats):
        with watched(server, side.name, "echo"):
            if beside_flood:
                with flooding(side, server) as rates:
                    times = await _times(side, keys)
                found["flood"][side.name] += rates
            else:
                times = await _times(side, keys)
        for client, each in times.items():
            found[f"{client} p50"][side.name].append(1000 * median(each))
            found[f"{client} p99"][side.name].append(1000 * percentile(each, 0.99))
    return {figure: dict(samples) for figure, samples in found.items()}


def _rows(found: dict[str, Samples], where: str, p99_goal: Goal | None) -> list[Row]:
    goals = {"p50": GOAL, "p99": p99_goal}
    flood = found.get("flood")
    neighbours = (
        f"; the floods ran at {median(flood[OURS]):.0f} against {median(flood[TERMINADO]):.0f} MB/s"
        if flood
        else ""
    )
    return [
        compared(
            f"keystroke echo {which} {where}, {client}",
            "ms",
            found[f"{client} {which}"],
            goal,
            f"through {CLIENTS[client]}, a key each {PAUSE * 1000:.0f} ms{neighbours}",
        )
        for client in CLIENTS
        for which, goal in goals.items()
    ]


async def _times(side: Side, keys: int) -> dict[str, list[float]]:
    return {"library": await _library_times(side, keys), "raw": _raw_times(side, keys)}


def _raw_times(side: Side, keys: int) -> list[float]:
    name = side.create()
    times = echo_times(side, name, READY, keys, PAUSE)
    side.delete(name)
    return times


async def _library_times(side: Side, keys: int) -> list[float]:
    name = side.create()
    terminal = await side.open(name)
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
    side.delete(name)
    return times
