"""The end of a weaver's log, as much of it as a terminal is rebuilt from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

import aiohttp

from loom_weaver.errors import LoomError, NotFound
from loom_weaver.runtimes.kubernetes.errors import Refusal
from loom_weaver.runtimes.kubernetes.pod_link import PodLink
from loom_weaver.runtimes.kubernetes.terminal_join import missing_between

READ = 256 * 1024
# Lines that are asked for first where not the whole log is; more where they are short ones.
LINES, MOST_LINES = 20_000, 2_000_000
# Before a container has a log, the kubelet says no.
TRIES, TRY_AGAIN = 10, 0.1
# A log that is written as fast as it is read has no end.
READ_SECONDS = 6.0


class LogTail(NamedTuple):
    text: bytes
    dropped: int
    """What went before it, in bytes of the terminal."""
    stopped: bool
    """Whether it was enough before its end."""


Enough = Callable[[bytearray], bool]


async def read_tail(link: PodLink, size: int, *, whole: bool, enough: Enough) -> LogTail | None:
    """The last `size` bytes or some more; None where there is no log to be had.

    With `whole` all of it is read, so that `dropped` is all that there was before. `enough` says of what was
    read so far whether the rest is needed.
    """
    lines = LINES
    while True:
        options = {} if whole else {"tailLines": str(lines)}
        tail = await _patiently(link, size, options, enough)
        if tail is None or whole or len(tail.text) >= size or lines >= MOST_LINES:
            return tail
        if not tail.stopped and tail.text.count(b"\n") < lines:
            return tail
        lines *= 10


async def read_rest(
    link: PodLink, shown: bytes, sizes: Sequence[int], *, whole: bool
) -> tuple[LogTail | None, bytes | None]:
    """The log of what has ended, and what it has behind `shown`; None where that many bytes do not tell."""
    tail, missing = None, None
    for size in sizes:
        tail = await read_tail(link, size, whole=whole, enough=lambda _: False)
        missing = None if tail is None else missing_between(shown, tail.text, b"")
        if tail is None or missing is not None:
            break
    return tail, missing


async def _patiently(link: PodLink, size: int, options: dict[str, str], enough: Enough) -> LogTail | None:
    for _ in range(TRIES):
        try:
            return await _read(link, size, options, enough)
        except NotFound:
            return None
        except Refusal as refusal:
            if refusal.status == 404:
                return None
        except (LoomError, aiohttp.ClientError):
            # The next try, or the next connection, finds out more.
            pass
        await asyncio.sleep(TRY_AGAIN)
    return None


async def _read(link: PodLink, size: int, options: dict[str, str], enough: Enough) -> LogTail:
    kept, dropped, stopped = bytearray(), 0, False
    async with link.log({"timestamps": "false", **options}) as response:
        try:
            async with asyncio.timeout(READ_SECONDS):
                async for data in response.content.iter_chunked(READ):
                    kept += data
                    if stopped := enough(kept):
                        break
                    if len(kept) > 2 * size + READ:
                        dropped += _drop(kept, len(kept) - size)
        except TimeoutError:
            stopped = True
    return LogTail(bytes(kept), dropped, stopped)


def _drop(text: bytearray, size: int) -> int:
    lines = text.count(b"\n", 0, size)
    del text[:size]
    return size + lines
