"""A weaver's terminal over a real WebSocket: what goes in, what comes out, and how it closes."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.server.running import Person, RunningServer, wait_for
from tests.server.terminals import attached, opened, shell, ws_token

Create = Callable[..., dict[str, Any]]


async def test_the_documented_client(server: RunningServer, owner: Person, create: Create) -> None:
    """Text and binary are typed, output is binary and nothing else comes; 1000 when the process ends."""
    weaver = shell(create, "PS1='> ' exec sh -i")
    async with attached(server, owner, weaver) as terminal:
        await terminal.type("echo text $((1+1))\n")
        await terminal.type(b"echo binary $((2+2)); exit 3\n")
        assert await terminal.closed() == (1000, "exited 3")
        assert b"text 2\r\n" in terminal.output
        assert b"binary 4\r\n" in terminal.output
        assert terminal.kinds == {bytes}


async def test_term_1_a_big_paste_neither_freezes_nor_loses(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "stty -echo; echo ready; exec cat")
    lines = [bytes([ord("a") + number % 26]) * 999 + b"\n" for number in range(1049)]
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"ready\r\n")
        terminal.output = b""

        async def paste() -> None:
            for line in lines:
                await terminal.type(line)

        async def ask() -> None:
            while not pasting.done():
                assert (await asyncio.to_thread(owner.http.get, "/health")).status_code == 200

        pasting = asyncio.create_task(paste())
        asking = asyncio.create_task(ask())
        wanted = b"".join(lines).replace(b"\n", b"\r\n")
        await terminal.until(lambda: len(terminal.output) >= len(wanted))
        await asyncio.gather(pasting, asking)
        assert terminal.output == wanted


async def test_a_paste_into_a_program_that_does_not_read_leaves_the_server_alone(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "stty raw -echo; echo ready; sleep 2; head -c 1000000 | sha256sum; sleep 60")
    data = os.urandom(1_000_000)
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"ready")
        pasting = asyncio.create_task(terminal.type(data))
        for _ in range(5):
            assert (await asyncio.to_thread(owner.http.get, "/health")).status_code == 200
        await pasting
        await terminal.until(hashlib.sha256(data).hexdigest().encode())


@pytest.mark.parametrize("piece", [1_048_576, 1024])
async def test_term_2_no_short_write_drops_a_part(
    server: RunningServer, owner: Person, create: Create, piece: int
) -> None:
    weaver = shell(create, "stty raw -echo; echo ready; head -c 1048576 | sha256sum; sleep 60")
    data = os.urandom(1_048_576)
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"ready")
        for start in range(0, len(data), piece):
            await terminal.type(data[start : start + piece])
        await terminal.until(hashlib.sha256(data).hexdigest().encode())


async def test_term_3_the_end_of_the_output_is_never_lost(
    server: RunningServer, owner: Person, create: Create
) -> None:
    wanted = b"".join(b"%d\r\n" % number for number in range(1, 201))
    for _ in range(20):
        weaver = shell(create, "seq 1 200")
        async with attached(server, owner, weaver) as terminal:
            code, _ = await terminal.closed()
            assert terminal.output == wanted
            assert code in (1000, 4409)


async def test_term_4_output_is_not_decoded(server: RunningServer, owner: Person, create: Create) -> None:
    script = "stty raw; read go; head -c 1000000 /dev/urandom >/tmp/r; sha256sum /tmp/r; echo -; cat /tmp/r"
    weaver = shell(create, f"{script}; sleep 60")
    async with attached(server, owner, weaver) as terminal:
        await terminal.type(b"go\n")
        await terminal.until(b"/tmp/r\n-\n")
        head, _, _ = terminal.output.partition(b"/tmp/r\n-\n")
        start = len(head) + len(b"/tmp/r\n-\n")
        await terminal.until(lambda: len(terminal.output) >= start + 1_000_000)
        assert terminal.kinds == {bytes}
        assert hashlib.sha256(terminal.output[start:]).hexdigest().encode() in head


async def test_term_5_input_is_not_decoded(server: RunningServer, owner: Person, create: Create) -> None:
    weaver = shell(create, "stty raw -echo; echo ready; head -c 5 | od -An -tx1; sleep 60")
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"ready")
        for part in (b"\xe2\x82", b"\xac", b"\xff", b"\x00"):
            await terminal.type(part)
        await terminal.until(b"e2 82 ac ff 00")


async def test_term_6_replay_and_live_output_meet_without_gap_or_overlap(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "i=0; while :; do i=$((i+1)); echo n$i; done | head -n 3000000; sleep 60")
    for _ in range(10):
        async with attached(server, owner, weaver) as terminal:
            await terminal.until_longer(300_000)
            whole = terminal.output[terminal.output.index(b"\n") + 1 : terminal.output.rindex(b"\n")]
            numbers = [int(line[1:]) for line in whole.split(b"\r\n")[:-1]]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_term_7_an_idle_prompt_is_seen_by_who_comes_later(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "PS1='ready> ' exec sh -i")
    async with attached(server, owner, weaver) as first:
        await first.until(b"ready> ")
    async with attached(server, owner, weaver) as second:
        await second.until(b"ready> ")
    async with attached(server, owner, weaver, "?scrollback=0", v1=True) as third:
        ready = await third.message("ready")
        assert ready["offset"] == ready["live"] == len(b"ready> ")
        await third.type(b"exit\n")
        await third.closed()
        assert b"ready> " not in third.output


async def test_term_8_nonsense_sizes_change_nothing_and_are_never_typed(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "PS1='> ' exec sh -i")
    async with attached(server, owner, weaver) as terminal:
        await terminal.tell("resize", cols=81, rows=25)
        for cols in (0, -1, 1001, 65536, "80", 80.5, None, True):
            await terminal.tell("resize", cols=cols, rows=24)
        await terminal.tell("resize", rows=24)
        await terminal.until(b"> ")
        await terminal.type(b"stty size; exit\n")
        assert await terminal.closed() == (1000, "exited 0")
        assert b"\n25 81\r\n" in terminal.output
        assert b"resize" not in terminal.output


async def test_a_terminal_begins_at_80_by_24(server: RunningServer, owner: Person, create: Create) -> None:
    weaver = shell(create, "stty size; sleep 60")
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"24 80\r\n")


async def test_term_9_a_long_reason_is_cut_at_a_character(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = create(image="shell", command=["/" + "é" * 150])["id"]
    wait_for(lambda: owner.http.get(f"/api/weaver/{weaver}").json()["status"] == "failed", "the end")
    async with attached(server, owner, weaver) as terminal:
        code, reason = await terminal.closed()
        assert code == 4409
        assert 100 < len(reason.encode()) <= 123


async def test_an_ended_weaver_shows_its_scrollback_and_4409(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "echo last words; exit 7")
    wait_for(lambda: owner.http.get(f"/api/weaver/{weaver}").json()["status"] == "failed", "the end")
    for v1 in (False, True):
        async with attached(server, owner, weaver, v1=v1) as terminal:
            code, reason = await terminal.closed()
            assert (code, terminal.output) == (4409, b"last words\r\n")
            assert "7" in reason
            exits = [message for message in terminal.messages if message["type"] == "exit"]
            assert [(message["code"], message["reason"]) for message in exits] == (
                [(7, "Error")] if v1 else []
            )


async def test_a_weaver_deleted_while_attached_closes_with_4409(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "echo up; sleep 600")
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"up")
        assert (await asyncio.to_thread(owner.http.delete, f"/api/weaver/{weaver}")).status_code == 204
        code, reason = await terminal.closed()
        assert code == 4409
        assert reason.startswith("Deleted")


async def test_what_is_sent_right_behind_the_first_message_arrives_in_order(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "stty raw -echo; echo raw; head -c 200000 | sha256sum; sleep 60")
    data = os.urandom(200_000)
    # Before that, some of these bytes would be signals.
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"raw")
    async with opened(server, weaver) as terminal:
        await terminal.tell("auth", token=ws_token(owner))
        for start in range(0, len(data), 5_000):
            await terminal.type(data[start : start + 5_000])
        await terminal.until(hashlib.sha256(data).hexdigest().encode())


async def test_a_server_that_stops_says_so_and_the_weaver_goes_on(start_server: Any, tmp_path: Any) -> None:
    with start_server() as first:
        people = await asyncio.to_thread(first.add_people)
        body = {"image": "shell", "org_id": people.org_id, "command": ["sh", "-c", "echo up; exec cat"]}
        weaver = people.owner.http.post("/api/weaver", json=body).json()["id"]
        async with attached(first, people.owner, weaver, v1=True) as terminal:
            ready = await terminal.message("ready")
            await terminal.until(b"up\r\n")
            stopping = asyncio.create_task(asyncio.to_thread(first.stop))
            assert (await terminal.closed())[0] == 1012
            await stopping
    with start_server() as second:
        person = Person("", "owner", people.owner.key, second.http(f"Bearer {people.owner.key}"))
        async with attached(second, person, weaver, f"?since={ready['epoch']}:4", v1=True) as terminal:
            assert (await terminal.message("ready"))["epoch"] == ready["epoch"]
            await terminal.type(b"still there\n")
            await terminal.until(b"still there\r\nstill there\r\n")
            assert not terminal.output.startswith(b"up")
        second.delete_all_weavers()
