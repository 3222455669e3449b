"""The small shell script that commands in pods run under, and its words among their output. Pure.

Closing an exec connection ends nothing, and its end comes only when the last process that holds the streams
is gone. So the script says first which process to end when the caller leaves, and last how the command ended;
then it takes what input still comes, until the connection closes, and ends what the command left behind.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

SCRIPT = """
token=$1
[ -z "$2" ] || stty cols "$2" rows "$3" 2>/dev/null
shift 3
case $1 in
*/*) [ -e "$1" ] || { echo missing; exit; }
  [ -f "$1" ] && [ -x "$1" ] || { echo refused; exit; } ;;
*) command -v -- "$1" >/dev/null || { echo missing; exit; } ;;
esac
echo "$$"
trap : INT QUIT
exec 3>&2 2>/dev/null
(trap - INT QUIT; exec "$@" 2>&3 3>&-)
code=$?
exec 2>&3
if [ -t 0 ]; then printf '\\036%s:%s;' "$token" "$code"; exit "$code"; fi
printf '\\036%s:%s;' "$token" "$code" >&2
printf '\\036%s:%s;' "$token" "$code"
cat >/dev/null 2>&1
kill -9 "-$$"
"""
NAME = "loom-weaver-exec"
KILL = 'kill -9 "-$1"'
PROBLEMS = {"missing": "No such file or directory", "refused": "Permission denied"}
LONGEST_WORD = 4
END = b";"


class Wrapped(NamedTuple):
    command: tuple[str, ...]
    token: bytes
    """What comes before the exit code, in each stream of output."""


def wrap(command: Sequence[str], size: tuple[int, int] | None) -> Wrapped:
    """`size` is that of its terminal, if it gets one."""
    secret = secrets.token_hex(16)
    cols, rows = map(str, size) if size else ("", "")
    # What the command can read of its own script, in /proc, is not the token as it is written.
    return Wrapped(("sh", "-c", SCRIPT, NAME, secret, cols, rows, *command), f"\x1e{secret}:".encode())


def kill(pid: str) -> tuple[str, ...]:
    """Ends the command with its process group, which the container runtime made for it."""
    return ("sh", "-c", KILL, NAME, pid)


class ExitFinder:
    """Takes the script's last word out of a stream."""

    def __init__(self, token: bytes) -> None:
        self._token = token
        self._held = b""
        self.exit_code: int | None = None

    def feed(self, data: bytes) -> bytes:
        """What the command said."""
        data = self._held + data
        at = data.find(self._token)
        if at >= 0:
            word, end, _ = data[at + len(self._token) :].partition(END)
            self._held = data[at:]
            if end:
                self.exit_code = int(word)
                self._held = b""
            return data[:at]
        keep = self._begun(data)
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep]

    def flush(self) -> bytes:
        """What looked like the beginning of the word and was not."""
        held, self._held = self._held, b""
        return held

    def _begun(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of the token."""
        at = data.rfind(self._token[:1], max(0, len(data) - len(self._token)))
        return len(data) - at if at >= 0 and self._token.startswith(data[at:]) else 0
