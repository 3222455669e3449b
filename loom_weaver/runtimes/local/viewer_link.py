"""One viewer of the terminal, seen from the holder: an offset into the log. Standard library only."""

from __future__ import annotations

import os
import time

from loom_weaver.runtimes.local.loop import READ, WRITE
from loom_weaver.runtimes.local.protocol import COUNT, END, GAP, HEADER, OUTPUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loom_weaver.runtimes.local.holder_links import Holder
    from loom_weaver.runtimes.local.light_socket import Socket

# A frame is sent in as many pieces as the socket takes; this bounds what one header promises.
LARGEST_FRAME = 256 * 1024
# One viewer's turn, so that a fast one does not keep the pty and the others waiting.
TURN = 1024 * 1024
INPUT_READ = 64 * 1024


class ViewerLink:
    """What it lags behind goes out by sendfile from the log: a viewer costs no buffer."""

    __slots__ = (
        "_frame_left", "_holder", "_pending", "_reading", "_segment", "_socket", "_told_end", "_writing",
        "name", "offset", "took",
    )  # fmt: skip

    def __init__(self, holder: Holder, connection: Socket, name: str, offset: int) -> None:
        self._holder = holder
        self._socket = connection
        self.name = name
        self.offset = offset
        self.took = time.monotonic()
        self._pending = b""
        self._frame_left = 0
        self._segment = (-1, 0, 0)
        self._reading = True
        self._writing = False
        self._told_end = False
        holder.loop.add(connection.fileno(), READ, self._on_events)

    @property
    def lag(self) -> int:
        return self._holder.log.end - self.offset

    def live(self, data: bytes, kept: int) -> None:
        """Send what was just read, straight from memory, if this viewer has everything before it."""
        if self._writing or self.offset + len(data) != self._holder.log.end:
            return
        header = HEADER.pack(OUTPUT, len(data))
        self.took = time.monotonic()
        sent = self._send(header, data)
        if sent > 0:
            self._account(header, data, sent, kept)
        if self.lag or self._pending:
            self._wait_writable()

    def catch_up(self) -> None:
        """Send from the log until the socket is full, the turn is over or nothing is left."""
        turn_ends = self.offset + TURN
        while self.offset < turn_ends and not self.closed:
            if self._pending or self._frame_left:
                if not self._continue_frame():
                    break
            elif self.lag:
                self._begin_frame()
            elif self._holder.finished and not self._told_end:
                self._told_end = True
                self._pending = HEADER.pack(END, 0)
            else:
                self._caught_up()
                return
        self._wait_writable()

    @property
    def closed(self) -> bool:
        return self._socket.fileno() < 0

    def close(self) -> None:
        if self.closed:
            return
        self._holder.loop.remove(self._socket.fileno())
        self._drop_segment()
        self._socket.close()
        self._holder.forget_viewer(self)

    def listen(self, reading: bool) -> None:
        """Take input, or leave it in the socket while the program does not read."""
        if reading != self._reading:
            self._reading = reading
            self._register()

    def _on_events(self, events: int) -> None:
        if events & ~WRITE and self._reading:
            try:
                data = self._socket.recv(INPUT_READ)
            except BlockingIOError:
                data = None
            except OSError:
                data = b""
            if data == b"":
                self.close()
                return
            if data:
                self._holder.type(data)
        elif events & ~(READ | WRITE):
            self.close()
            return
        if events & WRITE:
            self.catch_up()
            self._holder.update_flow()

    def _send(self, *parts: bytes) -> int:
        """Bytes taken, 0 for a full socket; a broken one closes the viewer and gives -1."""
        try:
            return self._socket.sendmsg(parts)
        except BlockingIOError:
            return 0
        except OSError:
            self.close()
            return -1

    def _account(self, header: bytes, data: bytes, sent: int, kept: int) -> None:
        """Remember what a live frame still owes: from the log, or from memory where the disk was full."""
        if kept < len(data):
            self.offset += len(data)
            self._pending = (header + data)[sent:]
        else:
            payload = max(0, sent - len(header))
            self.offset += payload
            self._frame_left = len(data) - payload
            self._pending = header[sent:]

    def _continue_frame(self) -> bool:
        """Whether it is worth to go on."""
        sent = self._send(self._pending) if self._pending else self._send_from_log()
        if sent <= 0:
            return False
        self.took = time.monotonic()
        if self._pending:
            self._pending = self._pending[sent:]
        else:
            self.offset += sent
            self._frame_left -= sent
        return True

    def _send_from_log(self) -> int:
        descriptor, start, _ = self._find_segment()
        if descriptor < 0:
            # The segment of a frame that was begun went away: the peer must not take later bytes for these.
            self.close()
            return -1
        try:
            return os.sendfile(self._socket.fileno(), descriptor, self.offset - start, self._frame_left)
        except BlockingIOError:
            return 0
        except OSError:
            self.close()
            return -1

    def _begin_frame(self) -> None:
        descriptor, start, length = self._find_segment()
        if descriptor < 0:
            begin = self._holder.log.next_kept(self.offset)
            self._pending = HEADER.pack(GAP, COUNT.size) + COUNT.pack(begin - self.offset)
            self.offset = begin
        else:
            self._frame_left = min(start + length - self.offset, LARGEST_FRAME)
            self._pending = HEADER.pack(OUTPUT, self._frame_left)

    def _find_segment(self) -> tuple[int, int, int]:
        descriptor, start, length = self._segment
        if descriptor >= 0 and start <= self.offset:
            length = os.fstat(descriptor).st_size
            self._segment = (descriptor, start, length)
        if descriptor < 0 or not start <= self.offset < start + length:
            self._drop_segment()
            self._segment = self._holder.log.descriptor(self.offset)
        return self._segment

    def _drop_segment(self) -> None:
        if self._segment[0] >= 0:
            os.close(self._segment[0])
        self._segment = (-1, 0, 0)

    def _caught_up(self) -> None:
        self.took = time.monotonic()
        self._drop_segment()
        if self._told_end:
            self.close()
        elif self._writing:
            self._writing = False
            self._register()

    def _wait_writable(self) -> None:
        if not self._writing and not self.closed:
            self._writing = True
            self._register()

    def _register(self) -> None:
        events = (READ if self._reading else 0) | (WRITE if self._writing else 0)
        self._holder.loop.change(self._socket.fileno(), events)
