"""Many commands at once: every result is accounted for, and nothing is left behind."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, aclosing
from pathlib import Path
from typing import Any

import pytest

from loom_weaver import AsyncClient, Client
from loom_weaver.client import MapResult
from loom_weaver.errors import BadRequest, TooManyWeavers
from tests.client.conftest import assert_nothing_left
from tests.server.running import JUPYTER_TOKEN, People, RunningServer, serving, wait_for

OK, FAILS, IS_KILLED, IS_MISSING, IS_REFUSED = range(5)


def command(index: int) -> list[str]:
    return {
        OK: ["sh", "-c", f"echo out {index}; echo err {index} >&2"],
        FAILS: ["sh", "-c", f"echo {index}; exit 7"],
        IS_KILLED: ["sh", "-c", "kill -9 $$"],
        IS_MISSING: ["no-such-program"],
        IS_REFUSED: ["x" * 200_000],
    }[index % 5]


def check(result: MapResult) -> None:
    assert list(result.command) == command(result.index)
    kind = result.index % 5
    if kind == IS_REFUSED:
        assert isinstance(result.error, BadRequest)
        assert "command" in result.error.message
        return
    assert result.error is None
    assert result.weaver_id
    assert result.exit_code == {OK: 0, FAILS: 7, IS_KILLED: 137, IS_MISSING: 127}[kind]
    assert result.ok == (kind == OK)
    if kind == OK:
        assert result.output == f"out {result.index}\nerr {result.index}"
        assert result.reason == "Completed"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_hundred_weavers_each_have_one_result(client: Client) -> None:
    results = list(client.map("shell", map(command, range(200)), parallel=20))
    assert Counter(result.index for result in results) == Counter(range(200))
    for result in results:
        check(result)
    assert_nothing_left(client)


def test_results_come_as_they_end(client: Client) -> None:
    slow = ["sh", "-c", "sleep 2; echo slow"]
    told = [result.output for result in client.map("shell", [slow, ["echo", "fast"]], parallel=2)]
    assert told == ["fast", "slow"]


def test_no_more_than_asked_for_run_at_once(client: Client) -> None:
    seen = 0
    for _ in client.map("shell", [["sleep", "0.2"]] * 6, parallel=2):
        there = [weaver for weaver in client.list(mine=True) if weaver.status in ("pending", "running")]
        seen = max(seen, len(there))
    assert seen <= 2


def test_endless_commands_are_taken_as_they_are_needed(client: Client) -> None:
    commands = (["echo", str(n)] for n in itertools.count())
    results = client.map("shell", commands, parallel=3)
    first = list(itertools.islice(results, 5))
    assert {result.output for result in first} <= {str(n) for n in range(20)}
    del results
    assert_nothing_left(client)


def test_of_much_output_the_end_is_kept(client: Client) -> None:
    (result,) = client.map("shell", [["seq", "1", "300000"]])
    assert result.truncated
    assert result.output.endswith("299999\n300000")
    assert len(result.output) <= 1024 * 1024


def test_fields_that_make_no_sense(client: Client) -> None:
    with pytest.raises(TypeError, match="map takes no `command`"):
        client.map("shell", [["true"]], command=["true"])
    with pytest.raises(TypeError, match="a command is a list"):
        list(client.map("shell", ["true"]))
    with pytest.raises(ValueError, match="at least 1"):
        list(client.map("shell", [["true"]], parallel=0))


async def test_a_cancelled_map_leaves_nothing(
    async_client: AsyncClient, client: Client, people: People
) -> None:
    async with async_client as asynchronous:
        started = asyncio.Event()

        async def run() -> None:
            commands = [["echo", "first"], *[["sleep", "1000"]] * 8]
            async with aclosing(asynchronous.map("shell", commands, parallel=4)) as results:
                async for _ in results:
                    started.set()

        running = asyncio.create_task(run())
        await started.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    await asyncio.to_thread(assert_nothing_left, client)


async def test_a_weaver_whose_creation_is_cancelled_is_not_left(
    async_client: AsyncClient, client: Client
) -> None:
    async with async_client as asynchronous:
        await asynchronous.me()
        for turns in range(0, 40, 4):
            creating = asyncio.create_task(_enter(asynchronous))
            for _ in range(turns):
                await asyncio.sleep(0)
            creating.cancel()
            with pytest.raises(asyncio.CancelledError):
                await creating
    await asyncio.to_thread(assert_nothing_left, client)


async def _enter(client: AsyncClient) -> None:
    async with client.weaver("shell", command=["sleep", "1000"]):
        await asyncio.Event().wait()


@pytest.fixture
def small_server(tmp_path: Path) -> Callable[[str], AbstractContextManager[RunningServer]]:
    return lambda config: serving(tmp_path / "data", config=config)


def test_a_used_up_quota_is_waited_for(small_server: Callable[[str], Any]) -> None:
    with small_server("c.Quotas.per_user = 2\n") as server, Client(server.url, JUPYTER_TOKEN) as client:
        results = list(client.map("shell", [["echo", str(n)] for n in range(8)], parallel=6))
        assert {result.output for result in results} == {str(n) for n in range(8)}
        with client.weaver("shell"), client.weaver("shell"):
            (refused,) = client.map("shell", [["true"]])
            assert isinstance(refused.error, TooManyWeavers)


INTERRUPTED = """
import itertools, sys
from loom_weaver import Client
with Client() as client:
    if sys.argv[1] == "weaver":
        with client.weaver("shell", command=["sh", "-c", "echo up; sleep 1000"]) as weaver:
            for line in weaver.logs():
                print(line, flush=True)
    else:
        commands = itertools.chain([["echo", "up"]], itertools.repeat(["sleep", "1000"]))
        for result in client.map("shell", commands, parallel=4):
            print(result.output, flush=True)
"""


@pytest.mark.parametrize("what", ["weaver", "map"])
def test_ctrl_c_ends_what_was_begun(what: str, client: Client, people: People) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, what],
        env=os.environ | {"LOOM_WEAVER_URL": client.url, "LOOM_WEAVER_API_KEY": people.owner.key},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    expected = 1 if what == "weaver" else 4
    wait_for(lambda: len(client.list(mine=True)) >= expected, "all that run at once")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in errors
    assert people.owner.key not in errors
    assert_nothing_left(client)
