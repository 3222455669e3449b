"""An event loop in a thread of its own, for callers that have none, or one that must not wait."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from loom_weaver.client.errors import ConnectionFailed

Result = TypeVar("Result")
# How long an interrupted call may take to clean up: what it has begun to create is deleted.
CLEANUP = 90.0


class LoopThread:
    """Any number of threads run coroutines on it. It starts with the first one, and ends with `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._process = os.getpid()
        self._closed = False

    def __repr__(self) -> str:
        return f"<LoopThread {'closed' if self._closed else 'running' if self._loop else 'not started'}>"

    @property
    def is_closed(self) -> bool:
        return self._closed

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What `work` returns. Interrupted, as by Ctrl-C, it cancels `work` and waits for its clean-up."""
        done: Future[Result] = Future()
        tasks: list[asyncio.Task[Result]] = []
        try:
            loop = self._running_loop()
        except BaseException:
            work.close()
            raise

        def start() -> None:
            tasks.append(loop.create_task(work))
            tasks[0].add_done_callback(lambda task: _hand_over(task, done))

        def cancel() -> None:
            tasks[0].cancel()

        loop.call_soon_threadsafe(start)
        try:
            return done.result()
        finally:
            if not done.done():
                loop.call_soon_threadsafe(cancel)
                with suppress(Exception):
                    done.exception(CLEANUP)

    def iterate(self, items: AsyncIterator[Result]) -> Iterator[Result]:
        """The items of an async generator, which is closed when this one is."""
        try:
            while (found := self.run(_next(items))) is not None:
                yield found[0]
        finally:
            if not self._closed:
                self.run(_close(items))

    def close(self) -> None:
        """What still runs is cancelled."""
        with self._lock:
            self._closed = True
            thread, loop, stopping = self._thread, self._loop, self._stopping
            self._thread = self._loop = None
        if thread is None or loop is None or stopping is None or self._process != os.getpid():
            return
        loop.call_soon_threadsafe(stopping.set)
        if thread is not threading.current_thread():
            thread.join()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._process != os.getpid():
            raise RuntimeError("this client belongs to the process that forked this one: make a new one")
        if threading.current_thread() is self._thread:
            raise RuntimeError("a blocking call in the client's own event loop would never end")
        with self._lock:
            if self._closed:
                raise ConnectionFailed("this client is closed; make a new one", sent=False)
            if self._loop is None:
                started = threading.Event()
                self._thread = threading.Thread(
                    target=lambda: asyncio.run(self._serve(started)), name="loom-weaver client", daemon=True
                )
                self._thread.start()
                started.wait()
            assert self._loop is not None
            return self._loop

    async def _serve(self, started: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        started.set()
        await self._stopping.wait()


def _hand_over(task: asyncio.Task[Result], done: Future[Result]) -> None:
    if task.cancelled():
        done.set_exception(ConnectionFailed("this client was closed, or the call was interrupted"))
    elif (error := task.exception()) is not None:
        done.set_exception(error)
    else:
        done.set_result(task.result())


async def _next(items: AsyncIterator[Result]) -> tuple[Result] | None:
    async for item in items:
        return (item,)
    return None


async def _close(items: AsyncIterator[Any]) -> None:
    aclose = getattr(items, "aclose", None)
    if aclose is not None:
        await aclose()
