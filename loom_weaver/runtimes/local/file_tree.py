"""The files that a weaver sees under bubblewrap, as bwrap is told of them. Standard library only."""

import os

from loom_weaver.runtimes.local.host_paths import ETC, SYSTEM_FOLDERS, covers, hidden_in
from loom_weaver.runtimes.local.sandbox_plan import HOME, TMP, Plan

# What is there besides the system's folders, whatever the plan says.
KNOWN_FOLDERS = ("/dev", "/etc", "/proc", "/run", "/var/run", "/var/tmp", HOME, TMP)  # noqa: S108
# A mount costs a fifth of a millisecond at every start, a copy one page of memory while the weaver lives.
LARGEST_COPY = 4096
# Programs find their terminal's name here: /dev/pts is the sandbox's own, and the terminal is not of it.
CONSOLE = "/dev/console"
# They belong to uid 0, which needs no capability to change them: a server of root's would give the machine
# away.
KERNEL_SETTINGS = ("/proc/sys", "/proc/fs")
# In the home folder, what a workdir outside of it is made of.
WORKDIR = ".workdir"


class Descriptors:
    """What bwrap inherits, numbered from 0 in the order of giving."""

    __slots__ = ("given",)

    def __init__(self, *given: int) -> None:
        self.given = list(given)

    def give(self, descriptor: int) -> str:
        """The number, as a word of a command line."""
        self.given.append(descriptor)
        return str(len(self.given) - 1)

    def give_text(self, text: str) -> str:
        descriptor = os.memfd_create("sandbox")
        os.write(descriptor, text.encode("utf-8", "surrogateescape"))
        os.lseek(descriptor, 0, os.SEEK_SET)
        return self.give(descriptor)


class Machine:
    """What is the same for all weavers, so that it is looked up once."""

    __slots__ = ("copies", "etc", "system")

    def __init__(self) -> None:
        self.system = _system()
        self.etc = _folders("/etc")
        self.copies: list[str] = []
        for path in ETC:
            target = os.path.realpath(path)
            if target != path and covers(SYSTEM_FOLDERS, target):
                self.etc += ("--symlink", target, path)
            elif os.path.isfile(path) and os.path.getsize(path) <= LARGEST_COPY:
                self.copies.append(path)
            elif os.path.isfile(path) or (os.path.isdir(path) and os.listdir(path)):
                self.etc += ("--ro-bind-try", path, path)


_found: list[Machine] = []


def machine() -> Machine:
    """Called before forking, this is shared by all that is forked."""
    if not _found:
        _found.append(Machine())
    return _found[0]


def copies() -> list[tuple[str, int, int]]:
    """What a weaver gets copies of, as it is now: another answer later means that they are out of date."""
    present = [(path, os.stat(path)) for path in machine().copies if os.path.exists(path)]
    return [(path, status.st_mtime_ns, status.st_size) for path, status in present]


def file_tree(plan: Plan, descriptors: Descriptors, terminal: str | None) -> list[str]:
    """bwrap's arguments, in the order of its doing; `terminal` is the weaver's by the machine's path."""
    return [
        *machine().system,
        *("--proc", "/proc", *_read_only(KERNEL_SETTINGS), "--dev", "/dev"),
        *(("--dev-bind", terminal, CONSOLE) if terminal else ()),
        *_etc(descriptors),
        *_name_table(plan, descriptors),
        *_folders("/home", "/run", "/var"),
        *("--symlink", "../run", "/var/run", "--symlink", "../tmp", "/var/tmp"),  # noqa: S108
        *("--bind", plan.tmp, TMP, "--bind", plan.home, HOME),
        *_workdir(plan),
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


def _read_only(paths: tuple[str, ...]) -> list[str]:
    return [word for path in paths if os.path.exists(path) for word in ("--ro-bind", path, path)]


def _etc(descriptors: Descriptors) -> list[str]:
    told = list(machine().etc)
    for path in machine().copies:
        if os.path.exists(path):
            told += _file(descriptors.give(os.open(path, os.O_RDONLY)), path)
    return [
        *told,
        *_file(descriptors.give_text(passwd(os.getuid(), os.getgid())), "/etc/passwd"),
        *_file(descriptors.give_text(group(os.getgid())), "/etc/group"),
    ]


def _name_table(plan: Plan, descriptors: Descriptors) -> tuple[str, ...]:
    if plan.hosts is not None:
        write_hosts(plan)
        return ("--ro-bind", plan.hosts, "/etc/hosts")
    return _file(descriptors.give_text(_hosts(plan.hostname)), "/etc/hosts")


def write_hosts(plan: Plan) -> None:
    """Where the plan names a file for it: in place, since a mount shows the file that there was."""
    if plan.hosts is not None:
        descriptor = os.open(plan.hosts, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        os.write(descriptor, _hosts(plan.hostname).encode("utf-8", "surrogateescape"))
        os.close(descriptor)


def _folders(*paths: str) -> list[str]:
    return [word for path in paths for word in ("--perms", "0755", "--dir", path)]


def _file(descriptor: str, path: str) -> tuple[str, ...]:
    return ("--perms", "0644", "--file", descriptor, path)


def _workdir(plan: Plan) -> tuple[str, ...]:
    folder = workdir_folder(plan)
    return ("--bind", folder, os.path.normpath(plan.workdir or "")) if folder else ()


def workdir_folder(plan: Plan) -> str | None:
    """The machine's folder that stands for a workdir which would not exist otherwise."""
    workdir = os.path.normpath(plan.workdir) if plan.workdir else "/"
    known = (*SYSTEM_FOLDERS, *KNOWN_FOLDERS, *plan.readable)
    if covers(known, workdir) or any(covers((workdir,), folder) for folder in known):
        return None
    return os.path.join(plan.home, WORKDIR)


def _readable(plan: Plan) -> list[str]:
    """What is hidden in it is covered by an empty folder."""
    told: list[str] = []
    for path in sorted(plan.readable):
        told += _read_only((path,))
        told += [word for hidden in hidden_in(path, plan.hidden) for word in ("--tmpfs", hidden)]
    return told


def passwd(uid: int, gid: int) -> str:
    """The weaver's name for whoever the server runs as, and root's for the owner of the system's files."""
    shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
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
