"""The end of a cell's output is found, however the bytes are cut."""

from __future__ import annotations

import pytest

from loom_weaver.magics.end_mark import EndMark

MARK = b"\0token:"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("output", [b"", b"one\ntwo\n", b"\0", b"\0tok", b"\0\0token", b"a\0token;0\0b"])
def test_output_is_whole_and_the_mark_is_not_in_it(output: bytes, size: int) -> None:
    text = output + MARK + b"130\0"
    mark = EndMark(MARK)
    found = b"".join(mark.feed(text[start : start + size]) for start in range(0, len(text), size))
    assert (found, mark.code) == (output, 130)


def test_what_follows_the_mark_is_kept() -> None:
    mark = EndMark(MARK)
    assert mark.feed(b"before" + MARK + b"1\0of a thread") == b"beforeof a thread"
    assert mark.code == 1


def test_what_might_have_been_the_mark_comes_at_the_end() -> None:
    mark = EndMark(MARK)
    assert mark.feed(b"text\0tok") == b"text"
    assert mark.flush() == b"\0tok"
    assert mark.code is None
