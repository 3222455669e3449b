"""The holder's event loop: epoll and timers, a hundredth of asyncio's memory. Standard library only."""

from __future__ import annotations

import select
import time
from _heapq import heappop, heappush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
# Suspended machines stop the monotonic clock that epoll waits by: look at the wall clock at least this often.
LONGEST_WAIT = 60.0


class Timer:
    __slots__ = ("at", "call")

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call: Callable[[], None] | None = call

    def __lt__(self, other: Timer) -> bool:
        return self.at < other.at

    def cancel(self) -> None:
        self.call = None


class Loop:
    """Callbacks get the epoll events. Timers are on the wall clock, as deadlines are."""

    __slots__ = ("_callbacks", "_epoll", "_timers", "running")

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._timers: list[Timer] = []
        self.running = True

    def add(self, descriptor: int, events: int, callback: Callable[[int], None]) -> None:
        self._callbacks[descriptor] = callback
        self._epoll.register(descriptor, events)

    def change(self, descriptor: int, events: int) -> None:
        if descriptor in self._callbacks:
            self._epoll.modify(descriptor, events)

    def remove(self, descriptor: int) -> None:
        if self._callbacks.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def at(self, moment: float, call: Callable[[], None]) -> Timer:
        timer = Timer(moment, call)
        heappush(self._timers, timer)
        return timer

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        return self.at(time.time() + seconds, call)

    def run(self) -> None:
        while self.running:
            for descriptor, events in self._epoll.poll(self._wait()):
                callback = self._callbacks.get(descriptor)
                if callback is not None:
                    callback(events)
            self._run_timers()

    def _wait(self) -> float:
        if not self._timers:
            return LONGEST_WAIT
        return min(LONGEST_WAIT, max(0.0, self._timers[0].at - time.time()))

    def _run_timers(self) -> None:
        while self._timers and (self._timers[0].call is None or self._timers[0].at <= time.time()):
            call = heappop(self._timers).call
            if call is not None:
                call()
