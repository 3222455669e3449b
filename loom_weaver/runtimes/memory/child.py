"""A program started in a session of its own, and its end."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loom_weaver.runtimes.signal_defaults import default_signals

# Time for a program to save its work between the polite signals and the last one.
GRACE = 2.0
# What a program left behind and SIGKILL does not end within this is stuck in the kernel: it is left there.
PATIENCE = 5.0
# Nothing tells of the end of processes that are not our children.
LOOK = 0.01
# A shell's exit codes for what it could not start.
NOT_FOUND, NOT_EXECUTABLE = 127, 126


class CannotStart(Exception):
    """The command cannot be executed; `exit_code` is what a shell would give."""

    def __init__(self, exit_code: int, detail: str) -> None:
        super().__init__(detail)
        self.exit_code = exit_code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Program:
    command: Sequence[str]
    env: Mapping[str, str]
    workdir: str

    def check(self) -> None:
        """Raise CannotStart for what the kernel would refuse."""
        name = self.command[0]
        if not os.path.isdir(self.workdir):
            raise CannotStart(NOT_EXECUTABLE, f"{self.workdir}: {os.strerror(errno.ENOENT)}")
        path = os.path.join(self.workdir, name) if "/" in name else shutil.which(name, path=self.env["PATH"])
        if path is None or not os.path.exists(path):
            raise CannotStart(NOT_FOUND, f"{name}: {os.strerror(errno.ENOENT)}")
        if os.path.isdir(path) or not os.access(path, os.X_OK):
            raise CannotStart(NOT_EXECUTABLE, f"{name}: {os.strerror(errno.EACCES)}")


class Child:
    """A program that was started; with `tty`, what it is given to read and write is its terminal."""

    def __init__(self, program: Program, stdin: int, stdout: int, stderr: int, *, tty: bool) -> None:
        program.check()
        # A child of this process takes the terminal for its own only after its session began.
        launcher = ["setsid", "--ctty", "--"] if tty else []
        try:
            self._process = subprocess.Popen(
                [*launcher, *program.command],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=dict(program.env),
                cwd=program.workdir,
                start_new_session=not tty,
                preexec_fn=default_signals,  # noqa: PLW1509 - it calls nothing that takes a lock
            )
        except OSError as error:
            raise CannotStart(NOT_EXECUTABLE, f"{program.command[0]}: {error.strerror}") from error
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int] = loop.create_future()
        self._pidfd = os.pidfd_open(self.pid)
        loop.add_reader(self._pidfd, self._reap)

    def __repr__(self) -> str:
        return f"<Child {self.pid} {'running' if self.running else self.exited.result()}>"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return not self.exited.done()

    def signal(self, *numbers: int) -> None:
        """To every process of its session."""
        for pid in self._session():
            for number in numbers:
                try:
                    os.kill(pid, number)
                except (ProcessLookupError, PermissionError):
                    break

    async def end(self, grace: float = GRACE) -> None:
        """End it politely, then not; returns when it is gone."""
        self.signal(signal.SIGHUP, signal.SIGTERM, signal.SIGCONT)
        await asyncio.wait([self.exited], timeout=grace)
        await self.kill()

    async def kill(self) -> None:
        """End it, and what it left in its session; returns when they are gone."""
        for _ in range(round(PATIENCE / LOOK)):
            if not self._session():
                break
            self.signal(signal.SIGKILL)
            await asyncio.sleep(LOOK)
        await asyncio.wait([self.exited])

    def _session(self) -> set[int]:
        if self.running:
            # It may not have begun its session yet.
            return session(self.pid) | {self.pid}
        # One that has its number now is another's, and so is its session.
        return set() if os.path.exists(f"/proc/{self.pid}") else session(self.pid)

    def _reap(self) -> None:
        status = self._process.poll()
        if status is None:
            return
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.exited.set_result(status if status >= 0 else 128 - status)


def session(leader: int) -> set[int]:
    """The living processes of a session."""
    found = set()
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    state, _, _, of = file.read().rpartition(b")")[2].split()[:4]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(of) == leader and state not in b"ZX":
                found.add(int(name))
    return found


def ending(exit_code: int) -> str:
    """`exited with 3`, `ended by signal 9 (SIGKILL)`."""
    if exit_code <= 128:
        return f"exited with {exit_code}"
    try:
        name = f" ({signal.Signals(exit_code - 128).name})"
    except ValueError:
        name = ""
    return f"ended by signal {exit_code - 128}{name}"
