"""The narrow door between the service and whatever runs weavers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from traitlets import Bunch, TraitError, Unicode, validate
from traitlets.config import LoggingConfigurable

from loom_weaver.changes import ChangeLog
from loom_weaver.errors import BadRequest
from loom_weaver.images import ImageReference
from loom_weaver.models import CreateWeaver, Isolation
from loom_weaver.quantities import cpu_cores, memory_bytes
from loom_weaver.weaver import Weaver, WeaverSpec

NO_SUCH_WEAVER = "There is no weaver with this id; GET /api/weavers lists those that there are"
NOT_RUNNING = "The weaver does not run, so no command can run in it; create another one"


@dataclass(frozen=True, slots=True)
class LogStart:
    """Where a log reader begins. `after` (an id that the stream gave before) beats `tail` and `since`."""

    tail: int | None = None
    since: datetime | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line, or a piece of a line that is longer than an event may be.

    `id` resumes right after it. `at` is None for a later piece. `text` may hold bare CRs, never an LF.
    """

    id: str
    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class LogGap:
    """Output that cannot be had any more; `missing` is in bytes, None where nobody knows."""

    id: str
    missing: int | None


LogItem = LogEntry | LogGap


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Nothing follows: the weaver ended, or was deleted."""

    id: str


LogBatch = list[LogItem] | LogEnd


@dataclass(frozen=True, slots=True)
class ReplayStart:
    """Where a viewer begins: with the kept scrollback, without it, or at a byte that it saw last."""

    scrollback: bool = True
    epoch: str | None = None
    offset: int | None = None


class Viewer(Protocol):
    """What an attachment calls, on the event loop, in the order of the terminal's bytes."""

    def output(self, data: memoryview) -> None:
        """Terminal bytes; the memory is reused after the call."""

    def gap(self, missing: int | None) -> None:
        """Bytes that are not there any more; None where nobody knows how many."""

    def ended(self) -> None:
        """After the last byte: the weaver ended, `Runtime.get` says how."""

    def too_slow(self) -> None:
        """So far behind that the runtime lets go of this viewer."""

    def failed(self, message: str) -> None:
        """The runtime lost the terminal."""


class Attachment(Protocol):
    """One viewer's link to a terminal. It begins paused."""

    epoch: str
    offset: int
    """The offset of the first byte that follows."""
    live: int
    """The offset where replay ends."""
    size: tuple[int, int]
    """Columns and rows of the terminal now, or at its end; those of a new one where nobody knows."""
    gap: int | None
    """Bytes missing before `offset`; 0 for none, None where nobody knows."""

    async def send(self, data: bytes) -> None:
        """Type; waits while the program does not read."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ExecSpec:
    command: tuple[str, ...]
    tty: bool = False
    cols: int = 80
    rows: int = 24


class ExecProcess(Protocol):
    """A command in a weaver. Leaving the context that gave it ends the command with its process group."""

    warning: str | None

    async def write(self, data: bytes) -> None:
        """Feed its standard input; waits while it does not read, does nothing once it stopped reading."""

    async def close_stdin(self) -> None: ...

    def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """(1 or 2, bytes) as they come, until both streams end; not reading holds the command back."""

    async def wait(self) -> int:
        """Its exit code, 128+n for signal n."""

    def resize(self, cols: int, rows: int) -> None: ...


@dataclass(frozen=True, slots=True)
class RuntimeInfo:
    name: str
    default_image: str | None
    images: dict[str, str]
    """What may be asked for, each with a sentence; empty where any image goes."""
    isolation: Isolation


class Runtime(LoggingConfigurable):
    """Runs weavers and is the source of truth about them; its methods raise what `loom_weaver.errors` has.

    `get` and `list` answer from memory, at once. A call about a weaver that is gone raises NotFound.
    """

    max_memory = Unicode("", help="The largest memory_limit, a Kubernetes quantity; empty for none.").tag(
        config=True
    )
    max_cpu = Unicode("", help="The largest cpu_limit, a Kubernetes quantity; empty for none.").tag(
        config=True
    )

    shared: ClassVar[bool] = False
    """Whether several servers see the same weavers, each of them a moment later than who made them."""

    changes: ChangeLog

    async def start(self) -> None:
        """Learn what runs already. Lists answer afterwards."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Let go of everything without ending a weaver."""
        raise NotImplementedError

    @property
    def ready(self) -> bool:
        raise NotImplementedError

    def info(self) -> RuntimeInfo:
        raise NotImplementedError

    def check_image(self, image: ImageReference) -> None:
        """Raise BadRequest, naming what is offered, for an image that this runtime does not have."""
        raise NotImplementedError

    def check_caps(self, request: CreateWeaver) -> None:
        """Raise BadRequest for more than this runtime gives, or a path it has not."""
        limits = request.resources
        memory, cpu = (limits.memory(), limits.cpu()) if limits else (None, None)
        if memory and self.max_memory and memory > memory_bytes(self.max_memory):
            raise BadRequest(f"must be at most {self.max_memory} here", field="resources.memory_limit")
        if cpu and self.max_cpu and cpu > cpu_cores(self.max_cpu):
            raise BadRequest(f"must be at most {self.max_cpu} here", field="resources.cpu_limit")

    @validate("max_memory", "max_cpu")
    def _is_quantity(self, proposal: Bunch) -> str:
        parse = memory_bytes if proposal.trait.name == "max_memory" else cpu_cores
        try:
            if proposal.value:
                parse(proposal.value)
        except ValueError as error:
            raise TraitError(f"{proposal.trait.name} {error}") from error
        return str(proposal.value)

    async def create(self, spec: WeaverSpec) -> Weaver:
        """Start it; returns it pending. Cancelled or failed, nothing is left behind."""
        raise NotImplementedError

    def get(self, weaver_id: str) -> Weaver:
        raise NotImplementedError

    def list(self) -> Collection[Weaver]:
        raise NotImplementedError

    async def delete(self, weaver_id: str, *, seen: Weaver | None = None, reason: str = "Deleted") -> bool:
        """Begin its end. With `seen`, only if it has not been extended since; returns whether it did."""
        raise NotImplementedError

    async def extend(self, weaver_id: str, lifetime_hours: int) -> Weaver:
        """Raise Conflict where it has ended or is ending."""
        raise NotImplementedError

    def logs(
        self, weaver_id: str, start: LogStart, *, follow: bool
    ) -> AbstractAsyncContextManager[AsyncIterator[LogBatch]]:
        """Batches of a bounded size. Without `follow` it ends after the present lines, without a LogEnd."""
        raise NotImplementedError

    async def attach(self, weaver_id: str, viewer: Viewer, start: ReplayStart) -> Attachment:
        """Also for a weaver that has ended: its scrollback, then `ended`."""
        raise NotImplementedError

    def resize(self, weaver_id: str, cols: int, rows: int) -> None:
        raise NotImplementedError

    def exec(self, weaver_id: str, spec: ExecSpec) -> AbstractAsyncContextManager[ExecProcess]:
        """Raise BadRequest for a command that does not exist, Conflict where the weaver does not run."""
        raise NotImplementedError

    def file_roots(self, weaver_id: str) -> tuple[str, ...] | None:
        """The absolute paths below which files may be read and written; None where anything goes."""
        raise NotImplementedError

    def home(self, weaver_id: str) -> str:
        """The absolute path that relative paths of files start from, as the weaver sees it."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """What `/health` shows to those who are known."""
        return {}
