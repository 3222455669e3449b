"""The longest that the server's event loop stood still, over everything that was measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.results import TERMINADO, Goal, Row
from benchmarks.server import BenchServer
from benchmarks.sides import OURS

GOAL = Goal(50, of="value")


@dataclass(frozen=True, slots=True)
class Stall:
    """In seconds; `own` is without the time in which other processes had the processor."""

    wall: float
    own: float
    stack: str


_longest: dict[tuple[str, str], Stall] = {}


@contextmanager
def watched(server: BenchServer, side: str, what: str) -> Iterator[None]:
    """Remember the longest stall of what happens inside."""
    server.probe(reset=True)
    yield
    seen = server.probe()
    before = _longest.get((side, what), Stall(0, 0, ""))
    if seen["own_stall"] > before.own:
        before = Stall(max(seen["stall"], before.wall), seen["own_stall"], seen["stack"])
    _longest[side, what] = before


def rows() -> list[Row]:
    """One row for all; empty where nothing was watched."""
    ours = _of(OURS)
    if not ours:
        return []
    theirs = _of(TERMINADO)
    told = ", ".join(f"{what} {stall.own * 1000:.0f}" for what, stall in ours.items())
    stacks = "; ".join(f"{what}: {stall.stack}" for what, stall in ours.items() if stall.stack)
    return [
        Row(
            name="longest stall of the event loop",
            unit="ms",
            ours=1000 * max(stall.own for stall in ours.values()),
            reference=1000 * max(stall.own for stall in theirs.values()) if theirs else None,
            goal=GOAL,
            note=f"in ms: {told}; without the time in which other processes had the processor, with it"
            f" {1000 * max(stall.wall for stall in ours.values()):.0f} ms"
            + (f"; {stacks}" if stacks else ""),
        )
    ]


def _of(side: str) -> dict[str, Stall]:
    return {what: stall for (whose, what), stall in _longest.items() if whose == side}
