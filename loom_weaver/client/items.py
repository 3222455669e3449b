"""What the streams of a client yield."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from loom_weaver.errors import LoomError
from loom_weaver.models import Status, WeaverObject

EventKind = Literal["added", "modified", "deleted", "ready", "reset"]


class LogLine(NamedTuple):
    """A line of output without its line end; `str()` of it is its text.

    `text` holds the bare carriage returns with which a program rewrote the line. `timestamp` is when its
    first byte came, RFC 3339 in UTC; None for what continues a line of more than 1 MiB. `id` resumes behind
    it: `logs(after=id)`.
    """

    text: str
    timestamp: str | None
    id: str

    def __str__(self) -> str:
        return self.text

    @property
    def at(self) -> datetime | None:
        """The `timestamp` as a datetime."""
        return None if self.timestamp is None else datetime.fromisoformat(self.timestamp)


@dataclass(frozen=True, slots=True)
class LogGap:
    """Here `bytes` of output are not kept any more; None: nobody knows how many."""

    bytes: int | None
    id: str

    def __str__(self) -> str:
        return f"[{'some' if self.bytes is None else self.bytes} bytes are not kept any more]"


LogItem = LogLine | LogGap


@dataclass(frozen=True, slots=True)
class LogEnd:
    """How the weaver ended, as its log tells it; status `terminating` for one that was deleted."""

    status: Status
    exit_code: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class WeaverEvent:
    """`ready`: the present list is complete. `reset`: forget all you know, the list comes anew.

    `weaver` is None for these two alone. `id` resumes behind it: `events(after=id)`.
    """

    kind: EventKind
    weaver: WeaverObject | None
    id: str


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes of a terminal. `offset` is the number of the first; `live` is False for replayed ones."""

    data: bytes = field(repr=False)
    offset: int
    live: bool


@dataclass(frozen=True, slots=True)
class Attached:
    """The link to the terminal is up, for the first time or again; `notice` is that of read-only access."""

    access: Literal["full", "read_only"]
    cols: int
    rows: int
    viewer: int
    primary: bool
    again: bool
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Detached:
    """The link went down; the next item comes when it is up again. What is typed meanwhile is refused."""

    reason: str


@dataclass(frozen=True, slots=True)
class Watcher:
    id: int
    user_id: str
    user_name: str
    access: Literal["full", "read_only"]
    primary: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """Who watches the terminal at this server, and its size."""

    viewers: tuple[Watcher, ...]
    cols: int
    rows: int


@dataclass(frozen=True, slots=True)
class OutputGap:
    """So many bytes of output came before the next ones and are not kept; None: nobody knows how many."""

    bytes: int | None


@dataclass(frozen=True, slots=True)
class LifetimeWarning:
    """The weaver's lifetime ends in so many minutes."""

    minutes: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Exit:
    """The weaver ended; `code` is None for one that was deleted before its program ended."""

    code: int | None
    reason: str | None
    detail: str | None


TerminalItem = Output | Attached | Detached | Presence | OutputGap | LifetimeWarning


@dataclass(frozen=True, slots=True)
class Chunk:
    """Output of a command as it came; with a tty all of it is `stdout`."""

    stream: Literal["stdout", "stderr"]
    data: bytes


@dataclass(frozen=True, slots=True)
class MapResult:
    """What became of one command of `map`; `index` is its place among the commands.

    Either `error` says why there is no result, or `exit_code` is that of the command: 128+n when signal n
    ended it. `output` is what it printed, both streams as a terminal shows them; of more than 1 MiB the end,
    and `truncated` says so. `reason` is the weaver's, such as `Completed`, `Error` or `OOMKilled`.
    """

    index: int
    command: tuple[str, ...]
    weaver_id: str | None = None
    exit_code: int | None = None
    reason: str | None = None
    output: str = field(default="", repr=False)
    truncated: bool = False
    error: LoomError | None = None

    @property
    def ok(self) -> bool:
        return self.error is None and self.exit_code == 0
