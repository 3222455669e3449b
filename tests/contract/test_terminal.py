"""Terminals: bytes in, bytes out, none lost, changed or twice."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable

import pytest

from loom_weaver.runtimes.base import ReplayStart
from tests.contract.conftest import OpenHouse
from tests.contract.probes import SlowViewer, ViewerProbe, numbered

NO_SCROLLBACK = ReplayStart(scrollback=False)
MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize("probe", [ViewerProbe, SlowViewer])
async def test_a_big_paste_comes_back_whole(open_house: OpenHouse, probe: type[ViewerProbe]) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("stty -echo; echo ready; exec cat")
        lines = [os.urandom(500).hex()[:999].encode() for _ in range(1049)]
        async with house.view(weaver_id, probe=probe()) as viewer:
            await viewer.until(b"ready\r\n")
            typing = asyncio.gather(*(viewer.type(line + b"\n") for line in lines))
            assert (await house.exec(weaver_id, "echo", "meanwhile")).stdout == b"meanwhile\n"
            expected = b"ready\r\n" + b"".join(line + b"\r\n" for line in lines)
            assert await viewer.until(len(expected)) == expected
            await typing
            assert len(expected) == 1_050_049 + len(b"ready\r\n")


@pytest.mark.parametrize("message", [MEBIBYTE, 1024])
async def test_no_part_of_a_paste_is_dropped(open_house: OpenHouse, message: int) -> None:
    async with open_house() as house:
        weaver_id = await house.sh(f"stty raw -echo; echo ready; head -c {MEBIBYTE} | sha256sum; sleep 600")
        data = os.urandom(MEBIBYTE)
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"ready")
            for begin in range(0, len(data), message):
                await viewer.type(data[begin : begin + message])
            await viewer.until(hashlib.sha256(data).hexdigest().encode())


async def test_typing_waits_while_the_program_does_not_read(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("stty raw -echo; echo ready; read x; sleep 600")
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"ready")

            async def type_on() -> None:
                while viewer.outcome is None:
                    await viewer.attachment.send(bytes(65536))
                    await asyncio.sleep(0)

            typing = asyncio.create_task(type_on())
            assert (await house.exec(weaver_id, "echo", "meanwhile")).stdout == b"meanwhile\n"
            done, _ = await asyncio.wait([typing], timeout=0.5)
            assert not done
            # The end of the weaver is the end of the wait.
            await house.runtime.delete(weaver_id)
            assert await viewer.end() == "ended"
            await typing


async def test_the_end_of_the_output_is_not_lost(open_house: OpenHouse) -> None:
    async with open_house() as house:
        expected = "".join(f"{number}\r\n" for number in range(1, 201)).encode()
        assert len(expected) == 892
        for _ in range(20):
            weaver_id = await house.sh("seq 1 200")
            async with house.view(weaver_id) as viewer:
                assert await viewer.end() == "ended"
            assert viewer.received == expected
            assert house.runtime.get(weaver_id).status == "succeeded"
            assert (await house.log(weaver_id)).texts == numbered(200)
            async with house.view(weaver_id) as late:
                assert await late.end() == "ended"
            assert late.received == expected


async def test_a_job_left_behind_does_not_hide_the_end(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("sleep 600 & seq 1 200")
        async with house.view(weaver_id) as viewer:
            assert await viewer.end() == "ended"
        assert viewer.received.endswith(b"200\r\n")
        assert house.runtime.get(weaver_id).exit_code == 0


async def test_output_is_not_decoded_on_the_way(open_house: OpenHouse) -> None:
    async with open_house() as house:
        make = "stty raw -echo; echo ready; read x; cd; head -c 1000000 /dev/urandom > random"
        weaver_id = await house.sh(f"{make}; sha256sum < random; cat random; sleep 600")
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"\n")
            begin = len(viewer.received)
            await viewer.type(b"\n")
            await viewer.until(lambda: b"\n" in viewer.received[begin:])
            head, _, _ = bytes(viewer.received[begin:]).partition(b"\n")
            received = await viewer.until(begin + len(head) + 1 + 1_000_000)
        random = received[begin + len(head) + 1 :]
        assert hashlib.sha256(random).hexdigest().encode() == head.split()[0]


async def test_input_is_not_decoded_on_the_way(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("stty raw -echo; echo ready; head -c 5 | od -An -tx1; sleep 600")
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"ready")
            for message in (b"\xe2\x82", b"\xac", b"\xff", b"\0"):
                await viewer.type(message)
            await viewer.until(b"e2 82 ac ff 00")


async def test_what_is_typed_before_the_program_runs_is_kept_in_order(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("read a; read b; echo got $a $b")
        async with house.view(weaver_id) as viewer:
            await viewer.type(b"first\n")
            await viewer.type(b"second\n")
            await viewer.until(b"got first second")


async def test_nothing_comes_before_a_viewer_asks(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("stty -echo; echo ready; cat")
        async with house.view(weaver_id) as first, house.view(weaver_id, paused=True) as second:
            await first.until(b"ready\r\n")
            await first.type(b"x\n")
            await first.until(b"x\r\n")
            assert second.received == b""
            second.attachment.resume()
            assert await second.until(len(first.received)) == first.received


async def test_a_viewer_can_pause(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("stty -echo; echo ready; cat")
        async with house.view(weaver_id) as pausing, house.view(weaver_id) as other:
            await pausing.until(b"ready\r\n")
            pausing.attachment.pause()
            before = len(pausing.received)
            await other.type(b"one\n")
            await other.until(b"one\r\n")
            await other.type(b"two\n")
            await other.until(b"two\r\n")
            # What was on its way when it paused may have come; a second line cannot have.
            assert b"two" not in pausing.received[before:]
            pausing.attachment.resume()
            await pausing.until(b"two\r\n")
            assert pausing.received == other.received


async def test_all_viewers_see_the_same(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("stty -echo; read x; seq 1 100000; sleep 0.2; seq 1 100000")
        async with house.view(weaver_id) as one, house.view(weaver_id) as two, house.view(weaver_id) as three:
            viewers = (one, two, three)
            # Who comes later than the program is shown no more than the scrollback.
            await one.type(b"\n")
            assert [await viewer.end() for viewer in viewers] == ["ended"] * 3
        assert one.received == two.received == three.received
        assert bytes(one.received).split() == [b"%d" % number for number in range(1, 100_001)] * 2


async def test_sizes(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh(
            "trap 'stty size' WINCH; stty size; echo ready; while :; do sleep 0.05; done"
        )
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"ready\r\n")
            await viewer.until(b"24 80\r\n")
            house.runtime.resize(weaver_id, 132, 50)
            await viewer.until(b"50 132\r\n")
            house.runtime.resize(weaver_id, 1, 1000)
            await viewer.until(b"1000 1\r\n")


async def test_a_viewer_of_a_weaver_that_is_deleted_is_told_after_the_last_byte(
    open_house: OpenHouse,
) -> None:
    async with open_house() as house:
        weaver_id = await house.sh(
            "trap 'echo bye; exit 0' TERM HUP; echo ready; while :; do sleep 0.05; done"
        )
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"ready\r\n")
            await house.runtime.delete(weaver_id)
            assert await viewer.end() == "ended"
        assert viewer.received.endswith(b"bye\r\n")


async def test_a_viewer_that_left_is_told_nothing(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("stty -echo; echo ready; cat")
        async with house.view(weaver_id) as left, house.view(weaver_id) as other:
            await left.until(b"ready\r\n")
            left.attachment.close()
            left.attachment.close()
            await other.type(b"more\n")
            await other.until(b"more\r\n")
            await house.runtime.delete(weaver_id)
            assert await other.end() == "ended"
        assert b"more" not in left.received
        assert left.outcome is None


async def test_keys_that_the_terminal_knows(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("echo ready; exec sleep 600")
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"ready")
            await viewer.type(b"\x03")
            assert await viewer.end() == "ended"
        assert house.runtime.get(weaver_id).exit_code == 130


async def test_a_terminal_that_has_ended_has_its_last_size(
    open_house: OpenHouse, needs: Callable[[str], None]
) -> None:
    needs("remember a terminal's size")
    async with open_house() as house:
        weaver_id = await house.sh("echo ready; read x")
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"ready")
            house.runtime.resize(weaver_id, 132, 50)
            await viewer.type(b"\n")
            assert await viewer.end() == "ended"
        await house.over(weaver_id)
        async with house.view(weaver_id) as late:
            assert late.attachment.size == (132, 50)
            assert await late.end() == "ended"
