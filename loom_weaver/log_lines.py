"""From bytes with absolute offsets to log lines, and back from an id to an offset.

Pure, standard library only. Where the bytes live is the caller's affair: functions take `read(offset, size)`,
which gives at most `size` bytes, and none where there are none (the end, or a hole in what is kept).

An id says where reading goes on after its line: `1234`, right after the line's LF; `1000-1234`, inside the
line that begins at 1000 (after a piece of a very long line, or of one that was cut off); `1234-end`, nothing
follows.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

# One event carries no more of a line than this (the contract's 1 MiB); it bounds what a splitter holds.
LONGEST = 1024 * 1024
# How much of a log is looked at in one go.
BLOCK = 64 * 1024

Read = Callable[[int, int], bytes]
# The first offset after another where bytes are kept again; None where there is none.
NextKept = Callable[[int], int | None]
# (offset, milliseconds since 1970), ascending: the bytes from there up to the next pair arrived then.
Stamps = Sequence[tuple[int, int]]

_LF, _CR = b"\n", 0x0D
_ID = re.compile(r"(0|[1-9][0-9]{0,18})(?:-(?:([1-9][0-9]{0,18})|(end)))?", re.ASCII)


class Line(NamedTuple):
    """`at` is in milliseconds since 1970, when its first byte arrived; None for a later piece."""

    id: str
    at: int | None
    text: str


class Position(NamedTuple):
    """Where a reader stands: at `offset`, in the line that begins at `line`; `skip` leaves its rest out."""

    offset: int
    line: int
    skip: bool = False

    @property
    def id(self) -> str:
        return str(self.offset) if self.offset == self.line else f"{self.line}-{self.offset}"


def at_line(offset: int) -> Position:
    return Position(offset, offset)


def end_id(end: int) -> str:
    return f"{end}-end"


class LineSplitter:
    """Cuts bytes into lines from a position on. It holds back at most one unfinished piece.

    `longest` is in bytes, at least the four of a character.
    """

    __slots__ = ("_at", "_begin", "_line", "_longest", "_rest", "_searched", "_skip", "_timed")

    def __init__(self, position: Position, longest: int = LONGEST) -> None:
        self._longest = longest
        self._begin, self._line, self._skip = position
        self._rest = bytearray()
        self._searched = 0
        self._at: int | None = None
        self._timed = position.offset > position.line

    def __repr__(self) -> str:
        return f"<LineSplitter line={self._line} begin={self._begin} held={len(self._rest)}>"

    @property
    def offset(self) -> int:
        """The offset of the byte to feed next."""
        return self._begin + len(self._rest)

    @property
    def line(self) -> int:
        """Where the unfinished line begins."""
        return self._line

    def feed(self, data: bytes, stamps: Stamps) -> list[Line]:
        """The lines that are complete with `data`, the bytes at `offset`."""
        rest = self._rest
        rest += self._without_skipped(data) if self._skip else data
        lines: list[Line] = []
        begin = 0
        while (newline := rest.find(_LF, max(begin, self._searched))) >= 0:
            stop = newline - 1 if newline > begin and rest[newline - 1] == _CR else newline
            begin = self._cut(lines, begin, stop, stamps)
            text = rest[begin:stop].decode("utf-8", "replace")
            lines.append(Line(str(self._begin + newline + 1), self._time(begin, stamps), text))
            begin = newline + 1
            self._line = self._begin + begin
            self._timed = False
        if begin < len(rest):
            # A CR at the end may be that of a CRLF: it makes no line too long.
            begin = self._cut(lines, begin, len(rest) - (rest[-1] == _CR), stamps)
            self._time(begin, stamps)
        del rest[:begin]
        self._begin += begin
        self._searched = len(rest)
        return lines

    def flush(self) -> list[Line]:
        """What is held of the unfinished line: nothing follows it, or not what comes next."""
        if not self._rest:
            return []
        lines: list[Line] = []
        # The CR at the end was not that of a CRLF, and may be one byte too many.
        begin = self._cut(lines, 0, len(self._rest), ())
        end = self._begin + len(self._rest)
        text = self._rest[begin:].decode("utf-8", "replace")
        lines.append(Line(Position(end, self._line).id, self._at, text))
        self._begin, self._at = end, None
        self._rest.clear()
        self._searched = 0
        return lines

    def _without_skipped(self, data: bytes) -> bytes:
        newline = data.find(_LF) + 1
        skipped = newline or len(data)
        self._begin += skipped
        if newline:
            self._skip, self._timed = False, False
            self._line = self._begin
        return data[skipped:]

    def _cut(self, lines: list[Line], begin: int, stop: int, stamps: Stamps) -> int:
        """Take pieces of a line that is too long; returns where the rest begins."""
        while stop - begin > self._longest:
            end = character_start(self._rest, begin + self._longest)
            text = self._rest[begin:end].decode("utf-8", "replace")
            lines.append(Line(f"{self._line}-{self._begin + end}", self._time(begin, stamps), text))
            self._at = None
            begin = end
        return begin

    def _time(self, index: int, stamps: Stamps) -> int | None:
        if not self._timed:
            self._timed = True
            found = bisect_right(stamps, self._begin + index, key=_offset_of)
            self._at = stamps[found - 1][1] if found else None
        return self._at


def tail_start(read: Read, next_kept: NextKept, start: int, end: int, count: int, *, ended: bool) -> int:
    """Where the last `count` complete lines of `start`…`end` begin; there may be fewer.

    An unfinished last line comes in addition, unless the log has ended: then it counts as a line. So does
    what a hole left of a line's beginning; of its end nothing is shown.
    """
    begin, missing = _tail_of_piece(read, start, end, count, ended=ended)
    while missing and begin > start:
        kept_end = _kept_end(read, next_kept, start, begin)
        if kept_end <= start:
            break
        begin, missing = _tail_of_piece(read, start, kept_end, missing, ended=True)
    return begin


def _tail_of_piece(read: Read, start: int, end: int, count: int, *, ended: bool) -> tuple[int, int]:
    """Back to the next hole at most; with how many lines are missing then."""
    counts_unfinished = ended and end > start and read(end - 1, 1) != _LF
    if counts_unfinished and not count:
        return end, 0
    missing = count if counts_unfinished else count + 1
    whole = False
    size = BLOCK
    while end > start:
        begin = max(start, end - size)
        block = _whole(read, begin, end - begin)
        if len(block) < end - begin:
            if size == 1:
                # The first LF behind a hole ends a line that is not shown.
                return end, missing if whole else missing - 1
            size //= 2
            continue
        found = block.count(_LF)
        if found >= missing:
            return begin + _nth_last(block, missing) + 1, 0
        whole = whole or found > 0
        missing -= found
        end, size = begin, BLOCK
    return start, missing


def _kept_end(read: Read, next_kept: NextKept, start: int, hole_end: int) -> int:
    """Where the hole before `hole_end` begins; `start` where nothing is kept before it."""
    last = start
    while (kept := next_kept(last)) is not None and kept < hole_end:
        last = kept
    return last + bisect_left(range(last, hole_end), True, key=lambda offset: not read(offset, 1))


def parse_id(text: str, read: Read, start: int, end: int, *, ended: bool) -> Position | None:
    """Where to go on after an id of this log; None for one that it never gave, as far as one can tell."""
    match = _ID.fullmatch(text)
    if match is None:
        return None
    first = int(match[1])
    if match[3]:
        return at_line(first) if ended and first == end else None
    if match[2]:
        second = int(match[2])
        given = first < second <= end and _begins_line(read, start, first)
        inside = second <= start or read(second - 1, 1) != _LF
        return Position(second, first) if given and inside else None
    return at_line(first) if 0 < first <= end and _begins_line(read, start, first) else None


def after_gap(read: Read, line: int, offset: int, end: int) -> Position:
    """Where to go on behind a gap: at the first line that begins there, or inside a line that is very long.

    `line` is where the line began that the gap cut off.
    """
    searched = offset
    while searched < min(end, offset + LONGEST) and (block := read(searched, BLOCK)):
        newline = block.find(_LF)
        if newline >= 0:
            return at_line(searched + newline + 1)
        searched += len(block)
    head = read(offset, 4)
    inside = offset + next((index for index, byte in enumerate(head) if byte & 0xC0 != 0x80), 0)
    return Position(inside, line) if inside > line else at_line(inside)


def from_line(read: Read, offset: int) -> Position:
    """From the first line on that begins at `offset` or later."""
    inside = offset > 0 and read(offset - 1, 1) not in (_LF, b"")
    return Position(offset, offset - 1, skip=True) if inside else at_line(offset)


def _offset_of(stamp: tuple[int, int]) -> int:
    return stamp[0]


def character_start(data: bytearray, end: int) -> int:
    """The last place up to `end` where `data` can be cut without breaking a UTF-8 character."""
    for back in range(4):
        byte = data[end - back]
        if byte & 0xC0 != 0x80:
            length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return end - back if back < length else end
    return end


def _whole(read: Read, offset: int, size: int) -> bytes:
    """`size` bytes, fewer only where a hole or the end comes first."""
    data = read(offset, size)
    while 0 < len(data) < size and (more := read(offset + len(data), size - len(data))):
        data += more
    return data


def _nth_last(block: bytes, number: int) -> int:
    """The index of the `number`th LF from the end."""
    index = len(block)
    for _ in range(number):
        index = block.rfind(_LF, 0, index)
    return index


def _begins_line(read: Read, start: int, offset: int) -> bool:
    """Whether a line begins at `offset`, as far as what is kept can tell."""
    return offset <= start or read(offset - 1, 1) in (_LF, b"")
