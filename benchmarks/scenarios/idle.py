"""What an attached terminal costs the server while nothing happens in it, and after some output."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from benchmarks.measuring import Samples, compared, rollup
from benchmarks.neighbour import LINE
from benchmarks.results import Goal, Row
from benchmarks.server import BenchServer, serving
from benchmarks.sides import Side, Terminado, Terminal, Weavers
from benchmarks.stalls import watched

GOAL_IDLE = Goal(0.3)
GOAL_OUTPUT = Goal(0.05)
OUTPUT = 1_000_000
WARM_UP = 20
AT_ONCE = 10
SETTLE_SECONDS = 2.0


async def run(quick: bool) -> list[Row]:
    """Each side in a server of its own: memory that one gave back would serve the other."""
    count = 100 if quick else 500
    idle: Samples = defaultdict(list)
    output: Samples = defaultdict(list)
    for make in (Weavers, Terminado):
        with serving() as server:
            side = make(server)
            with watched(server, side.name, "idle terminals"):
                before, attached, shown = await _measure(server, side, count)
        idle[side.name].append((attached - before) / count / 1024)
        output[side.name].append((shown - attached) / count / 1024)
    return [
        compared(
            f"server memory per idle attached terminal, of {count}",
            "KiB",
            dict(idle),
            GOAL_IDLE,
            "growth of PSS from no terminal to all of them created and attached",
        ),
        compared(
            "server memory more per terminal, after 1 MB of output each",
            "KiB",
            dict(output),
            GOAL_OUTPUT,
            "growth of PSS on top of that",
        ),
    ]


async def _measure(server: BenchServer, side: Side, count: int) -> tuple[int, int, int]:
    """PSS of the server: before, with all attached, after their output."""
    await _close(side, await _open(side, WARM_UP))
    before = await _settled(server)
    terminals = await _open(side, count)
    attached = await _settled(server)
    await _in_turns(list(terminals.values()))
    shown = await _settled(server)
    await _close(side, terminals)
    return before, attached, shown


async def _open(side: Side, count: int) -> dict[str, Terminal]:
    terminals = {}
    for _ in range(count):
        name = side.create()
        terminals[name] = await side.open(name)
        await terminals[name].receive()
    return terminals


async def _close(side: Side, terminals: dict[str, Terminal]) -> None:
    for name, terminal in terminals.items():
        await terminal.close()
        side.delete(name)


async def _settled(server: BenchServer) -> int:
    await asyncio.sleep(SETTLE_SECONDS)
    return rollup(server.pid)["Pss"]


async def _in_turns(terminals: list[Terminal]) -> None:
    """A few at a time."""
    waiting = iter(terminals)

    async def work() -> None:
        for terminal in waiting:
            await terminal.run(f"yes {LINE} | head -c {OUTPUT}", "output")

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
