"""A stand-in for a holder, since who opens a sandbox is restricted for ever.

Run as `python -I -S sandbox_holder.py ROOT`, it reads `{plan, later, steps}` as JSON from its input, runs the
`argv` of each step in one sandbox, whose plan `later` changes once it is made, and writes a list of what
became of them as JSON.
"""

import json
import os
import select
import signal
import struct
import sys
import time
from typing import Any

PATIENCE = 30.0


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    from loom_weaver.runtimes.local.sandbox import Sandbox
    from loom_weaver.runtimes.local.sandbox_plan import Plan

    request = json.load(sys.stdin)
    if request["ignore"]:
        ignore_signals()
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    master, slave = os.openpty()
    sandbox = Sandbox(Plan(**request["plan"]), slave)
    if request["later"]:
        sandbox.hand_over(Plan(**{**request["plan"], **request["later"]}))
    results = [run(sandbox, step, master, slave) for step in request["steps"]]
    if not request["die"]:
        end_background(results)
    sys.stdout.write(json.dumps(results))
    sys.stdout.flush()
    if request["die"]:
        os.kill(os.getpid(), signal.SIGKILL)


def ignore_signals() -> None:
    """As some ancestors do: all but the one that `waitpid` needs, and those that nobody can ignore."""
    from loom_weaver.runtimes.local import linux
    from loom_weaver.runtimes.signal_defaults import SYS_RT_SIGACTION

    ignored = struct.pack("=4Q", signal.SIG_IGN, 0, 0, 0)
    for number in set(range(1, signal.NSIG)) - {signal.SIGCHLD, signal.SIGKILL, signal.SIGSTOP}:
        linux.syscall(SYS_RT_SIGACTION or 0, number, ignored, None, 8)


def end_background(results: list[dict[str, Any]]) -> None:
    """Kill what still runs, and tell how it ended: by that, or before."""
    for result in results:
        if result.get("background"):
            os.killpg(result["pid"], signal.SIGKILL)
            result["code"] = os.waitstatus_to_exitcode(os.waitpid(result["pid"], 0)[1])


def run(sandbox: Any, step: dict[str, Any], master: int, slave: int) -> dict[str, Any]:
    """One command to its end, or until it said `until`; `type`: pairs of what to await, what to type."""
    read, write = (master, slave) if step.get("terminal") else os.pipe()
    files = (slave, slave, slave) if step.get("terminal") else (0, write, write)
    try:
        pid = sandbox.spawn(step["argv"], files, terminal=step.get("terminal", False))
    except OSError as error:
        return {"errno": error.errno, "filename": error.filename}
    if not step.get("terminal"):
        os.close(write)
    output, seen = b"", 0
    for awaited, keys in step.get("type", []):
        output, seen = read_until(read, output, awaited.encode(), seen)
        os.write(master, keys.encode())
    if "until" in step:
        output, _ = read_until(read, output, step["until"].encode(), seen)
        return {"pid": pid, "background": True, "output": output.decode()}
    status, output = read_to_end(read, output, pid)
    return {"pid": pid, "code": os.waitstatus_to_exitcode(status), "output": output.decode(errors="replace")}


def read_until(descriptor: int, output: bytes, awaited: bytes, seen: int) -> tuple[bytes, int]:
    """More output, until it holds what is awaited past `seen`, and where that ends."""
    deadline = time.monotonic() + PATIENCE
    while (found := output.find(awaited, seen)) < 0:
        if not ready(descriptor, deadline - time.monotonic()):
            sys.exit(f"waited for {awaited!r} in vain, got {output!r}")
        output += os.read(descriptor, 65536) or sys.exit(f"ended without {awaited!r}, got {output!r}")
    return output, found + len(awaited)


def read_to_end(descriptor: int, output: bytes, pid: int) -> tuple[int, bytes]:
    """Its wait status, and what it wrote: a terminal stays open here, so its end is that of the command."""
    ended = os.pidfd_open(pid)
    open_still = True
    while open_still:
        readable = select.select([descriptor, ended], [], [], PATIENCE)[0] or sys.exit(
            f"hangs after {output!r}"
        )
        if descriptor in readable:
            part = os.read(descriptor, 65536)
            output += part
            open_still = bool(part)
        else:
            open_still = False
    os.close(ended)
    return os.waitpid(pid, 0)[1], output


def ready(descriptor: int, seconds: float) -> bool:
    return bool(select.select([descriptor], [], [], max(seconds, 0))[0])


if __name__ == "__main__":
    main()
