"""Coroutines that mostly have nothing to wait for, without a task for each.

A keystroke is such a case: a task and the two turns of the event loop that it takes would cost more than the
work itself. From Python 3.12 on asyncio has this built in (`eager_start`).
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any


def begun(work: Awaitable[None]) -> asyncio.Future[None] | None:
    """Run `work` up to where it first waits; None if it is done by then.

    So far it runs outside of any task: it must not use `asyncio.timeout` or a task group before it waits.
    """
    if not inspect.iscoroutine(work):
        return asyncio.ensure_future(work)
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return asyncio.ensure_future(_Begun(work, waits_for))


class _Begun(Coroutine[Any, Any, None]):
    """A coroutine that waits already: the task that takes over is told for what."""

    def __init__(self, work: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._work = work
        self._waits_for = waits_for
        self._taken_over = False

    def send(self, value: Any) -> Any:
        if self._taken_over:
            return self._work.send(value)
        self._taken_over = True
        return self._waits_for

    def throw(self, *error: Any) -> Any:
        self._taken_over = True
        return self._work.throw(*error)

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, None]:
        raise TypeError("a task runs it")
