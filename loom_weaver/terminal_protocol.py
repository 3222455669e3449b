"""The words of the attach protocol: what a client's text means, and what it is told. No I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, TypeGuard

from loom_weaver import errors
from loom_weaver.lifetime import rfc3339
from loom_weaver.models import TERMINAL_SIZE_MAX
from loom_weaver.presence import AccessLevel, Presence, Size
from loom_weaver.weaver import Weaver

SUBPROTOCOL = "loom-weaver.v1"
READ_ONLY_NOTICE = b"*** Read-only access: You can view output but cannot send input ***\r\n"
# A control message has some dozens of bytes; what is longer was typed or pasted.
LONGEST_CONTROL = 64 * 1024
# A close frame's body is at most 125 bytes, two of which are the code (RFC 6455, 5.5).
LONGEST_REASON = 123
# When viewers are told that the weaver's lifetime ends, in minutes before that.
WARNING_MINUTES = (10, 5, 1)


class CloseCode(IntEnum):
    NORMAL = 1000
    RUNTIME_FAILURE = 1011
    RESTART = 1012
    BAD_REQUEST = 4400
    BAD_TOKEN = 4401
    NO_ACCESS = 4403
    NO_WEAVER = 4404
    NO_AUTH_IN_TIME = 4408
    ENDED = 4409
    TOO_SLOW = 4429


@dataclass(frozen=True, slots=True)
class Resize:
    cols: int
    rows: int

    @property
    def size(self) -> Size:
        return self.cols, self.rows


@dataclass(frozen=True, slots=True)
class Ping:
    pass


@dataclass(frozen=True, slots=True)
class Ack:
    """So many more bytes are drawn."""

    bytes: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """A control message that says nothing to us."""


@dataclass(frozen=True, slots=True)
class Typed:
    """Text that is no control message."""

    text: str


def json_object(text: str, longest: int = LONGEST_CONTROL) -> dict[str, Any] | None:
    """The JSON object that `text` is, from its first to its last character; None for all else."""
    if len(text) > longest or text[:1] != "{" or text[-1:] != "}":
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def auth_message(text: str, longest: int = LONGEST_CONTROL) -> dict[str, Any] | None:
    """An auth message, which has a token; None for anything else."""
    message = json_object(text.strip(), longest)
    if message is None or message.get("type") != "auth" or not isinstance(message.get("token"), str):
        return None
    return message


def documented_text(text: str) -> Typed | Resize | Ignored:
    """What a text message means from the documented client: typed, unless it is exactly a resize."""
    message = json_object(text)
    if message is None or message.get("type") != "resize":
        return Typed(text)
    return _resize(message)


def v1_text(text: str) -> Resize | Ping | Ack | Ignored:
    """What a text message means from a loom-weaver.v1 client, which never types by text."""
    message = json_object(text) or {}
    match message.get("type"):
        case "resize":
            return _resize(message)
        case "ping":
            return Ping()
        case "ack" if _is_integer(message.get("bytes")) and message["bytes"] > 0:
            return Ack(message["bytes"])
    return Ignored()


def terminal_size(message: dict[str, Any]) -> Size | None:
    """The size that a message tells, None where it tells none or nonsense."""
    cols, rows = _length(message.get("cols")), _length(message.get("rows"))
    return (cols, rows) if cols and rows else None


def _resize(message: dict[str, Any]) -> Resize | Ignored:
    size = terminal_size(message)
    return Resize(*size) if size else Ignored()


def _length(value: object) -> int | None:
    return value if _is_integer(value) and 1 <= value <= TERMINAL_SIZE_MAX else None


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Ready:
    """`offset` is that of the first byte that follows, `live` the one where replay ends."""

    viewer: int
    access: AccessLevel
    epoch: str
    offset: int
    live: int
    size: Size
    primary: bool


def ready(state: Ready) -> str:
    cols, rows = state.size
    return _message(
        "ready",
        viewer=state.viewer,
        access=state.access,
        epoch=state.epoch,
        offset=state.offset,
        live=state.live,
        cols=cols,
        rows=rows,
        primary=state.primary,
    )


def presence(present: Presence, size: Size) -> str:
    cols, rows = size
    return _message("presence", viewers=present.snapshot(), cols=cols, rows=rows)


def gap(missing: int | None) -> str:
    return _message("gap", bytes=missing)


def warning(expires_at: datetime, now: datetime) -> str:
    minutes = -((now - expires_at) // timedelta(minutes=1))
    return _message("warning", minutes=max(0, minutes), expires_at=rfc3339(expires_at))


def exited(weaver: Weaver | None) -> str:
    return _message(
        "exit",
        code=weaver.exit_code if weaver else None,
        reason=weaver.reason if weaver else "Deleted",
        detail=weaver.detail if weaver else None,
    )


def exec_exit(exit_code: int, warning: str | None) -> str:
    return _message("exit", exit_code=exit_code, warning=warning)


def pong() -> str:
    return _message("pong")


def _message(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":"))


def next_warning(expires_at: datetime, now: datetime) -> datetime | None:
    """The next moment to warn at, None when the last has passed."""
    moments = (expires_at - timedelta(minutes=minutes) for minutes in WARNING_MINUTES)
    return next((moment for moment in moments if moment > now), None)


def close_reason(text: str) -> str:
    """`text` cut, at a character's end, to what a close frame holds."""
    return text.encode()[:LONGEST_REASON].decode(errors="ignore")


def refusal(error: errors.LoomError) -> tuple[CloseCode, str]:
    """How a terminal that cannot be had is closed."""
    codes: dict[type[errors.LoomError], CloseCode] = {
        errors.Unauthorized: CloseCode.BAD_TOKEN,
        errors.Forbidden: CloseCode.NO_ACCESS,
        errors.NotFound: CloseCode.NO_WEAVER,
        errors.BadRequest: CloseCode.BAD_REQUEST,
        errors.Conflict: CloseCode.ENDED,
    }
    return codes.get(type(error), CloseCode.RUNTIME_FAILURE), error.message


def farewell(weaver: Weaver | None, *, had_ended: bool) -> tuple[CloseCode, str]:
    """How a terminal closes after its last byte; `had_ended` if it was over before the viewer came."""
    if weaver is None:
        return CloseCode.ENDED, "Deleted"
    story = ": ".join(part for part in (weaver.reason, weaver.detail) if part)
    code = weaver.exit_code
    if had_ended or weaver.status == "terminating" or weaver.reason in {"Deleted", "Expired"}:
        return CloseCode.ENDED, story or (weaver.status if code is None else f"exited {code}")
    if code is None:
        return CloseCode.RUNTIME_FAILURE, story or "the weaver was lost"
    return CloseCode.NORMAL, f"exited {code}"
