"""What a weaver's commands run in. The holder opens one sandbox and starts the weaver's commands in it.

Imported by the fork server before it forks: cheap standard library only, and nothing is imported later.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import select
import termios

from loom_weaver.runtimes.local import bubblewrap, host_paths, landlock, linux
from loom_weaver.runtimes.local.bubblewrap import SandboxFailed
from loom_weaver.runtimes.local.file_tree import machine, write_hosts
from loom_weaver.runtimes.local.light_signal import signal
from loom_weaver.runtimes.local.sandbox_plan import (
    BUBBLEWRAP,
    HOST_TMP,
    LANDLOCK,
    NONE,
    Plan,
    home_path,
    shares_tmp,
)
from loom_weaver.runtimes.signal_defaults import default_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

# The most that one side of a start tells the other: a stage, an errno, a pid.
LONGEST_STATUS = 4096
# Longer than a machine under full load takes, and short enough for a deadline to be kept meanwhile.
PATIENCE = 20.0
# Under bubblewrap these are made for the weaver.
LANDLOCK_ETC = ("/etc/passwd", "/etc/group", "/etc/hosts")


def prepare() -> None:
    """What all sandboxes need, once, in the process that forks those who open them; bars it from setuid."""
    linux.no_new_privileges()
    machine()


class Sandbox:
    """Open from its making to the end of the process that made it."""

    __slots__ = ("_namespaces", "plan")

    def __init__(self, plan: Plan, terminal: int | None = None) -> None:
        """Blocks for some milliseconds; raises SandboxFailed. `terminal` is the one of its first command.

        For ever after, the caller reaches by abstract sockets only what it starts from now on (where the
        kernel can refuse the rest), and may gain nothing by setuid.
        """
        self.plan = plan
        self._namespaces: bubblewrap.Namespaces | None = None
        if plan.kind != NONE:
            landlock.restrict_abstract_sockets()
        if plan.kind == BUBBLEWRAP:
            self._namespaces = bubblewrap.start(plan, terminal)

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that it needs for itself, all below the holder: they get no signal but the last."""
        return self._namespaces.pids if self._namespaces is not None else ()

    @property
    def terminals(self) -> str | None:
        """Where commands look for their terminals, if that is not our own /dev/pts."""
        return self._namespaces.terminals if self._namespaces is not None else None

    @property
    def ended(self) -> bool:
        """Whether nothing can be started in it any more."""
        return self._namespaces is not None and self._namespaces.ended

    def hand_over(self, plan: Plan) -> None:
        """To the weaver of this plan, from none yet: name, limits and environment are its own from now on."""
        self.plan = plan
        if self._namespaces is not None:
            self._namespaces.hostname = plan.hostname
            write_hosts(plan)

    def spawn(self, argv: list[str], files: tuple[int, int, int], *, terminal: bool = False) -> int:
        """Start a command with these descriptors as its 0-2; returns its pid, a child of the caller.

        It leads a session of its own, on the terminal that `files[0]` is if there is one: `killpg(pid)` ends
        its process group. Blocks until it runs. Raises OSError with the errno of the exec, or of the chdir,
        and as `filename` what could not be had; SandboxFailed for anything else.
        """
        status_read, status_write = os.pipe()
        helper = os.fork()
        if helper == 0:
            self._run(argv, files, terminal, status_write)
        os.close(status_write)
        try:
            told = _read_told(status_read)
        finally:
            os.close(status_read)
        pid = self._pid(helper, told)
        _raise_failure(told, argv[0], self.plan.workdir, pid)
        return pid

    def _pid(self, helper: int, told: dict[str, int]) -> int:
        """The command's; without namespaces to join it is the first child itself."""
        if self._namespaces is None:
            return helper
        if "pid" not in told:
            os.kill(helper, signal.SIGKILL)
        os.waitpid(helper, 0)
        return told.get("pid", 0)

    def _run(self, argv: list[str], files: tuple[int, int, int], terminal: bool, status: int) -> NoReturn:
        """In the child: become the command, or say why not and end."""
        stage, code = "sandbox", errno.ENOMEM
        try:
            if os.geteuid() == 0:
                os.setgroups([])
            if self._namespaces is not None:
                _join(self._namespaces, status)
            linux.keep_only(list(files), status)
            status = len(files)
            os.setsid()
            if terminal:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            self._restrict()
            stage = "workdir"
            _enter(self.plan.workdir or home_path(self.plan.kind, self.plan.home))
            stage = "command"
            command = linux.Command(argv, self.plan.env)
            _limit_memory(self.plan.memory_limit)
            code = command.execute()
        except OSError as error:
            code = error.errno or errno.EIO
        finally:
            _tell(status, stage, code)
            os._exit(127 if code == errno.ENOENT else 126)

    def _restrict(self) -> None:
        default_signals()
        os.umask(0o022)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _limit_cpus(self.plan.cpu_limit)
        linux.no_new_privileges()
        if self.plan.kind == LANDLOCK:
            landlock.restrict_files(_rules(self.plan), network=self.plan.network)
        if self.plan.kind != BUBBLEWRAP:
            linux.drop_capabilities()
        linux.die_with_parent()


def _join(namespaces: bubblewrap.Namespaces, status: int) -> None:
    """Go on in the namespaces as a child of our parent; this process itself has done its work then."""
    linux.hide_memory()
    namespaces.join()
    linux.drop_capabilities()
    pid = linux.fork_sibling()
    if pid:
        _tell(status, "pid", pid)
        os._exit(0)


def _rules(plan: Plan) -> list[tuple[str, int]]:
    readable = (*host_paths.SYSTEM_FOLDERS, *host_paths.ETC, *LANDLOCK_ETC, "/proc")
    writable = (plan.home, plan.tmp, *((HOST_TMP,) if shares_tmp(plan.kind, plan.home) else ()))
    rules = [(path, landlock.READ) for path in readable]
    rules += [(path, landlock.READ) for folder in plan.readable for path in _without(folder, plan.hidden)]
    rules += [(path, landlock.WRITE) for path in writable]
    rules += [(path, landlock.DEVICE) for path in (*host_paths.DEVICES, *_terminal())]
    return rules


def _without(folder: str, hidden: list[str]) -> list[str]:
    """What there is in a folder but the hidden: a rule for a folder is one for all below it."""
    inside = host_paths.hidden_in(folder, hidden)
    if not inside:
        return [folder]
    if folder in inside:
        return []
    return [path for name in os.listdir(folder) for path in _without(os.path.join(folder, name), hidden)]


def _terminal() -> tuple[str, ...]:
    """Its own, and no other of the same user's in /dev/pts."""
    try:
        return (os.ttyname(0),)
    except OSError:
        return ()


def _enter(workdir: str) -> None:
    """As a container runtime does, make a workdir that is not there."""
    try:
        os.chdir(workdir)
    except FileNotFoundError:
        os.makedirs(workdir, exist_ok=True)
        os.chdir(workdir)


def _limit_cpus(cores: float | None) -> None:
    present = sorted(os.sched_getaffinity(0))
    if cores is not None and cores <= len(present) - 1:
        count = -int(-cores // 1)
        start = os.getpid() % len(present)
        os.sched_setaffinity(0, [present[(start + index) % len(present)] for index in range(count)])


def _limit_memory(size: int | None) -> None:
    if size is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def _tell(status: int, word: str, number: int) -> None:
    os.write(status, b"%s %d\n" % (word.encode(), number))


def _read_told(descriptor: int) -> dict[str, int]:
    """What was told until the exec closed the pipe. A weaver can stop its next command before that."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    text = b""
    while poll.poll(PATIENCE * 1000):
        part = os.read(descriptor, LONGEST_STATUS)
        if not part:
            return _told(text)
        text += part
    return {**_told(text), "sandbox": errno.ETIMEDOUT}


def _told(text: bytes) -> dict[str, int]:
    return {word: int(number) for word, number in map(str.split, text.decode().splitlines())}


def _raise_failure(told: dict[str, int], command: str, workdir: str | None, pid: int) -> None:
    failed = {stage: told[stage] for stage in ("sandbox", "workdir", "command") if stage in told}
    if not failed:
        return
    if pid:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    if "sandbox" in failed:
        late = failed["sandbox"] == errno.ETIMEDOUT
        raise SandboxFailed(
            f"the command did not start within {PATIENCE:.0f} s" if late else os.strerror(failed["sandbox"])
        )
    stage, code = failed.popitem()
    raise OSError(code, os.strerror(code), command if stage == "command" else workdir)
