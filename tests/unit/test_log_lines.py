"""Bytes into lines, ids, and the way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loom_weaver.log_lines import (
    LONGEST,
    Line,
    LineSplitter,
    Position,
    after_gap,
    at_line,
    end_id,
    from_line,
    parse_id,
    tail_start,
)

LOGS = st.lists(
    st.sampled_from([b"\n", b"\r\n", b"\r", b"a", b"bcdef", "é".encode(), "世".encode(), "😀".encode()])
    | st.binary(min_size=1, max_size=3),
    max_size=40,
).map(b"".join)
BEGINNING = at_line(0)
CHUNKS = st.lists(st.integers(1, 9), min_size=1, max_size=20)

# A busy machine is no fault of an example.
unhurried = settings(deadline=None)


def reader(log: bytes, start: int = 0) -> Callable[[int, int], bytes]:
    """A log whose first `start` bytes are gone, read in short pieces."""

    def read(offset: int, size: int) -> bytes:
        return log[offset : offset + min(size, 7)] if offset >= start else b""

    return read


def no_hole(offset: int) -> None:
    """What follows after an offset where bytes are missing: nothing."""


def split(
    log: bytes, *, begin: Position = BEGINNING, chunks: tuple[int, ...] = (1000,), longest: int = LONGEST
) -> list[Line]:
    """Every line, the unfinished one too; the byte at offset n arrived at 1000 + n."""
    splitter = LineSplitter(begin, longest)
    stamps = [(offset, 1000 + offset) for offset in range(len(log))]
    lines: list[Line] = []
    turn = 0
    while splitter.offset < len(log):
        offset = splitter.offset
        data = log[offset : offset + chunks[turn % len(chunks)]]
        lines += splitter.feed(data, stamps[offset : offset + len(data)])
        turn += 1
    return lines + splitter.flush()


@pytest.mark.parametrize(
    ("log", "texts"),
    [
        (b"", []),
        (b"a\n\n\nb\n", ["a", "", "", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"p 1%\rp 2%\rp 3%\r\ndone\r\n", ["p 1%\rp 2%\rp 3%", "done"]),
        (b"a\r\r\n", ["a\r"]),
        (b"ok\n\xd4\nafter\n", ["ok", "�", "after"]),
        (b"no newline", ["no newline"]),
        (b"bare\r", ["bare\r"]),
        ("a\u2028b\vc\fd\x85e\nnext\n".encode(), ["a\u2028b\vc\fd\x85e", "next"]),
        (b"\0\x1b[31m\n", ["\0\x1b[31m"]),
    ],
)
def test_lines_end_at_a_line_feed_and_nowhere_else(log: bytes, texts: list[str]) -> None:
    for size in range(1, 8):
        assert [line.text for line in split(log, chunks=(size,))] == texts


@unhurried
@given(log=LOGS, chunks=CHUNKS, longest=st.integers(4, 9))
def test_however_the_bytes_come_the_lines_are_the_same(log: bytes, chunks: list[int], longest: int) -> None:
    assert split(log, chunks=tuple(chunks), longest=longest) == split(log, longest=longest)


@unhurried
@given(log=LOGS, longest=st.integers(4, 9))
@example(log="😀".encode() + b"\0\0\r", longest=6)
def test_pieces_make_up_their_line_and_are_as_long_as_they_may(log: bytes, longest: int) -> None:
    *finished, rest = log.split(b"\n")
    wanted = [line.removesuffix(b"\r") for line in finished] + ([rest] if rest else [])
    found: list[list[Line]] = [[]]
    for entry in split(log, longest=longest):
        found[-1].append(entry)
        if "-" not in entry.id:
            found.append([])
    lines = [pieces for pieces in found if pieces]
    assert ["".join(piece.text for piece in pieces) for pieces in lines] == [
        line.decode("utf-8", "replace") for line in wanted
    ]
    for pieces, line in zip(lines, wanted, strict=True):
        cuts = [int(piece.id.split("-")[1]) - int(piece.id.split("-")[0]) for piece in pieces[:-1]]
        sizes = [after - before for before, after in zip([0, *cuts], [*cuts, len(line)], strict=True)]
        assert all(longest - 3 <= size <= longest for size in sizes[:-1])
        assert sizes[-1] <= longest
        assert [piece.at is None for piece in pieces] == [False] + [True] * (len(pieces) - 1)


@unhurried
@given(log=LOGS, longest=st.integers(4, 9))
def test_a_line_has_the_time_of_its_first_byte(log: bytes, longest: int) -> None:
    begin = 0
    for found in split(log, longest=longest, chunks=(3,)):
        if found.at is not None:
            assert found.at == 1000 + begin
        if "-" not in found.id:
            begin = int(found.id)


@unhurried
@given(log=LOGS, longest=st.integers(4, 9))
def test_every_id_goes_on_right_after_its_line(log: bytes, longest: int) -> None:
    lines = split(log, longest=longest)
    for number, line in enumerate(lines):
        begin = parse_id(line.id, reader(log), 0, len(log), ended=True)
        assert begin is not None, line
        assert begin.id == line.id
        assert split(log, begin=begin, longest=longest) == lines[number + 1 :]


def test_what_comes_after_a_flush_is_a_later_piece() -> None:
    splitter = LineSplitter(at_line(0))
    assert splitter.feed(b"cut", [(0, 1)]) == []
    assert splitter.flush() == [Line("0-3", 1, "cut")]
    assert splitter.flush() == []
    assert splitter.feed(b" off\nb\n", [(3, 2)]) == [Line("8", None, " off"), Line("10", 2, "b")]


def test_a_line_of_a_mebibyte_is_one_entry() -> None:
    for end in (b"\n", b"\r\n", b""):
        assert [len(line.text) for line in split(b"A" * LONGEST + end, chunks=(65536,))] == [LONGEST]
    lines = split(b"A" * (LONGEST + 1) + b"\r\nB\n", chunks=(65536,))
    assert [(line.id, len(line.text)) for line in lines] == [
        (f"0-{LONGEST}", LONGEST),
        (str(LONGEST + 3), 1),
        (str(LONGEST + 5), 1),
    ]


def test_what_the_splitter_holds_is_bounded() -> None:
    splitter = LineSplitter(at_line(0))
    for _ in range(5 * LONGEST // 65536):
        splitter.feed(b"A" * 65536, [(0, 1)])
        held = int(repr(splitter).partition("held=")[2].rstrip(">"))
        assert held <= LONGEST + 1


def test_a_time_that_nobody_knows_is_none() -> None:
    assert LineSplitter(at_line(5)).feed(b"a\n", [(6, 9)]) == [Line("7", None, "a")]


@pytest.mark.parametrize(
    ("log", "count", "ended", "tail"),
    [
        (b"1\n2\n3\n", 2, False, b"2\n3\n"),
        (b"1\n2\n3\n", 2, True, b"2\n3\n"),
        (b"1\n2\n3\n", 3, False, b"1\n2\n3\n"),
        (b"1\n2\n3\n", 4, False, b"1\n2\n3\n"),
        (b"1\n2\n3\n", 0, False, b""),
        (b"1\n2\n3\n", 0, True, b""),
        (b"1\n2\n>>> ", 1, False, b"2\n>>> "),
        (b"1\n2\n>>> ", 1, True, b">>> "),
        (b"1\n2\n>>> ", 0, False, b">>> "),
        (b"1\n2\n>>> ", 0, True, b""),
        (b">>> ", 0, False, b">>> "),
        (b">>> ", 1, True, b">>> "),
        (b"\n\n\n", 2, False, b"\n\n"),
        (b"", 5, False, b""),
    ],
)
def test_the_tail_has_so_many_lines(log: bytes, count: int, ended: bool, tail: bytes) -> None:
    start = tail_start(reader(log), no_hole, 0, len(log), count, ended=ended)
    assert log[start:] == tail


@unhurried
@given(log=LOGS, count=st.integers(0, 12), ended=st.booleans(), gone=st.integers(0, 10))
def test_a_tail_is_what_the_lines_themselves_say(log: bytes, count: int, ended: bool, gone: int) -> None:
    start = min(gone, len(log))
    *finished, rest = log[start:].split(b"\n")
    whole = [line + b"\n" for line in finished]
    if ended and rest:
        wanted = [*whole, rest][-count:] if count else []
    else:
        wanted = [*(whole[-count:] if count else []), rest]
    assert log[tail_start(reader(log, start), no_hole, start, len(log), count, ended=ended) :] == b"".join(
        wanted
    )


def test_a_tail_of_many_blocks() -> None:
    log = b"".join(b"%d\n" % number for number in range(100_000))

    def read(offset: int, size: int) -> bytes:
        return log[offset : offset + size]

    for count in (1, 256, 50_000, 99_999):
        start = tail_start(read, no_hole, 0, len(log), count, ended=False)
        assert log[start:].split(b"\n")[0] == b"%d" % (100_000 - count)


def test_a_tail_reaches_over_a_hole() -> None:
    log = b"1\n2\n" + b"?" * 50 + b"8\n9\n"

    def read(offset: int, size: int) -> bytes:
        return log[offset : min(4, offset + size)] if offset < 54 else log[offset : offset + size]

    def next_kept(offset: int) -> int | None:
        return 54 if offset < 54 else None

    assert tail_start(read, next_kept, 0, len(log), 1, ended=False) == len(log) - 2
    assert tail_start(read, next_kept, 0, len(log), 2, ended=False) == 2
    assert tail_start(read, next_kept, 0, len(log), 4, ended=False) == 0
    assert tail_start(read, next_kept, 4, len(log), 4, ended=False) == 54


LOG = b"one\ntwo\nthree"


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("4", at_line(4)),
        ("8", at_line(8)),
        ("8-13", Position(13, 8)),
        ("4-6", Position(6, 4)),
        # Never given: not behind a line feed, beyond the end, no line before, spelled otherwise.
        ("5", None),
        ("13", None),
        ("14", None),
        ("0", None),
        ("4-8", None),
        ("5-6", None),
        ("8-14", None),
        ("8-8", None),
        ("04", None),
        ("+4", None),
        ("4 ", None),
        ("4\n", None),
        ("４", None),
        ("-4", None),
        ("4-", None),
        ("4-end-", None),
        ("", None),
        ("99999999999999999999999999", None),
        ("13-end", None),
    ],
)
def test_ids_of_a_log_that_goes_on(text: str, position: Position | None) -> None:
    assert parse_id(text, reader(LOG), 0, len(LOG), ended=False) == position


def test_the_id_of_the_end_is_one_only_when_it_ended() -> None:
    assert end_id(13) == "13-end"
    assert parse_id("13-end", reader(LOG), 0, 13, ended=True) == at_line(13)
    assert parse_id("12-end", reader(LOG), 0, 13, ended=True) is None


def test_an_id_before_what_is_kept_is_believed() -> None:
    assert parse_id("5", reader(LOG, 6), 6, len(LOG), ended=False) == at_line(5)
    assert parse_id("4-6", reader(LOG, 6), 6, len(LOG), ended=False) == Position(6, 4)


def test_behind_a_gap_reading_begins_with_a_whole_line() -> None:
    assert after_gap(reader(LOG, 2), 0, 2, len(LOG)) == at_line(4)


def test_behind_a_gap_in_a_very_long_line_reading_begins_at_a_character() -> None:
    log = b"x" * 10 + "世".encode() + b"y" * (LONGEST + 10)

    def read(offset: int, size: int) -> bytes:
        return log[offset : offset + size]

    assert after_gap(read, 3, 11, len(log)) == Position(13, 3)
    assert after_gap(read, 3, 11, len(log)).id == "3-13"


def test_from_a_line_leaves_out_the_rest_of_the_one_before() -> None:
    assert from_line(reader(LOG), 4) == at_line(4)
    assert from_line(reader(LOG), 0) == at_line(0)
    assert [line.text for line in split(LOG, begin=from_line(reader(LOG), 5), chunks=(2,))] == ["three"]
    assert split(LOG, begin=from_line(reader(LOG), 10)) == []
