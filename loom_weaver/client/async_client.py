"""The client: one method for each call of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from os import PathLike
from types import TracebackType
from typing import Literal, Self, Unpack

from loom_weaver.client.async_weaver import AsyncWeaver
from loom_weaver.client.attachment import AsyncAttachment
from loom_weaver.client.events import AsyncEvents
from loom_weaver.client.exec_stream import AsyncExecStream
from loom_weaver.client.fields import ListFields, Timeouts, WeaverFields
from loom_weaver.client.items import MapResult
from loom_weaver.client.logs import AsyncLogs
from loom_weaver.models import CleanupReport, ExecResult, Me, WeaverObject

Command = Sequence[str]
Path = str | PathLike[str]
Weavers = list[WeaverObject]


class AsyncClient:
    """Weavers for a program.

    Without arguments it takes, in this order, `LOOM_WEAVER_URL` and `LOOM_WEAVER_API_KEY`, the Jupyter server that
    started this kernel, what `loom-weaver login` stored, or the one Jupyter server of yours that runs on this
    machine. `key` is an API key (`loom_sk_…`) or the token of a Jupyter server; only a key that belongs to `url`
    is ever sent there. Raises NoServer where nothing is found.

    Every method raises the errors of `loom_weaver.client.errors`. One client serves any number of tasks of one
    event loop; `async with` closes it.
    """

    def __init__(
        self, url: str | None = None, key: str | None = None, *, timeouts: Timeouts = Timeouts()
    ) -> None: ...

    url: str
    """Base URL of the server, without a slash at its end."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def aclose(self) -> None:
        """Close every stream and connection; weavers go on."""

    async def me(self) -> Me:
        """Who the server takes the caller for, and what can be created there."""

    async def create(self, image: str | None = None, **fields: Unpack[WeaverFields]) -> WeaverObject:
        """A new weaver, still `pending`; `image` is by default what the server offers first.

        Repeated over a broken link it creates one weaver all the same.
        """

    def weaver(self, image: str | None = None, **fields: Unpack[WeaverFields]) -> AsyncWeaver:
        """`async with client.weaver(image=…) as w:` creates a weaver, and ends it on leaving, whatever happens."""

    async def connect(self, weaver_id: str) -> AsyncWeaver:
        """A weaver that is there already, with the same methods; leaving it does not end it."""

    def map(
        self,
        image: str | None,
        commands: Iterable[Command],
        *,
        parallel: int = 20,
        **fields: Unpack[WeaverFields],
    ) -> AsyncIterator[MapResult]:
        """Run each command in a weaver of its own, `parallel` at a time; yields results as they end.

        One result for each command, also for one that could not be run. Its weavers are gone when it ends, also
        when it is closed or cancelled half-way.
        """

    async def list(self, **fields: Unpack[ListFields]) -> Weavers:
        """The weavers that the caller may see, newest first: fields `tags`, `status`, `org_id`, `mine`, `limit`."""

    async def get(self, weaver_id: str) -> WeaverObject: ...

    async def delete(self, weaver_id: str) -> None:
        """End a weaver and drop its log and files. Raises NotFound where there is none."""

    async def extend(self, weaver_id: str, lifetime_hours: int) -> WeaverObject:
        """Set its lifetime to so many hours (1 to 48) from its creation: longer or shorter."""

    async def wait(
        self, weaver_id: str, until: Literal["running", "ended"] = "running", *, timeout: float | None = None
    ) -> WeaverObject:
        """The weaver once it runs, or has ended; follows events, so it returns within moments of that.

        `running` raises WeaverEnded for one that ended first. `ended` also returns one that was deleted, as
        `terminating`. Raises WaitTimeout after `timeout` seconds.
        """

    def logs(
        self,
        weaver_id: str,
        *,
        tail: int | None = None,
        since: datetime | str | None = None,
        follow: bool = True,
        after: str | None = None,
    ) -> AsyncLogs:
        """Its output, line by line: an async iterator of LogLine and LogGap, that ends when the weaver does.

        All that is kept by default, else from the time `since` on, or the last `tail` lines (0: only new ones);
        `after` is the id of an item to go on behind. `follow=False` ends after the lines that are there. A link that
        breaks is made anew, with no line lost and none twice. Its `end` is a LogEnd once the weaver has ended.
        """

    def attach(
        self,
        weaver_id: str,
        *,
        size: tuple[int, int] | None = None,
        scrollback: bool = True,
        since: str | None = None,
    ) -> AsyncAttachment:
        """Its terminal: `async with client.attach(id, size=(80, 24)) as terminal:`; size is columns and rows.

        `since` is the `position` of an earlier attachment, to go on at that very byte.
        """

    async def exec(
        self,
        weaver_id: str,
        command: Command,
        *,
        stdin: str | bytes = b"",
        timeout: float = 300.0,
        check: bool = False,
    ) -> ExecResult:
        """Run a command in a running weaver to its end; at most 1 MiB of each stream is returned.

        No shell is added: `["sh", "-c", "…"]`. It is never run twice. With `check`, an exit code other than 0 and a
        time that is up raise CommandFailed.
        """

    def exec_stream(
        self,
        weaver_id: str,
        command: Command,
        *,
        tty: bool = False,
        size: tuple[int, int] | None = None,
    ) -> AsyncExecStream:
        """A command with its streams: `async with client.exec_stream(id, ["sort"]) as process:`."""

    async def read_file(self, weaver_id: str, path: str) -> bytes:
        """Raises NotFound where there is none, IsADirectoryError for a folder: `download` that."""

    async def write_file(self, weaver_id: str, path: str, data: str | bytes) -> None:
        """The file has either its old content or all of the new one; text is written as UTF-8."""

    async def upload(self, weaver_id: str, local: Path, remote: str) -> None:
        """Copy a file to the file `remote`, or what a folder holds into the folder `remote`."""

    async def download(self, weaver_id: str, remote: str, local: Path) -> None:
        """Copy a file to the file `local`, or what a folder holds into the folder `local`.

        Nothing of a folder's archive may lead outside of `local`: BadRequest that names the entry.
        """

    def events(self, *, after: str | None = None) -> AsyncEvents:
        """What becomes of all weavers that the caller may see: an async iterator of WeaverEvent, without end.

        First `added` for each present one, then `ready`, then every change. Resumes by itself; where the server
        cannot, `reset` tells it and the list follows.
        """

    async def cleanup(self, *, dry_run: bool = False) -> CleanupReport:
        """Delete the weavers whose lifetime is over, now; for system admins."""
