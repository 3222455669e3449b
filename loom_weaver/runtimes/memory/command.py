"""A command that runs beside a weaver's program."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from signal import SIGKILL

from loom_weaver.runtimes.memory.child import Child, Program
from loom_weaver.runtimes.memory.descriptors import Outlet, set_terminal_size

READ = 64 * 1024
# What a command left running may hold its streams for ever: once it ended, so much silence is their end.
SILENCE = 0.25
# What a keyboard sends for the end of input.
END_OF_INPUT = b"\x04"
STDOUT, STDERR = 1, 2


class Command:
    """The command's child, and our ends of its streams."""

    warning: str | None = None

    def __init__(self, child: Child, stdin: int, outputs: dict[int, int], *, tty: bool) -> None:
        self._child = child
        self._stdin: int | None = stdin
        self._outlet = Outlet(stdin)
        self._outputs = outputs
        self._tty = tty
        self._woken = asyncio.Event()
        child.exited.add_done_callback(lambda _: self._woken.set())
        for descriptor in outputs.values():
            os.set_blocking(descriptor, False)

    def __repr__(self) -> str:
        return f"<Command {self._child!r} open={sorted(self._outputs)}>"

    @classmethod
    def start(cls, program: Program) -> Command:
        """Raise CannotStart."""
        ours: list[int] = []
        theirs: list[int] = []
        try:
            for reads in (False, True, True):
                read, write = os.pipe()
                ours.append(read if reads else write)
                theirs.append(write if reads else read)
            child = Child(program, theirs[0], theirs[1], theirs[2], tty=False)
        except BaseException:
            _close(ours)
            raise
        finally:
            _close(theirs)
        return cls(child, ours[0], {STDOUT: ours[1], STDERR: ours[2]}, tty=False)

    @classmethod
    def start_on_terminal(cls, program: Program, cols: int, rows: int) -> Command:
        """Raise CannotStart."""
        master, slave = os.openpty()
        try:
            set_terminal_size(master, cols, rows)
            child = Child(program, slave, slave, slave, tty=True)
        except BaseException:
            os.close(master)
            raise
        finally:
            os.close(slave)
        return cls(child, os.dup(master), {STDOUT: master}, tty=True)

    async def write(self, data: bytes) -> None:
        await self._outlet.write(data)

    async def close_stdin(self) -> None:
        if self._tty:
            await self._outlet.write(END_OF_INPUT)
        else:
            self._close_input()

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while self._outputs:
            ready = await self._ready()
            for number in ready:
                data = self._read(number)
                if data:
                    yield number, data

    async def wait(self) -> int:
        return await asyncio.shield(self._child.exited)

    def resize(self, cols: int, rows: int) -> None:
        if self._tty and self._stdin is not None:
            set_terminal_size(self._stdin, cols, rows)

    def kill(self) -> None:
        self._child.signal(SIGKILL)

    async def aclose(self) -> None:
        """End it with all of its session."""
        try:
            await self._child.kill()
        finally:
            self._close_input()
            self._close_outputs()

    async def _ready(self) -> list[int]:
        """Which streams have something to say; after its end, silence closes them."""
        loop = asyncio.get_running_loop()
        ready: list[int] = []

        def say(number: int) -> None:
            loop.remove_reader(self._outputs[number])
            ready.append(number)
            self._woken.set()

        self._woken.clear()
        for number, descriptor in self._outputs.items():
            loop.add_reader(descriptor, say, number)
        try:
            await asyncio.wait_for(self._woken.wait(), SILENCE if self._child.exited.done() else None)
        except TimeoutError:
            self._close_outputs()
        finally:
            for descriptor in self._outputs.values():
                loop.remove_reader(descriptor)
        return ready

    def _read(self, number: int) -> bytes:
        try:
            data = os.read(self._outputs[number], READ)
        except OSError:
            # EIO is how a terminal says that nobody holds it any more.
            data = b""
        if not data:
            self._close_output(number)
        return data

    def _close_input(self) -> None:
        self._outlet.shut()
        if self._stdin is not None:
            os.close(self._stdin)
        self._stdin = None

    def _close_outputs(self) -> None:
        for number in list(self._outputs):
            self._close_output(number)

    def _close_output(self, number: int) -> None:
        descriptor = self._outputs.pop(number)
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
