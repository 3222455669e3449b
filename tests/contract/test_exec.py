"""Commands beside a weaver's program."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from loom_weaver.errors import BadRequest, Conflict, LoomError
from loom_weaver.runtimes.base import ExecProcess, ExecSpec
from tests.contract.conftest import OpenHouse
from tests.contract.probes import ExecOutcome, House, eventually, long_sleep, processes

MEBIBYTE = 1024 * 1024


@asynccontextmanager
async def running(open_house: OpenHouse, **fields: object) -> AsyncIterator[tuple[House, str]]:
    """A weaver that does nothing but run."""
    async with open_house() as house:
        weaver_id = await house.create("sleep", "600", **fields)
        await house.until(weaver_id, "running")
        yield house, weaver_id


async def read_until(process: ExecProcess, wanted: bytes) -> bytes:
    seen = b""
    async for _, data in process.output():
        seen += data
        if wanted in seen:
            break
    assert wanted in seen
    return seen


async def test_a_failing_command_says_so_every_time(open_house: OpenHouse) -> None:
    async with running(open_house) as (house, weaver_id):
        for _ in range(4):
            outcomes = await asyncio.gather(*(house.exec(weaver_id, "false") for _ in range(10)))
            assert outcomes == [ExecOutcome(1, b"", b"")] * 10


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("exit 7", ExecOutcome(7, b"", b"")),
        ("kill -9 $$", ExecOutcome(137, b"", b"")),
        ("echo out; echo err >&2; exit 1", ExecOutcome(1, b"out\n", b"err\n")),
        ("printf '\\377\\0\\n'", ExecOutcome(0, b"\xff\0\n", b"")),
        ("exec >&- 2>&-; exit 5", ExecOutcome(5, b"", b"")),
        ("sleep 600 & echo hi", ExecOutcome(0, b"hi\n", b"")),
        ("[ -t 0 ] || [ -t 1 ] || echo no tty", ExecOutcome(0, b"no tty\n", b"")),
    ],
)
async def test_what_a_command_says(open_house: OpenHouse, script: str, outcome: ExecOutcome) -> None:
    async with running(open_house) as (house, weaver_id):
        assert await house.exec(weaver_id, "sh", "-c", script) == outcome


async def test_a_command_may_read_the_command_lines_of_all_it_sees(open_house: OpenHouse) -> None:
    async with running(open_house) as (house, weaver_id):
        script = "cat /proc/[0-9]*/cmdline 2>/dev/null; echo; echo end; exit 3"
        outcome = await house.exec(weaver_id, "sh", "-c", script)
        assert outcome.exit_code == 3
        assert outcome.stdout.endswith(b"\nend\n")
        assert script.encode() in outcome.stdout.split(b"\0")


async def test_standard_input_comes_to_an_end(open_house: OpenHouse) -> None:
    async with running(open_house) as (house, weaver_id):
        assert (await house.exec(weaver_id, "cat", stdin=b"abc")).stdout == b"abc"
        assert (await house.exec(weaver_id, "wc", "-c")).stdout == b"0\n"
        text = os.urandom(MEBIBYTE // 2).hex().encode()
        summed = await house.exec(weaver_id, "sha256sum", stdin=text)
        assert summed.stdout.split()[0] == hashlib.sha256(text).hexdigest().encode()
        assert (await house.exec(weaver_id, "cat", stdin=text)).stdout == text


async def test_a_command_that_stops_reading_is_no_error(open_house: OpenHouse) -> None:
    async with running(open_house) as (house, weaver_id):
        outcome = await house.exec(weaver_id, "head", "-c", "3", stdin=b"abc" * MEBIBYTE)
        assert outcome == ExecOutcome(0, b"abc", b"")
        assert (await house.exec(weaver_id, "true", stdin=bytes(MEBIBYTE))).exit_code == 0


async def test_output_is_whole_and_not_reading_holds_the_command_back(
    open_house: OpenHouse, in_flight: int
) -> None:
    async with running(open_house) as (house, weaver_id):
        size = 20_000_000 + in_flight
        script = f"head -c {size} /dev/zero; touch $HOME/written"
        async with house.runtime.exec(weaver_id, ExecSpec(("sh", "-c", script))) as process:
            finished, _ = await asyncio.wait([asyncio.create_task(process.wait())], timeout=0.5)
            assert not finished
            assert (await house.exec(weaver_id, "sh", "-c", "ls $HOME")).stdout == b""
            assert sum([len(data) async for _, data in process.output()]) == size
            assert await process.wait() == 0


async def test_a_command_has_what_the_weaver_has(open_house: OpenHouse) -> None:
    async with running(open_house, env={"A": "$(HOME)", "LANG": "C"}, workdir="/usr") as (house, weaver_id):
        script = "pwd; echo $A $LANG; id -u"
        program = await house.log(await house.sh(script, env={"A": "$(HOME)", "LANG": "C"}, workdir="/usr"))
        outcome = await house.exec(weaver_id, "sh", "-c", script)
        assert outcome.stdout.decode().splitlines() == program.texts
        assert program.texts[:2] == ["/usr", "$(HOME) C"]


@pytest.mark.parametrize("command", ["no-such-command", "/no/such/command", "/etc/passwd"])
@pytest.mark.parametrize("tty", [False, True])
async def test_a_command_that_cannot_start_is_named(open_house: OpenHouse, command: str, tty: bool) -> None:
    async with running(open_house) as (house, weaver_id):
        with pytest.raises(BadRequest) as refused:
            async with house.runtime.exec(weaver_id, ExecSpec((command,), tty=tty)):
                pass
        assert refused.value.details[0].field == "command"
        assert command in refused.value.message


async def test_no_command_runs_in_a_weaver_that_has_ended_or_is_ending(open_house: OpenHouse) -> None:
    async with open_house() as house:
        ended = await house.sh("true")
        await house.over(ended)
        ending = await house.sh("trap '' TERM HUP; echo ready; while :; do sleep 0.1; done")
        await house.log(ending, until=lambda log: log.texts == ["ready"])
        await house.runtime.delete(ending)
        for weaver_id in (ended, ending):
            with pytest.raises(Conflict):
                await house.exec(weaver_id, "true")


async def test_leaving_ends_the_command_with_its_group(open_house: OpenHouse) -> None:
    async with running(open_house) as (house, weaver_id):
        seconds = long_sleep()
        async with house.runtime.exec(
            weaver_id, ExecSpec(("sh", "-c", f"sleep {seconds} & echo on; wait"))
        ) as process:
            await read_until(process, b"on")
            await eventually(lambda: bool(processes(seconds)), "the command's own to run")
        await eventually(lambda: not processes(seconds), "the command to be gone")
        assert house.runtime.get(weaver_id).status == "running"


async def test_a_caller_who_gives_up_ends_the_command(open_house: OpenHouse) -> None:
    async with running(open_house) as (house, weaver_id):
        seconds = long_sleep()
        calling = asyncio.create_task(
            house.exec(weaver_id, "sh", "-c", f"trap '' TERM HUP; sleep {seconds} & wait")
        )
        await eventually(lambda: bool(processes(seconds)), "the command to run")
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await eventually(lambda: not processes(seconds), "the command to be gone")


async def test_a_command_ends_with_its_weaver(open_house: OpenHouse) -> None:
    async with running(open_house) as (house, weaver_id):
        seconds = long_sleep()
        calling = asyncio.create_task(house.exec(weaver_id, "sleep", seconds))
        await eventually(lambda: bool(processes(seconds)), "the command to run")
        await house.runtime.delete(weaver_id)
        await house.gone(weaver_id)
        assert not processes(seconds)
        # Its last word, or an error that says that there is none.
        (last,) = await asyncio.gather(calling, return_exceptions=True)
        assert isinstance(last, LoomError) or (isinstance(last, ExecOutcome) and last.exit_code > 128)


async def test_a_command_on_a_terminal(open_house: OpenHouse) -> None:
    async with running(open_house) as (house, weaver_id):
        script = (
            "stty size; trap 'stty size' WINCH; echo ready; until read x; do :; done; echo got $x; exit 4"
        )
        spec = ExecSpec(("sh", "-c", script), tty=True, cols=100, rows=30)
        async with asyncio.timeout(30), house.runtime.exec(weaver_id, spec) as process:
            seen = await read_until(process, b"ready\r\n")
            assert seen.startswith(b"30 100\r\n")
            process.resize(120, 40)
            await read_until(process, b"40 120\r\n")
            await process.write(b"it\n")
            rest = [item async for item in process.output()]
            assert {number for number, _ in rest} == {1}
            assert b"got it\r\n" in b"".join(data for _, data in rest)
            assert await process.wait() == 4


async def test_a_command_finds_the_name_of_its_terminal(open_house: OpenHouse) -> None:
    spec = ExecSpec(("sh", "-c", "tty; stty size <$(tty); exec 3<>/dev/tty; echo opened >&3"), tty=True)
    async with running(open_house) as (house, weaver_id):
        for _ in range(2):
            async with asyncio.timeout(30), house.runtime.exec(weaver_id, spec) as process:
                said = b"".join([data async for _, data in process.output()])
                name, size, opened = said.decode().split("\r\n")[:3]
                assert name.startswith("/dev/pts/")
                assert (size, opened) == ("24 80", "opened")
                assert await process.wait() == 0


async def test_keys_reach_a_command_on_a_terminal(open_house: OpenHouse) -> None:
    spec = ExecSpec(("sh", "-c", "echo on; exec sleep 600"), tty=True)
    async with running(open_house) as (house, weaver_id), house.runtime.exec(weaver_id, spec) as process:
        await read_until(process, b"on")
        await process.write(b"\x03")
        assert await process.wait() == 130


async def test_many_commands_leave_no_descriptor_behind(open_house: OpenHouse) -> None:
    async with running(open_house) as (house, weaver_id):
        await house.exec(weaver_id, "true")
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            await asyncio.gather(*(house.exec(weaver_id, "echo", "x", stdin=b"y") for _ in range(10)))
        with pytest.raises(BadRequest):
            await house.exec(weaver_id, "no-such-command")
        # What the weaver itself held open may be gone as well; a runtime may be ready for the next one.
        most = before + 1
        await eventually(lambda: len(os.listdir("/proc/self/fd")) <= most, "the descriptors to be closed")
