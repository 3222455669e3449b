"""The end of a lifetime, for who watches and for what runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from loom_weaver.lifetime import parse_rfc3339
from tests.server import odd_runtimes
from tests.server.log_streams import whole
from tests.server.running import People, RunningServer, wait_for
from tests.server.terminals import attached

StartServer = Callable[..., AbstractContextManager[RunningServer]]


async def test_ttl_5_viewers_keep_no_weaver_alive_and_a_busy_one_ends_not_before(
    start_server: StartServer,
) -> None:
    with start_server(environment=odd_runtimes.environment(odd_runtimes.AgedRuntime)) as server:
        people = await asyncio.to_thread(server.add_people)
        watched = create(people, "while :; do echo on; sleep 0.1; done")
        busy = create(people, "while :; do :; done")
        async with attached(server, people.owner, watched["id"]) as terminal:
            reading = asyncio.create_task(asyncio.to_thread(whole, people.owner, watched["id"]))
            await terminal.until(b"on\r\n")
            await terminal.type(b"here I am\n")
            code, reason = await terminal.closed()
            end = (await reading)[-1]
        assert (code, reason.partition(" ")[0].rstrip(":;,.")) == (4409, "Expired")
        assert (end.kind, json.loads(end.data)["reason"]) == ("end", "Expired")
        for weaver in (watched, busy):
            over = await asyncio.to_thread(wait_for, partial(ended, people, weaver["id"]), "its end")
            assert over["reason"] == "Expired"
            assert over["expires_at"] == weaver["expires_at"]
            finished, due = parse_rfc3339(over["finished_at"]), parse_rfc3339(weaver["expires_at"])
            assert finished >= due - timedelta(milliseconds=1)
        server.delete_all_weavers()


def test_loc_2_nothing_outlives_its_weavers_lifetime(start_server: StartServer) -> None:
    with start_server(environment=odd_runtimes.environment(odd_runtimes.AgedRuntime)) as server:
        people = server.add_people()
        sleep = f"sleep 98765.{server.process.pid}"
        weaver = create(people, f"{sleep} & setsid {sleep} & nohup {sleep} & exec sh")
        wait_for(lambda: len(running(sleep)) == 3, "three sleeps")
        wait_for(lambda: ended(people, weaver["id"]), "its end")
        wait_for(lambda: not running(sleep), "the sleeps to be gone")
        server.delete_all_weavers()


def create(people: People, script: str) -> dict[str, Any]:
    body = {
        "image": "shell",
        "org_id": people.org_id,
        "command": ["sh", "-c", script],
        "lifetime_hours": 1,
    }
    weaver: dict[str, Any] = people.owner.http.post("/api/weaver", json=body).json()
    return weaver


def ended(people: People, weaver_id: str) -> dict[str, Any]:
    weaver: dict[str, Any] = people.owner.http.get(f"/api/weaver/{weaver_id}").json()
    return weaver if weaver["finished_at"] else {}


def running(words: str) -> list[int]:
    """The processes of a command line."""
    wanted = words.replace(" ", "\0").encode() + b"\0"
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "cmdline").read_bytes() == wanted:
                found.append(int(folder.name))
    return found
