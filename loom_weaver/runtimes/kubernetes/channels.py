"""The channels of an exec or attach socket: `v5.channel.k8s.io`, and `v4` without its half-close. No I/O.

Each binary message is one byte, the channel, and then data; the API server begins with an empty one.
https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
"""

from __future__ import annotations

import json
from typing import NamedTuple

import msgspec

from loom_weaver.runtimes.kubernetes.errors import Status

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
V5 = "v5.channel.k8s.io"
# A frame at a time is read and written on the way; a larger one would be held whole.
LARGEST_INPUT = 64 * 1024


class Outcome(NamedTuple):
    """How a command ended. `exit_code` is None where it could not be started, or nobody knows."""

    exit_code: int | None
    message: str


def stdin(data: bytes) -> list[bytes]:
    """The messages that type `data`."""
    parts = (data[begin : begin + LARGEST_INPUT] for begin in range(0, len(data), LARGEST_INPUT))
    return [bytes([STDIN]) + part for part in parts]


def end_of_stdin() -> bytes:
    return bytes([CLOSE, STDIN])


def resize(cols: int, rows: int) -> bytes:
    return bytes([RESIZE]) + json.dumps({"Width": cols, "Height": rows}).encode()


def split(message: bytes) -> tuple[int, memoryview]:
    """(channel, data); a message of nothing is an empty one on the channel that nobody reads."""
    view = memoryview(message)
    return (message[0], view[1:]) if message else (STDIN, view)


def outcome(data: bytes | memoryview) -> Outcome:
    """What channel 3 tells at the end."""
    try:
        status = msgspec.json.decode(data, type=_Ending)
    except msgspec.DecodeError:
        return Outcome(None, bytes(data).decode(errors="replace"))
    if status.status == "Success":
        return Outcome(0, "")
    causes = status.details.causes if status.details else []
    codes = [cause.message for cause in causes if cause.reason == "ExitCode"]
    known = status.reason == "NonZeroExitCode" and codes and codes[0].isdecimal()
    return Outcome(int(codes[0]) if known else None, status.message)


class _Ending(Status, gc=False):
    status: str = ""
