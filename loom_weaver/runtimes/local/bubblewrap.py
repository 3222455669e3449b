"""bubblewrap: a weaver's own file tree, processes and IPC, kept open by a process that does nothing else.

Commands are not started by bwrap but join its namespaces. So each leads its own session on its own terminal
(a Ctrl-C would end a bwrap that shares it), fails with its own errno, and gets its environment without a
detour over bwrap's command line or loader. Standard library only.
"""

from __future__ import annotations

import os
import select

from loom_weaver.runtimes.local import linux
from loom_weaver.runtimes.local.file_tree import Descriptors, file_tree, workdir_folder
from loom_weaver.runtimes.local.light_signal import signal
from loom_weaver.runtimes.local.sandbox_plan import Plan
from loom_weaver.runtimes.signal_defaults import default_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

# Longer than a machine under full load takes; then something hangs, such as a network drive.
PATIENCE = 20.0
# It repeats the line that it is given, which tells that all is in place, and waits for more.
IDLE = ["cat"]
READY = b"\n"


class SandboxFailed(Exception):
    """The sandbox could not be made; the text says why."""


class Namespaces:
    """What bwrap holds open. `keeper` is our child; its end is the end of every process inside."""

    __slots__ = ("_hold", "_init", "_init_fd", "_keeper", "hostname")

    def __init__(self, keeper: int, init: int, hold: int) -> None:
        """`init` is process 1 inside, as we see it; `hold` the input that the idle program waits for."""
        self._keeper = keeper
        self._init = init
        self._init_fd = os.pidfd_open(init)
        self._hold = hold
        self.hostname: str | None = None
        """What commands are to see, if that is another than it was made with."""

    @property
    def ended(self) -> bool:
        return bool(select.select([self._init_fd], [], [], 0)[0])

    @property
    def pids(self) -> tuple[int, ...]:
        """bwrap, its part inside, and the idle program, which is the oldest child of that."""
        try:
            with open(f"/proc/{self._init}/task/{self._init}/children") as file:
                return (self._keeper, self._init, *map(int, file.read().split()[:1]))
        except (FileNotFoundError, ProcessLookupError):
            return (self._keeper, self._init)

    @property
    def terminals(self) -> str:
        """/dev/pts inside: a terminal of its is found by its name there."""
        return f"/proc/{self._init}/root/dev/pts"

    def join(self) -> None:
        if self.hostname is not None:
            linux.set_hostname(self._init, self.hostname)
        linux.enter_namespaces(self._init_fd, linux.foreign_namespaces(self._init))


def start(plan: Plan, terminal: int | None) -> Namespaces:
    """Make the namespaces; blocks until they are ready. Raises SandboxFailed.

    What it takes is worked out in the child, whose memory goes with the exec: the holder's stays shared.
    """
    hold_read, hold_write = os.pipe()
    said_read, said_write = os.pipe()
    info_read, info_write = os.pipe()
    keeper = os.fork()
    if keeper == 0:
        _become_bwrap(plan, terminal, (hold_read, said_write, info_write))
    for descriptor in (hold_read, said_write, info_write):
        os.close(descriptor)
    try:
        os.write(hold_write, READY)
        _await_ready(said_read)
        return Namespaces(keeper, _number(_read_soon(info_read)), hold_write)
    except BaseException:
        os.close(hold_write)
        os.kill(keeper, signal.SIGKILL)
        os.waitpid(keeper, 0)
        raise
    finally:
        os.close(said_read)
        os.close(info_read)


def _become_bwrap(plan: Plan, terminal: int | None, pipes: tuple[int, int, int]) -> NoReturn:
    """In the child. bwrap's own environment is empty: nothing of a weaver's gets near its loader."""
    hold, said, info = pipes
    try:
        os.setsid()
        default_signals()
        path = _program()
        descriptors = Descriptors(hold, said, said)
        argv = [
            "bwrap",
            "--info-fd",
            descriptors.give(info),
            "--args",
            _arguments(plan, terminal, descriptors),
        ]
        linux.keep_only(descriptors.given)
        os.execve(path, [*argv, "--", *IDLE], {"PATH": linux.DEFAULT_PATH})  # noqa: S606 - no shell is wanted
    except (OSError, SandboxFailed) as error:
        os.write(said, str(error).encode(errors="replace"))
    finally:
        os._exit(127)


def _arguments(plan: Plan, terminal: int | None, descriptors: Descriptors) -> str:
    """In a descriptor, since anybody can read a command line."""
    folder = workdir_folder(plan)
    if folder:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    console = None if terminal is None else os.ttyname(terminal)
    words = [*_namespaces(plan), *file_tree(plan, descriptors, console)]
    return descriptors.give_text("".join(word + "\0" for word in words))


def _program() -> str:
    for folder in os.environ.get("PATH", linux.DEFAULT_PATH).split(":"):
        path = os.path.join(folder, "bwrap")
        if folder and os.access(path, os.X_OK):
            return path
    raise SandboxFailed("bwrap is not installed (it comes with the package bubblewrap)")


def _namespaces(plan: Plan) -> list[str]:
    return [
        *("--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
        *(() if plan.network else ("--unshare-net",)),
        *("--die-with-parent", "--cap-drop", "ALL", "--hostname", plan.hostname),
    ]


def _await_ready(said: int) -> None:
    answer = _read_soon(said)
    if answer != READY:
        raise SandboxFailed(answer.decode(errors="replace").strip() or "bwrap ended without a word")


def _read_soon(descriptor: int) -> bytes:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(PATIENCE * 1000):
        raise SandboxFailed(f"bwrap was not ready within {PATIENCE:.0f} s")
    return os.read(descriptor, 4096)


def _number(info: bytes) -> int:
    """The child's pid out of `{"child-pid": 123, …}`."""
    digits = info.partition(b'"child-pid":')[2].lstrip()
    return int(digits[: len(digits) - len(digits.lstrip(b"0123456789"))])
