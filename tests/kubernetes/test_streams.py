"""Terminals, logs and commands over a cluster that breaks off, rotates and comes back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from itertools import pairwise

import pytest

from loom_weaver.errors import LoomError
from loom_weaver.runtimes.base import ExecSpec, LogEnd, LogEntry, LogGap, LogItem, LogStart, ReplayStart
from tests.contract.probes import House, Log, ViewerProbe, numbered
from tests.kube_cluster import Kube
from tests.kubernetes.houses import opened

pytestmark = pytest.mark.timeout(300)

COUNT = "i=0; while [ $i -lt {last} ]; do i=$((i+1)); echo n$i; sleep {pause}; done"
# The API server comes back within this; streams then follow after a pause.
BACK_SECONDS = 90.0


async def whole_log(house: House, weaver_id: str, start: LogStart | None = None) -> Log:
    """With the patience that an outage asks for."""
    log = Log()
    async with (
        asyncio.timeout(2 * BACK_SECONDS),
        house.runtime.logs(weaver_id, start or LogStart(), follow=True) as batches,
    ):
        async for batch in batches:
            if isinstance(batch, LogEnd):
                log.end = batch
            else:
                log.items += batch
    return log


def gaps(items: list[LogItem]) -> list[LogGap]:
    return [item for item in items if isinstance(item, LogGap)]


class Numbers:
    """Numbered lines with so many dots behind: in order, none twice, and none missing untold.

    Told is it by a gap, or by a line that a rotation cut in two.
    """

    def __init__(self, dots: int) -> None:
        self.last, self.told = -1, False
        self._line = re.compile(rf"(\d{{8}}) \.{{{dots}}}")

    def see(self, items: Sequence[LogItem]) -> None:
        for item in items:
            line = self._line.fullmatch(item.text) if isinstance(item, LogEntry) else None
            if line is None:
                self.told = True
                continue
            number = int(line[1])
            assert number > self.last, "in order, and none twice"
            assert number == self.last + 1 or self.told, f"{self.last + 1}…{number - 1} are missing"
            self.last, self.told = number, False


async def test_the_api_server_is_away_while_terminals_and_logs_are_open(kube: Kube, namespace: str) -> None:
    """Nothing is lost, nothing comes twice."""
    async with opened(kube, namespace) as house:
        last = 250
        weaver_ids = [await house.sh(COUNT.format(last=last, pause=0.1)) for _ in range(5)]
        viewers = [ViewerProbe() for _ in weaver_ids]
        for weaver_id, viewer in zip(weaver_ids, viewers, strict=True):
            viewer.attachment = await house.runtime.attach(weaver_id, viewer, ReplayStart())
            viewer.attachment.resume()
        reading = [asyncio.create_task(whole_log(house, weaver_id)) for weaver_id in weaver_ids]
        await asyncio.gather(*(viewer.until(b"n3\r\n") for viewer in viewers))
        await asyncio.to_thread(kube.component, "stop", "kube-apiserver")
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.to_thread(kube.component, "start", "kube-apiserver")
        lines = [f"n{number}" for number in range(1, last + 1)]
        for log in await asyncio.gather(*reading):
            assert log.texts == lines
            assert gaps(log.items) == []
            assert log.end is not None
        for viewer in viewers:
            assert await viewer.end(2 * BACK_SECONDS) == "ended"
            assert viewer.received.decode().split() == lines
            assert viewer.gaps == []


async def test_a_kubelet_restarts_under_open_terminals(kube: Kube, namespace: str) -> None:
    async with opened(kube, namespace) as house:
        weaver_id = await house.sh(f"stty -echo; {COUNT.format(last=150, pause=0.1)}; read x; echo got $x")
        async with house.view(weaver_id) as viewer:
            reading = asyncio.create_task(whole_log(house, weaver_id))
            await viewer.until(b"n3\r\n")
            await asyncio.to_thread(kube.component, "restart", "kubelet")
            await viewer.until(b"n150\r\n")
            await viewer.type(b"it\n")
            assert await viewer.end(2 * BACK_SECONDS) == "ended"
        lines = [*(f"n{number}" for number in range(1, 151)), "got it"]
        assert viewer.received.decode().split("\r\n")[:-1] == lines
        assert (await reading).texts == lines


async def test_a_server_that_comes_back_has_the_past_of_a_terminal(kube: Kube, namespace: str) -> None:
    async with opened(kube, namespace, keep=True) as house:
        weaver_id = await house.sh("stty -echo; seq 1 5000; read x; echo got $x; sleep 600")
        async with house.view(weaver_id) as before:
            await before.until(b"5000\r\n")
        log = await house.log(weaver_id, until=lambda log: log.texts[-1:] == ["5000"])
    async with opened(kube, namespace) as house:
        start = ReplayStart(epoch=before.attachment.epoch, offset=len(before.received))
        async with house.view(weaver_id, start) as after:
            assert after.attachment.gap is None
            assert after.attachment.epoch != before.attachment.epoch
            await after.type(b"it\n")
            await after.until(b"got it\r\n")
        assert after.received == before.received + b"got it\r\n"
        rest = await house.log(
            weaver_id, LogStart(after=log.items[99].id), until=lambda log: "got it" in log.texts
        )
        assert rest.texts == [*numbered(5000)[100:], "got it"]


async def test_two_servers_show_the_same_terminal(kube: Kube, namespace: str) -> None:
    async with opened(kube, namespace) as one, opened(kube, namespace, keep=True) as other:
        weaver_id = await one.sh("echo ready; exec cat")
        await one.until(weaver_id, "running")
        await other.until(weaver_id, "running")
        async with one.view(weaver_id) as here, other.view(weaver_id) as there:
            await asyncio.gather(here.until(b"ready\r\n"), there.until(b"ready\r\n"))
            await here.type(b"from here\n")
            await there.until(b"from here\r\nfrom here\r\n")
            await there.type(b"from there\n")
            # Each server has a connection of its own.
            for viewer in (here, there):
                await viewer.until(b"from there\r\nfrom there\r\n")
            assert here.received == there.received


@pytest.mark.parametrize("pause", [0, 25], ids=["steady", "slow"])
async def test_life_3_a_log_that_the_node_rotates_is_whole_or_says_what_is_not(
    kube: Kube, namespace: str, pause: float
) -> None:
    """A reader who stops for a while comes back when the node has begun files that it has not read from."""
    async with opened(kube, namespace) as house:
        count = 800_000
        step = "print(f'{number:08}', '.' * 64); number % 500 or time.sleep(0.02)"
        weaver_id = await house.create("python3", "-c", f"import time\nfor number in range({count}): {step}")
        numbers, ended = Numbers(64), False
        async with (
            asyncio.timeout(240),
            house.runtime.logs(weaver_id, LogStart(), follow=True) as batches,
        ):
            async for batch in batches:
                ended = isinstance(batch, LogEnd)
                numbers.see([] if isinstance(batch, LogEnd) else batch)
                if numbers.last > 50_000 and pause:
                    # Time itself is what is tested: the node rotates by the clock.
                    await asyncio.sleep(pause)
                    pause = 0
        assert ended
        assert numbers.last == count - 1 or numbers.told


async def test_a_burst_of_200_mb_is_whole_or_says_what_is_not(kube: Kube, namespace: str) -> None:
    async with opened(kube, namespace, keep=True) as house:
        count, filling = 200_000, "." * 990
        weaver_id = await house.create(
            "python3", "-c", f"for number in range({count}): print(f'{{number:08}}', '{filling}')"
        )
        numbers = Numbers(990)
        async with (
            asyncio.timeout(240),
            house.runtime.logs(weaver_id, LogStart(), follow=True) as batches,
        ):
            async for batch in batches:
                numbers.see([] if isinstance(batch, LogEnd) else batch)
        assert numbers.last == count - 1 or numbers.told


async def test_exec_4_a_caller_who_leaves_takes_the_command_along(kube: Kube, namespace: str) -> None:
    async with opened(kube, namespace) as house:
        weaver_id = await house.create("sleep", "600")
        await house.until(weaver_id, "running")
        command = ExecSpec(("sh", "-c", "sleep 4321 & echo on; wait"))
        async with house.runtime.exec(weaver_id, command) as process:
            async for _, data in process.output():
                assert data == b"on\n"
                break
        left = await house.exec(weaver_id, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
        assert b"4321" not in left.stdout


async def test_a_terminal_without_a_weaver_to_come_ends_with_it(kube: Kube, namespace: str) -> None:
    """An image that nobody can pull: viewers and log readers wait, and hear of the delete."""
    images = {"none": {"image": "localhost/no-such-image:1", "description": "Missing"}}
    async with opened(kube, namespace, images=images) as house:
        weaver_id = await house.create(image="none")
        async with house.view(weaver_id) as viewer:
            reading = asyncio.create_task(house.log(weaver_id))
            await asyncio.sleep(0)
            await house.runtime.delete(weaver_id)
            assert await viewer.end() == "ended"
        log = await reading
        assert (log.items, log.end is not None) == ([], True)
        with pytest.raises(LoomError):
            await house.exec(weaver_id, "true")


async def test_many_terminals_of_one_weaver_cost_one_connection(kube: Kube, namespace: str) -> None:
    async with opened(kube, namespace) as house:
        weaver_id = await house.sh("stty -echo; echo ready; while read x; do echo got $x; done")
        viewers = [ViewerProbe() for _ in range(50)]
        for viewer in viewers:
            viewer.attachment = await house.runtime.attach(weaver_id, viewer, ReplayStart())
            viewer.attachment.resume()
        await asyncio.gather(*(viewer.until(b"ready\r\n") for viewer in viewers))
        for number, viewer in enumerate(viewers):
            await viewer.type(b"%d\n" % number)
        await asyncio.gather(*(viewer.until(b"got 49\r\n") for viewer in viewers))
        assert all(a.received == b.received for a, b in pairwise(viewers))
        for viewer in viewers:
            viewer.attachment.close()
