"""The log of one weaver on disk, as its holder writes and a server reads it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loom_weaver.runtimes.local.log_reader import LogReader
from loom_weaver.runtimes.local.log_writer import SEGMENTS_KEPT, LogWriter
from tests.small_disk import fill, small_disk

SEGMENT = 100
LIMIT = SEGMENT * SEGMENTS_KEPT


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "log")


def all_from(reader: LogReader, offset: int) -> bytes:
    parts = []
    while part := reader.read(offset, 7):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def test_what_is_written_is_read_at_its_offset_also_across_segments(folder: str) -> None:
    writer, reader = LogWriter(folder, LIMIT), LogReader(folder)
    text = bytes(range(256)) * 4
    for begin in range(0, len(text), 30):
        writer.append(text[begin : begin + 30], begin)
    assert len(writer.starts) > 5
    assert reader.bounds() == (0, len(text)) == (writer.begin, writer.end)
    assert all_from(reader, 0) == text
    assert all_from(reader, 333) == text[333:]
    reader.close()


def test_a_reader_follows_while_the_log_grows(folder: str) -> None:
    writer, reader = LogWriter(folder, LIMIT), LogReader(folder)
    assert reader.read(0, 10) == b""
    writer.append(b"one", 1)
    assert reader.read(0, 10) == b"one"
    writer.append(b"two", 2)
    assert reader.read(3, 10) == b"two"
    assert reader.read(6, 10) == b""
    reader.close()


def test_the_oldest_segment_goes_and_a_reader_that_is_in_it_goes_on(folder: str) -> None:
    writer, reader = LogWriter(folder, LIMIT), LogReader(folder)
    writer.append(b"a" * SEGMENT, 1)
    assert reader.read(0, 10) == b"a" * 10
    for _ in range(SEGMENTS_KEPT):
        writer.append(b"b" * SEGMENT, 2)
    assert writer.begin == SEGMENT
    assert reader.bounds() == (SEGMENT, SEGMENT * (SEGMENTS_KEPT + 1))
    assert reader.read(90, 20) == b"a" * 10, "its open segment stays readable"
    late = LogReader(folder)
    assert late.read(0, 10) == b""
    assert late.next_kept(0) == SEGMENT
    for each in (reader, late):
        each.close()


def test_times_are_those_of_the_bytes_that_arrived_together(folder: str) -> None:
    writer, reader = LogWriter(folder, LIMIT), LogReader(folder)
    for moment, part in ((1000, b"first\n"), (1000, b"same\n"), (2000, b"later\n")):
        writer.append(part, moment)
    assert reader.stamps(0, 17) == [(0, 1000), (11, 2000)]
    assert reader.stamps(12, 17) == [(11, 2000)]
    assert [reader.offset_since(moment) for moment in (0, 1000, 1001, 2000, 2001)] == [0, 0, 11, 11, 17]
    reader.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount the small disk that is to be full")
def test_a_full_disk_makes_a_gap_and_what_follows_is_kept(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "64k"):
        writer, reader = LogWriter(str(disk / "log"), 1024 * 1024), LogReader(str(disk / "log"))
        assert writer.append(b"before\n", 1) == 7
        fill(disk / "filler")
        lost = b"y" * 8192
        kept = writer.append(lost, 2)
        assert kept < len(lost)
        for _ in range(2 * SEGMENTS_KEPT):
            assert writer.append(b"z", 2) == 0
        assert writer.begin == 0
        lost += b"z" * 2 * SEGMENTS_KEPT
        (disk / "filler").unlink()
        after = writer.end
        assert writer.append(b"after\n", 3) == 6
        assert all_from(reader, 0) == b"before\n" + lost[:kept]
        assert reader.next_kept(7 + kept) == after
        assert all_from(reader, after) == b"after\n"
        reader.close()
        writer.close()
