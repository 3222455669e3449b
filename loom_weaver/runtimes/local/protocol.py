"""What server and holder say to each other over a weaver's unix socket.

The first line of a connection is a JSON object: `{"op": "control" | "attach" | "exec", "secret": …}`; then
the connection is what `op` asked for:

- control: the record as a line of JSON, then lines both ways: requests `{"n", "op", …}`, answers
  `{"n", "ok" | "error", …}`, and unasked `{"event": "state" | "log" | "slow", …}`;
- attach: to the viewer an `ANSWER`, then frames of `HEADER` + payload; from it the bytes that were typed;
- exec: a line that carries the command's descriptors (SCM_RIGHTS), a last line its exit code; closing the
  connection ends the command.

Standard library only: the holder must stay small.
"""

from __future__ import annotations

import struct

from loom_weaver.runtimes.local.light_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Kind and length of the payload that follows.
HEADER = struct.Struct("!BI")
# Terminal bytes; bytes that are not there any more (a COUNT); after the last byte.
OUTPUT, GAP, END = 0, 1, 2
COUNT = struct.Struct("!Q")
# Epoch, offset of what follows, offset where replay ends, bytes missing before it (-1: nobody knows); columns
# and rows of the terminal.
ANSWER = struct.Struct("!8sQQqHH")

SOCKET = "socket"
RECORD = "record.json"
LOG = "log"
# No line of the control protocol is longer: a create carries at most what came in 2 MiB of JSON.
LONGEST_LINE = 8 * 1024 * 1024


def encode(message: dict[str, object]) -> bytes:
    return dumps(message).encode() + b"\n"


class Lines:
    """Collects bytes and gives whole JSON lines."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Raise ValueError for a line that is too long or no JSON."""
        self._rest += data
        while (end := self._rest.find(b"\n")) >= 0:
            line, self._rest = self._rest[:end], self._rest[end + 1 :]
            yield loads(line)
        if len(self._rest) > LONGEST_LINE:
            raise ValueError("line too long")
