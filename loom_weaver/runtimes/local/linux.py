"""The few Linux calls that Python's `os` lacks, by ctypes, loaded before any fork. Standard library only."""

import ctypes
import errno
import fcntl
import os
import struct

from loom_weaver.runtimes.local.light_signal import signal

# Kernel headers: <linux/sched.h>, <linux/prctl.h>, <linux/capability.h>. The numbers of newer system calls
# are the same on every architecture.
NAMESPACES = {
    "user": 0x10000000,
    "mnt": 0x00020000,
    "pid": 0x20000000,
    "ipc": 0x08000000,
    "uts": 0x04000000,
    "cgroup": 0x02000000,
    "net": 0x40000000,
}
# struct clone_args: flags, of which CLONE_PARENT is one, and nothing else.
CLONE_ARGUMENTS = struct.pack("=8Q", 0x8000, *[0] * 7)
# <linux/nsfs.h>
NS_GET_USERNS = 0xB701
SYS_CLONE3, SYS_CLOSE_RANGE = 435, 436
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 24, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
CAPABILITY_VERSION_3 = 0x20080522
# execvp's own answer to an unset PATH.
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"

# A name resolved and a type converted here is time saved in every child.
_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long
_syscall.argtypes = [ctypes.c_long, *[ctypes.c_void_p] * 4]
_prctl, _capset, _setns, _sethostname = _libc.prctl, _libc.capset, _libc.setns, _libc.sethostname
_execve = _libc.execve
_prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong]
_execve.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p]


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """A raw system call of up to four arguments; raises OSError."""
    return _checked(_syscall(number, *arguments, *(None,) * (4 - len(arguments))))


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _control(option: int, value: int) -> None:
    _checked(_prctl(option, value, 0, 0, 0))


def no_new_privileges() -> None:
    """No setuid program and no file capability gives this process anything any more."""
    _control(PR_SET_NO_NEW_PRIVS, 1)


def adopt_orphans() -> None:
    """Processes below this one whose parent ends become this one's children."""
    _control(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Be killed when the thread that is this process's parent ends; a change of credentials forgets it."""
    _control(PR_SET_PDEATHSIG, signal.SIGKILL)


def hide_memory() -> None:
    """Let nobody of the same user trace this process until its next exec."""
    _control(PR_SET_DUMPABLE, 0)


def drop_capabilities() -> None:
    """Give up every capability, and with the bounding set the way back by an exec as uid 0."""
    for capability in range(64):
        if _prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            # EINVAL: past the last one. EPERM: there was none to lose, and no_new_privileges keeps it so.
            if ctypes.get_errno() not in (errno.EINVAL, errno.EPERM):
                _checked(-1)
            break
    _control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    _checked(_capset(header, (ctypes.c_uint32 * 6)()))


def close_from(first: int) -> None:
    try:
        syscall(SYS_CLOSE_RANGE, first, 0xFFFFFFFF, 0)
    except OSError:  # Linux before 5.9
        os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def keep_only(descriptors: list[int], status: int | None = None) -> None:
    """Make these descriptors 0, 1, 2 … of the next program and close all others, but `status` until then."""
    count = len(descriptors)
    copies = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, count + 1) for each in descriptors]
    if status is not None and status != count:
        os.dup2(status, count, inheritable=False)
    for target, copy in enumerate(copies):
        os.dup2(copy, target)
    close_from(count if status is None else count + 1)


def foreign_namespaces(pid: int) -> int:
    """The flags of the namespaces in which a process is and we are not."""
    flags = 0
    for name, flag in NAMESPACES.items():
        if os.stat(f"/proc/{pid}/ns/{name}").st_ino != os.stat(f"/proc/self/ns/{name}").st_ino:
            flags |= flag
    return flags


def set_hostname(pid: int, name: str) -> None:
    """Of the machine that a process sees. For good, this one has its rights in the user namespace of that."""
    names = os.open(f"/proc/{pid}/ns/uts", os.O_RDONLY | os.O_CLOEXEC)
    owner = fcntl.ioctl(names, NS_GET_USERNS)
    if os.fstat(owner).st_ino != os.stat("/proc/self/ns/user").st_ino:
        _checked(_setns(owner, NAMESPACES["user"]))
    _checked(_setns(names, NAMESPACES["uts"]))
    _checked(_sethostname(name.encode(), len(name)))
    os.close(names)
    os.close(owner)


def enter_namespaces(pidfd: int, flags: int) -> None:
    """Join those of a process (its pid namespace only for our children), and let none be made there."""
    settings = os.open("/proc/sys", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    _checked(_setns(pidfd, flags))
    if flags & NAMESPACES["user"]:
        _forbid_user_namespaces(settings)
    os.close(settings)


def _forbid_user_namespaces(settings: int) -> None:
    """In the one we are in: nobody plays root before the kernel there, as in a pod.

    No promise rests on it, so a read-only /proc/sys, as in many containers, is nothing to fail for.
    """
    try:
        limit = os.open("user/max_user_namespaces", os.O_WRONLY | os.O_CLOEXEC, dir_fd=settings)
    except OSError:
        return
    os.write(limit, b"0")
    os.close(limit)


def fork_sibling() -> int:
    """Fork a child of our parent, so that the parent itself can wait for it. Single-threaded callers only."""
    return syscall(SYS_CLONE3, CLONE_ARGUMENTS, len(CLONE_ARGUMENTS))


class Command:
    """An exec made ready in advance: under a low memory limit there is no room to build it any more."""

    __slots__ = ("_argv", "_env", "_paths")

    def __init__(self, argv: list[str], env: dict[str, str]) -> None:
        self._paths = [_bytes(path) for path in _candidates(argv[0], env.get("PATH", DEFAULT_PATH))]
        self._argv = _strings(argv)
        self._env = _strings([f"{name}={value}" for name, value in env.items()])

    def execute(self) -> int:
        """Become the command; returns the errno that execvp would give if that cannot be."""
        failure = errno.ENOENT
        for path in self._paths:
            _execve(path, self._argv, self._env)
            code = ctypes.get_errno()
            if code not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
                return code
            if code == errno.EACCES:
                failure = code
        return failure


def _candidates(name: str, path: str) -> list[str]:
    if "/" in name or not name:
        return [name]
    return [f"{folder or '.'}/{name}" for folder in path.split(":")]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _strings(values: list[str]) -> "ctypes.Array[ctypes.c_char_p]":
    return (ctypes.c_char_p * (len(values) + 1))(*(_bytes(value) for value in values), None)
