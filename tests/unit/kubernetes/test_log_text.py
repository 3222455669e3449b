"""The kubelet's log text as lines, and where a reader stands in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from loom_weaver.runtimes.base import LogEntry, LogGap, LogItem
from loom_weaver.runtimes.kubernetes.log_place import LogReading, Place, parse_id
from loom_weaver.runtimes.kubernetes.log_text import UNIT, LogSplitter, Piece, moment

FIRST = datetime(2026, 3, 3, 12, tzinfo=UTC)
FIRST_NS = int(FIRST.timestamp()) * 10**9


def stamp(number: int) -> bytes:
    """The moment of line `number`, a microsecond after the one before."""
    at = FIRST + timedelta(microseconds=number)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f").encode() + b"000Z "


def log_of(*lines: bytes) -> bytes:
    return b"".join(stamp(number) + line + b"\n" for number, line in enumerate(lines))


def split(data: bytes, size: int, longest: int = 1024 * 1024) -> list[Piece]:
    splitter = LogSplitter(longest)
    pieces: list[Piece] = []
    for begin in range(0, len(data), size):
        pieces += splitter.feed(data[begin : begin + size])
    return pieces + splitter.flush()


def texts(items: Iterable[LogItem]) -> list[str]:
    return [item.text for item in items if isinstance(item, LogEntry)]


@pytest.mark.parametrize("size", [1, 7, 64 * 1024])
def test_lines_and_their_moments(size: int) -> None:
    lines = [b"a", b"", b"p 1\rp 2", "世".encode(), b"\xff", b"x\x0b\x85y", b" " + stamp(9)]
    pieces = split(log_of(*lines), size)
    assert [piece.text for piece in pieces] == [line.decode("utf-8", "replace") for line in lines]
    assert [piece.ns for piece in pieces] == [FIRST_NS + 1000 * number for number in range(len(lines))]


@pytest.mark.parametrize("size", [100, 16 * 1024, 1024 * 1024])
@pytest.mark.parametrize("length", [UNIT - 1, UNIT, UNIT + 1, 2 * UNIT, 40_000])
@pytest.mark.parametrize("repeats", [False, True])
def test_a_long_line_is_one_with_one_moment(size: int, length: int, repeats: bool) -> None:
    units = [b"A" * min(UNIT, length - begin) for begin in range(0, length, UNIT)]
    if length % UNIT == 0:
        units.append(b"")
    again = [stamp(number) for number in range(1, len(units))] if repeats else [b""] * (len(units) - 1)
    raw = stamp(0) + units[0] + b"".join(a + b for a, b in zip(again, units[1:], strict=True)) + b"\n"
    pieces = split(raw + stamp(7) + b"B\n", size)
    assert [(piece.ns, piece.text) for piece in pieces] == [
        (FIRST_NS, "A" * length),
        (FIRST_NS + 7000, "B"),
    ]


def test_a_line_that_is_too_long_comes_in_pieces_that_break_no_character() -> None:
    pieces = split(log_of("世".encode() * 700, b"B"), 1000, longest=1000)
    assert [(piece.begin, piece.end, piece.complete) for piece in pieces[:-1]] == [
        (0, 999, False),
        (999, 1998, False),
        (1998, 2100, True),
    ]
    assert "".join(piece.text for piece in pieces[:-1]) == "世" * 700


def test_an_unfinished_line_comes_at_the_end() -> None:
    assert [piece.text for piece in split(log_of(b"one") + stamp(1) + b"two", 5)] == ["one", "two"]


def test_lines_of_one_moment_have_numbers() -> None:
    data = stamp(0) + b"a\n" + stamp(0) + b"b\n" + stamp(1) + b"c\n"
    assert [(piece.ns, piece.number) for piece in split(data, 9)] == [
        (FIRST_NS, 0),
        (FIRST_NS, 1),
        (FIRST_NS + 1000, 0),
    ]


def test_moments_have_time_zones_and_microseconds() -> None:
    (piece,) = split(b"2026-03-03T13:00:00.123456789+01:00 a\n", 100)
    assert moment(piece.ns) == FIRST + timedelta(microseconds=123456)


@pytest.mark.parametrize(
    "text", ["", "5", "0", "99999999999999999999", "1-2", "7-end", "-1", "x", "٣", "2-", "3\n", "1.5", "0.0-"]
)
def test_what_is_no_id(text: str) -> None:
    assert parse_id(text) is None


def test_ids_are_read_as_they_are_written() -> None:
    for place in (Place(FIRST_NS, 0), Place(FIRST_NS, 3), Place(FIRST_NS, 0, 999), Place(0, 0)):
        assert parse_id(place.id) == place
        assert parse_id(place.end_id if place.offset is None else place.id) is not None
    ended = parse_id(Place(FIRST_NS, 1).end_id)
    assert ended is not None
    assert ended.ended
    assert Place(FIRST_NS + 999, 0).second == "2026-03-03T12:00:00Z"


def test_a_reader_goes_on_behind_each_item() -> None:
    pieces = split(log_of(b"a", b"", "世".encode() * 700, b"b", b"c"), 100, longest=1000)
    everything = LogReading().take(pieces)
    for number, item in enumerate(everything):
        place = parse_id(item.id)
        assert LogReading(place).take(pieces) == everything[number + 1 :]


def test_a_log_that_is_opened_again_gives_no_line_twice() -> None:
    pieces = split(log_of(*(b"%d" % number for number in range(10))), 100)
    reading = LogReading()
    items = reading.take(pieces[:4])
    reading.open_again()
    items += reading.take(pieces[2:])
    assert texts(items) == [str(number) for number in range(10)]
    assert not any(isinstance(item, LogGap) for item in items)


def test_a_line_that_is_not_there_any_more_is_a_gap() -> None:
    pieces = split(log_of(*(b"%d" % number for number in range(10))), 100)
    reading = LogReading()
    reading.take(pieces[:4])
    reading.open_again()
    gap, *rest = reading.take(pieces[6:])
    assert isinstance(gap, LogGap)
    assert gap.missing is None
    assert texts(rest) == ["6", "7", "8", "9"]
    assert LogReading(parse_id(gap.id)).take(pieces[6:]) == rest


def test_what_came_before_a_moment_is_left_out() -> None:
    pieces = split(log_of(b"a", b"b", b"c"), 100)
    assert texts(LogReading(since=FIRST + timedelta(microseconds=1)).take(pieces)) == ["b", "c"]
