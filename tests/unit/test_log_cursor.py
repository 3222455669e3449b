"""A reader of a log whose bytes come, go and were never there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom_weaver.log_lines import BLOCK
from loom_weaver.runtimes.base import LogEntry, LogGap, LogItem, LogStart
from loom_weaver.runtimes.log_cursor import LogCursor

EVERYTHING = LogStart()


class KeptLog:
    """A log in pieces (offset, bytes); the byte at offset n arrived at n seconds."""

    def __init__(self, *pieces: tuple[int, bytes]) -> None:
        self.pieces = dict(pieces)

    def append(self, data: bytes) -> None:
        self.pieces[self.bounds()[1]] = data

    def bounds(self) -> tuple[int, int]:
        last = max(self.pieces)
        return min(self.pieces), last + len(self.pieces[last])

    def read(self, offset: int, size: int) -> bytes:
        for start, data in self.pieces.items():
            if start <= offset < start + len(data):
                return data[offset - start : offset - start + size]
        return b""

    def stamps(self, offset: int, end: int) -> list[tuple[int, int]]:
        return [(at, at * 1000) for at in range(offset, end)]

    def offset_since(self, ms: int) -> int:
        kept = [start + index for start, data in self.pieces.items() for index in range(len(data))]
        return min((at for at in kept if at * 1000 >= ms), default=self.bounds()[1])

    def next_kept(self, offset: int) -> int | None:
        return min((start for start in self.pieces if start > offset), default=None)


def seconds(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def everything(cursor: LogCursor, *, ended: bool = False) -> list[LogItem]:
    items, more = cursor.read(ended=ended)
    while more:
        next_items, more = cursor.read(ended=ended)
        items += next_items
    return items


def shown(items: list[LogItem]) -> list[str]:
    return [item.text if isinstance(item, LogEntry) else f"gap {item.missing} to {item.id}" for item in items]


def read(
    log: KeptLog, start: LogStart = EVERYTHING, *, ended: bool = False, follow: bool = True
) -> list[str]:
    return shown(everything(LogCursor(log, start, ended=ended, follow=follow), ended=ended))


NUMBERS = KeptLog((0, b"0\n2\n4\n6\n8\n>>"))


def test_an_entry_knows_its_id_and_its_time() -> None:
    cursor = LogCursor(KeptLog((0, b"a\nbc\n")), LogStart(), ended=False)
    assert everything(cursor) == [LogEntry("2", seconds(0), "a"), LogEntry("5", seconds(2), "bc")]


def test_an_unfinished_line_waits_for_its_end() -> None:
    log = KeptLog((0, b"a\n>>"))
    cursor = LogCursor(log, LogStart(), ended=False)
    assert shown(everything(cursor)) == ["a"]
    log.append(b"> x\n")
    assert shown(everything(cursor)) == [">>> x"]
    log.append(b"bye")
    assert shown(everything(cursor, ended=True)) == ["bye"]
    assert cursor.end().id == "11-end"


@pytest.mark.parametrize(
    ("start", "ended", "lines"),
    [
        (LogStart(), False, ["0", "2", "4", "6", "8"]),
        (LogStart(), True, ["0", "2", "4", "6", "8", ">>"]),
        (LogStart(tail=2), False, ["6", "8"]),
        (LogStart(tail=2), True, ["8", ">>"]),
        (LogStart(tail=0), False, []),
        (LogStart(tail=99), False, ["0", "2", "4", "6", "8"]),
        (LogStart(since=seconds(4)), False, ["4", "6", "8"]),
        # The byte of second 3 belongs to a line that began before.
        (LogStart(since=seconds(3)), False, ["4", "6", "8"]),
        (LogStart(since=seconds(-5)), False, ["0", "2", "4", "6", "8"]),
        (LogStart(since=seconds(99)), False, []),
        (LogStart(since=seconds(3), tail=2), False, ["6", "8"]),
        (LogStart(since=seconds(3), tail=9), False, ["4", "6", "8"]),
        (LogStart(after="4", tail=1, since=seconds(99)), False, ["4", "6", "8"]),
        (LogStart(after="12", tail=1), False, ["8"]),
        (LogStart(after="12-end", tail=1), True, []),
        (LogStart(after="never given"), False, ["0", "2", "4", "6", "8"]),
    ],
)
def test_where_reading_begins(start: LogStart, ended: bool, lines: list[str]) -> None:
    assert read(NUMBERS, start, ended=ended) == lines


def test_without_following_it_ends_where_the_log_ended_at_first() -> None:
    log = KeptLog((0, b"a\n>>"))
    cursor = LogCursor(log, LogStart(), ended=False, follow=False)
    log.append(b"> x\n")
    assert shown(everything(cursor)) == ["a", ">>"]


GONE = KeptLog((5, b"f\ng\nh\n"))


@pytest.mark.parametrize(
    ("start", "lines"),
    [
        (LogStart(), ["gap 7 to 7", "g", "h"]),
        (LogStart(tail=2), ["g", "h"]),
        (LogStart(tail=3), ["gap 7 to 7", "g", "h"]),
        (LogStart(since=seconds(9)), ["h"]),
        (LogStart(since=seconds(1)), ["gap None to 7", "g", "h"]),
        (LogStart(after="3"), ["gap 4 to 7", "g", "h"]),
        (LogStart(after="5"), ["f", "g", "h"]),
        (LogStart(after="9"), ["h"]),
    ],
)
def test_what_is_gone_is_told(start: LogStart, lines: list[str]) -> None:
    assert read(GONE, start) == lines


def test_a_hole_cuts_a_line_off_and_is_told() -> None:
    log = KeptLog((0, b"a\nbc"), (10, b"cut\nd\n"))
    items = everything(LogCursor(log, LogStart(), ended=False))
    assert shown(items) == ["a", "bc", "gap 10 to 14", "d"]
    for number, item in enumerate(items):
        resumed = LogCursor(log, LogStart(after=item.id), ended=False)
        assert everything(resumed) == items[number + 1 :]


@pytest.mark.parametrize(
    ("tail", "lines"),
    [
        (0, []),
        (1, ["f"]),
        (2, ["e", "gap 18 to 36", "f"]),
        (3, ["d", "e", "gap 18 to 36", "f"]),
        (4, ["bc", "gap 9 to 14", "d", "e", "gap 18 to 36", "f"]),
        (5, ["a", "bc", "gap 9 to 14", "d", "e", "gap 18 to 36", "f"]),
        (99, ["a", "bc", "gap 9 to 14", "d", "e", "gap 18 to 36", "f"]),
    ],
)
def test_a_tail_counts_over_holes_and_tells_of_them(tail: int, lines: list[str]) -> None:
    """Also over pieces that follow each other without a hole."""
    log = KeptLog(
        (0, b"a\n"), (2, b"bc\n"), (10, b"cut\nd\n"), (16, b"e"), (17, b"\n"), (27, b"x" * 8 + b"\nf\n")
    )
    assert read(log, LogStart(tail=tail)) == lines
    assert read(log, LogStart(tail=tail), ended=True) == lines


def _told(item: LogItem) -> str | int | None:
    return item.text if isinstance(item, LogEntry) else item.missing


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.text("a\n", min_size=1, max_size=6)), min_size=1, max_size=6),
    st.integers(0, 12),
)
def test_a_tail_is_the_end_of_the_whole(pieces: list[tuple[int, str]], tail: int) -> None:
    """Whatever holes there are; an integer is how long the one before a piece is."""
    offset, kept = 0, []
    for hole, text in pieces:
        kept.append((offset + hole, text.encode()))
        offset += hole + len(text)
    log = KeptLog(*kept)
    whole = everything(LogCursor(log, EVERYTHING, ended=True), ended=True)
    lines = [index for index, item in enumerate(whole) if isinstance(item, LogEntry)]
    first = 0 if tail > len(lines) else [*lines, len(whole)][len(lines) - tail]
    items = everything(LogCursor(log, LogStart(tail=tail), ended=True), ended=True)
    if tail <= len(lines) and items and isinstance(items[0], LogGap):
        # Where it begins right behind a hole it may say so, or not.
        del items[0]
    wanted = whole[first:] if tail else []
    assert [_told(item) for item in items] == [_told(item) for item in wanted]


def test_a_tail_counts_what_a_hole_cut_off_as_a_line() -> None:
    log = KeptLog((0, b"a\nbc"), (10, b"cut\nd\n>>"))
    assert read(log, LogStart(tail=0), ended=True) == []
    assert read(log, LogStart(tail=1), ended=True) == [">>"]
    assert read(log, LogStart(tail=3), ended=True) == ["bc", "gap 10 to 14", "d", ">>"]
    assert read(log, LogStart(tail=2)) == ["bc", "gap 10 to 14", "d"]
    nothing_whole = KeptLog((0, b"a\nbc"), (10, b">>"))
    assert read(nothing_whole, LogStart(tail=2)) == ["a", "bc", "gap 6 to 2-10"]
    assert read(nothing_whole, LogStart(tail=2), ended=True) == ["bc", "gap 6 to 2-10", ">>"]


def test_a_tail_reaches_no_further_back_than_what_is_kept() -> None:
    log = KeptLog((10, b"cut\nd\n"), (30, b"cut\ne\n"))
    assert read(log, LogStart(tail=2)) == ["d", "gap 18 to 34", "e"]
    assert read(log, LogStart(tail=3)) == ["gap 14 to 14", "d", "gap 18 to 34", "e"]
    assert read(log, LogStart(since=seconds(14), tail=3)) == ["d", "gap 18 to 34", "e"]


def test_a_reader_that_fell_behind_is_told() -> None:
    log = KeptLog((0, b"a\nb\n"))
    cursor = LogCursor(log, LogStart(), ended=False)
    assert shown(everything(cursor)) == ["a", "b"]
    log.pieces = {20: b"c\nd\n"}
    assert everything(cursor) == [LogGap("22", 18), LogEntry("24", seconds(22), "d")]


def test_a_batch_is_bounded() -> None:
    log = KeptLog((0, b"x\n" * BLOCK))
    items, more = LogCursor(log, LogStart(), ended=False).read(ended=False)
    assert len(items) == BLOCK // 2
    assert more
