"""All there is about one weaver: its state, its terminal and log, its program and the commands beside it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from loom_weaver.errors import BadRequest, Conflict
from loom_weaver.lifetime import is_over
from loom_weaver.models import Isolation
from loom_weaver.runtimes.base import NOT_RUNNING, ExecSpec
from loom_weaver.runtimes.memory.child import CannotStart, Child, Program, ending
from loom_weaver.runtimes.memory.command import Command
from loom_weaver.runtimes.memory.terminal import Terminal
from loom_weaver.weaver import Weaver, WeaverSpec

ISOLATION = Isolation(kind="none", enforced=[])
HAS_ENDED = "The weaver has ended or is ending, so its lifetime cannot change; create another one"
PATH = f"{os.path.dirname(sys.executable)}:/usr/local/bin:/usr/bin:/bin"


class Holder:
    """One weaver. `weaver` is what it is at this moment; every change of it is told to `changed`."""

    def __init__(
        self,
        spec: WeaverSpec,
        command: Sequence[str],
        *,
        ring: int,
        clock: Callable[[], datetime],
        changed: Callable[[Weaver], None],
    ) -> None:
        """Raise OSError where there is no room for a home, or no terminal left."""
        self.weaver = Weaver.pending(spec, ISOLATION)
        self.terminal = Terminal(ring, lambda: int(clock().timestamp() * 1000))
        try:
            self.home = tempfile.mkdtemp(prefix="loom-weaver-")
        except OSError:
            self.terminal.end()
            raise
        self._program = Program(command, environment(self.home, spec), spec.workdir or self.home)
        self._clock = clock
        self._changed = changed
        self._child: Child | None = None
        self._commands: set[Command] = set()
        self._ending: str | None = None
        self._over = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Holder {self.weaver.id} {self.weaver.status} {self._child!r}>"

    @property
    def workdir(self) -> str:
        return self._program.workdir

    async def run(self) -> None:
        """From the program's start to the end of its output."""
        try:
            if self._ending is None:
                await self._run()
            else:
                self._finish(None, None, None)
        finally:
            self.terminal.end()
            self._over.set()

    async def expire(self) -> None:
        weaver = self.weaver
        if self._ending is None and is_over(weaver.created_at, weaver.lifetime_hours, self._clock()):
            self._ending = "Expired"
            await self._stop()

    def begin_end(self, reason: str) -> None:
        """It is as good as gone, from now on."""
        self._ending = reason
        self._update("Terminating", status="terminating", reason=reason, detail=None)

    async def end(self) -> None:
        """Nothing is left of it."""
        await self._stop()
        await asyncio.to_thread(shutil.rmtree, self.home, ignore_errors=True)

    def extend(self, lifetime_hours: int) -> Weaver:
        if self._ending is not None or not self.weaver.active:
            raise Conflict(HAS_ENDED)
        self._update("Extended", lifetime_hours=lifetime_hours)
        return self.weaver

    @asynccontextmanager
    async def exec(self, spec: ExecSpec) -> AsyncIterator[Command]:
        if self.weaver.status != "running" or self._child is None or not self._child.running:
            raise Conflict(NOT_RUNNING)
        program = Program(spec.command, self._program.env, self._program.workdir)
        try:
            if spec.tty:
                command = Command.start_on_terminal(program, spec.cols, spec.rows)
            else:
                command = Command.start(program)
        except CannotStart as error:
            raise BadRequest(error.detail, field="command") from error
        self._commands.add(command)
        try:
            yield command
        finally:
            self._commands.discard(command)
            await command.aclose()

    async def _run(self) -> None:
        slave = self.terminal.slave
        try:
            self._child = Child(self._program, slave, slave, slave, tty=True)
        except CannotStart as error:
            self._finish("StartError", error.exit_code, error.detail)
            return
        self._update("Started", status="running", started_at=self._clock())
        exit_code = await asyncio.shield(self._child.exited)
        for command in self._commands:
            command.kill()
        await self._child.kill()
        await self.terminal.drain(lambda: self._ending is None)
        self._finish("Error" if exit_code else "Completed", exit_code, ending(exit_code))

    async def _stop(self) -> None:
        if self._child is not None:
            await self._child.end()
        await self._over.wait()

    def _finish(self, reason: str | None, exit_code: int | None, detail: str | None) -> None:
        """The program is gone, by itself or because it had to go."""
        end = {"exit_code": exit_code, "finished_at": self._clock()}
        if self.weaver.status == "terminating":
            self._update("Ended", **end)
        elif self._ending is not None:
            self._update("Expired", status="failed", reason="Expired", detail="its lifetime was over", **end)
        elif reason == "Completed":
            self._update("Completed", status="succeeded", reason=reason, **end)
        else:
            self._update("Failed", status="failed", reason=reason, detail=detail, **end)

    def _update(self, event: str, **changes: object) -> None:
        self.weaver = self.weaver.changed(self._clock(), event, **changes)
        self._changed(self.weaver)


def environment(home: str, spec: WeaverSpec) -> dict[str, str]:
    """Built from nothing: the server's own holds secrets."""
    return {
        "PATH": PATH,
        "HOME": home,
        "USER": "weaver",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        **spec.env,
    }
