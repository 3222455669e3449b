"""A Jupyter server extension that looks at its server from inside; the benchmark loads it, nobody else.

A timer on the event loop notes how late it comes. What of that the server's threads spent waiting for a
processor, which other processes had, is no fault of the server's: the kernel tells it apart (`schedstat`).
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import threading
import time
import traceback
from typing import Any

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from tornado.web import RequestHandler

from loom_weaver.models import WeaverList

PERIOD = 0.01
# With this in the environment, a stall of so many seconds is explained by what the loop's thread was doing.
STACKS = float(os.environ.get("LOOM_BENCH_STACKS", "0"))


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "benchmarks.probe"}]


def _load_jupyter_server_extension(app: ServerApp) -> None:
    stalls = Stalls()
    app.io_loop.add_callback(stalls.start)
    base = app.web_app.settings["base_url"]
    app.web_app.add_handlers(  # type: ignore[no-untyped-call]
        ".*$",
        [
            (url_path_join(base, "/bench/probe"), ProbeHandler, {"stalls": stalls}),
            (url_path_join(base, "/bench/serialise"), SerialiseHandler),
        ],
    )


class Waits:
    """A thread's waits for a processor, in seconds."""

    def __init__(self, thread: int) -> None:
        self._descriptor = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY)
        self._seen = 0
        self.since_last()

    def since_last(self) -> float:
        seen, self._seen = self._seen, int(os.pread(self._descriptor, 100, 0).split()[1])
        return (self._seen - seen) / 1e9

    def close(self) -> None:
        os.close(self._descriptor)


class Stalls:
    """The longest time since the last `reset` in which the loop ran nothing of what was due."""

    def __init__(self) -> None:
        self.wall = self.own = 0.0
        self.stack = ""
        self._due = 0.0
        self._waits: dict[int, Waits] = {}

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._longest_wait()
        self._plan()
        if STACKS:
            threading.Thread(target=self._watch, args=(threading.get_ident(),), daemon=True).start()

    def reset(self) -> None:
        self.wall = self.own = 0.0
        self.stack = ""

    def _plan(self) -> None:
        self._due = time.perf_counter() + PERIOD
        self._loop.call_later(PERIOD, self._tick)

    def _tick(self) -> None:
        late = max(0.0, time.perf_counter() - self._due)
        own = max(0.0, late - self._longest_wait())
        self.wall = max(self.wall, late)
        self.own = max(self.own, own)
        self._plan()

    def _longest_wait(self) -> float:
        """Of any thread since the last look: the loop waits for one that has the interpreter's lock, too."""
        present = {thread.native_id for thread in threading.enumerate() if thread.native_id}
        for gone in self._waits.keys() - present:
            self._waits.pop(gone).close()
        for new in present - self._waits.keys():
            self._waits[new] = Waits(new)
        return max(waits.since_last() for waits in self._waits.values())

    def _watch(self, thread: int) -> None:
        longest = STACKS
        while True:
            time.sleep(STACKS / 4)
            late = time.perf_counter() - self._due
            if late > longest or (late > STACKS and not self.stack):
                longest = late
                frames = traceback.extract_stack(sys._current_frames()[thread])[-6:]
                self.stack = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))


class ProbeHandler(RequestHandler):
    """Times in seconds, sizes in bytes."""

    def initialize(self, stalls: Stalls) -> None:
        self.stalls = stalls

    def get(self) -> None:
        self.write(
            {
                "pid": os.getpid(),
                "cpu": time.process_time(),
                "peak_rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "stall": self.stalls.wall,
                "own_stall": self.stalls.own,
                "stack": self.stalls.stack,
            }
        )
        if self.get_argument("reset", ""):
            self.stalls.reset()


class SerialiseHandler(RequestHandler):
    """How long the list of all weavers takes to become JSON, without anything before or after that."""

    def get(self) -> None:
        service = self.settings["loom_weaver_house"].service
        objects = [service.wire(weaver) for weaver in service.runtime.list()]
        answer = WeaverList.model_construct(weavers=objects, count=len(objects), continue_=None)
        times = []
        for _ in range(int(self.get_argument("times"))):
            started = time.perf_counter()
            answer.model_dump_json(warnings=False).encode()
            times.append(time.perf_counter() - started)
        self.write({"times": times, "count": len(objects)})
