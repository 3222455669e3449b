"""Many at once on one server: it goes on answering, stays small, loses no byte and gives everything back."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import resource
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.server.crowd import Reply, all_of, get, terminal_digest
from tests.server.running import People, RunningServer, serving, wait_for
from tests.server.terminals import Terminal, attached, opened

MIB = 1024 * 1024
StartServer = Callable[..., AbstractContextManager[RunningServer]]
# As most systems give a process that does not ask for more.
USUAL_OPEN_FILES = 1024
IDLE, TERMINALS, READERS, WEAVERS = 5000, 500, 500, 5
OPEN_FILES = 2 * (IDLE + TERMINALS + READERS)
# No two lines are equal: what is lost, doubled or moved shows.
LINES = [f"{number:01023d}\n".encode() for number in range(1, 513)]
PRINTED = hashlib.sha256(b"ready\n" + b"".join(LINES)).hexdigest()
# It takes them some seconds, in which others come.
PRINTING = "for first in $(seq 1 8 505); do seq -f %01023.0f $first $((first + 7)); sleep 0.1; done"
FLOOD = 35_000_000
# The server's connection to the holder that it keeps for the next weaver may be there or not.
SPARE = 1

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        resource.getrlimit(resource.RLIMIT_NOFILE)[1] < OPEN_FILES,
        reason=f"needs {OPEN_FILES} open files (ulimit -Hn)",
    ),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Started where few files may be open, by clients that then may open many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (USUAL_OPEN_FILES, hard))
    try:
        with serving(tmp_path_factory.mktemp("load") / "data") as running:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            yield running
            running.delete_all_weavers()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def people(server: RunningServer) -> People:
    return server.add_people()


def shell(people: People, script: str) -> str:
    body = {"image": "shell", "org_id": people.org_id, "command": ["sh", "-c", script]}
    return str(people.owner.http.post("/api/weaver", json=body).json()["id"])


def holder(server: RunningServer, weaver: str) -> int:
    record = server.data_dir / "weavers" / weaver / "record.json"
    return int(wait_for(lambda: json.loads(record.read_text())["holder"], "a holder")[0])


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def are_back(counts: dict[int, int]) -> bool:
    return all(open_files(pid) <= count + SPARE for pid, count in counts.items())


def memory(pid: int, kind: str = "VmRSS") -> int:
    found = re.search(rf"{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


class Crowd(NamedTuple):
    idle: list[Reply]
    terminals: list[Terminal]
    readers: list[Reply]


@asynccontextmanager
async def crowd(
    server: RunningServer, people: People, weavers: list[str], idle: int, terminals: int, readers: int
) -> AsyncIterator[Crowd]:
    logs = [f"/api/weaver/{weaver}/logs?timestamps=false&tail=100000" for weaver in weavers]
    # Their own client, so that its connections go with them.
    with server.http(f"Bearer {people.owner.key}") as http:
        one = replace(people.owner, http=http)
        async with (
            all_of(get(server, one, "/health") for _ in range(idle)) as idlers,
            all_of(attached(server, one, each) for each in islice(cycle(weavers), terminals)) as watching,
            all_of(get(server, one, each) for each in islice(cycle(logs), readers)) as reading,
        ):
            yield Crowd(idlers, watching, reading)


def test_the_server_may_open_as_many_files_as_its_user_may(server: RunningServer) -> None:
    limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    found = re.search(r"Max open files +(\d+) +(\d+)", limits)
    assert found is not None
    assert int(found[1]) == min(int(found[2]), 65_536)


async def test_thousands_of_idle_clients_cost_little_and_leave_nothing_behind(
    server: RunningServer, people: People
) -> None:
    """SSE-4, and the same for terminals and for connections that ask nothing."""
    weavers = [shell(people, "echo up; exec cat") for _ in range(WEAVERS)]
    watched = [server.process.pid, *(holder(server, weaver) for weaver in weavers)]
    async with crowd(server, people, weavers, 100, 100, 100) as few:
        await asyncio.gather(*(terminal.until(b"up\r\n") for terminal in few.terminals))
    await asyncio.to_thread(wait_for, lambda: not viewers(people), "all terminals to be closed")
    before = {pid: open_files(pid) for pid in watched}
    small = memory(server.process.pid)
    async with crowd(server, people, weavers, IDLE, TERMINALS, READERS) as many:
        await asyncio.gather(*(terminal.until(b"up\r\n") for terminal in many.terminals))
        assert open_files(server.process.pid) > IDLE + TERMINALS + READERS
        assert viewers(people) == TERMINALS
        assert memory(server.process.pid) - small < 20 * 1024 * (IDLE + TERMINALS + READERS)
        await many.terminals[-1].type(b"hello\n")
        await many.terminals[-1].until(b"hello\r\nhello\r\n")
        # As if half of them had been killed; the others say good-bye.
        for client in [*many.idle[::2], *many.readers[::2]]:
            client.writer.transport.abort()
        for terminal in many.terminals[::2]:
            terminal.socket.transport.abort()
    await asyncio.to_thread(wait_for, lambda: are_back(before), "all descriptors to be given back")
    delete(people, weavers)


def viewers(people: People) -> int:
    return sum(weaver["viewers"] for weaver in people.owner.http.get("/api/weavers").json()["weavers"])


def delete(people: People, weavers: list[str]) -> None:
    for weaver in weavers:
        people.owner.http.delete(f"/api/weaver/{weaver}")


async def test_auth_4_five_hundred_silent_sockets_are_closed_and_forgotten(
    server: RunningServer, people: People
) -> None:
    weaver = shell(people, "while :; do echo secret; sleep 0.1; done")
    watched = [server.process.pid, holder(server, weaver)]
    people.owner.http.get("/api/weavers")
    before = {pid: open_files(pid) for pid in watched}
    async with all_of(opened(server, weaver) for _ in range(TERMINALS)) as silent:
        assert open_files(server.process.pid) >= before[server.process.pid] + TERMINALS
        assert not viewers(people)
        assert {(await each.closed())[0] for each in silent} == {4408}
        assert {each.output for each in silent} == {b""}
    await asyncio.to_thread(wait_for, lambda: are_back(before), "all descriptors to be given back")
    delete(people, [weaver])


async def test_a_thousand_viewers_of_weavers_that_print_get_every_byte(
    server: RunningServer, people: People
) -> None:
    """Half of them come while it is printed."""
    weavers = [shell(people, f"stty -echo -opost; echo ready; read go; {PRINTING}") for _ in range(WEAVERS)]
    half = (0, TERMINALS // 2, READERS // 2)
    async with crowd(server, people, weavers, *half) as early:
        seen = [asyncio.create_task(each) for each in digests(early)]
        await asyncio.gather(*(start(server, people, weaver) for weaver in weavers))
        async with crowd(server, people, weavers, *half) as late:
            assert set(await asyncio.gather(*seen, *digests(late))) == {PRINTED}
    delete(people, weavers)


def digests(viewers: Crowd) -> list[Coroutine[None, None, str]]:
    return [
        *(terminal_digest(terminal) for terminal in viewers.terminals),
        *(reader.digest() for reader in viewers.readers),
    ]


async def start(server: RunningServer, people: People, weaver: str) -> None:
    async with attached(server, people.owner, weaver) as terminal:
        await terminal.until(b"ready\n")
        await terminal.type(b"go\n")
        await terminal.until(LINES[0])


async def test_term_11_a_flood_and_a_viewer_that_stopped_reading(start_server: StartServer) -> None:
    """300 MB pass; neither the server nor the holder keeps them for who does not come."""
    with start_server() as server:
        await flood(server, await asyncio.to_thread(server.add_people))
        server.delete_all_weavers()


async def flood(server: RunningServer, people: People) -> None:
    weaver = shell(people, f"stty -echo -opost; echo ready; read go; seq {FLOOD}; read bye")
    watched = [server.process.pid, holder(server, weaver)]
    size, expected = await asyncio.to_thread(printed, f"echo ready; seq {FLOOD}")
    async with (
        attached(server, people.owner, weaver, max_queue=1, ping_interval=None) as sleeper,
        attached(server, people.owner, weaver) as reader,
    ):
        await reader.until(b"ready\n")
        before = {pid: memory(pid) for pid in watched}
        for pid in watched:
            forget_peak(pid)
        await reader.type(b"go\n")
        assert await terminal_digest(reader, size) == expected
        for pid, small in before.items():
            assert memory(pid, "VmHWM") - small < 64 * MIB
        assert (await sleeper.closed())[0] == 4429
        await reader.type(b"bye\n")
        assert await reader.closed() == (1000, "exited 0")


def forget_peak(pid: int) -> None:
    """Let VmHWM begin anew (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def printed(script: str) -> tuple[int, str]:
    """How many bytes a script prints, and their digest."""
    digest, size = hashlib.sha256(), 0
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        while data := running.stdout.read(MIB):
            digest.update(data)
            size += len(data)
    return size, digest.hexdigest()
