"""A sandbox tried out, by a process that does nothing else. Standard library only."""

import os
import sys

from loom_weaver.runtimes.local import host_paths, landlock
from loom_weaver.runtimes.local.bubblewrap import SandboxFailed
from loom_weaver.runtimes.local.sandbox import Sandbox
from loom_weaver.runtimes.local.sandbox_plan import HOME, LANDLOCK, TMP, Plan


def main(kind: str) -> None:
    """Exit with 0 when a command ran in a sandbox of this kind, else with a sentence on stderr."""
    if kind == LANDLOCK and landlock.VERSION == 0:
        sys.exit("the kernel has none, or it is switched off")
    try:
        status = _run_true(kind)
    except (OSError, SandboxFailed) as error:
        sys.exit(str(error))
    if status != 0:
        sys.exit(f"a command in it ended with wait status {status}")


def _run_true(kind: str) -> int:
    # bwrap would make folders in the stand-ins for home and /tmp to mount what is beneath those.
    readable = [path for path in host_paths.python_folders() if not host_paths.covers((HOME, TMP), path)]
    stand_in = host_paths.SYSTEM_FOLDERS[0]
    plan = Plan(
        kind=kind, home=stand_in, tmp=stand_in, hostname="trial", env={}, readable=readable, hidden=[]
    )
    null = os.open(os.devnull, os.O_RDWR)
    pid = Sandbox(plan).spawn(["true"], (null, null, null))
    return os.waitpid(pid, 0)[1]
