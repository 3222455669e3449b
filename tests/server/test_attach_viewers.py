"""A weaver's terminal with several viewers, and with those that speak loom-weaver.v1."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.server.running import People, Person, RunningServer, wait_for
from tests.server.terminals import attached, shell

Create = Callable[..., dict[str, Any]]


async def test_several_viewers_see_the_same_and_the_smallest_size_counts(
    server: RunningServer, people: People, create: Create
) -> None:
    weaver = shell(create, "PS1='> ' exec sh -i")
    async with attached(server, people.owner, weaver, v1=True) as first:
        ready = await first.message("ready")
        assert (ready["access"], ready["primary"], ready["cols"], ready["rows"]) == ("full", True, 80, 24)
        await first.tell("resize", cols=120, rows=20)
        async with attached(server, people.admin, weaver, v1=True) as second:
            assert (await second.message("ready"))["primary"] is False
            await second.tell("resize", cols=100, rows=50)
            await second.type(b"stty size\n")
            await first.until(b"20 100\r\n")
            await second.until(b"20 100\r\n")
            assert people.owner.http.get(f"/api/weaver/{weaver}").json()["viewers"] == 2
            names = {viewer["user"]["id"]: viewer for viewer in (await first.message("presence"))["viewers"]}
            assert set(names) == {people.owner.id, people.admin.id}
            assert names[people.admin.id]["primary"]
            assert not names[people.owner.id]["primary"]
        await first.until(lambda: any(len(message.get("viewers", "..")) == 1 for message in first.messages))
        await first.type(b"stty size\n")
        await first.until(b"20 120\r\n")
    wait_for(lambda: people.owner.http.get(f"/api/weaver/{weaver}").json()["viewers"] == 0, "nobody to watch")
    assert people.owner.http.get(f"/api/weaver/{weaver}").json()["status"] == "running"


async def test_the_size_stays_when_those_who_told_it_leave_and_is_told_to_who_only_looks(
    server: RunningServer, people: People, create: Create
) -> None:
    weaver = shell(create, "PS1='> ' exec sh -i")
    async with attached(server, people.support, weaver, v1=True) as looking:
        await looking.message("ready")
        async with attached(server, people.owner, weaver, v1=True) as typing:
            await typing.tell("resize", cols=120, rows=40)
            await looking.until(lambda: any(message.get("cols") == 120 for message in looking.messages))
    async with attached(server, people.owner, weaver, v1=True) as again:
        ready = await again.message("ready")
        assert (ready["cols"], ready["rows"]) == (120, 40)


async def test_v1_resumes_where_it_was_and_learns_of_another_epoch(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "PS1='> ' exec sh -i")
    async with attached(server, owner, weaver, v1=True) as terminal:
        ready = await terminal.message("ready")
        await terminal.type(b"echo one\n")
        await terminal.until(b"one\r\none\r\n> ")
        seen = ready["offset"] + len(terminal.output)
    async with attached(server, owner, weaver) as other:
        await other.type(b"echo two\n")
        await other.until(b"two\r\ntwo\r\n> ")
    async with attached(server, owner, weaver, f"?since={ready['epoch']}:{seen}", v1=True) as again:
        assert (await again.message("ready"))["offset"] == seen
        assert await again.until(b"two\r\n> ") == b"echo two\r\ntwo\r\n> "
        assert not [message for message in again.messages if message["type"] == "gap"]
    async with attached(server, owner, weaver, f"?since=another:{seen}", v1=True) as stranger:
        assert (await stranger.message("gap"))["bytes"] is None
        await stranger.until(b"one\r\n")


async def test_term_13_text_of_a_v1_client_is_never_typed(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "stty -echo; echo ready; exec cat")
    async with attached(server, owner, weaver, v1=True) as terminal:
        await terminal.until(b"ready\r\n")
        await terminal.type("typed as text\n")
        await terminal.tell("unknown", x=1)
        await terminal.type(b'{"type":"resize","cols":10,"rows":5}\n')
        await terminal.until(b"rows")
        assert terminal.output == b'ready\r\n{"type":"resize","cols":10,"rows":5}\r\n'


async def test_v1_acks_hold_the_terminal_back_and_nobody_else(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "stty -opost; read go; yes 0123456789 | head -c 6000000; sleep 60")
    async with attached(server, owner, weaver, v1=True) as slow, attached(server, owner, weaver) as fast:
        await slow.message("ready")
        await slow.tell("ack", bytes=1)
        await fast.type(b"go\n")
        await fast.until(lambda: len(fast.output) >= 6_000_000)
        got = len(slow.output)
        while got < 6_000_000:
            await slow.until_longer(got)
            assert len(slow.output) - got <= 1024 * 1024 + 512 * 1024
            await slow.tell("ack", bytes=len(slow.output) - got)
            got = len(slow.output)
        assert slow.output.count(b"0123456789\n") == fast.output.count(b"0123456789\n")


@pytest.mark.slow
async def test_term_11_a_viewer_that_never_reads_is_closed_and_the_other_goes_on(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "read go; yes; sleep 60")
    async with (
        attached(server, owner, weaver, max_queue=1, ping_interval=None) as sleeper,
        attached(server, owner, weaver) as reader,
    ):
        before = _memory_of(server)
        await reader.type(b"go\n")
        size = 0
        for _ in range(400):
            reader.output = b""
            await reader.until_longer(100_000)
            size += len(reader.output)
        assert _memory_of(server) - before < 64 * 1024 * 1024
        await reader.type(b"\x03")
        assert (await sleeper.closed())[0] == 4429
        assert size > 40_000_000
        assert await reader.closed() == (1000, "exited 130")


def _memory_of(server: RunningServer) -> int:
    with open(f"/proc/{server.process.pid}/status") as status:
        found = re.search(r"VmRSS:\s+(\d+) kB", status.read())
    assert found is not None
    return int(found[1]) * 1024
