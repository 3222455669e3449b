"""Reading a weaver's log from disk, also while it is written."""

from __future__ import annotations

import os
from bisect import bisect_right

from loom_weaver.runtimes.local.log_writer import TIME, segment_name, segments


class Segment:
    """One open segment and its index of times. It stays readable when the writer removes it."""

    __slots__ = ("_data", "_index", "start")

    def __init__(self, folder: str, start: int) -> None:
        path = f"{folder}/{segment_name(start)}"
        self.start = start
        self._data = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._index = os.open(path + ".times", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            os.close(self._data)
            raise

    def close(self) -> None:
        os.close(self._data)
        os.close(self._index)

    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self._data, size, offset - self.start)

    def stamps(self, offset: int, end: int) -> list[tuple[int, int]]:
        """The (offset, ms) pairs that tell when the bytes from `offset` to `end` arrived."""
        first = max(0, self._position(offset, 0) - 1)
        last = self._position(end, 0)
        data = os.pread(self._index, (last - first) * TIME.size, first * TIME.size)
        return list(TIME.iter_unpack(data))

    def offset_since(self, ms: int) -> int | None:
        """The first offset that is known to have arrived at `ms` or later."""
        position = self._position(ms - 1, 1)
        return self._pair(position)[0] if position < self._count() else None

    def _count(self) -> int:
        return os.fstat(self._index).st_size // TIME.size

    def _pair(self, position: int) -> tuple[int, int]:
        offset, ms = TIME.unpack(os.pread(self._index, TIME.size, position * TIME.size))
        return offset, ms

    def _position(self, value: int, column: int) -> int:
        return bisect_right(range(self._count()), value, key=lambda position: self._pair(position)[column])


class LogReader:
    """Random access to what is kept. Blocking: a server calls it from a thread."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._segment: Segment | None = None

    def close(self) -> None:
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def bounds(self) -> tuple[int, int]:
        """The offsets of the oldest byte kept and of the end."""
        starts = self._starts()
        if not starts:
            return 0, 0
        return starts[0], starts[-1] + os.stat(f"{self._folder}/{segment_name(starts[-1])}").st_size

    def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes; empty at the end, and where the log has a gap."""
        if self._segment is not None and self._segment.start <= offset:
            data = self._segment.read(offset, size)
            if data:
                return data
        segment = self._at(offset)
        return segment.read(offset, size) if segment else b""

    def stamps(self, offset: int, end: int) -> list[tuple[int, int]]:
        """(offset, ms) pairs for a range that `read` just gave."""
        segment = self._at(offset)
        return segment.stamps(offset, end) if segment else []

    def next_kept(self, offset: int) -> int | None:
        """The first offset after `offset` that begins a segment; None where there is none."""
        return next((start for start in self._starts() if start > offset), None)

    def offset_since(self, ms: int) -> int:
        """The offset of the first byte that arrived at `ms` or later; the end where none did."""
        for start in self._starts():
            segment = self._at(start)
            offset = segment.offset_since(ms) if segment else None
            if offset is not None:
                return offset
        return self.bounds()[1]

    def _starts(self) -> list[int]:
        try:
            return segments(self._folder)
        except FileNotFoundError:
            return []

    def _at(self, offset: int) -> Segment | None:
        """The segment that holds `offset`, opened; None where the writer removed it."""
        starts = self._starts()
        position = bisect_right(starts, offset)
        if not position:
            return None
        if self._segment is None or self._segment.start != starts[position - 1]:
            self.close()
            try:
                self._segment = Segment(self._folder, starts[position - 1])
            except FileNotFoundError:
                return None
        return self._segment
