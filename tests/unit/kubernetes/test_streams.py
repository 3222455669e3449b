"""Terminals and commands over a scripted API server: one that attaches late, one of the older protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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
