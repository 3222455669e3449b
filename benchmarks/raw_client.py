"""A WebSocket client that is nothing but a socket: it takes a tenth of the time that a library takes."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable

from benchmarks.server import HOST, TOKEN, BenchServer
from benchmarks.sides import Side, Weavers

TEXT, BINARY = 0x81, 0x82
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Authorization: token {token}\r\n\r\n"
)


class RawTerminal:
    """Blocks; for one terminal at a time."""

    def __init__(self, server: BenchServer, path: str) -> None:
        self._socket = socket.create_connection((HOST, server.port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = HANDSHAKE.format(path=path, host=HOST, port=server.port, token=TOKEN)
        self._socket.sendall(request.encode())
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self._socket.recv(65536)
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode(errors="replace"))

    def send(self, first: int, payload: bytes) -> None:
        """A frame whose mask is zero."""
        self._socket.sendall(_header(first, len(payload)) + bytes(4) + payload)

    def receive(self) -> bytes:
        """The payload of the next frame, whatever it is."""
        while (frame := self._take()) is None:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("the server closed the terminal")
            self._buffer += data
        return frame

    def close(self) -> None:
        self._socket.close()

    def _take(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1], 2
        if length == 126 and len(buffer) >= 4:
            length, start = struct.unpack_from("!H", buffer, 2)[0], 4
        elif length == 127 and len(buffer) >= 10:
            length, start = struct.unpack_from("!Q", buffer, 2)[0], 10
        elif length >= 126:
            return None
        if len(buffer) < start + length:
            return None
        self._buffer = buffer[start + length :]
        return buffer[start : start + length]


def open_raw(side: Side, terminal: str) -> tuple[RawTerminal, Callable[[str], None]]:
    """A client, and how to type on it."""
    if isinstance(side, Weavers):
        token = side.token()
        raw = RawTerminal(side.server, f"/api/weaver/{terminal}/attach")
        raw.send(TEXT, json.dumps({"type": "auth", "token": token}).encode())
        return raw, lambda keys: raw.send(BINARY, keys.encode())
    raw = RawTerminal(side.server, f"/terminals/websocket/{terminal}")
    return raw, lambda keys: raw.send(TEXT, json.dumps(["stdin", keys]).encode())


def echo_times(side: Side, terminal: str, ready: str, keys: int, pause: float) -> list[float]:
    """Seconds from each key to its echo, after the command line `ready` has said so."""
    raw, type_ = open_raw(side, terminal)
    seen = b""
    type_(ready)
    while b"ready" not in seen:
        seen += raw.receive()
    times = []
    for _ in range(keys):
        time.sleep(pause)
        started = time.perf_counter()
        type_("x")
        while b"x" not in raw.receive():
            pass
        times.append(time.perf_counter() - started)
    raw.close()
    return times


def _header(first: int, length: int) -> bytes:
    if length < 126:
        return struct.pack("!BB", first, 0x80 | length)
    return struct.pack("!BBH", first, 0x80 | 126, length)
