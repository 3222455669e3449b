"""A command's output into a cell, as it comes, and a user's interrupt back.

A thread reads, so that an interrupt of the main thread loses nothing that was on its way; the main thread
writes, as a kernel tells by the thread to which cell a line belongs.
"""

from __future__ import annotations

import codecs
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from loom_weaver.errors import LoomError
from loom_weaver.magics.end_mark import EndMark

if TYPE_CHECKING:
    from loom_weaver.client.blocking import ExecStream
    from loom_weaver.client.items import Chunk

STREAMS = ("stdout", "stderr")
# A cell that is slow to show output slows the command: so many pieces wait, of at most 64 KiB or so each.
WAITING_PIECES = 64
Piece = tuple[str, str]


class Output:
    """What a command prints, in pieces of text; it ends with the command, or at `marks` in both streams."""

    def __init__(self, process: ExecStream, marks: Mapping[str, EndMark] | None = None) -> None:
        self._process = process
        self._marks = marks
        self._decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in STREAMS}
        self._pieces: queue.Queue[Piece | None] = queue.Queue(WAITING_PIECES)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._read, name="loom-weaver cell", daemon=True)

    def write(self, interrupt: Callable[[], None]) -> None:
        """Into the cell, to its end. Ctrl-C calls `interrupt`, and goes on; what that raises ends it."""
        self._thread.start()
        while True:
            try:
                piece = self._pieces.get()
                if piece is None:
                    break
                self._show(*piece)
            except KeyboardInterrupt:
                self._interrupted(interrupt)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _interrupted(self, interrupt: Callable[[], None]) -> None:
        try:
            interrupt()
        except BaseException:
            while self._pieces.get() is not None:
                pass
            raise

    def _show(self, name: str, text: str) -> None:
        stream = sys.stderr if name == "stderr" else sys.stdout
        stream.write(text)
        if self._pieces.empty():
            stream.flush()

    def _read(self) -> None:
        try:
            for chunk in self._process:
                self._take(chunk)
                if self._marks and all(mark.code is not None for mark in self._marks.values()):
                    break
        except LoomError as error:
            self._failure = error
        finally:
            self._rest()
            self._pieces.put(None)

    def _take(self, chunk: Chunk) -> None:
        data = self._marks[chunk.stream].feed(chunk.data) if self._marks else chunk.data
        text = self._decoders[chunk.stream].decode(data)
        if text:
            self._pieces.put((chunk.stream, text))

    def _rest(self) -> None:
        for name in STREAMS:
            held = self._marks[name].flush() if self._marks else b""
            text = self._decoders[name].decode(held, final=True)
            if text:
                self._pieces.put((name, text))
