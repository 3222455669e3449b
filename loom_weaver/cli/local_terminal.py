"""The user's own terminal: raw while a weaver has it, and afterwards as it was found."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from loom_weaver.cli import exits
from loom_weaver.cli.descriptors import Outgoing
from loom_weaver.cli.terminal_modes import TerminalModes

STDIN, STDOUT = 0, 1
# Of a window that does not know it.
DEFAULT_SIZE = (80, 24)
SIZE_MAX = 1000


def is_interactive() -> bool:
    return os.isatty(STDIN) and os.isatty(STDOUT)


def window_size() -> tuple[int, int]:
    """Columns and rows of the terminal that shows the output, or of the one that is typed into."""
    for descriptor in (STDOUT, STDIN):
        try:
            columns, rows = os.get_terminal_size(descriptor)
        except OSError:
            continue
        if columns and rows:
            return min(columns, SIZE_MAX), min(rows, SIZE_MAX)
    return DEFAULT_SIZE


class LocalTerminal:
    """`with LocalTerminal() as terminal:`; raw from `make_raw` on, until it is left, however that happens."""

    def __init__(self) -> None:
        self._out = Outgoing(STDOUT)
        self._modes = TerminalModes()
        self._found: list[Any] | None = None

    def __enter__(self) -> LocalTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()
        self._out.close()

    @property
    def is_raw(self) -> bool:
        return self._found is not None

    @property
    def full_screen(self) -> bool:
        return self._modes.full_screen

    def make_raw(self) -> None:
        """Every key goes to the weaver."""
        if self._found is None and os.isatty(STDIN):
            self._found = termios.tcgetattr(STDIN)
            atexit.register(self.restore)
            tty.setraw(STDIN, termios.TCSADRAIN)

    def restore(self) -> None:
        if self._found is not None:
            found, self._found = self._found, None
            atexit.unregister(self.restore)
            try:
                self._out.write_now(self._modes.undo())
            except OSError:
                # Its window is gone: nobody is left to see it.
                return
            finally:
                self._set(found)
            self._modes = TerminalModes()

    def _set(self, attributes: list[Any]) -> None:
        try:
            termios.tcsetattr(STDIN, termios.TCSADRAIN, attributes)
        except termios.error:
            # As above.
            return

    async def show(self, data: bytes) -> None:
        """A program's output, as it is."""
        self._modes.feed(data)
        await self._out.write(data)

    def show_at_once(self, data: bytes) -> int:
        """How many bytes of it could be shown without waiting."""
        shown = self._out.write_at_once(data)
        self._modes.feed(data[:shown])
        return shown

    async def notice(self, text: str) -> None:
        """A line of our own amid the output; only a bell where a program draws on the whole screen."""
        if not self.is_raw:
            exits.complain(text)
        elif self.full_screen:
            await self.ring()
        else:
            await self._out.write(f"\r\n\x1b[m[loom-weaver: {text}]\r\n".encode())

    async def ring(self) -> None:
        """For a key that goes nowhere."""
        if self.is_raw:
            await self._out.write(b"\a")


@contextmanager
def window_changes(told: Callable[[], None]) -> Iterator[None]:
    """Calls `told` in the event loop whenever the window has another size."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGWINCH, told)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
