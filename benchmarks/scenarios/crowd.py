"""As many terminals and log readers at once as a busy server has: what did not arrive?"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed

from benchmarks.measuring import MIB, rss
from benchmarks.results import Goal, Row
from benchmarks.server import SHELL, BenchServer, serving
from benchmarks.sides import OURS, Terminal, Weavers
from benchmarks.sse_client import LogReader
from benchmarks.stalls import watched

GOAL = Goal(0, of="value")
LINES = 1000
# seq counts on from a number of each weaver's own, so that no weaver's output passes for another's.
WIDTH = 100
SCRIPT = "stty -echo; echo ready; read _; seq -f '%0{width}.0f' {first} {last}"
TIME_OUT = 600.0


@dataclass
class Visit:
    """One weaver with a viewer and a log reader."""

    number: int
    weaver_id: str
    terminal: Terminal
    log: LogReader

    def expected(self) -> list[str]:
        first = self.number * LINES
        return [f"{number:0{WIDTH}d}" for number in range(first, first + LINES)]


async def run(quick: bool) -> list[Row]:
    count = 50 if quick else 500
    with serving() as server, watched(server, OURS, f"{count} terminals and {count} log readers"):
        visits = [await _visit(server, number) for number in range(count)]
        before = rss(server.pid)
        started = time.perf_counter()
        async with asyncio.timeout(TIME_OUT):
            gathered = await asyncio.gather(*(_follow(visit) for visit in visits))
        seconds = time.perf_counter() - started
        growth = max(0, server.probe()["peak_rss"] - before) / MIB
    total = sum(expected for expected, _ in gathered)
    return [
        Row(
            name=f"{count} log readers + {count} terminals: bytes missing or wrong",
            unit="bytes",
            ours=sum(wrong for _, wrong in gathered),
            goal=GOAL,
            note=f"of {total / 1e6:.0f} MB, {LINES} lines of {WIDTH} characters in each weaver, all at the"
            f" same time, in {seconds:.1f} s; the server grew by {growth:.1f} MiB at most",
        )
    ]


async def _visit(server: BenchServer, number: int) -> Visit:
    first = number * LINES
    script = SCRIPT.format(width=WIDTH, first=first, last=first + LINES - 1)
    weavers = Weavers(server, (SHELL, "-c", script))
    weaver_id = weavers.create()
    terminal = await weavers.open(weaver_id)
    await terminal.read_until(b"ready\r\n")
    return Visit(number, weaver_id, terminal, await LogReader.open(server, weaver_id))


async def _follow(visit: Visit) -> tuple[int, int]:
    """(bytes that were to come, bytes that did not come or came otherwise)"""
    reading = asyncio.create_task(visit.log.read_to_end())
    await visit.terminal.send("\n")
    shown = await _rest(visit.terminal)
    await reading
    lines = visit.expected()
    terminal = "".join(line + "\r\n" for line in lines).encode()
    log = "\n".join(["ready", *lines])
    wrong = _difference(terminal, shown) + _difference(log.encode(), "\n".join(visit.log.lines()).encode())
    return len(terminal) + len(log), wrong


async def _rest(terminal: Terminal) -> bytes:
    pieces = []
    try:
        while True:
            pieces.append(await terminal.receive())
    except ConnectionClosed as closed:
        if closed.rcvd is None or closed.rcvd.code != 1000:
            raise RuntimeError(f"a terminal was closed with {closed.rcvd}") from closed
    return b"".join(pieces)


def _difference(expected: bytes, found: bytes) -> int:
    if expected == found:
        return 0
    return max(1, abs(len(expected) - len(found)))
