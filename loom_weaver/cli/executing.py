"""A command in a weaver, with our own standard streams or terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import typer

from loom_weaver.cli import exits
from loom_weaver.cli.descriptors import Outgoing, incoming
from loom_weaver.cli.local_terminal import (
    STDIN,
    STDOUT,
    LocalTerminal,
    is_interactive,
    window_changes,
    window_size,
)
from loom_weaver.cli.streaming import started
from loom_weaver.client.errors import ConnectionFailed
from loom_weaver.errors import BadRequest

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient
    from loom_weaver.client.exec_stream import AsyncExecStream

STDERR = 2


async def execute(
    client: AsyncClient, weaver_id: str, command: Sequence[str], *, interactive: bool, tty: bool
) -> int:
    """Its exit code. Raises Exit for a command that there is not."""
    if tty and interactive and not is_interactive():
        raise BadRequest("standard input is no terminal; leave -t out", field="--tty")
    await started(client, weaver_id)
    try:
        size = window_size() if tty else None
        async with client.exec_stream(weaver_id, command, tty=tty, size=size) as process:
            return await (_on_terminal if tty else _on_pipes)(process, interactive=interactive)
    except BadRequest as error:
        exits.explain(error)
        raise typer.Exit(exits.NO_SUCH_COMMAND) from error


async def _on_terminal(process: AsyncExecStream, *, interactive: bool) -> int:
    with LocalTerminal() as local:
        if interactive:
            local.make_raw()

        async def show() -> None:
            async for chunk in process:
                await local.show(chunk.data)

        with window_changes(lambda: _resize(process)):
            await _until_shown(show, process, interactive=interactive)
    return await process.wait()


def _resize(process: AsyncExecStream) -> None:
    task = asyncio.ensure_future(process.resize(*window_size()))
    task.add_done_callback(lambda done: done.cancelled() or done.exception())


async def _on_pipes(process: AsyncExecStream, *, interactive: bool) -> int:
    outputs = {"stdout": Outgoing(STDOUT), "stderr": Outgoing(STDERR)}

    async def show() -> None:
        async for chunk in process:
            await outputs[chunk.stream].write(chunk.data)

    try:
        await _until_shown(show, process, interactive=interactive)
    finally:
        for output in outputs.values():
            output.close()
    return await process.wait()


async def _until_shown(
    show: Callable[[], Awaitable[None]], process: AsyncExecStream, *, interactive: bool
) -> None:
    """The command's end is that of its output; what it did not read of its input does not matter then."""
    feeding = asyncio.create_task(_feed(process, interactive=interactive))
    try:
        await show()
    finally:
        feeding.cancel()
        await asyncio.wait([feeding])


async def _feed(process: AsyncExecStream, *, interactive: bool) -> None:
    try:
        if interactive:
            async for data in incoming(STDIN):
                await process.send(data)
        await process.send_eof()
    except ConnectionFailed:
        # `show` tells how the command ended, or raises the same.
        return
