"""The log of one weaver on disk: segments named by the offset of their first byte, with indexes of times.

`log/00000000000000000000` holds bytes, `log/00000000000000000000.times` pairs of an offset and the
milliseconds since 1970 when the byte there arrived. A segment that begins after the end of the one before
tells a gap. Standard library only.
"""

from __future__ import annotations

import errno
import os
import struct

TIME = struct.Struct("<QQ")
SEGMENTS_KEPT = 16


def segment_name(offset: int) -> str:
    return f"{offset:020d}"


def segments(folder: str | int) -> list[int]:
    """The first offsets of the segments in a folder, ascending."""
    return sorted(int(name) for name in os.listdir(folder) if name.isdecimal())


class LogWriter:
    """Appends; beyond `limit` bytes the oldest segment goes. A full disk makes a gap, not an error."""

    __slots__ = ("_index", "_segment", "_stamped", "end", "folder", "limit", "segment_start", "starts")

    def __init__(self, folder: str, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self.end = 0
        self.segment_start = 0
        self.starts: list[int] = []
        self._segment = self._index = -1
        self._stamped = 0
        os.mkdir(folder, 0o700)

    @property
    def begin(self) -> int:
        """The offset of the oldest byte that is kept."""
        return self.starts[0] if self.starts else self.end

    def append(self, data: bytes, now_ms: int) -> int:
        """Returns how many bytes of `data` are on disk; those after them are a gap."""
        kept = 0
        try:
            if self._segment < 0 or self.end - self.segment_start >= self.limit // SEGMENTS_KEPT:
                self._open_segment()
            if now_ms != self._stamped:
                self._stamp(now_ms)
            while kept < len(data):
                kept += os.write(self._segment, data[kept:] if kept else data)
        except OSError:
            # The next append begins a segment of its own, so that what follows a full disk is kept.
            self.close()
            self._drop_empty(kept)
        self.end += len(data)
        return kept

    def _stamp(self, now_ms: int) -> None:
        if os.write(self._index, TIME.pack(self.end, now_ms)) < TIME.size:
            raise OSError(errno.ENOSPC, "the index of times is cut")
        self._stamped = now_ms

    def descriptor(self, offset: int) -> tuple[int, int, int]:
        """A segment that holds `offset`: (descriptor to close, its first offset, its length); -1 for none."""
        start = max((start for start in self.starts if start <= offset), default=-1)
        if start < 0:
            return -1, 0, 0
        try:
            descriptor = os.open(f"{self.folder}/{segment_name(start)}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return -1, 0, 0
        length = os.fstat(descriptor).st_size
        if start + length <= offset:
            os.close(descriptor)
            return -1, 0, 0
        return descriptor, start, length

    def next_kept(self, offset: int) -> int:
        """The first kept offset after `offset` that begins a segment, or the end."""
        return min((start for start in self.starts if start > offset), default=self.end)

    def _open_segment(self) -> None:
        self.close()
        path = f"{self.folder}/{segment_name(self.end)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        index = os.open(path + ".times", flags, 0o600)
        try:
            self._segment = os.open(path, flags, 0o600)
        except OSError:
            os.close(index)
            raise
        self._index = index
        self.segment_start = self.end
        self._stamped = 0
        if self.end not in self.starts:
            self.starts.append(self.end)
        while len(self.starts) > SEGMENTS_KEPT:
            self._remove(self.starts.pop(0))

    def _drop_empty(self, kept: int) -> None:
        """A segment that got nothing must not count as one: it would drive out those that hold something."""
        if kept == 0 and self.starts and self.starts[-1] == self.end:
            self._remove(self.starts.pop())

    def _remove(self, start: int) -> None:
        for suffix in ("", ".times"):
            try:  # noqa: SIM105 - contextlib is more than a holder should carry
                os.unlink(f"{self.folder}/{segment_name(start)}{suffix}")
            except FileNotFoundError:
                pass

    def close(self) -> None:
        """An append after this begins a segment of its own."""
        for descriptor in (self._segment, self._index):
            if descriptor >= 0:
                os.close(descriptor)
        self._segment = self._index = -1
