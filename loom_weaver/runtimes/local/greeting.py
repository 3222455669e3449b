"""The first line of a connection to the holder: who knows the secret gets what it asks for.

Standard library only.
"""

from __future__ import annotations

from _operator import _compare_digest as compare_digest

from loom_weaver.runtimes.local.exec_link import ExecLink
from loom_weaver.runtimes.local.loop import READ, Timer
from loom_weaver.runtimes.local.protocol import ANSWER, Lines
from loom_weaver.scrollback import replay_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from loom_weaver.runtimes.local.holder_links import Holder
    from loom_weaver.runtimes.local.light_socket import Socket

PATIENCE = 10.0
# An exec's command may be 256 KiB, and JSON may write each of its bytes as six.
LONGEST_GREETING = 2 * 1024 * 1024


class Greeting:
    """A connection of which nothing is known yet."""

    __slots__ = ("_holder", "_lines", "_received", "_socket", "_timer")

    def __init__(self, holder: Holder, connection: Socket) -> None:
        self._holder = holder
        self._socket = connection
        self._lines = Lines()
        self._received = 0
        self._timer: Timer = holder.loop.after(PATIENCE, self._close)
        connection.setblocking(False)
        holder.loop.add(connection.fileno(), READ, self._on_readable)

    def _on_readable(self, _: int) -> None:
        try:
            data = self._socket.recv(64 * 1024)
            self._received += len(data)
            hello = next(self._lines.feed(data), None) if data else {}
        except BlockingIOError:
            return
        except (OSError, ValueError):
            hello = {}
        if hello is not None:
            self._welcome(hello)
        elif self._received > LONGEST_GREETING:
            self._close()

    def _welcome(self, hello: Any) -> None:
        if not self._is_known(hello):
            self._close()
            return
        self._timer.cancel()
        self._holder.loop.remove(self._socket.fileno())
        getattr(self, "_" + hello["op"])(hello)

    def _is_known(self, hello: Any) -> bool:
        """Strangers may say anything that is JSON."""
        secret = hello.get("secret") if isinstance(hello, dict) else None
        known = self._holder.record["secret"].encode()
        return isinstance(secret, str) and compare_digest(secret.encode(errors="replace"), known)

    def _control(self, hello: dict[str, Any]) -> None:
        link = self._holder.add_control(self._socket, self._lines)
        link.send({"record": self._holder.record})
        link.take(b"")

    def _attach(self, hello: dict[str, Any]) -> None:
        holder = self._holder
        log, epoch = holder.log, holder.record["epoch"]
        since = hello["offset"] if hello["epoch"] in (None, epoch) else -1
        offset, missing = replay_from(log.begin, log.end, shown=hello["scrollback"], since=since)
        gap = -1 if missing is None else missing
        self._socket.send(ANSWER.pack(epoch.encode(), offset, log.end, gap, *holder.size()))
        holder.add_viewer(self._socket, hello["name"], offset)

    def _exec(self, hello: dict[str, Any]) -> None:
        if self._holder.finished:
            self._close()
            return
        ExecLink(self._holder, self._socket, hello).start()

    def _close(self) -> None:
        self._timer.cancel()
        self._holder.loop.remove(self._socket.fileno())
        self._socket.close()
