"""When something is tried again, and what is finished although its caller was cancelled."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from loom_weaver.client.errors import CallTimeout, ConnectionFailed
from loom_weaver.errors import LoomError, RateLimited, RuntimeFailure, RuntimeTimeout, Unavailable

Result = TypeVar("Result")
FIRST_DELAY = 0.1
LONGEST_DELAY = 8.0
# What may pass by itself. A call that timed out has had all the time that its caller gives it.
PASSING = (ConnectionFailed, Unavailable, RateLimited, RuntimeFailure, RuntimeTimeout)


def passes(error: BaseException) -> bool:
    return isinstance(error, PASSING) and not isinstance(error, CallTimeout)


class Backoff:
    """Ever longer pauses, each with jitter, so that a thousand clients do not come back at once."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        """How many seconds may pass without a success."""
        self._attempts = 0
        self._deadline: float | None = None

    def __repr__(self) -> str:
        return f"<Backoff attempts={self._attempts}>"

    def restart(self) -> None:
        """All is well: the next failure is a first one."""
        self._attempts = 0
        self._deadline = None

    async def pause(self, error: Exception) -> None:
        """Wait as long as is due after `error`; raises it when there has been no success for too long."""
        now = asyncio.get_running_loop().time()
        if self._deadline is None:
            self._deadline = now + self.patience
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2**self._attempts) * random.uniform(0.5, 1)  # noqa: S311
        if isinstance(error, RateLimited):
            delay = max(delay, error.retry_after)
        if now + delay > self._deadline:
            raise error
        self._attempts += 1
        await asyncio.sleep(delay)


def never_sent(error: BaseException) -> bool:
    return isinstance(error, ConnectionFailed) and not error.sent


async def retrying(
    work: Callable[[], Awaitable[Result]],
    patience: float,
    may_retry: Callable[[BaseException], bool] = passes,
) -> Result:
    """What `work` returns, tried again after errors that allow it, for `patience` seconds."""
    backoff = Backoff(patience)
    while True:
        try:
            return await work()
        except LoomError as error:
            if not may_retry(error):
                raise
            await backoff.pause(error)


async def completed(work: Coroutine[Any, Any, Result]) -> Result:
    """`work` to its end, also when the caller is cancelled meanwhile; the cancellation goes on after it."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except Exception:  # noqa: BLE001 - `task.result()` raises it
            break
    if cancelled is not None:
        if not task.cancelled():
            task.exception()
        raise cancelled
    return task.result()
