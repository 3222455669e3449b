"""WebSocket framing: what a peer sends, in whatever pieces, and what it gets."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import pytest

from loom_weaver_server import websocket_frames as frames
from loom_weaver_server.websocket_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    FrameReader,
    Message,
)

LIMIT = 100_000


def frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True, reserved: int = 0
) -> bytes:
    """A frame as a client sends it, written after RFC 6455, 5.2."""
    first = (0x80 if final else 0) | reserved | opcode
    bit = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def read(data: bytes, piece: int, limit: int = LIMIT) -> Iterator[Message]:
    reader = FrameReader(limit)
    for start in range(0, len(data), piece):
        reader.feed(memoryview(data)[start : start + piece])
        yield from reader.messages()


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1_000_000])
def test_messages_arrive_whole_however_they_are_cut(piece: int) -> None:
    payloads = [os.urandom(size) for size in (0, 1, 3, 125, 126, 127, 65_535, 65_536)]
    data = b"".join(frame(BINARY, payload) for payload in payloads)
    assert [message.payload for message in read(data, piece)] == payloads


@pytest.mark.parametrize("piece", [1, 1_000])
def test_fragments_become_one_message_and_control_frames_come_between(piece: int) -> None:
    data = (
        frame(TEXT, b"a", final=False)
        + frame(PING, b"p")
        + frame(CONTINUATION, b"", final=False)
        + frame(PONG)
        + frame(CONTINUATION, b"bc")
        + frame(BINARY, b"d")
    )
    assert list(read(data, piece)) == [
        Message(PING, b"p"),
        Message(PONG, b""),
        Message(TEXT, b"abc"),
        Message(BINARY, b"d"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        frame(BINARY, b"x", masked=False),
        frame(BINARY, b"x", reserved=0x40),
        frame(0x3, b"x"),
        frame(0xB),
        frame(PING, b"x", final=False),
        frame(PING, b"x" * 126),
        frame(CONTINUATION, b"x"),
        frame(TEXT, b"x", final=False) + frame(TEXT, b"y"),
    ],
    ids=["unmasked", "reserved", "kind 3", "kind 11", "cut ping", "long ping", "stray", "interleaved"],
)
def test_a_peer_that_breaks_the_protocol(data: bytes) -> None:
    with pytest.raises(frames.FramingError) as raised:
        list(read(data, 1))
    assert raised.value.code == 1002


def test_nothing_is_kept_of_a_peer_that_broke_the_protocol() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(frame(0x3))
    with pytest.raises(frames.FramingError):
        list(reader.messages())
    reader.feed(frame(BINARY, b"x") * 1000)
    assert list(reader.messages()) == []


@pytest.mark.parametrize("piece", [1, 50, 1_000])
def test_a_message_that_is_too_big_is_left_out_and_the_next_is_read(piece: int) -> None:
    reader = FrameReader(100)
    data = frame(BINARY, b"x" * 101) + frame(CLOSE, b"")
    refused, found = [], []
    for start in range(0, len(data), piece):
        reader.feed(data[start : start + piece])
        try:
            found += list(reader.messages())
        except frames.FramingError as error:
            refused.append(error.code)
            found += list(reader.messages())
    assert refused == [1009]
    assert found == [Message(CLOSE, b"")]


def test_a_message_of_many_fragments_is_bounded_too() -> None:
    data = frame(TEXT, b"x" * 60, final=False) + frame(CONTINUATION, b"x" * 41)
    with pytest.raises(frames.FramingError) as raised:
        list(read(data, 1_000, limit=100))
    assert raised.value.code == 1009


def test_a_length_of_which_nobody_sends_the_bytes_is_refused_at_once() -> None:
    with pytest.raises(frames.FramingError) as raised:
        list(read(b"\x82\xff" + b"\xff" * 8, 1))
    assert raised.value.code == 1009


def test_reading_may_stop_after_a_message_and_go_on_later() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(frame(TEXT, b"a") + frame(TEXT, b"b"))
    assert next(reader.messages()).payload == b"a"
    assert next(reader.messages()).payload == b"b"
    assert list(reader.messages()) == []


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_headers(size: int) -> None:
    assert frames.header(BINARY, size) == frame(BINARY, b"\0" * size, masked=False)[: -size or None]


def test_close_codes() -> None:
    assert frames.close_code(b"") is None
    assert frames.close_code(frames.close_payload(4401, "né")) == 4401
    for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000):
        with pytest.raises(frames.FramingError):
            frames.close_code(struct.pack("!H", code))
    for payload in (b"\x03", b"\x03\xe8\xff"):
        with pytest.raises(frames.FramingError):
            frames.close_code(payload)


def test_text_that_is_not_utf_8() -> None:
    with pytest.raises(frames.FramingError) as raised:
        frames.text(b"\xff")
    assert raised.value.code == 1007
