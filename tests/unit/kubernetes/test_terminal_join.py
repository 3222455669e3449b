"""Where a terminal's bytes and its log meet."""

from __future__ import annotations

import pytest

from loom_weaver.runtimes.kubernetes.terminal_join import before, missing_between

NUMBERS = b"".join(b"%d\n" % number for number in range(1, 3001))


def terminal(log: bytes) -> bytes:
    return log.replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("shown", "log", "live", "missing"),
    [
        pytest.param(b"", b"", b"", b"", id="nothing at all"),
        pytest.param(b"", b"a\nb\n", b"", b"a\r\nb\r\n", id="all of it came before"),
        pytest.param(b"", b"a\nb\n", b"b\r\n$ ", b"a\r\n", id="the log has what came too"),
        pytest.param(b"", b"", b"$ ", b"", id="only an unfinished line"),
        pytest.param(b"", b"a\n", b"c\r\n", b"a\r\n", id="the log is behind"),
        pytest.param(b"a\r\n", b"a\nb\nc\n", b"c\r\n", b"b\r\n", id="a line between"),
        pytest.param(b"a\r\nname? ", b"a\n", b"x", b"", id="the line is not finished yet"),
        pytest.param(b"a\r\nname? ", b"a\nname? loom\nb\n", b"b\r\n", b"loom\r\n", id="the line went on"),
        pytest.param(b"a\r\nname? ", b"a\nother\n", b"", None, id="the line is another"),
        pytest.param(b"old\r\n", b"a\nb\n", b"b\r\n", None, id="the log was rotated"),
        pytest.param(b"y\r\n" * 3, b"y\n" * 5, b"", b"", id="all alike"),
        pytest.param(b"a\n\r\n", b"a\n\nb\n", b"b\r\n", b"", id="a bare LF"),
    ],
)
def test_what_is_missing_between(shown: bytes, log: bytes, live: bytes, missing: bytes | None) -> None:
    assert missing_between(shown, log, live) == missing


@pytest.mark.parametrize("shown", [0, 1000, 9000])
@pytest.mark.parametrize("live", [5, 5000, 13000])
@pytest.mark.parametrize("read", [11000, 13893])
def test_the_pieces_fit_wherever_they_were_cut(shown: int, live: int, read: int) -> None:
    """The log may end before or behind what the attach brought."""
    log = NUMBERS[: NUMBERS.rfind(b"\n", 0, read) + 1]
    at = NUMBERS.index(b"\n", 10_500) + 1
    attached = terminal(NUMBERS[at : at + live])
    missing = missing_between(terminal(NUMBERS[:shown]), log, attached)
    assert missing == terminal(NUMBERS[shown:at])


def test_the_past_of_what_is_kept() -> None:
    assert before(terminal(NUMBERS[6000:]), NUMBERS) == terminal(NUMBERS[:6000])
    assert before(terminal(NUMBERS[6000:]) + b"$ ", NUMBERS) == terminal(NUMBERS[:6000])
    assert before(terminal(NUMBERS[6000:9000]), NUMBERS) == terminal(NUMBERS[:6000])
    assert before(b"", NUMBERS) == terminal(NUMBERS)
    assert before(b"another\r\n", NUMBERS) == b""
