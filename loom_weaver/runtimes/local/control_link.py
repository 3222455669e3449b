"""A server's control connection, seen from the holder. Standard library only."""

from __future__ import annotations

from loom_weaver.runtimes.local.loop import READ, WRITE
from loom_weaver.runtimes.local.protocol import Lines, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from loom_weaver.runtimes.local.holder_links import Holder
    from loom_weaver.runtimes.local.light_socket import Socket

# A server that reads nothing for this long a queue is gone or stopped; it connects again when it lives.
LARGEST_QUEUE = 4 * 1024 * 1024


class ControlLink:
    """Requests in, answers and events out. Log events are merged: only the newest end matters."""

    __slots__ = ("_following", "_holder", "_lines", "_queue", "_socket", "_told_end")

    def __init__(self, holder: Holder, connection: Socket, lines: Lines) -> None:
        self._holder = holder
        self._socket = connection
        self._lines = lines
        self._queue = b""
        self._following = False
        self._told_end = -1
        holder.loop.add(connection.fileno(), READ, self._on_events)

    @property
    def idle(self) -> bool:
        return not self._queue

    def send(self, message: dict[str, Any]) -> None:
        self._queue += encode(message)
        self._flush()

    def tell_log(self, end: int) -> None:
        """Tell the new end of the log, if this server wants to know and has read what it was told before."""
        if self._following and not self._queue and end != self._told_end:
            self._told_end = end
            self.send({"event": "log", "end": end})

    def follow(self, following: bool) -> None:
        self._following = following
        self._told_end = -1
        self.tell_log(self._holder.log.end)

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._holder.loop.remove(self._socket.fileno())
            self._socket.close()
            self._holder.forget_control(self)

    def _on_events(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        if events & ~WRITE and self._socket.fileno() >= 0:
            self._receive()

    def _receive(self) -> None:
        try:
            data = self._socket.recv(64 * 1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self.take(data)

    def take(self, data: bytes) -> None:
        """Answer the requests that are whole with `data`."""
        for request in self._lines.feed(data):
            answer = self._holder.answer(self, request)
            self.send({"n": request["n"], **answer})

    def _flush(self) -> None:
        try:
            while self._queue:
                self._queue = self._queue[self._socket.send(self._queue) :]
        except BlockingIOError:
            if len(self._queue) > LARGEST_QUEUE:
                self.close()
                return
        except OSError:
            self.close()
            return
        self._holder.loop.change(self._socket.fileno(), READ | (WRITE if self._queue else 0))
        if not self._queue:
            self.tell_log(self._holder.log.end)
