"""A command in a weaver's pod, over an exec socket."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress

from loom_weaver.errors import BadRequest, Conflict, LoomError, RuntimeFailure
from loom_weaver.runtimes.base import NOT_RUNNING, ExecSpec
from loom_weaver.runtimes.kubernetes import channels
from loom_weaver.runtimes.kubernetes.channel_socket import ChannelSocket
from loom_weaver.runtimes.kubernetes.channels import ERROR, LARGEST_INPUT, STDERR, STDOUT, Outcome
from loom_weaver.runtimes.kubernetes.errors import Refusal
from loom_weaver.runtimes.kubernetes.exec_wrapper import PROBLEMS, ExitFinder, Wrapped, kill, wrap
from loom_weaver.runtimes.kubernetes.pod_link import PodLink

# What waits in the server for a reader.
HELD = 256 * 1024
START_SECONDS = 20.0
END_SECONDS = 20.0
# How container runtimes say that there is no such program.
NO_PROGRAM = ("executable file not found", "no such file or directory", "permission denied")
# The API server opens the connection to a pod that does not run, and tells afterwards.
NO_CONTAINER = ("unable to upgrade connection", "not found in pod", "container not running")
WITHOUT_SHELL = "this image has no sh, so a command that is left goes on until it ends by itself"
NO_END_OF_INPUT = "this cluster is too old to end a command's standard input"
CUT_OFF = "the end of the command's output was lost"
LOST = "the connection to the command was lost"

log = logging.getLogger(__name__)


class PodExec:
    """Implements `ExecProcess`. `close` ends the command."""

    def __init__(self, link: PodLink, socket: ChannelSocket, token: bytes | None, *, tty: bool) -> None:
        self.warning: str | None = None
        self._link = link
        self._socket = socket
        self._tty = tty
        self._pid = ""
        streams = (STDOUT,) if tty else (STDOUT, STDERR)
        self._finders = {stream: ExitFinder(token) for stream in streams} if token else {}
        self._queue: deque[tuple[int, bytes]] = deque()
        self._size = 0
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._resizing: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read(), name="output of a command in a weaver")

    def __repr__(self) -> str:
        return f"<PodExec {self._pid} {self._socket!r} held={self._size}>"

    async def write(self, data: bytes) -> None:
        for begin in range(0, len(data), LARGEST_INPUT):
            if self._outcome.done():
                return
            await self._socket.type(data[begin : begin + LARGEST_INPUT])

    async def close_stdin(self) -> None:
        if self._tty:
            return
        if self._socket.half_closes:
            await self._socket.end_input()
        else:
            self.warning = NO_END_OF_INPUT

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while self._queue or not self._outcome.done():
            if not self._queue:
                self._news.clear()
                await self._news.wait()
                continue
            stream, data = self._queue.popleft()
            self._size -= len(data)
            self._room.set()
            yield stream, data

    async def wait(self) -> int:
        """Raise RuntimeFailure where the connection ended without telling."""
        outcome = await asyncio.shield(self._outcome)
        if outcome.exit_code is None:
            raise RuntimeFailure(LOST)
        return outcome.exit_code

    def resize(self, cols: int, rows: int) -> None:
        if self._tty:
            task = asyncio.create_task(self._socket.resize(cols, rows), name="resizing a command's terminal")
            self._resizing.add(task)
            task.add_done_callback(self._resizing.discard)

    async def started(self) -> Outcome | None:
        """Wait for the wrapper's word; None where the command runs. Raises BadRequest words as an outcome."""
        word, others = bytearray(), []
        async for stream, data in self.output():
            if stream != STDOUT:
                others.append((stream, data))
                continue
            word += data
            line, newline, rest = bytes(word).partition(b"\n")
            if newline:
                self._put_back([*others, (STDOUT, rest)] if rest else others)
                return self._take_word(line.strip().decode(errors="replace"))
        return self._outcome.result()

    def _put_back(self, output: list[tuple[int, bytes]]) -> None:
        """What came with the first word, or before it on the other stream."""
        self._queue.extendleft(reversed(output))
        self._size += sum(len(data) for _, data in output)

    async def close(self) -> None:
        unfinished = not self._outcome.done()
        if unfinished and self._finders and not self._pid:
            await asyncio.shield(self._learn_pid())
        self._reading.cancel()
        await asyncio.wait([self._reading])
        self._socket.abort()
        if unfinished and self._pid:
            await asyncio.shield(self._kill())

    def _take_word(self, word: str) -> Outcome | None:
        if word in PROBLEMS:
            return Outcome(None, PROBLEMS[word])
        self._pid = word
        return None

    async def _read(self) -> None:
        outcome = Outcome(None, LOST)
        try:
            while (message := await self._socket.receive()) is not None:
                channel, data = message
                if channel == ERROR:
                    outcome = channels.outcome(data)
                elif channel in (STDOUT, STDERR):
                    await self._take(channel, bytes(data))
                if channel == ERROR or self._all_said:
                    break
            for stream, finder in self._finders.items():
                await self._hold(stream, finder.flush())
        finally:
            if self._told and not self._all_said:
                self.warning = CUT_OFF
            self._outcome.set_result(self._told or outcome)
            self._news.set()

    @property
    def _all_said(self) -> bool:
        """Whether the command ended, and nothing of its output is on its way any more."""
        codes = [finder.exit_code for finder in self._finders.values()]
        return bool(codes) and None not in codes

    @property
    def _told(self) -> Outcome | None:
        codes = [finder.exit_code for finder in self._finders.values() if finder.exit_code is not None]
        return Outcome(codes[0], "") if codes else None

    async def _take(self, stream: int, data: bytes) -> None:
        finder = self._finders.get(stream)
        await self._hold(stream, finder.feed(data) if finder else data)

    async def _hold(self, stream: int, data: bytes) -> None:
        if not data:
            return
        self._queue.append((stream, data))
        self._size += len(data)
        self._news.set()
        while self._size > HELD:
            self._room.clear()
            await self._room.wait()

    async def _learn_pid(self) -> None:
        """A busy node tells late which process to end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await self.started()

    async def _kill(self) -> None:
        """End what the command left running; nothing is to be done where that fails."""
        try:
            async with asyncio.timeout(END_SECONDS):
                socket = await self._link.exec(kill(self._pid), tty=False)
                try:
                    while (message := await socket.receive()) is not None and message[0] != ERROR:
                        pass
                finally:
                    socket.abort()
        except (LoomError, TimeoutError):
            return


async def open_exec(link: PodLink, spec: ExecSpec) -> PodExec:
    """Raise BadRequest for a command that cannot be started, Conflict where the weaver does not run."""
    wrapped = wrap(spec.command, (spec.cols, spec.rows) if spec.tty else None)
    process = await _open(link, wrapped, spec)
    problem = await _problem(process)
    if problem is None:
        return process
    await process.close()
    if problem.message in PROBLEMS.values():
        raise BadRequest(f"{spec.command[0]}: {problem.message}", field="command")
    if any(words in problem.message for words in NO_CONTAINER):
        raise Conflict(NOT_RUNNING)
    if not any(words in problem.message for words in NO_PROGRAM):
        log.warning("A command in %s could not be started: %s", link.weaver_id, problem.message)
        raise RuntimeFailure("the command could not be started")
    return await _open_without_shell(link, spec)


async def _open_without_shell(link: PodLink, spec: ExecSpec) -> PodExec:
    process = await _open(link, Wrapped(spec.command, b""), spec)
    process.warning = WITHOUT_SHELL
    process.resize(spec.cols, spec.rows)
    return process


async def _open(link: PodLink, wrapped: Wrapped, spec: ExecSpec) -> PodExec:
    opening = asyncio.create_task(_connect(link, wrapped, spec), name="a command that begins")
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # The node may have begun it: it ends with its caller.
        with suppress(LoomError):
            await (await opening).close()
        raise


async def _connect(link: PodLink, wrapped: Wrapped, spec: ExecSpec) -> PodExec:
    try:
        socket = await link.exec(wrapped.command, tty=spec.tty)
    except Refusal as refusal:
        if refusal.status in (400, 404, 500):
            # Not scheduled, not there yet, or not there any more.
            raise Conflict(NOT_RUNNING) from refusal
        raise
    return PodExec(link, socket, wrapped.token, tty=spec.tty)


async def _problem(process: PodExec) -> Outcome | None:
    try:
        async with asyncio.timeout(START_SECONDS):
            return await process.started()
    except BaseException:
        await process.close()
        raise
