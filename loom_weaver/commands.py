"""Running one command in a weaver to its end."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Awaitable, Callable

from loom_weaver.models import ExecResult
from loom_weaver.runtimes.base import ExecProcess

STDIN, STDOUT, STDERR = 0, 1, 2
# What a caller gets of each stream in one answer; the rest is read and dropped.
KEPT_OUTPUT = 1024 * 1024
FED_AT_ONCE = 64 * 1024

Sink = Callable[[int, bytes], Awaitable[None]]


async def run_to_end(process: ExecProcess, stdin: bytes, timeout: float, sink: Sink) -> int | None:
    """Feed it, hand its output to `sink` as it comes; its exit code, None if the time was up before."""
    try:
        async with asyncio.timeout(timeout):
            feeding = asyncio.create_task(_feed(process, stdin))
            try:
                async for stream, data in process.output():
                    await sink(stream, data)
                exit_code = await process.wait()
            finally:
                feeding.cancel()
                await asyncio.wait([feeding])
            if not feeding.cancelled():
                feeding.result()
            return exit_code
    except TimeoutError:
        return None


async def _feed(process: ExecProcess, stdin: bytes) -> None:
    for start in range(0, len(stdin), FED_AT_ONCE):
        await process.write(stdin[start : start + FED_AT_ONCE])
    await process.close_stdin()


class Capture:
    """A command's output, as far as an answer holds it."""

    def __init__(self) -> None:
        self._kept = {STDOUT: bytearray(), STDERR: bytearray()}
        self._truncated = {STDOUT: False, STDERR: False}

    async def take(self, stream: int, data: bytes) -> None:
        kept = self._kept[stream]
        room = KEPT_OUTPUT - len(kept)
        kept += data[:room]
        self._truncated[stream] |= len(data) > room

    def result(self, exit_code: int | None, warning: str | None) -> ExecResult:
        return ExecResult(
            exit_code=exit_code,
            stdout=self._text(STDOUT),
            stderr=self._text(STDERR),
            timed_out=exit_code is None,
            stdout_truncated=self._truncated[STDOUT],
            stderr_truncated=self._truncated[STDERR],
            warning=warning,
        )

    def _text(self, stream: int) -> str:
        """A character that the cut went through is left out; bytes that are none become U+FFFD."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return decoder.decode(bytes(self._kept[stream]), final=not self._truncated[stream])
