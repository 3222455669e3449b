"""The client, and the event loop, for what takes more than one call."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import typer
import uvloop

from loom_weaver.client.async_client import AsyncClient
from loom_weaver.client.errors import WeaverEnded
from loom_weaver.client.server import Server

Result = TypeVar("Result")
# By default they end a process here and now, and leave a terminal raw.
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class EndedBySignal(BaseException):
    """We are told to end; the weaver goes on."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def stream(server: Server, work: Callable[[AsyncClient], Awaitable[Result]]) -> Result:
    """What `work` returns; whatever ends it, it leaves in order."""

    async def run() -> Result:
        with _ending_signals():
            async with AsyncClient(server.url, server.key) as client:
                return await work(client)

    try:
        # Its loop takes a third off a key's way through `attach`.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run())
    except EndedBySignal as end:
        raise typer.Exit(end.exit_code) from end


async def started(client: AsyncClient, weaver_id: str) -> None:
    """At once for one that is not pending: what is asked of it then tells how it is."""
    if (await client.get(weaver_id)).status == "pending":
        with suppress(WeaverEnded):
            await client.wait(weaver_id)


@contextmanager
def _ending_signals() -> Iterator[None]:
    """A signal cancels the task; EndedBySignal when that has come to its end."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    came: list[int] = []

    def end(number: int) -> None:
        came.append(number)
        task.cancel()

    for each in ENDING_SIGNALS:
        loop.add_signal_handler(each, end, each)
    try:
        yield
    except asyncio.CancelledError:
        if came:
            raise EndedBySignal(came[0]) from None
        raise
    finally:
        for each in ENDING_SIGNALS:
            loop.remove_signal_handler(each)
