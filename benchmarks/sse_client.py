"""A reader of a weaver's log that keeps all that comes, to be judged when it is over."""

from __future__ import annotations

import asyncio

from benchmarks.server import HOST, TOKEN, BenchServer

REQUEST = "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: token {token}\r\n\r\n"


class LogReader:
    """Follows from the first line on."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._received: list[bytes] = []

    @classmethod
    async def open(cls, server: BenchServer, weaver_id: str) -> LogReader:
        """Returns once the stream has begun."""
        reader, writer = await asyncio.open_connection(HOST, server.port)
        path = f"/api/weaver/{weaver_id}/logs?tail=1000000&timestamps=false"
        writer.write(REQUEST.format(path=path, host=HOST, port=server.port, token=TOKEN).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode(errors="replace"))
        return cls(reader, writer)

    async def read_to_end(self) -> None:
        """Chunks of HTTP/1.1, as they come."""
        while size := int(await self._reader.readline(), 16):
            chunk = await self._reader.readexactly(size + 2)
            self._received.append(chunk[:-2])
        self._writer.close()

    def lines(self) -> list[str]:
        """The data of all events but the last, which must be `end`."""
        *events, end = b"".join(self._received).decode().rstrip("\n").split("\n\n")
        if "event: end" not in end:
            raise RuntimeError(f"a log stream ended with {end!r}")
        return [_data(event) for event in events if not event.startswith(":")]


def _data(event: str) -> str:
    fields = [line.partition(": ") for line in event.split("\n")]
    return "\n".join(value for name, _, value in fields if name == "data")
