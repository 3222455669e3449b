"""Floods and slow viewers."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from loom_weaver.flow import CLOSE_BEHIND, PAUSE_BEHIND, STALLED_AFTER
from tests.contract.conftest import OpenHouse
from tests.contract.probes import House, ViewerProbe

MEBIBYTE = 1024 * 1024
# Long lines: what a cluster writes down with each of them costs more than short ones themselves.
FLOOD = "yes " + "y" * 999


def resident() -> int:
    """The memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Counter(ViewerProbe):
    """Reads as fast as it is given, and remembers only how much and the end of it."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def output(self, data: memoryview) -> None:
        self.count += len(data)
        super().output(data[-100:])
        del self.received[:-100]


class Sipper(Counter):
    """Takes a rest after every MiB, like a page that draws."""

    def output(self, data: memoryview) -> None:
        before = self.count // MEBIBYTE
        super().output(data)
        if self.count // MEBIBYTE > before:
            self.attachment.pause()
            asyncio.get_running_loop().call_later(0.01, self.attachment.resume)


async def test_a_viewer_that_never_reads_is_let_go_and_slows_nobody(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh(f"read x; {FLOOD}")
        memory = resident()
        async with (
            house.view(weaver_id, probe=Counter()) as reading,
            house.view(weaver_id, probe=Counter(), paused=True) as stopped,
        ):
            began = asyncio.get_running_loop().time()
            await reading.type(b"\n")
            assert await stopped.end() == "too slow"
            assert isinstance(reading, Counter)
            so_far = reading.count
            stalled = asyncio.get_running_loop().time() - began > STALLED_AFTER
            assert so_far > CLOSE_BEHIND - MEBIBYTE or stalled
            await reading.until(lambda: reading.count > so_far + 8 * MEBIBYTE)
            assert resident() < memory + 64 * MEBIBYTE
            assert house.runtime.get(weaver_id).status == "running"
            await reading.type(b"\x03")
            assert await reading.end() == "ended"
        assert isinstance(stopped, Counter)
        assert stopped.count == 0
        assert house.runtime.get(weaver_id).status == "failed"


async def test_a_slow_viewer_that_goes_on_reading_gets_everything(open_house: OpenHouse) -> None:
    async with open_house(kept=9 * MEBIBYTE) as house:
        # A number in each line: where a cluster's connection ends too soon, its log tells what is missing.
        count = 2_500_000
        size = sum(len(f"{number}\r\n") for number in range(1, count + 1)) + len(b"done\r\n")
        weaver_id = await house.sh(f"stty -echo; read x; seq 1 {count}; echo done")
        async with house.view(weaver_id, probe=Sipper()) as viewer:
            await viewer.type(b"\n")
            assert await viewer.end() == "ended"
        assert isinstance(viewer, Sipper)
        assert viewer.received.endswith(b"done\r\n")
        assert size <= viewer.count <= size + len(b"\r\n")
        assert viewer.gaps == []


async def test_a_sole_viewer_holds_the_program_back(open_house: OpenHouse, in_flight: int) -> None:
    async with open_house() as house:
        size = PAUSE_BEHIND + in_flight
        weaver_id = await house.sh(
            f"stty -opost -echo; read x; head -c {size} /dev/zero; touch $HOME/written; sleep 600"
        )
        async with house.view(weaver_id, paused=True) as viewer:
            await viewer.type(b"\n")
            # Everything that may be in flight is less than the program wants to write.
            done = asyncio.create_task(_until_written(house, weaver_id))
            finished, _ = await asyncio.wait([done], timeout=2)
            assert not finished, f"the program wrote {size} bytes past a limit of {PAUSE_BEHIND}"
            viewer.attachment.resume()
            await done
            await viewer.until(size)
        assert viewer.outcome is None


async def _until_written(house: House, weaver_id: str) -> None:
    await house.exec(weaver_id, "sh", "-c", "until [ -e $HOME/written ]; do sleep 0.05; done")


@pytest.mark.slow
async def test_a_sole_viewer_that_sleeps_does_not_hold_the_program_back_for_ever(
    open_house: OpenHouse,
) -> None:
    async with open_house() as house:
        weaver_id = await house.sh(f"read x; {FLOOD} | head -c 20000000; touch $HOME/written; sleep 600")
        async with house.view(weaver_id, paused=True) as viewer:
            await viewer.type(b"\n")
            began = asyncio.get_running_loop().time()
            assert await viewer.end() == "too slow"
            assert asyncio.get_running_loop().time() - began > STALLED_AFTER - 1
        assert viewer.received == b""
        await _until_written(house, weaver_id)
