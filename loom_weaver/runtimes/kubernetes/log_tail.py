"""The end of a weaver's log, as much of it as a terminal is rebuilt from."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import aiohttp

from loom_weaver.errors import LoomError, NotFound
from loom_weaver.runtimes.kubernetes.errors import Refusal
from loom_weaver.runtimes.kubernetes.pod_link import PodLink

READ = 256 * 1024
# Lines that are asked for where not all of them are: more than the largest scrollback mostly has.
LINES = 40_000
# Before a container has a log, the kubelet says no.
TRIES, TRY_AGAIN = 10, 0.1
SILENCE = 10.0


class LogTail(NamedTuple):
    text: bytes
    dropped: int
    """What went before it, in bytes of the terminal."""


async def read_tail(link: PodLink, keep: int, *, whole: bool) -> LogTail | None:
    """The last `keep` bytes; None where there is no log to be had.

    With `whole` all of it is read, so that `dropped` is all that there was before.
    """
    for _ in range(TRIES):
        try:
            return await _read(link, keep, {} if whole else {"tailLines": str(LINES)})
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


async def _read(link: PodLink, keep: int, options: dict[str, str]) -> LogTail:
    kept, dropped = bytearray(), 0
    async with link.log({"timestamps": "false", **options}, silence=SILENCE) as response:
        async for data in response.content.iter_chunked(READ):
            kept += data
            if len(kept) > 2 * keep + READ:
                dropped += _drop(kept, len(kept) - keep)
    dropped += _drop(kept, max(0, len(kept) - keep))
    return LogTail(bytes(kept), dropped)


def _drop(text: bytearray, size: int) -> int:
    lines = text.count(b"\n", 0, size)
    del text[:size]
    return size + lines
