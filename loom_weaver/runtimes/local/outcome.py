"""What became of a weaver, in the words of the wire. Standard library only."""

from __future__ import annotations

import os

from loom_weaver.runtimes.local.light_signal import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def exit_code(status: int) -> int:
    """Of a wait status: the code, or 128+n for signal n."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def start_error(error: Exception) -> str:
    """A sentence for a command that could not be started."""
    if not isinstance(error, OSError):
        return f"the sandbox could not be made: {error}"
    return f"{error.filename}: {error.strerror}"


def not_started(error: Exception) -> dict[str, Any]:
    """As `outcome`, with the exit codes of a shell: 127 for no such command, 126 for any other failure."""
    code = 127 if isinstance(error, FileNotFoundError) else 126
    fields = {"status": "failed", "exit_code": code, "reason": "StartError", "detail": start_error(error)}
    return {"event": "Failed", **fields}


def outcome(status: int, ending: str | None) -> dict[str, Any]:
    """The record's fields, and the `event` of its timeline, for a process that ended with a wait status."""
    code = exit_code(status)
    if ending == "Expired":
        detail = "its lifetime was over"
        return {
            "event": "Expired",
            "status": "failed",
            "exit_code": code,
            "reason": "Expired",
            "detail": detail,
        }
    if code == 0:
        return {
            "event": "Completed",
            "status": "succeeded",
            "exit_code": 0,
            "reason": "Completed",
            "detail": None,
        }
    return {
        "event": "Failed",
        "status": "failed",
        "exit_code": code,
        "reason": "Error",
        "detail": describe(code),
    }


def describe(code: int) -> str:
    """A sentence for an exit code; those above 128 are signals by the shell's convention."""
    name = name_of(code - 128)
    return f"ended by signal {code - 128} ({name})" if name else f"exited with {code}"
