"""How a weaver ended, in plain words and with the way out where one is known."""

from __future__ import annotations

import signal
from typing import NamedTuple

from loom_weaver.runtimes.kubernetes.objects import PodStatus, Terminated

# What containerd, CRI-O and their forebears call a command that could not be started.
START_REASONS = frozenset({"StartError", "ContainerCannotRun"})
NO_SUCH_COMMAND, NOT_STARTED = 127, 126
MORE_MEMORY = "create another one with more resources.memory_limit"
# Why a whole pod ended, where its status says so.
POD_REASONS = {
    "DeadlineExceeded": "It ran longer than any weaver may",
    "Evicted": "Its node ran short of something and put it out",
    "NodeAffinity": "Its node no longer has the labels that it needs",
    "NodeLost": "Its node does not answer any more",
    "NodeShutdown": "Its node was shut down",
    "Preempting": "It had to make room for something of higher priority",
    "Shutdown": "Its node was shut down",
    "Terminated": "Its node was shut down",
    "UnexpectedAdmissionError": "Its node refused it",
}


class End(NamedTuple):
    reason: str
    detail: str | None
    exit_code: int | None

    @property
    def succeeded(self) -> bool:
        """By the exit code first: an OOM-killed child leaves its mark on a program that ended well."""
        return self.exit_code == 0 and self.reason == "Completed"


def end_of(status: PodStatus, terminated: Terminated | None, memory_limit: str | None) -> End:
    if status.phase == "Failed" and status.reason:
        return _pod_end(status, terminated)
    if terminated is None:
        if status.phase == "Succeeded":
            return End("Completed", None, 0)
        return End("Error", status.message or "Kubernetes does not say why it ended", None)
    return container_end(terminated, memory_limit)


def container_end(terminated: Terminated, memory_limit: str | None) -> End:
    code = terminated.exit_code
    if terminated.reason in START_REASONS:
        return _start_error(terminated)
    if terminated.reason == "OOMKilled":
        limit = f" of {memory_limit}" if memory_limit else ""
        if code == 0:
            return End("Completed", f"A process in it was killed at the memory limit{limit}", 0)
        return End("OOMKilled", f"It used more memory than its limit{limit}; {MORE_MEMORY}", code)
    if code == 0:
        return End("Completed", None, 0)
    if terminated.reason == "ContainerStatusUnknown":
        return End(terminated.reason, "Its node lost track of it", code)
    return End("Error", describe(code), code)


def describe(code: int) -> str:
    """A sentence for an exit code; those above 128 are signals by the shell's convention."""
    try:
        return f"ended by signal {code - 128} ({signal.Signals(code - 128).name})"
    except ValueError:
        return f"exited with {code}"


def _pod_end(status: PodStatus, terminated: Terminated | None) -> End:
    meaning = POD_REASONS.get(status.reason)
    if status.reason.startswith("OutOf"):
        meaning = f"Its node had too little {status.reason.removeprefix('OutOf')} left"
    said = " ".join(status.message.split())
    detail = f"{meaning}: {said}" if meaning and said else meaning or said or None
    return End(status.reason, detail, terminated.exit_code if terminated else None)


def _start_error(terminated: Terminated) -> End:
    """The cause stands at the end of a chain of those who passed it on."""
    text = " ".join(terminated.message.split())
    cause = text[text.rfind("exec: ") :] if "exec: " in text else text.rpartition("runc create failed: ")[2]
    cause = cause.removesuffix(": unknown") or "the container's runtime does not say why"
    missing = "no such file or directory" in cause or "not found" in cause
    code = NO_SUCH_COMMAND if missing else NOT_STARTED
    return End("StartError", f"The command cannot be started: {cause}", code)
