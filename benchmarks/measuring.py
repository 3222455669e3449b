"""Figures from samples, and from what the kernel says about processes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from statistics import median
from typing import TypeVar

from benchmarks.results import TERMINADO, Goal, Row
from benchmarks.sides import OURS, Side

MIB = 1024 * 1024
Each = TypeVar("Each")
Samples = dict[str, list[float]]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def alternating(sides: Sequence[Side], repeats: int) -> Iterable[Side]:
    """Each side once in each repeat, in another order each time."""
    for repeat in range(repeats):
        yield from sides if repeat % 2 == 0 else reversed(sides)


def compared(name: str, unit: str, samples: Samples, goal: Goal | None = None, note: str = "") -> Row:
    """A row of medians, ours against terminado's."""
    return Row(
        name=name,
        unit=unit,
        ours=median(samples[OURS]),
        reference=median(samples[TERMINADO]),
        goal=goal,
        note=note,
        samples=samples,
    )


def rollup(pid: int) -> dict[str, int]:
    """A process's memory by kind, in bytes, as /proc/PID/smaps_rollup has it."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        lines = file.read().splitlines()[1:]
    return {name: int(value.split()[0]) * 1024 for name, value in (line.split(":") for line in lines)}


def rss(pid: int) -> int:
    """Cheaper than the above, for sampling."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def children(pid: int) -> list[int]:
    """All processes below one."""
    found: list[int] = []
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        direct = [int(word) for word in file.read().split()]
    for child in direct:
        found += [child, *children(child)]
    return found
