"""What stands between a weaver's output and the user's terminal, byte by byte."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from loom_weaver.cli.detach_keys import DEFAULT, DetachKeys, parse_detach_keys
from loom_weaver.cli.terminal_modes import TerminalModes
from loom_weaver.cli.terminal_queries import LONGEST, QueryFilter
from loom_weaver.errors import BadRequest


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (DEFAULT, b"\x10\x11"),
        ("ctrl-a,d", b"\x01d"),
        ("CTRL-A,D", b"\x01D"),
        ("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", b"\x00\x1b\x1c\x1d\x1e\x1f"),
        ("", b""),
    ],
)
def test_detach_keys_as_docker_writes_them(text: str, keys: bytes) -> None:
    assert parse_detach_keys(text) == keys


@pytest.mark.parametrize("text", ["ctrl-", "ctrl-pq", "ab", "é", ",", "ctrl-1", "alt-p"])
def test_detach_keys_that_are_none(text: str) -> None:
    with pytest.raises(BadRequest, match="is no key"):
        parse_detach_keys(text)


@pytest.mark.parametrize(
    ("keys", "typed", "passed", "left"),
    [
        (b"\x10\x11", b"ab\x10\x11cd", b"ab", True),
        (b"\x10\x11", b"a\x10b\x10\x10\x10c\x11", b"a\x10b\x10\x10\x10c\x11", False),
        (b"\x10\x11", b"\x10\x10\x11", b"\x10", True),
        (b"aab", b"aaab", b"a", True),
        (b"aab", b"aacaab", b"aac", True),
        (b"", b"\x10\x11", b"\x10\x11", False),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_detaching(keys: bytes, typed: bytes, passed: bytes, left: bool, size: int) -> None:
    found = DetachKeys(keys)
    outcome = [found.feed(piece) for piece in in_pieces(typed, size)]
    ends = list(itertools.takewhile(lambda each: not each[1], outcome))
    assert any(end for _, end in outcome) == left
    assert b"".join(data for data, _ in outcome[: len(ends) + 1]) == passed


def test_the_beginning_of_the_keys_waits_for_the_next() -> None:
    keys = DetachKeys(b"\x10\x11")
    assert keys.feed(b"a\x10") == (b"a", False)
    assert keys.feed(b"b") == (b"\x10b", False)


QUERIES = [
    b"\x1b[c",
    b"\x1b[0c",
    b"\x1b[>c",
    b"\x1b[=0c",
    b"\x1b[5n",
    b"\x1b[6n",
    b"\x1b[?6n",
    b"\x1b[?996n",
    b"\x1b[?2026$p",
    b"\x1b[4$p",
    b"\x1b[>q",
    b"\x1b[>0q",
    b"\x1b[?u",
    b"\x1b[14t",
    b"\x1b[18t",
    b"\x1b[21t",
    b"\x1b[x",
    b"\x1bZ",
    b"\x05",
    b"\x1b]10;?\x07",
    b"\x1b]4;1;?\x1b\\",
    b"\x1b]52;c;?\x07",
    b"\x1bP$qm\x1b\\",
    b"\x1bP+q544e\x1b\\",
    b"\xc2\x9bc",
]
HARMLESS = [
    b"\x1b[31m",
    b"\x1b[2J",
    b"\x1b[?25h",
    b"\x1b[1;5r",
    b"\x1b[22;0t",
    b"\x1b[>1u",
    b"\x1b[2 q",
    b"\x1b]0;a title? yes\x07",
    b"\x1b]8;;http://x/?a=b\x1b\\",
    b"\x1b]52;c;aGVsbG8=\x07",
    b"\x1bPq#0\x1b\\",
    "é世✅\xa0".encode(),
]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("query", QUERIES)
def test_a_question_is_taken_out(query: bytes, size: int) -> None:
    kept = QueryFilter()
    shown = b"".join(kept.feed(piece) for piece in in_pieces(b"before" + query + b"after", size))
    assert shown + kept.flush() == b"beforeafter"


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("harmless", HARMLESS)
def test_everything_else_stays(harmless: bytes, size: int) -> None:
    kept = QueryFilter()
    data = b"before" + harmless + b"after"
    shown = b"".join(kept.feed(piece) for piece in in_pieces(data, size))
    assert shown + kept.flush() == data


def test_what_is_held_back_is_bounded() -> None:
    kept = QueryFilter()
    data = b"\x1b]52;c;" + b"A" * 100_000
    shown = b"".join(kept.feed(piece) for piece in in_pieces(data, 1000))
    assert len(data) - len(shown) <= 2 * LONGEST
    assert shown + kept.flush() == data


def undone(output: bytes, size: int = 1000) -> bytes:
    modes = TerminalModes()
    for piece in in_pieces(output, size):
        modes.feed(piece)
    return modes.undo().removesuffix(b"\x1b[m")


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("output", "undo"),
    [
        (b"plain \x1b[31mtext", b""),
        (b"\x1b[?1049h", b"\x1b[?1049l"),
        (b"\x1b[?1049hx\x1b[?1049l", b""),
        (b"\x1b[?25l", b"\x1b[?25h"),
        (b"\x1b[?25l\x1b[?25h", b""),
        (b"\x1b[?7l", b"\x1b[?7h"),
        (b"\x1b[?1000;1006h", b"\x1b[?1000l\x1b[?1006l"),
        (b"\x1b[?1049h\x1b[?2004h", b"\x1b[?2004l\x1b[?1049l"),
        (b"\x1b[2;10r", b"\x1b7\x1b[r\x1b8"),
        (b"\x1b[2;10r\x1b[r", b""),
        (b"\x1b=", b"\x1b>"),
        (b"\x1b(0", b"\x1b(B"),
        (b"\x1b[5 q", b"\x1b[0 q"),
        (b"\x1b[>1u\x1b[>5u", b"\x1b[<u\x1b[<u"),
        (b"\x1b[>1u\x1b[>5u\x1b[<2u", b""),
        (b"\x1b[>4;2m", b"\x1b[>4m"),
        (b"\x1b[>4;2m\x1b[>4m", b""),
        (b"\x1b[?1049h\x1b[?25l\x1b=\x1bc", b""),
        (b"\x1b[?2026h", b""),
    ],
)
def test_what_was_changed_is_undone(output: bytes, undo: bytes, size: int) -> None:
    assert undone(output, size) == undo


@pytest.mark.parametrize(("output", "full"), [(b"\x1b[?1049h", True), (b"\x1b[?1049h\x1b[?1049l", False)])
def test_a_screen_of_its_own(output: bytes, full: bool) -> None:
    modes = TerminalModes()
    modes.feed(output)
    assert modes.full_screen == full


def test_scanning_is_linear() -> None:
    """A flood without an end of a sequence must not be looked at again and again."""
    modes, kept = TerminalModes(), QueryFilter()
    piece = b"\x1b[" * 32_768
    feeds: list[Callable[[bytes], object]] = [modes.feed, kept.feed]
    for feed in feeds:
        for _ in range(16):
            feed(piece)
    assert modes.undo() == b"\x1b[m"
