"""The processes below this one, and their end. Standard library only.

The holder is a child subreaper, so whatever a weaver starts stays below it, also after `setsid` and `nohup`.
"""

from __future__ import annotations

import os

from loom_weaver.runtimes.local.light_signal import signal


def children(pid: int) -> list[int]:
    """The direct children of a process; empty when it is gone."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        for thread in threads:
            found += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def descendants(pid: int) -> list[int]:
    """All processes below one, nearest first."""
    found = children(pid)
    for child in found:
        found += children(child)
    return found


def signal_all(pids: list[int], *signals: int) -> None:
    for pid in pids:
        for number in signals:
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                break


def signal_groups(pids: list[int], number: int) -> None:
    """Signal the process groups that are led by one of these."""
    for pid in pids:
        try:
            if os.getpgid(pid) == pid:
                os.killpg(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def kill_below(pid: int) -> None:
    """SIGKILL everything below a process; what they fork meanwhile comes with the next call."""
    signal_all(descendants(pid), signal.SIGKILL)


def kill_marked(weaver_id: str) -> None:
    """SIGKILL what a dead holder has left: processes that carry the weaver's id in their environment."""
    mark = f"LOOM_WEAVER_ID={weaver_id}".encode()
    found = True
    while found:
        found = False
        for name in os.listdir("/proc"):
            if name.isdecimal() and mark in _environment(name):
                found = True
                signal_all([int(name)], signal.SIGKILL)


def _environment(pid: str) -> list[bytes]:
    try:
        return _read(f"/proc/{pid}/environ").split(b"\0")
    except OSError:
        return []


def start_time(pid: int) -> int:
    """In clock ticks since the boot: with the pid it names a process for good. Raises OSError."""
    return int(_read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[19])


def kill_process(pid: int, started: int) -> None:
    """SIGKILL a process, if it is still the one that started then."""
    try:
        if start_time(pid) == started:
            os.kill(pid, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return


def _read(path: str) -> bytes:
    """A whole small file, without the buffers of `open` that every holder would keep a copy of."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(descriptor, 64 * 1024):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)
