"""Lines on standard output as they come."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from loom_weaver.client.stream import AsyncStream

Item = TypeVar("Item")


async def print_each(stream: AsyncStream[Item], line_of: Callable[[Item], str | None]) -> None:
    """The line of each item, none for None; shown when there is nothing more to come for the moment.

    Raises BrokenPipeError when nobody reads any more.
    """
    async with stream:
        while items := await stream.batch():
            for item in items:
                line = line_of(item)
                if line is not None:
                    sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
