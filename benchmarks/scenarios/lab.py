"""JupyterLab in a browser: weavers beside Lab's own terminals, in the same page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from statistics import median

from playwright.async_api import Browser

from benchmarks.lab_page import LAB, LabPage, browsing, lab_page
from benchmarks.measuring import Samples, alternating, compared, percentile
from benchmarks.neighbour import FLOOD, LINE
from benchmarks.results import Goal, Row
from benchmarks.scenarios.echo import READY
from benchmarks.server import BenchServer, serving
from benchmarks.sides import OURS, both

SAME = Goal(1.0)
TWICE_AS_FAST = Goal(2, at_least=True)
VISIBLE = Goal(200, of="value")
BUNDLE = Goal(60, of="value")
ONCE = Goal(1, of="value")


async def run(quick: bool) -> list[Row]:
    with serving(more=LAB) as server:
        async with browsing() as browser:
            rows = await _panel(browser, server, 10 if quick else 50)
            rows.append(await _first_open(browser, server, 3 if quick else 9))
            rows.append(await _keys(browser, server, 40 if quick else 100, 2 if quick else 6))
            rows += await _floods(browser, server, 20_000_000 if quick else 100_000_000, 1 if quick else 3)
            rows += await _interrupts(browser, server, 2 if quick else 5)
    return rows


async def _panel(browser: Browser, server: BenchServer, count: int) -> list[Row]:
    """What is loaded at first, and how soon a weaver is seen that something else has made."""
    async with lab_page(browser, server) as lab:
        size = await lab.bundle_size()
        seen = [await lab.appear(server.org_id) for _ in range(count)]
        for weaver_id, _ in seen[:2]:
            await lab.open(weaver_id, is_weaver=True)
        loads = await lab.xterm_loads()
    server.delete_all()
    waits = [took for _, took in seen]
    note = f"of {count}, created by a call that the panel knows nothing of; p50 {median(waits):.0f} ms"
    return [
        Row("in Lab: 201 → seen in the panel, p95", "ms", percentile(waits, 0.95), goal=VISIBLE, note=note),
        Row("in Lab: our scripts before any terminal, compressed", "kB", size / 1000, goal=BUNDLE),
        Row("in Lab: loads of xterm.js for two terminals", "", loads, goal=ONCE),
    ]


async def _first_open(browser: Browser, server: BenchServer, repeats: int) -> Row:
    found: Samples = defaultdict(list)
    for side in alternating(both(server), repeats):
        name = side.create()
        async with lab_page(browser, server) as lab:
            found[side.name].append(await lab.open(name, is_weaver=side.name == OURS))
        side.delete(name)
    note = "of one that is there, from the command to its prompt on screen, in a page with a cold cache"
    return compared("in Lab: first terminal open", "ms", dict(found), SAME, note)


async def _keys(browser: Browser, server: BenchServer, keys: int, repeats: int) -> Row:
    found: Samples = defaultdict(list)
    async for lab, side, name in _in_turn(browser, server, repeats):
        if side not in found:
            await lab.run(name, READY.rstrip("\r"), "ready")
        found[side].append(median([await lab.press(name, "x") for _ in range(keys)]))
    note = f"{keys} keys in turn, {repeats} times, in tabs of one page; most of it is the wait for a frame"
    return compared("in Lab: key → screen, p50", "ms", dict(found), SAME, note)


async def _floods(browser: Browser, server: BenchServer, size: int, repeats: int) -> list[Row]:
    rates: Samples = defaultdict(list)
    stalls: Samples = defaultdict(list)
    async for lab, side, name in _in_turn(browser, server, repeats):
        await lab.run(name, f"yes {LINE} | head -c {size} >file; echo writ''ten", "written")
        took, stall = await lab.run(name, "cat file; echo; echo do''ne", "done")
        rates[side].append(size / 1000 / took)
        stalls[side].append(stall)
    what = f"`cat` of {size // 1_000_000} MB in lines of {len(LINE) + 1} bytes, until its last line is drawn"
    return [
        compared("in Lab: output of cat, drawn", "MB/s", dict(rates), TWICE_AS_FAST, what),
        compared("in Lab: longest stall of the page meanwhile", "ms", dict(stalls), SAME),
    ]


async def _interrupts(browser: Browser, server: BenchServer, repeats: int) -> list[Row]:
    found: Samples = defaultdict(list)
    async for lab, side, name in _in_turn(browser, server, repeats):
        await lab.run(name, f"trap 'echo; echo stop''ped' INT; {FLOOD}", LINE)
        await lab.page.wait_for_timeout(2000)
        took, _ = await lab.run(name, "", "stopped", "Control+c")
        found[side].append(took)
    note = "2 s into a flood without end"
    return [compared("in Lab: Ctrl-C → the flood has stopped on screen", "ms", dict(found), SAME, note)]


async def _in_turn(
    browser: Browser, server: BenchServer, repeats: int
) -> AsyncIterator[tuple[LabPage, str, str]]:
    """(page, side, terminal): one of each side, in tabs of one page, brought to the front by turns."""
    async with lab_page(browser, server) as lab:
        names = {side.name: side.create() for side in both(server)}
        for side, name in names.items():
            await lab.open(name, is_weaver=side == OURS)
        for each in alternating(both(server), repeats):
            await lab.show(names[each.name])
            yield lab, each.name, names[each.name]
    server.delete_all()
