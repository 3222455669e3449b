"""Which kind of sandbox works on this machine, and what each keeps a weaver from."""

import subprocess
import sys
from pathlib import Path

import loom_weaver
from loom_weaver.runtimes.local import landlock
from loom_weaver.runtimes.local.sandbox_plan import BUBBLEWRAP, KINDS, LANDLOCK, NONE

# A machine under full load takes a tenth of this.
PATIENCE = 60.0
# A sandbox restricts for ever who makes it, so that a process of its own has to try.
TRIAL = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from loom_weaver.runtimes.local import sandbox_trial; sandbox_trial.main(sys.argv[2])"
)


class Found:
    """The best kind that works here and, in a sentence, why no better one does."""

    __slots__ = ("kind", "reason")

    def __init__(self, kind: str, reason: str) -> None:
        self.kind = kind
        self.reason = reason


def probe() -> Found:
    """Try in earnest, best first: a sandbox of each kind is made and a command run in it. Takes a moment."""
    reasons: list[str] = []
    for kind in KINDS:
        reason = why_not(kind)
        if reason is None:
            return Found(kind, "; ".join(reasons))
        reasons.append(f"{kind}: {reason}")
    return Found(NONE, "; ".join(reasons))


def why_not(kind: str) -> str | None:
    """What goes wrong with a sandbox of this kind; None when it works."""
    root = str(Path(loom_weaver.__file__).parent.parent)
    argv = [sys.executable, "-I", "-S", "-c", TRIAL, root, kind]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"it was not ready within {PATIENCE:.0f} s"
    if done.returncode == 0:
        return None
    return done.stderr.decode(errors="replace").strip().rpartition("\n")[2] or "the trial failed"


def enforced(kind: str, *, memory_limit: bool = False, network: bool = True) -> list[str]:
    """What is truly in force, as the weaver object says it in `isolation.enforced`.

    filesystem: it writes to its own folders only, and reads besides them only the system's programs, this
        Python, and what they look up. (Under Landlock /tmp is the machine's unless the data folder is in it,
        and unix sockets with a path can be reached.)
    processes: it sees and signals no process but its own.
    signals: a command signals no process but those it started, though it sees that there are others (and may,
        as any of its user, change their priorities and resource limits).
    tracing: it reads and changes no memory, environment or open file of other processes.
    ipc: System V IPC and POSIX message queues are its own.
    abstract_sockets: it reaches no abstract unix socket of others.
    network: there is none. tcp: no TCP, but all else.
    capabilities, no_new_privileges: it has no capability and no way to any, also as uid 0.
    memory_per_process: none of its processes gets more private memory than the limit.

    A CPU limit chooses on how many CPUs a weaver starts. A program can undo that, so no word stands for it.
    """
    words: list[str] = []
    if kind == BUBBLEWRAP:
        words += ["filesystem", "processes", "tracing", "ipc"]
        words += [] if network else ["network"]
    elif kind == LANDLOCK:
        words += ["filesystem", "tracing"]
        words += ["signals"] if landlock.VERSION >= landlock.SCOPES_SINCE else []
        words += ["tcp"] if not network and landlock.VERSION >= landlock.NETWORK_SINCE else []
    if kind != NONE and (landlock.VERSION >= landlock.SCOPES_SINCE or (kind == BUBBLEWRAP and not network)):
        words.append("abstract_sockets")
    words += ["capabilities", "no_new_privileges"]
    return [*words, "memory_per_process"] if memory_limit else words
