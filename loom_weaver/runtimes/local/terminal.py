"""A weaver's pseudo-terminal and the process on it. Standard library only."""

from __future__ import annotations

import fcntl
import os
import struct
import termios

from loom_weaver.runtimes.local.loop import READ, WRITE, Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# One wake-up reads at most this much before viewers and control connections get their turn.
READ_TURN = 64 * 1024
# Above this, viewers' input stays in their sockets.
INPUT_HIGH = 64 * 1024
DEFAULT_ROWS, DEFAULT_COLS = 24, 80
# <asm-generic/ioctls.h>: unlock a terminal's slave, and open it whatever /dev/pts is here.
TIOCSPTLCK, TIOCGPTPEER = 0x40045431, 0x5441


def set_size(descriptor: int, cols: int, rows: int) -> None:
    """Tells the foreground processes by SIGWINCH, as any terminal does."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def get_size(descriptor: int) -> tuple[int, int]:
    """(columns, rows)."""
    rows, cols, _, _ = struct.unpack("HHHH", fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8)))
    return cols, rows


def open_pty(cols: int, rows: int, folder: str | None = None) -> tuple[int, int]:
    """A (master, slave) pair in UTF-8 line editing, of a given size, in ours or another /dev/pts."""
    master, slave = _open_pty_in(folder) if folder else os.openpty()
    mode = termios.tcgetattr(slave)
    mode[0] |= 0o40000  # IUTF8 of <asm-generic/termbits.h>, which termios does not name
    termios.tcsetattr(slave, termios.TCSANOW, mode)
    set_size(master, cols, rows)
    return master, slave


def _open_pty_in(folder: str) -> tuple[int, int]:
    flags = os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC
    master = -1
    try:
        master = os.open(f"{folder}/ptmx", flags | os.O_NOFOLLOW)
        fcntl.ioctl(master, TIOCSPTLCK, bytes(4))
        return master, fcntl.ioctl(master, TIOCGPTPEER, flags)
    except OSError:
        # Whoever that is of may be ending; one of ours works too, it only has no name there.
        if master >= 0:
            os.close(master)
        return os.openpty()


class Terminal:
    """The master's side: bytes out as they come, bytes in as the program takes them.

    The slave stays open here as well, so that the end of the last process is no error on the master: what it
    wrote is read until there is no more (Linux flushes a pty's buffers before it says so).
    """

    __slots__ = ("_events", "_input", "_loop", "_on_input_room", "_on_output", "_reading", "_slave", "master")

    def __init__(
        self,
        loop: Loop,
        pty: tuple[int, int],
        on_output: Callable[[bytes], None],
        on_input_room: Callable[[bool], None],
    ) -> None:
        self.master, self._slave = pty
        self._loop = loop
        self._on_output = on_output
        self._on_input_room = on_input_room
        self._input = bytearray()
        self._reading = True
        self._events = READ
        os.set_blocking(self.master, False)
        loop.add(self.master, READ, self._on_events)

    def type(self, data: bytes) -> None:
        """Queue input; `on_input_room` tells when to hold more back, and when to go on."""
        room = len(self._input) < INPUT_HIGH
        self._input += data
        self._write()
        if room and len(self._input) >= INPUT_HIGH:
            self._on_input_room(False)

    def read_source(self, reading: bool) -> None:
        """Let the program's output come, or hold the program back."""
        self._reading = reading
        self._register()

    def drain(self) -> None:
        """Read what is left after the last process is gone."""
        while self._read():
            pass

    def close(self) -> None:
        self._loop.remove(self.master)
        os.close(self.master)
        os.close(self._slave)

    def _on_events(self, events: int) -> None:
        if events & WRITE:
            self._write()
        if events & READ and self._reading:
            self._read()

    def _read(self) -> bool:
        """One turn of output; False when there is none."""
        parts: list[bytes] = []
        size = 0
        while size < READ_TURN:
            try:
                part = os.read(self.master, READ_TURN - size)
            except BlockingIOError:
                break
            parts.append(part)
            size += len(part)
        if parts:
            self._on_output(parts[0] if len(parts) == 1 else b"".join(parts))
        return bool(parts)

    def _write(self) -> None:
        full = len(self._input) >= INPUT_HIGH
        try:
            while self._input:
                del self._input[: os.write(self.master, self._input)]
        except BlockingIOError:
            pass
        self._register()
        if full and len(self._input) < INPUT_HIGH:
            self._on_input_room(True)

    def _register(self) -> None:
        events = (READ if self._reading else 0) | (WRITE if self._input else 0)
        if events != self._events:
            self._events = events
            self._loop.change(self.master, events)
