"""The text of a log as the kubelet gives it, with timestamps, cut into lines. Pure.

A line is `2026-03-03T12:00:00.123456789Z text`. The container runtime stores a long line in units, and older
kubelets repeat the timestamp in front of each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from loom_weaver.log_lines import LONGEST, character_start

# What containerd and CRI-O store of a line at once.
UNIT = 16 * 1024
STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})(Z|[+-]\d\d:\d\d) ")
LONGEST_STAMP = 36
NANOSECONDS = 10**9


class Piece(NamedTuple):
    """A line, or as much of it as an event may hold: its bytes `begin`…`end`.

    `ns` is when the line was written, in nanoseconds since 1970; `number` tells lines of one moment apart.
    """

    ns: int
    number: int
    begin: int
    end: int
    complete: bool
    text: str


class LogSplitter:
    """Cuts bytes into lines. It holds back at most one unfinished piece."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        # A line that cannot be in units, nor too long.
        self._short = min(UNIT, longest)
        self._raw = bytearray()
        # Of the unfinished line: when it was written, its number, its bytes from `_begin` on.
        self._stamp: tuple[int, int] | None = None
        self._content = bytearray()
        self._begin = 0
        self._last = (0, 0)

    def __repr__(self) -> str:
        return f"<LogSplitter last={self._last} held={len(self._raw) + len(self._content)}>"

    def feed(self, data: bytes) -> list[Piece]:
        """The lines that are complete with `data`, and pieces of one that is too long."""
        pieces: list[Piece] = []
        lines = (bytes(self._raw) + data if self._raw else data).split(b"\n")
        rest = lines.pop()
        for line in lines:
            if self._stamp is None and len(line) <= self._short and line[29:31] == b"Z ":
                ns, number = self._count(_nanoseconds(line[:19], line[20:29], b"Z"))
                text = line[31:].decode("utf-8", "replace")
                pieces.append(Piece(ns, number, 0, len(line) - 31, True, text))
            else:
                self._take(line)
                pieces += self._cut()
                pieces.append(self._finish())
        self._raw = bytearray(rest)
        if len(rest) > 2 * UNIT:
            self._take_units()
            pieces += self._cut()
        return pieces

    def flush(self) -> list[Piece]:
        """What is held of a line that has no LF: nothing follows it."""
        if not self._raw and self._stamp is None:
            return []
        self._take(bytes(self._raw))
        self._raw.clear()
        return [*self._cut(), self._finish()]

    def _take(self, line: bytes) -> None:
        """The rest of a line."""
        at = self._begin_line(line)
        while len(line) - at > UNIT:
            self._content += line[at : at + UNIT]
            at = _behind_stamp(line, at + UNIT)
        self._content += line[at:]

    def _take_units(self) -> None:
        """As many units of an unfinished line as are surely whole, and what follows them seen."""
        at = self._begin_line(self._raw)
        while len(self._raw) - at > UNIT + LONGEST_STAMP:
            self._content += self._raw[at : at + UNIT]
            at = _behind_stamp(self._raw, at + UNIT)
        del self._raw[:at]

    def _begin_line(self, raw: bytes | bytearray) -> int:
        """Read the timestamp where a line begins; returns where its text goes on."""
        if self._stamp is not None:
            return 0
        match = STAMP.match(raw)
        self._stamp = self._count(_nanoseconds(*match.groups()) if match else self._last[0])
        return match.end() if match else 0

    def _cut(self) -> Iterator[Piece]:
        """Pieces of a line that is too long."""
        assert self._stamp is not None
        while len(self._content) > self._longest:
            end = character_start(self._content, self._longest)
            text = self._content[:end].decode("utf-8", "replace")
            yield Piece(*self._stamp, self._begin, self._begin + end, False, text)
            del self._content[:end]
            self._begin += end

    def _finish(self) -> Piece:
        assert self._stamp is not None
        end = self._begin + len(self._content)
        text = self._content.decode("utf-8", "replace")
        piece = Piece(*self._stamp, self._begin, end, True, text)
        self._content.clear()
        self._stamp, self._begin = None, 0
        return piece

    def _count(self, ns: int) -> tuple[int, int]:
        number = self._last[1] + 1 if ns == self._last[0] else 0
        self._last = (ns, number)
        return self._last


def _behind_stamp(line: bytes | bytearray, at: int) -> int:
    match = STAMP.match(line, at)
    return match.end() if match else at


def _nanoseconds(moment: bytes, fraction: bytes, zone: bytes) -> int:
    return _second(moment, zone) * NANOSECONDS + int(fraction)


# The lines of one read mostly have one time.
@lru_cache(maxsize=64)
def _second(moment: bytes, zone: bytes) -> int:
    text = moment.decode() + zone.decode().replace("Z", "+00:00")
    return int(datetime.fromisoformat(text).timestamp())


def first_moment(text: bytes) -> int | None:
    """When the first line of a log was written, in nanoseconds; None where there is none yet."""
    match = STAMP.match(text)
    return _nanoseconds(*match.groups()) if match else None


def moment(ns: int) -> datetime:
    """To the microsecond, which is as far as Python's clock goes."""
    second, rest = divmod(ns, NANOSECONDS)
    return datetime.fromtimestamp(second, UTC).replace(microsecond=rest // 1000)
