"""Terminals and commands over a scripted API server: one that attaches late, one of the older protocol."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from loom_weaver.names import pod_name
from loom_weaver.runtimes.base import ExecSpec
from loom_weaver.runtimes.kubernetes.exec_process import NO_END_OF_INPUT
from loom_weaver.runtimes.kubernetes.runtime import KubernetesRuntime
from tests.contract.probes import House
from tests.unit.kubernetes.stream_api import StreamApi

V4 = "v4.channel.k8s.io"


@asynccontextmanager
async def running(folder: Path, api: StreamApi) -> AsyncIterator[tuple[House, str]]:
    """A weaver whose program runs."""
    async with api.serving():
        runtime = KubernetesRuntime(kubeconfig=api.kubeconfig(folder), installation="i")
        await runtime.start()
        try:
            house = House(runtime)
            weaver_id = await house.create(image="python")
            await api.run(pod_name(weaver_id))
            await house.until(weaver_id, "running")
            yield house, weaver_id
        finally:
            await runtime.stop()


async def test_what_was_put_out_before_a_late_attach_is_not_lost(tmp_path: Path) -> None:
    """The API server opens the connection at once; a slow node attaches it later."""
    api = StreamApi()
    api.log = b"n1\n"
    async with running(tmp_path, api) as (house, weaver_id), house.view(weaver_id) as viewer:
        await viewer.until(b"n1\r\n")
        api.log += b"n2\n"
        await api.put_out(b"n3\r\n")
        await viewer.until(b"n3\r\n")
        first = await api.until_attached(1)
        api.log += b"n4\n"
        await first.close()
        await viewer.until(b"n4\r\n")
        api.log += b"n5\n"
        await api.put_out(b"n6\r\n")
        await viewer.until(b"n6\r\n")
        assert viewer.received == b"n1\r\nn2\r\nn3\r\nn4\r\nn5\r\nn6\r\n"
        assert viewer.gaps == []


async def test_the_first_echo_of_an_idle_terminal_comes_once(tmp_path: Path) -> None:
    api = StreamApi()
    api.log = b"ready\n"
    async with running(tmp_path, api) as (house, weaver_id), house.view(weaver_id) as viewer:
        await viewer.until(b"ready\r\n")
        await viewer.type(b"a")
        await api.until_typed(b"a")
        await api.put_out(b"a")
        await viewer.until(b"ready\r\na")
        read = api.logs_read
        await api.put_out(b"b\r\nb\r\n")
        await viewer.until(b"b\r\nb\r\n")
        assert viewer.received == b"ready\r\nab\r\nb\r\n"
        assert api.logs_read == read, "a terminal that lives is read from its connection"


async def test_an_attach_that_ends_too_soon_is_completed_from_the_log(tmp_path: Path) -> None:
    """By more than is shown of the past; and what the log has not either, viewers are told."""
    lines = "".join(f"{number}\n" for number in range(1, 400_001))
    api = StreamApi()
    async with running(tmp_path, api) as (house, weaver_id), house.view(weaver_id) as viewer:
        await api.until_attached(1)
        await api.put_out(lines[:10_000].replace("\n", "\r\n").encode())
        await viewer.until(b"\r\n1000\r\n")
        api.log = lines.encode()
        await api.end(pod_name(weaver_id))
        assert await viewer.end() == "ended"
        assert viewer.received == lines.replace("\n", "\r\n").encode()
        assert viewer.gaps == []


async def test_a_log_that_does_not_tell_what_is_missing_is_a_gap(tmp_path: Path) -> None:
    api = StreamApi()
    async with running(tmp_path, api) as (house, weaver_id), house.view(weaver_id) as viewer:
        await api.until_attached(1)
        await api.put_out(b"one\r\n")
        await viewer.until(b"one\r\n")
        api.log = b"three\n"
        await api.end(pod_name(weaver_id))
        assert await viewer.end() == "ended"
        assert (bytes(viewer.received), viewer.gaps) == (b"one\r\n", [None])


async def test_a_command_over_the_older_protocol(tmp_path: Path) -> None:
    """It ends and says how; that its input cannot be ended is told."""
    api = StreamApi(protocol=V4)
    async with running(tmp_path, api) as (house, weaver_id):
        script = "head -c 3; echo; echo err >&2; exit 7"
        outcome = await house.exec(weaver_id, "sh", "-c", script, stdin=b"abc")
        assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (7, b"abc\n", b"err\n")
        async with asyncio.timeout(30), house.runtime.exec(weaver_id, ExecSpec(("cat",))) as process:
            await process.write(b"abc")
            await process.close_stdin()
            assert process.warning == NO_END_OF_INPUT
            async for number, data in process.output():
                assert (number, data) == (1, b"abc")
                break


async def test_a_caller_who_leaves_before_the_command_is_heard_of_ends_it(tmp_path: Path) -> None:
    api = StreamApi()
    async with running(tmp_path, api) as (house, weaver_id):
        api.heard.clear()
        calling = asyncio.create_task(house.exec(weaver_id, "sleep", "600"))
        command = await api.until_begun(1)
        calling.cancel()
        # The caller's end begins before the node's word comes.
        await asyncio.sleep(0)
        api.heard.set()
        with pytest.raises(asyncio.CancelledError):
            await calling
        async with asyncio.timeout(30):
            assert await command.wait() == -signal.SIGKILL
