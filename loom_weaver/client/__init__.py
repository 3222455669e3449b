"""Weavers for programs: `AsyncClient`, and `Client`, the same without `await`.

    from loom_weaver import Client

    with Client() as client, client.weaver(image="python") as w:
        print(w.exec(["python3", "-c", "print(6 * 7)"]).stdout)

Names are loaded when they are asked for: who only reads a stored login waits for no HTTP library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient
    from loom_weaver.client.async_weaver import AsyncWeaver
    from loom_weaver.client.blocking import Client, Weaver
    from loom_weaver.client.errors import (
        CallTimeout,
        CommandFailed,
        ConnectionFailed,
        NoServer,
        NotALoomServer,
        ServerFailed,
        WaitTimeout,
        WeaverEnded,
    )
    from loom_weaver.client.fields import Timeouts
    from loom_weaver.client.items import (
        Attached,
        Chunk,
        Detached,
        Exit,
        LifetimeWarning,
        LogEnd,
        LogGap,
        LogLine,
        MapResult,
        Output,
        OutputGap,
        Presence,
        WeaverEvent,
    )
else:
    _HOMES = {
        "async_client": "AsyncClient",
        "async_weaver": "AsyncWeaver",
        "blocking": "Client Weaver",
        "errors": "CallTimeout CommandFailed ConnectionFailed NoServer NotALoomServer ServerFailed "
        "WaitTimeout WeaverEnded",
        "fields": "Timeouts",
        "items": "Attached Chunk Detached Exit LifetimeWarning LogEnd LogGap LogLine MapResult Output "
        "OutputGap Presence WeaverEvent",
    }
    _HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

    def __getattr__(name):
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


__all__ = [
    "AsyncClient",
    "AsyncWeaver",
    "Attached",
    "CallTimeout",
    "Chunk",
    "Client",
    "CommandFailed",
    "ConnectionFailed",
    "Detached",
    "Exit",
    "LifetimeWarning",
    "LogEnd",
    "LogGap",
    "LogLine",
    "MapResult",
    "NoServer",
    "NotALoomServer",
    "Output",
    "OutputGap",
    "Presence",
    "ServerFailed",
    "Timeouts",
    "WaitTimeout",
    "Weaver",
    "WeaverEnded",
    "WeaverEvent",
]
