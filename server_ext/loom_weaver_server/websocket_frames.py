"""WebSocket framing (RFC 6455, the server's half) without I/O: bytes to messages, payloads to frames."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

try:
    from tornado.speedups import websocket_mask
except ImportError:

    def websocket_mask(mask: bytes, data: bytes) -> bytes:
        """XOR as one big number: the fastest way without Tornado's compiled helper."""
        length = len(data)
        key = (mask * (length // MASK_LENGTH + 1))[:length]
        return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(length, "little")


CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FINAL, RESERVED, MASKED = 0x80, 0x70, 0x80
MASK_LENGTH = 4
LONGEST_CONTROL = 125
SHORT = struct.Struct("!BB")
MEDIUM = struct.Struct("!BBH")
LONG = struct.Struct("!BBQ")
CLOSE_CODE = struct.Struct("!H")

PROTOCOL_ERROR, NOT_UTF8, TOO_BIG = 1002, 1007, 1009


class Message(NamedTuple):
    """A whole message, or a control frame; `opcode` tells which."""

    opcode: int
    payload: bytes


class FramingError(Exception):
    """The peer breaks the protocol or a limit: the connection closes with `code`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class FrameReader:
    """Collects bytes and gives messages. It holds at most one of `limit` bytes and what `feed` brought."""

    __slots__ = ("_broken", "_buffer", "_fragments", "_opcode", "_skip", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._buffer = bytearray()
        self._fragments: bytearray | None = None
        self._opcode = 0
        self._skip = 0
        self._broken = False

    def feed(self, data: bytes | memoryview) -> None:
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        if not self._broken:
            self._buffer += data[skipped:]

    def messages(self) -> Iterator[Message]:
        """What is complete; it may be left and taken up again.

        Raises FramingError. After one about the size the next message can be read, after another nothing can.
        """
        while (frame := self._next_frame()) is not None:
            message = self._assemble(*frame)
            if message is not None:
                yield message

    def _next_frame(self) -> tuple[int, bool, bytes] | None:
        buffer = self._buffer
        if len(buffer) < SHORT.size:
            return None
        first, second = buffer[0], buffer[1]
        try:
            _check_header(first, second)
        except FramingError:
            self._break()
            raise
        length, start = second & 0x7F, SHORT.size
        if length >= 126:
            extended = MEDIUM if length == 126 else LONG
            if len(buffer) < extended.size:
                return None
            length, start = extended.unpack_from(buffer)[2], extended.size
        end = start + MASK_LENGTH + length
        if length + len(self._fragments or b"") > self.limit:
            self._leave_out(end)
            raise FramingError(TOO_BIG, f"a message may have at most {self.limit} bytes")
        if len(buffer) < end:
            return None
        mask, payload = bytes(buffer[start : start + MASK_LENGTH]), bytes(buffer[start + MASK_LENGTH : end])
        del buffer[:end]
        return first & 0x0F, bool(first & FINAL), websocket_mask(mask, payload)

    def _leave_out(self, size: int) -> None:
        self._fragments = None
        self._skip = max(0, size - len(self._buffer))
        del self._buffer[:size]

    def _break(self) -> None:
        self._broken = True
        self._buffer.clear()

    def _assemble(self, opcode: int, final: bool, payload: bytes) -> Message | None:
        if opcode >= CLOSE:
            return Message(opcode, payload)
        if (opcode == CONTINUATION) != (self._fragments is not None):
            self._break()
            raise FramingError(PROTOCOL_ERROR, "a fragment out of order")
        if opcode != CONTINUATION and final:
            return Message(opcode, payload)
        if self._fragments is None:
            self._opcode, self._fragments = opcode, bytearray()
        self._fragments += payload
        if not final:
            return None
        whole, self._fragments = bytes(self._fragments), None
        return Message(self._opcode, whole)


def _check_header(first: int, second: int) -> None:
    opcode, length = first & 0x0F, second & 0x7F
    if first & RESERVED:
        raise FramingError(PROTOCOL_ERROR, "a reserved bit is set")
    if opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
        raise FramingError(PROTOCOL_ERROR, "an unknown kind of frame")
    if not second & MASKED:
        raise FramingError(PROTOCOL_ERROR, "a client's frames must be masked")
    if opcode >= CLOSE and (length > LONGEST_CONTROL or not first & FINAL):
        raise FramingError(PROTOCOL_ERROR, "a control frame that is too long or in pieces")


def header(opcode: int, length: int) -> bytes:
    """What stands before an unmasked payload, in one frame."""
    first = FINAL | opcode
    if length < 126:
        return SHORT.pack(first, length)
    if length < 65536:
        return MEDIUM.pack(first, 126, length)
    return LONG.pack(first, 127, length)


def close_payload(code: int, reason: str) -> bytes:
    return CLOSE_CODE.pack(code) + reason.encode()


def close_code(payload: bytes) -> int | None:
    """The code of a close frame's payload, None where it has none. Raises FramingError."""
    if not payload:
        return None
    if len(payload) < CLOSE_CODE.size:
        raise FramingError(PROTOCOL_ERROR, "half a close code")
    code: int = CLOSE_CODE.unpack_from(payload)[0]
    if code < 1000 or code in (1004, 1005, 1006, 1015) or 1016 <= code < 3000 or code >= 5000:
        raise FramingError(PROTOCOL_ERROR, "a close code that must not be sent")
    text(payload[CLOSE_CODE.size :])
    return code


def text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise FramingError(NOT_UTF8, "text that is not UTF-8") from error
