"""bubblewrap: a weaver's own file tree, processes and IPC, kept open by a process that does nothing else.

Commands are not started by bwrap but join its namespaces. So each leads its own session on its own terminal
(a Ctrl-C would end a bwrap that shares it), fails with its own errno, and gets its environment without a
detour over bwrap's command line or loader.
"""

import os
import select
import signal

from loom_weaver.runtimes.local import linux
from loom_weaver.runtimes.local.host_paths import DEVICES_FOLDER, ETC, SYSTEM_FOLDERS, covers
from loom_weaver.runtimes.local.sandbox_plan import HOME, TMP, Plan

# Descriptors as bwrap finds them; the first three are its standard ones.
ARGS, INFO, PASSWD, GROUP, HOSTS = range(3, 8)
# Longer than a machine under full load takes; then something hangs, such as a network drive.
PATIENCE = 30.0
IDLE = ["cat"]


class SandboxFailed(Exception):
    """The sandbox could not be made; the text says why."""


class Namespaces:
    """What bwrap holds open. `keeper` is our child, its end is the end of every process inside."""

    __slots__ = ("_flags", "_hold", "_init_fd", "idle", "init", "keeper")

    def __init__(self, keeper: int, init: int, hold: int) -> None:
        self.keeper = keeper
        self.init = init
        self.idle = _only_child(init)
        self._init_fd = os.pidfd_open(init)
        self._flags = linux.foreign_namespaces(init)
        self._hold = hold

    @property
    def pids(self) -> tuple[int, ...]:
        return (self.keeper, self.init, self.idle)

    def join(self) -> None:
        linux.enter_namespaces(self._init_fd, self._flags)


def program() -> str | None:
    """Where bwrap is, by this process's PATH."""
    for folder in os.environ.get("PATH", linux.DEFAULT_PATH).split(":"):
        path = os.path.join(folder, "bwrap")
        if folder and os.access(path, os.X_OK):
            return path
    return None


def arguments(plan: Plan) -> list[str]:
    """What bwrap is told, in the order of its doing."""
    return [
        *("--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
        *(() if plan.network else ("--unshare-net",)),
        *("--die-with-parent", "--cap-drop", "ALL", "--hostname", plan.hostname),
        *_system(),
        *("--proc", "/proc", "--dev", DEVICES_FOLDER),
        *_etc(),
        *(
            "--dir",
            "/run",
            "--dir",
            "/var",
            "--symlink",
            "../run",
            "/var/run",
            "--symlink",
            "../tmp",
            "/var/tmp",  # noqa: S108 - the sandbox's own
        ),
        *("--bind", plan.tmp, TMP, "--bind", plan.home, HOME),
        *_readable(plan),
        *("--remount-ro", "/", "--chdir", "/"),
    ]


def _system() -> list[str]:
    """`/usr`, and beside it what most systems have as links into it and some as folders."""
    told: list[str] = []
    for folder in SYSTEM_FOLDERS:
        if os.path.islink(folder):
            told += ("--symlink", os.readlink(folder), folder)
        elif os.path.isdir(folder):
            told += ("--ro-bind", folder, folder)
    return told


def _etc() -> list[str]:
    told = _folders("/etc")
    for path in ETC:
        if os.path.islink(path) and covers(SYSTEM_FOLDERS, os.path.realpath(path)):
            told += ("--symlink", os.path.realpath(path), path)
        elif os.path.exists(path):
            told += ("--ro-bind", path, path)
    for descriptor, name in ((PASSWD, "passwd"), (GROUP, "group"), (HOSTS, "hosts")):
        told += ("--perms", "0644", "--file", str(descriptor), f"/etc/{name}")
    return told


def _folders(*paths: str) -> list[str]:
    return [word for path in paths for word in ("--perms", "0755", "--dir", path)]


def _readable(plan: Plan) -> list[str]:
    told: list[str] = []
    for path in sorted(plan.readable):
        if os.path.isdir(path) and not covers(SYSTEM_FOLDERS, path):
            told += ("--ro-bind", path, path)
            told += [
                word for hidden in plan.hidden if covers((path,), hidden) for word in ("--tmpfs", hidden)
            ]
    return told


def passwd(uid: int, gid: int, shell: str) -> str:
    """The weaver's name for whoever the server runs as, and root's for the owner of the system's files."""
    weaver = f"weaver:x:{uid}:{gid}:weaver:{HOME}:{shell}\n"
    root = "root:x:0:0:root:/root:/usr/sbin/nologin\n"
    nobody = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    return weaver + root + nobody


def group(gid: int) -> str:
    return f"weaver:x:{gid}:\nroot:x:0:\ntty:x:5:\nnogroup:x:65534:\n"


def _hosts(hostname: str) -> str:
    """The machine's, and the weaver's own name, which programs look up."""
    try:
        with open("/etc/hosts") as file:
            text = file.read()
    except OSError:
        text = "127.0.0.1\tlocalhost\n"
    return f"{text.rstrip()}\n127.0.1.1\t{hostname}\n"


def start(plan: Plan) -> Namespaces:
    """Make the namespaces; blocks until they are ready. Raises SandboxFailed."""
    path = program()
    if path is None:
        raise SandboxFailed("bwrap is not installed")
    shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
    given = [
        _memory("".join(word + "\0" for word in arguments(plan))),
        _memory(passwd(os.getuid(), os.getgid(), shell)),
        _memory(group(os.getgid())),
        _memory(_hosts(plan.hostname)),
    ]
    hold_read, hold_write = os.pipe()
    said_read, said_write = os.pipe()
    info_read, info_write = os.pipe()
    given[1:1] = [info_write]
    descriptors = [hold_read, said_write, said_write, *given]
    keeper = os.fork()
    if keeper == 0:
        _become_bwrap(path, descriptors)
    for descriptor in {*descriptors}:
        os.close(descriptor)
    try:
        os.write(hold_write, b"\n")
        _await_echo(said_read)
        return Namespaces(keeper, _number(_read_soon(info_read)), hold_write)
    except BaseException:
        os.close(hold_write)
        os.kill(keeper, signal.SIGKILL)
        os.waitpid(keeper, 0)
        raise
    finally:
        os.close(said_read)
        os.close(info_read)


def _become_bwrap(path: str, descriptors: list[int]) -> None:
    """In the child. bwrap's own environment is empty: nothing of a weaver's gets near its loader."""
    try:
        os.setsid()
        linux.default_signals()
        linux.keep_only(descriptors)
        argv = ["bwrap", "--args", str(ARGS), "--info-fd", str(INFO), "--", *IDLE]
        os.execve(path, argv, {"PATH": linux.DEFAULT_PATH})  # noqa: S606 - no shell is wanted
    finally:
        os._exit(127)


def _memory(text: str) -> int:
    descriptor = os.memfd_create("sandbox")
    os.write(descriptor, text.encode("utf-8", "surrogateescape"))
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _await_echo(said: int) -> None:
    """The idle program repeats the newline that it was given: then everything is in place."""
    answer = _read_soon(said)
    if answer != b"\n":
        raise SandboxFailed(answer.decode(errors="replace").strip() or "bwrap ended without a word")


def _read_soon(descriptor: int) -> bytes:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(PATIENCE * 1000):
        raise SandboxFailed(f"bwrap did not get ready within {PATIENCE:.0f} s")
    return os.read(descriptor, 4096)


def _number(info: bytes) -> int:
    """The child's pid out of `{"child-pid": 123, …}`."""
    digits = info.partition(b'"child-pid":')[2].lstrip()
    return int(digits[: len(digits) - len(digits.lstrip(b"0123456789"))])


def _only_child(pid: int) -> int:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return int(file.read().split()[0])
