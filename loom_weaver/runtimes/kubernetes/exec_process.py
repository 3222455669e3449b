"""A command in a weaver's pod, over an exec socket."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from loom_weaver.errors import BadRequest, Conflict, LoomError, RuntimeFailure
from loom_weaver.runtimes.base import NOT_RUNNING, ExecSpec
from loom_weaver.runtimes.kubernetes import channels
from loom_weaver.runtimes.kubernetes.channel_socket import ChannelSocket
from loom_weaver.runtimes.kubernetes.channels import ERROR, STDERR, STDOUT, Outcome
from loom_weaver.runtimes.kubernetes.errors import Refusal
from loom_weaver.runtimes.kubernetes.pod_link import PodLink

# What waits in the server for a reader.
HELD = 256 * 1024
START_SECONDS = 20.0
END_SECONDS = 10.0
# A line that says whether the command can be started, and the process to end when the caller leaves: closing
# the connection ends nothing. The container runtime has made it the leader of a session of its own.
WRAPPER = """
[ -z "$1" ] || stty cols "$1" rows "$2" 2>/dev/null
shift 2
case $1 in
*/*) [ -e "$1" ] || { echo missing; exit; }
  [ -f "$1" ] && [ -x "$1" ] || { echo refused; exit; } ;;
*) command -v -- "$1" >/dev/null || { echo missing; exit; } ;;
esac
echo "$$"
exec "$@"
"""
KILL = 'kill -9 -- "-$1"'
NAME = "loom-weaver-exec"
PROBLEMS = {
    b"missing": "No such file or directory",
    b"refused": "Permission denied",
}
# How container runtimes say that there is no such program.
NO_PROGRAM = ("executable file not found", "no such file or directory", "permission denied")
WITHOUT_SHELL = "this image has no sh, so a command that is left goes on until it ends by itself"
NO_END_OF_INPUT = "this cluster is too old to end a command's standard input"
LOST = "the connection to the command was lost"


class PodExec:
    """Implements `ExecProcess`. `close` ends the command."""

    def __init__(self, link: PodLink, socket: ChannelSocket, *, tty: bool) -> None:
        self.warning: str | None = None
        self._link = link
        self._socket = socket
        self._tty = tty
        self._pid = ""
        self._queue: deque[tuple[int, bytes]] = deque()
        self._size = 0
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._resizing: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read(), name="output of a command in a weaver")

    def __repr__(self) -> str:
        return f"<PodExec {self._pid} {self._socket!r} held={self._size}>"

    async def write(self, data: bytes) -> None:
        await self._socket.type(data)

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
        word = bytearray()
        async for stream, data in self.output():
            if stream != STDOUT:
                continue
            word += data
            line, newline, rest = bytes(word).partition(b"\n")
            if newline:
                if rest:
                    self._queue.appendleft((STDOUT, rest))
                    self._size += len(rest)
                return self._take_word(line.strip())
        return self._outcome.result()

    async def close(self) -> None:
        unfinished = not self._outcome.done()
        self._reading.cancel()
        await asyncio.wait([self._reading])
        self._socket.abort()
        if unfinished and self._pid:
            await asyncio.shield(self._kill())

    def _take_word(self, word: bytes) -> Outcome | None:
        if word in PROBLEMS:
            return Outcome(None, PROBLEMS[word])
        self._pid = word.decode(errors="replace")
        return None

    async def _read(self) -> None:
        outcome = Outcome(None, LOST)
        try:
            while (message := await self._socket.receive()) is not None:
                channel, data = message
                if channel == ERROR:
                    outcome = channels.outcome(data)
                    break
                if channel in (STDOUT, STDERR) and data:
                    await self._hold(channel, bytes(data))
        finally:
            if not self._outcome.done():
                self._outcome.set_result(outcome)
            self._news.set()

    async def _hold(self, stream: int, data: bytes) -> None:
        self._queue.append((stream, data))
        self._size += len(data)
        self._news.set()
        while self._size > HELD:
            self._room.clear()
            await self._room.wait()

    async def _kill(self) -> None:
        """End what the command left running; nothing is to be done where that fails."""
        try:
            async with asyncio.timeout(END_SECONDS):
                socket = await self._link.exec(("sh", "-c", KILL, NAME, self._pid), tty=False)
                try:
                    while (message := await socket.receive()) is not None and message[0] != ERROR:
                        pass
                finally:
                    socket.abort()
        except (LoomError, TimeoutError):
            return


async def open_exec(link: PodLink, spec: ExecSpec) -> PodExec:
    """Raise BadRequest for a command that cannot be started, Conflict where the weaver does not run."""
    size = (str(spec.cols), str(spec.rows)) if spec.tty else ("", "")
    process = await _open(link, ("sh", "-c", WRAPPER, NAME, *size, *spec.command), spec)
    problem = await _problem(process)
    if problem is None:
        return process
    await process.close()
    if problem.message in PROBLEMS.values():
        raise BadRequest(f"{spec.command[0]}: {problem.message}", field="command")
    if not _names_no_program(problem):
        raise RuntimeFailure("the command could not be started")
    return await _open_without_shell(link, spec)


async def _open_without_shell(link: PodLink, spec: ExecSpec) -> PodExec:
    process = await _open(link, spec.command, spec)
    process.warning = WITHOUT_SHELL
    process.resize(spec.cols, spec.rows)
    return process


async def _open(link: PodLink, command: tuple[str, ...], spec: ExecSpec) -> PodExec:
    try:
        return PodExec(link, await link.exec(command, tty=spec.tty), tty=spec.tty)
    except Refusal as refusal:
        if refusal.status in (400, 404, 500):
            # Not scheduled, not there yet, or not there any more.
            raise Conflict(NOT_RUNNING) from refusal
        raise


async def _problem(process: PodExec) -> Outcome | None:
    try:
        async with asyncio.timeout(START_SECONDS):
            return await process.started()
    except BaseException:
        await process.close()
        raise


def _names_no_program(outcome: Outcome) -> bool:
    return any(words in outcome.message for words in NO_PROGRAM)
