"""Where a viewer begins: with the past, without it, or where it was."""

from __future__ import annotations

from collections.abc import Callable

from loom_weaver.runtimes.base import LogStart, ReplayStart
from loom_weaver.scrollback import SHOWN
from tests.contract.conftest import OpenHouse
from tests.contract.probes import ViewerProbe

NO_SCROLLBACK = ReplayStart(scrollback=False)
MEBIBYTE = 1024 * 1024


async def test_scrollback_and_live_output_meet_exactly(open_house: OpenHouse) -> None:
    async with open_house() as house:
        loop = "i=0; while :; do i=$((i+1)); echo n$i; done"
        weaver_id = await house.sh(f"{loop} | head -n 3000000; sleep 600")
        for turn in range(8):
            async with house.view(weaver_id) as viewer:
                await viewer.until(viewer.attachment.live - viewer.attachment.offset + 20_000 * (turn + 1))
            assert viewer.attachment.gap == 0
            _, *lines = bytes(viewer.received).split(b"\r\n")[:-1]
            values = [int(line.removeprefix(b"n")) for line in lines]
            assert values == list(range(values[0], values[0] + len(values)))


async def test_an_idle_prompt_is_seen(open_house: OpenHouse, able: Callable[[str], bool]) -> None:
    async with open_house() as house:
        # Where a log has no unfinished lines, a prompt is seen by who was there when it came.
        waits = "" if able("show unfinished lines") else "sleep 2; "
        weaver_id = await house.sh(f"{waits}PS1='ready> ' exec sh -i")
        await house.log(weaver_id, LogStart(tail=0), until=lambda _: True, follow=False)
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"ready> ")
        async with house.view(weaver_id) as again:
            await again.until(b"ready> ")
        async with house.view(weaver_id, NO_SCROLLBACK) as viewer:
            await viewer.type(b"echo typed\n")
            await viewer.until(b"\r\ntyped\r\n")
            assert viewer.received.startswith(b"echo typed")


async def test_a_new_viewer_is_shown_a_mebibyte_of_the_past(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("seq 1 500000")
        await house.over(weaver_id)
        everything = "".join(f"{number}\r\n" for number in range(1, 500_001)).encode()
        async with house.view(weaver_id, paused=True) as viewer:
            attachment = viewer.attachment
            assert attachment.offset == len(everything) - SHOWN
            assert attachment.live == len(everything)
            assert attachment.gap == 0
            attachment.resume()
            assert await viewer.end() == "ended"
        assert viewer.received == everything[-SHOWN:]
        async with house.view(weaver_id, NO_SCROLLBACK) as viewer:
            assert await viewer.end() == "ended"
        assert viewer.received == b""


async def test_a_viewer_goes_on_where_it_was(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("stty -echo; read x; seq 1 300000; sleep 0.2; seq 300001 400000")
        received, start = b"", ReplayStart()
        viewer = ViewerProbe()

        def enough() -> bool:
            return len(viewer.received) > 300_000 or viewer.outcome is not None

        while viewer.outcome is None:
            viewer = ViewerProbe()
            async with house.view(weaver_id, start, probe=viewer):
                assert viewer.attachment.gap == 0
                assert viewer.attachment.offset == len(received)
                if not received:
                    await viewer.type(b"\n")
                await viewer.until(enough)
                received += viewer.received
            start = ReplayStart(scrollback=False, epoch=viewer.attachment.epoch, offset=len(received))
        assert received.split() == [b"%d" % number for number in range(1, 400_001)]


async def test_a_viewer_of_another_epoch_is_told_and_shown_the_scrollback(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("seq 1 1000")
        await house.over(weaver_id)
        async with house.view(weaver_id) as viewer:
            await viewer.end()
        epoch, end = viewer.attachment.epoch, len(viewer.received)
        for start in (ReplayStart(False, "another", 10), ReplayStart(False, epoch, end + 1)):
            async with house.view(weaver_id, start) as lost:
                assert lost.attachment.gap is None
                assert await lost.end() == "ended"
            assert lost.received == viewer.received


async def test_a_viewer_that_missed_too_much_is_told_how_much(open_house: OpenHouse) -> None:
    async with open_house(kept=9 * MEBIBYTE) as house:
        program = "stty -echo; echo ready; read x; echo first; sleep 0.2; head -c 12000000 /dev/zero"
        weaver_id = await house.sh(program)
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"ready\r\n")
            await viewer.type(b"\n")
            await viewer.until(b"ready\r\nfirst\r\n")
        await house.over(weaver_id)
        start = ReplayStart(epoch=viewer.attachment.epoch, offset=14)
        async with house.view(weaver_id, start, paused=True) as late:
            assert late.attachment.gap == late.attachment.offset - 14
            assert late.attachment.live == 12_000_014
            late.attachment.resume()
            assert await late.end() == "ended"
        assert late.received == bytes(SHOWN)
