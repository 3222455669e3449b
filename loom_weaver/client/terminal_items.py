"""From the text messages of `loom-weaver.v1` (docs/api.md) to items. No I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from loom_weaver.client.items import (
    Attached,
    Exit,
    LifetimeWarning,
    Output,
    OutputGap,
    Presence,
    TerminalItem,
    Watcher,
)


def attached(ready: dict[str, Any], *, again: bool, notice: bytes) -> Attached:
    return Attached(
        access=ready["access"],
        cols=ready["cols"],
        rows=ready["rows"],
        viewer=ready["viewer"],
        primary=ready["primary"],
        again=again,
        notice=notice.decode("utf-8", "replace").strip() or None,
    )


def item(message: dict[str, Any]) -> TerminalItem | Exit | None:
    """None for what a reader need not know, or a later version may tell."""
    match message.get("type"):
        case "presence":
            return _presence(message)
        case "gap":
            return OutputGap(message["bytes"])
        case "warning":
            return LifetimeWarning(message["minutes"], datetime.fromisoformat(message["expires_at"]))
        case "exit":
            return Exit(message["code"], message["reason"], message["detail"])
    return None


def output(data: bytes, offset: int, live: int) -> list[TerminalItem]:
    """What was put out before the byte `live` is replayed; `data` may hold some of both."""
    replayed = data[: max(0, live - offset)]
    fresh = data[len(replayed) :]
    parts: list[TerminalItem] = []
    if replayed:
        parts.append(Output(replayed, offset, live=False))
    if fresh:
        parts.append(Output(fresh, offset + len(replayed), live=True))
    return parts


def _presence(message: dict[str, Any]) -> Presence:
    viewers = tuple(
        Watcher(
            id=viewer["id"],
            user_id=viewer["user"]["id"],
            user_name=viewer["user"]["name"],
            access=viewer["access"],
            primary=viewer["primary"],
        )
        for viewer in message["viewers"]
    )
    return Presence(viewers, message["cols"], message["rows"])
