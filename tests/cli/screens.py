"""A terminal as a person has it: keys go into a pty, and a terminal emulator says what is on the screen."""

from __future__ import annotations

import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pexpect
import pyte

from tests.server.running import PATIENCE

COLUMNS, ROWS = 80, 24
PROGRAM = [sys.executable, "-m", "loom_weaver.cli"]
CTRL_C, CTRL_D, CTRL_P, CTRL_Q, CTRL_Z = "\x03", "\x04", "\x10", "\x11", "\x1a"
DETACH = CTRL_P + CTRL_Q


class _Terminal(pyte.Screen):
    """Passes over `CSI ? … m`, by which vim asks how keys are sent (xterm's XTQMODKEYS)."""

    def select_graphic_rendition(self, *attrs: int, private: bool = False) -> None:
        if not private:
            super().select_graphic_rendition(*attrs)


class Screen:
    """A running program and what it has drawn."""

    def __init__(self, child: pexpect.spawn) -> None:
        self.child = child
        self.raw = b""
        """All that it wrote."""
        self.answers = True
        """Whether the terminal answers what programs ask it, as real ones do."""
        self._screen = _Terminal(COLUMNS, ROWS)
        self._screen.write_process_input = self._answer  # type: ignore[method-assign]
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).rstrip()

    @property
    def cursor(self) -> tuple[int, int]:
        return self._screen.cursor.x, self._screen.cursor.y

    def type(self, keys: str | bytes) -> None:
        self.child.send(keys)

    def resize(self, columns: int, rows: int) -> None:
        self.child.setwinsize(rows, columns)
        self._screen.resize(rows, columns)

    def until(self, seen: str | Callable[[], object], what: str = "", patience: float = PATIENCE) -> None:
        """Read until it is on the screen, or true; fails with the screen when it is not in time."""
        deadline = time.monotonic() + patience
        while not (seen in self.text if isinstance(seen, str) else seen()):
            left = deadline - time.monotonic()
            goes_on = left > 0 and self.read(left)
            assert goes_on, f"waited for {what or seen!r}; the screen:\n{self.text}"

    def until_raw(self, seen: bytes) -> None:
        self.until(lambda: seen in self.raw, repr(seen))

    def read(self, seconds: float) -> bool:
        """The next output; False at the end."""
        try:
            data = self.child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self._stream.feed(data)
        return True

    def ended(self) -> int:
        """Read to the end; the exit code, 128+n for a signal."""
        deadline = time.monotonic() + PATIENCE
        while self.read(max(0.0, deadline - time.monotonic())):
            assert time.monotonic() < deadline, f"it goes on; the screen:\n{self.text}"
        self.child.wait()
        code: int | None = self.child.exitstatus
        return 128 + int(self.child.signalstatus or 0) if code is None else code

    def settings(self) -> list[Any]:
        """Of the pty: modes and control characters."""
        return termios.tcgetattr(self.child.child_fd)

    def kill(self, number: signal.Signals) -> None:
        os.kill(self.child.pid, number)

    def _answer(self, data: str) -> None:
        if self.answers:
            self.child.send(data)


@contextmanager
def on_screen(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[Screen]:
    """A program on a pty of its own; killed where it does not end by itself."""
    child = pexpect.spawn(
        arguments[0],
        list(arguments[1:]),
        env=dict(environment),
        dimensions=(ROWS, COLUMNS),
        timeout=PATIENCE,
    )
    # A person does not wait before each key; nor is a key's echo to be kept off the screen.
    child.delaybeforesend = None
    try:
        yield Screen(child)
    finally:
        child.close(force=True)
