"""The ring, and where a viewer begins in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom_weaver.scrollback import RESUMED, SHOWN, SMALLEST, Scrollback, replay_from

# A busy machine is no fault of an example.
unhurried = settings(deadline=None)


def everything(ring: Scrollback) -> bytes:
    kept = b""
    while data := ring.read(ring.start + len(kept), 5):
        kept += data
    return kept


@unhurried
@given(limit=st.integers(1, 40), parts=st.lists(st.binary(max_size=60), max_size=12))
def test_the_newest_bytes_are_kept_at_their_offsets(limit: int, parts: list[bytes]) -> None:
    ring, written = Scrollback(limit), b""
    for part in parts:
        ring.append(part)
        written += part
        assert ring.end == len(written)
        assert ring.start == max(0, len(written) - limit)
        assert everything(ring) == written[ring.start :]


def test_a_buffer_that_grows_keeps_everything() -> None:
    ring = Scrollback(SMALLEST * 5)
    written = bytes(range(256)) * (SMALLEST * 4 // 256)
    for at in range(0, len(written), 1000):
        ring.append(written[at : at + 1000])
    assert bytes(ring.read(0, SMALLEST * 5)) == written


def test_a_view_is_not_writable_and_does_not_hinder_growth() -> None:
    ring = Scrollback(SMALLEST * 4)
    ring.append(b"before")
    view = ring.read(0, 6)
    ring.append(bytes(SMALLEST))
    assert view.readonly
    assert bytes(ring.read(0, 6)) == b"before"


def test_what_is_missing_before_the_start() -> None:
    ring = Scrollback(10)
    ring.append(bytes(25))
    assert [ring.missing(offset) for offset in (0, 14, 15, 25)] == [15, 1, 0, 0]


@pytest.mark.parametrize("offset", [-1, 14, 26])
def test_reading_what_is_not_kept_is_an_error(offset: int) -> None:
    ring = Scrollback(10)
    ring.append(bytes(25))
    with pytest.raises(ValueError, match="not in"):
        ring.read(offset, 1)


END = 10 * SHOWN


@pytest.mark.parametrize(
    ("start", "shown", "since", "expected"),
    [
        (0, True, None, (END - SHOWN, 0)),
        (END - 5, True, None, (END - 5, 0)),
        (0, False, None, (END, 0)),
        (0, True, END, (END, 0)),
        (0, True, END - RESUMED, (END - RESUMED, 0)),
        (0, False, END - 7, (END - 7, 0)),
        (0, True, END - RESUMED - 1, (END - SHOWN, RESUMED + 1 - SHOWN)),
        (END - 100, True, END - 150, (END - 100, 50)),
        (0, False, END + 1, (END - SHOWN, None)),
        (0, False, -1, (END - SHOWN, None)),
    ],
)
def test_where_a_viewer_begins(
    start: int, shown: bool, since: int | None, expected: tuple[int, int | None]
) -> None:
    assert replay_from(start, END, shown=shown, since=since) == expected


def test_a_ring_can_change_its_size_and_get_its_past_back() -> None:
    ring = Scrollback(SMALLEST * 2)
    text = bytes(number % 251 for number in range(SMALLEST * 5))
    ring.append(text)
    view = ring.read(ring.start, 10)
    ring.refit(SMALLEST * 4, text[: ring.start])
    assert bytes(view) == text[SMALLEST * 3 : SMALLEST * 3 + 10]
    assert (ring.start, ring.end) == (SMALLEST, SMALLEST * 5)
    assert everything(ring) == text[SMALLEST:]
    ring.append(b"more")
    assert everything(ring) == (text + b"more")[SMALLEST + 4 :]
    ring.refit(100)
    assert everything(ring) == (text + b"more")[-100:]
    ring.append(text)
    assert everything(ring) == text[-100:]


def test_a_grown_ring_claims_no_past_that_it_has_not() -> None:
    ring = Scrollback(100)
    ring.append(bytes(5000))
    ring.refit(1000)
    assert ring.start == 4900
    ring.append(b"x" * 950)
    assert ring.start == 4950


def test_offsets_may_begin_anywhere() -> None:
    ring = Scrollback(100, begin=12345)
    assert (ring.start, ring.end) == (12345, 12345)
    ring.append(b"abc")
    assert everything(ring) == b"abc"
