"""The caller of a long call may leave before it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from tornado.http1connection import HTTP1Connection

from loom_weaver_server.handlers.base import WeaverAPIHandler


@contextmanager
def while_connected(handler: WeaverAPIHandler) -> Iterator[Callable[[], None]]:
    """Cancel what runs inside when the caller leaves, and go on behind it; gives what does the same."""
    connection = cast(HTTP1Connection, handler.request.connection)
    task = cast("asyncio.Task[None]", asyncio.current_task())
    left = False

    def leave() -> None:
        nonlocal left
        if not left:
            left = True
            task.cancel()

    connection.set_close_callback(leave)
    if connection.stream.closed():
        leave()
    try:
        yield leave
    except asyncio.CancelledError:
        if not left or task.uncancel() > 0:
            raise
    finally:
        connection.set_close_callback(handler.on_connection_close)
