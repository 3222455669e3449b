"""Reads a weaver's log as lines, wherever its bytes are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from loom_weaver import log_lines
from loom_weaver.log_lines import BLOCK, Line, LineSplitter, Position
from loom_weaver.runtimes.base import LogEnd, LogEntry, LogGap, LogItem, LogStart


class LogSource(Protocol):
    """A weaver's output by absolute offsets, as far as it is kept."""

    def bounds(self) -> tuple[int, int]:
        """The offsets of the oldest byte that is kept and of the end."""

    def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes; none at the end, and where they are not kept."""

    def stamps(self, offset: int, end: int) -> Sequence[tuple[int, int]]:
        """(offset, milliseconds since 1970), ascending, that tell when the bytes `offset`…`end` arrived."""

    def offset_since(self, ms: int) -> int:
        """Where the first kept byte is that arrived at `ms` or later; the end where none did."""

    def next_kept(self, offset: int) -> int | None:
        """The first offset after `offset` where bytes are kept again; None where there is none."""


class LogCursor:
    """One reader's place in a log. `ended` says that nothing more will be written.

    Without `follow` it goes no further than what is there at its beginning.
    """

    def __init__(self, source: LogSource, start: LogStart, *, ended: bool, follow: bool = True) -> None:
        self._source = source
        self._until = None if follow else source.bounds()[1]
        self._items: list[LogItem] = []
        self._splitter = LineSplitter(self._begin(start, ended))

    def __repr__(self) -> str:
        return f"<LogCursor {self._splitter!r}>"

    @property
    def offset(self) -> int:
        return self._splitter.offset

    def end(self) -> LogEnd:
        return LogEnd(log_lines.end_id(self._source.bounds()[1]))

    def read(self, *, ended: bool) -> tuple[list[LogItem], bool]:
        """The next items, a bounded batch and perhaps none, and whether more may be had at once."""
        source, offset = self._source, self.offset
        size = BLOCK if self._until is None else min(BLOCK, self._until - offset)
        data = source.read(offset, size) if size > 0 else b""
        more = True
        if data:
            self._add(self._splitter.feed(data, source.stamps(offset, offset + len(data))))
        elif (kept := self._kept_after(offset)) is not None:
            self._go_on_at(kept)
        else:
            more = False
            if ended or self._until is not None:
                self._add(self._splitter.flush())
        items, self._items = self._items, []
        return items, more

    def _begin(self, start: LogStart, ended: bool) -> Position:
        read = self._source.read
        first, end = self._source.bounds()
        if start.after is not None:
            position = log_lines.parse_id(start.after, read, first, end, ended=ended)
            if position is not None:
                return position
        offset = 0
        if start.since is not None:
            offset = self._source.offset_since(round(start.since.timestamp() * 1000))
        if start.tail is not None:
            begin = max(first, offset)
            offset = log_lines.tail_start(read, self._source.next_kept, begin, end, start.tail, ended=ended)
        if offset == 0 or read(offset - 1, 1):
            return log_lines.from_line(read, offset)
        return self._behind_gap(start, offset, end)

    def _behind_gap(self, start: LogStart, offset: int, end: int) -> Position:
        """What was asked for reaches to where bytes are gone; only the whole log's beginning has a number."""
        position = log_lines.after_gap(self._source.read, 0, offset, end)
        known = start.since is None and offset == self._source.bounds()[0]
        self._items.append(LogGap(position.id, position.offset if known else None))
        return position

    def _kept_after(self, offset: int) -> int | None:
        end = self._source.bounds()[1] if self._until is None else self._until
        return self._source.next_kept(offset) if offset < end else None

    def _go_on_at(self, kept: int) -> None:
        splitter, source = self._splitter, self._source
        self._add(splitter.flush())
        position = log_lines.after_gap(source.read, splitter.line, kept, source.bounds()[1])
        self._items.append(LogGap(position.id, position.offset - splitter.offset))
        self._splitter = LineSplitter(position)

    def _add(self, lines: Iterable[Line]) -> None:
        self._items += [LogEntry(line.id, _moment(line.at), line.text) for line in lines]


# The lines of one read mostly have one time.
@lru_cache(maxsize=64)
def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
