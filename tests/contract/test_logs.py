"""Logs: lines, their times, ids and ends."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest

from loom_weaver.lifetime import utc_now
from loom_weaver.runtimes.base import LogGap, LogStart
from tests.contract.conftest import OpenHouse
from tests.contract.probes import PATIENCE, Log, eventually, numbered

MEBIBYTE = 1024 * 1024
SEVEN_LINES = "printf '1\\n2\\n\\n4\\n5\\n6\\n7\\n'"


@pytest.mark.parametrize(
    ("script", "texts"),
    [
        ("python3 -c \"print('a' + '世' * 20000)\"", ["a" + "世" * 20_000]),
        ("printf 'ok\\n\\324\\nafter\\n'", ["ok", "�", "after"]),
        ("printf 'a\\n\\n\\nb\\n'", ["a", "", "", "b"]),
        ("head -c 40000 /dev/zero | tr '\\0' A; echo; echo B", ["A" * 40_000, "B"]),
        ("printf 'p 1%%\\rp 2%%\\rp 3%%\\ndone\\n'", ["p 1%\rp 2%\rp 3%", "done"]),
        ("printf 'a\\342\\200\\250b\\013c\\014d\\302\\205e\\nnext\\n'", ["a\u2028b\vc\fd\x85e", "next"]),
        ("printf 'one\\nunfinished'", ["one", "unfinished"]),
        ("true", []),
    ],
    ids=[
        "cut-character",
        "not-utf-8",
        "empty-lines",
        "long-line",
        "progress-bar",
        "only-lf",
        "unfinished",
        "silent",
    ],
)
async def test_lines_are_what_the_program_wrote(open_house: OpenHouse, script: str, texts: list[str]) -> None:
    async with open_house() as house:
        began = utc_now()
        weaver_id = await house.sh(script)
        log = await house.log(weaver_id)
        assert log.texts == texts
        ids = [item.id for item in log.items] + [log.end.id if log.end else ""]
        assert len(set(ids)) == len(ids)
        for entry in log.entries:
            assert entry.at is not None
            assert began - timedelta(milliseconds=1) <= entry.at <= utc_now() + timedelta(milliseconds=1)


async def test_a_line_beyond_a_mebibyte_comes_in_pieces(open_house: OpenHouse) -> None:
    async with open_house() as house:
        count = 700_000
        weaver_id = await house.sh(f"python3 -c \"print('世' * {count})\"; echo B")
        log = await house.log(weaver_id)
        *pieces, last = log.entries
        assert [len(piece.text.encode()) for piece in pieces] == [
            MEBIBYTE - 1,
            MEBIBYTE - 1,
            3 * count - 2 * MEBIBYTE + 2,
        ]
        assert "".join(piece.text for piece in pieces) == "世" * count
        assert [piece.at is None for piece in pieces] == [False, True, True]
        assert last.text == "B"
        rest = await house.log(weaver_id, LogStart(after=pieces[0].id))
        assert rest.items == log.items[1:]


async def test_nothing_is_lost_however_fast_the_program_ends(open_house: OpenHouse) -> None:
    async with open_house() as house:
        for _ in range(10):
            weaver_id = await house.sh("seq 1 5000; printf end")
            log = await house.log(weaver_id)
            assert log.texts == [*numbered(5000), "end"]
            assert log.end is not None
            assert house.runtime.get(weaver_id).exit_code == 0


async def test_many_at_once_lose_nothing(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_ids = [await house.sh("seq 1 5000; printf end") for _ in range(10)]
        for log in await asyncio.gather(*map(house.log, weaver_ids)):
            assert log.texts == [*numbered(5000), "end"]


async def test_a_reader_of_a_weaver_that_is_deleted_comes_to_an_end(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("echo on; sleep 600")
        reading = asyncio.create_task(house.log(weaver_id))
        await house.log(weaver_id, until=lambda log: log.texts == ["on"])
        await house.runtime.delete(weaver_id)
        log = await reading
        assert log.texts[:1] == ["on"]
        assert log.end is not None
        assert log.end.id.endswith("-end")
        assert log.end.id != "0-end", "the end of what was there, not of nothing"


async def test_a_reader_of_a_weaver_that_is_deleted_at_once_comes_to_an_end(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.create("sleep", "600")
        reading = asyncio.create_task(house.log(weaver_id))
        await asyncio.sleep(0)
        await house.runtime.delete(weaver_id)
        assert (await reading).end is not None


@pytest.mark.parametrize(
    ("tail", "first"), [(200, "801"), (256, "745"), (1, "1000"), (5000, "1"), (None, "1")]
)
async def test_a_tail_has_as_many_lines_as_asked_for(
    open_house: OpenHouse, tail: int | None, first: str
) -> None:
    async with open_house() as house:
        running = await house.sh("seq 1 1000; sleep 600")
        await house.log(running, until=lambda log: log.texts[-1:] == ["1000"])
        ended = await house.sh("seq 1 1000")
        await house.over(ended)
        expected = numbered(1000)[int(first) - 1 :]
        assert (await house.log(running, LogStart(tail=tail), follow=False)).texts == expected
        assert (await house.log(ended, LogStart(tail=tail))).texts == expected


async def test_an_unfinished_last_line_counts_only_at_the_end(
    open_house: OpenHouse, able: Callable[[str], bool]
) -> None:
    async with open_house() as house:
        weaver_id = await house.sh(
            "stty -echo; read go; printf '1\\n2\\n3\\nname? '; read x; printf \"$x\\nbye\""
        )
        async with house.view(weaver_id) as viewer:
            await viewer.type(b"\n")
            await viewer.until(b"name? ")
            begun = asyncio.Event()

            def has_begun(log: Log) -> bool:
                begun.set()
                return False

            reading = asyncio.create_task(house.log(weaver_id, LogStart(tail=2), until=has_begun))
            async with asyncio.timeout(PATIENCE):
                await begun.wait()
            present = await house.log(weaver_id, LogStart(tail=2), follow=False)
            assert present.texts == ["2", "3", *(["name? "] if able("show unfinished lines") else [])]
            assert present.end is None
            await viewer.type(b"loom\n")
        assert (await reading).texts == ["2", "3", "name? loom", "bye"]
        assert (await house.log(weaver_id, LogStart(tail=2))).texts == ["name? loom", "bye"]


async def test_a_tail_of_nothing_is_only_what_comes(open_house: OpenHouse) -> None:
    async with open_house() as house:
        program = "seq 1 1000; echo ready; while read x; do echo new $x; done"
        weaver_id = await house.sh(f"stty -echo; {program}")
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"ready\r\n")
            reading = asyncio.create_task(
                house.log(weaver_id, LogStart(tail=0), until=lambda log: len(log.entries) >= 1)
            )
            present = await house.log(weaver_id, LogStart(tail=0), follow=False)
            assert present == Log()
            # Nothing tells when the reader has begun: what comes before that is not for it.
            for number in itertools.count():
                await viewer.type(b"%d\n" % number)
                await asyncio.wait([reading], timeout=1)
                if reading.done():
                    break
        texts = (await reading).texts
        first = int(texts[0].removeprefix("new "))
        assert texts == [f"new {first + index}" for index in range(len(texts))]


async def test_since_a_moment(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("echo 1; echo 2; sleep 0.1; echo 3; sleep 0.1; printf '4\\n5'")
        log = await house.log(weaver_id)
        assert log.texts == ["1", "2", "3", "4", "5"]
        times = [entry.at for entry in log.entries]
        assert times == sorted(times, key=lambda at: at or utc_now())
        for since, texts in ((times[2], ["3", "4", "5"]), (times[3], ["4", "5"]), (utc_now(), [])):
            assert (await house.log(weaver_id, LogStart(since=since))).texts == texts
        assert (await house.log(weaver_id, LogStart(since=times[2], tail=2))).texts == ["4", "5"]
        assert (await house.log(weaver_id, LogStart(since=times[3], tail=9))).texts == ["4", "5"]


async def test_a_reader_goes_on_after_an_id(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("seq 1 1000; printf 'x\\rid: 7\\n\\nlast'")
        log = await house.log(weaver_id)
        for index in (0, 99, 999, 1000, 1001, 1002):
            start = LogStart(after=log.items[index].id, tail=256, since=utc_now())
            rest = await house.log(weaver_id, start)
            assert rest.items == log.items[index + 1 :]
            assert rest.end == log.end


async def test_a_reader_goes_on_while_the_program_writes(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("seq 1 30000; sleep 0.2; seq 30001 60000")
        texts: list[str] = []
        start = LogStart()
        while True:
            log = await house.log(weaver_id, start, until=lambda log: len(log.entries) > 5000)
            texts += log.texts
            if log.end is not None:
                break
            start = LogStart(after=log.items[-1].id, tail=3)
        assert texts == numbered(60_000)


async def test_after_the_end_nothing_follows(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh(SEVEN_LINES)
        end = (await house.log(weaver_id)).end
        assert end is not None
        again = await house.log(weaver_id, LogStart(after=end.id, tail=256))
        assert again == Log(end=end)


@pytest.mark.parametrize(
    "after", ["", "5", "0", "99999999999999999999", "1-2", "7-end", "-1", "x", "٣", "2-", "3\n"]
)
async def test_an_id_that_was_never_given_counts_as_none(open_house: OpenHouse, after: str) -> None:
    async with open_house() as house:
        weaver_id = await house.sh(SEVEN_LINES)
        await house.over(weaver_id)
        assert (await house.log(weaver_id, LogStart(after=after, tail=3))).texts == ["5", "6", "7"]


async def test_without_following_it_ends_with_the_present_lines(open_house: OpenHouse) -> None:
    async with open_house() as house:
        flood = await house.sh("while :; do echo more; done")
        await house.log(flood, until=lambda log: len(log.entries) > 1000)
        log = await house.log(flood, follow=False)
        assert log.end is None
        assert len(log.entries) > 1000
        ended = await house.sh(SEVEN_LINES)
        await house.over(ended)
        log = await house.log(ended, LogStart(tail=1), follow=False)
        assert log.texts == ["7"]
        assert log.end is None


async def test_what_is_no_longer_kept_is_told_in_its_place(
    open_house: OpenHouse, needs: Callable[[str], None]
) -> None:
    needs("keep so many bytes of a log")
    async with open_house(kept=9 * MEBIBYTE) as house:
        count, width = 120_000, 100
        weaver_id = await house.sh(f"seq -f '%0{width}.0f' 1 {count}")
        log = await house.log(weaver_id)
        await house.over(weaver_id)
        late = await house.log(weaver_id)
        gap, *rest = late.items
        assert isinstance(gap, LogGap)
        assert gap.missing is not None
        first, left = divmod(gap.missing, width + 2)
        assert left == 0
        assert 0 < first < count
        assert late.texts == [f"{number:0{width}}" for number in range(first + 1, count + 1)]
        assert late.end == log.end
        assert (await house.log(weaver_id, LogStart(after=gap.id, tail=1))).items == rest
        # Who read along missed nothing, or was told; a line that a gap cut off has no line end.
        told = sum(item.missing or 0 for item in log.items if isinstance(item, LogGap))
        seen = sum(len(entry.text) + (0 if "-" in entry.id else 2) for entry in log.entries)
        assert seen + told == count * (width + 2)


async def test_a_reader_that_leaves_frees_what_it_held(open_house: OpenHouse) -> None:
    async with open_house() as house:
        weaver_id = await house.sh("echo on; sleep 600")
        await house.log(weaver_id, until=lambda log: log.texts == ["on"])
        tasks = len(asyncio.all_tasks())
        readings = [asyncio.create_task(house.log(weaver_id)) for _ in range(50)]
        await house.log(weaver_id, until=lambda log: log.texts == ["on"])
        for reading in readings:
            reading.cancel()
        await asyncio.wait(readings)
        assert all(reading.cancelled() for reading in readings)
        await eventually(lambda: len(asyncio.all_tasks()) <= tasks, "what served the readers to be gone")
